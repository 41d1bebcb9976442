package batch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/webhook"
)

// elements reads a file and returns its lines as "row:column text".
func elements(t *testing.T, text string) (got []string, err error) {
	t.Helper()
	file, err := batch.Read(t.Context(), strings.NewReader(text), func(l batch.Line) bool {
		if got = append(got, fmt.Sprintf("%d:%d %s", l.Row, l.Column, l.Raw)); l.N != len(got) || !l.Element {
			t.Errorf("element %d is numbered %d", len(got), l.N)
		}
		return true
	})
	if file.Len() != len(got) {
		t.Errorf("%d of %d elements are kept", file.Len(), len(got))
	}
	return got, err
}

func TestReadArray(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", batch.MaxLine-2)
	for name, test := range map[string]struct {
		text  string
		want  []string
		fault string
	}{
		"one line":                         {`[{"a":1},{"b":[2,3]}]`, []string{`1:2 {"a":1}`, `1:10 {"b":[2,3]}`}, ""},
		"the bytes of an element are kept": {"\n [ {\"a\" :\r\n 1.0}\t,\n\t{\"b\":\"\u00e9\\u00e9\"} ]\n", []string{"2:4 {\"a\" :\r\n 1.0}", "4:2 {\"b\":\"\u00e9\\u00e9\"}"}, ""},
		"columns are characters":           {`["é",{}]`, []string{`1:2 "é"`, `1:6 {}`}, ""},
		"brackets in strings":              {`[{"a":"],}\"]"},{"b\\":"["}]`, []string{`1:2 {"a":"],}\"]"}`, `1:17 {"b\\":"["}`}, ""},
		"an empty array":                   {" [ \n] ", nil, ""},
		"an element of the limit":          {`["` + long + `",1]`, []string{`1:2 "` + long + `"`, fmt.Sprintf("1:%d 1", len(long)+5)}, ""},
		"a longer element has no bytes":    {`[1,"` + long + `xxxx",2]`, []string{"1:2 1", "1:4 ", fmt.Sprintf("1:%d 2", len(long)+11)}, ""},
		"elements that are not JSON":       {`[{"a":},tru,{}{}]`, []string{`1:2 {"a":}`, `1:9 tru`, `1:13 {}{}`}, ""},
		"an element that is cut off":       {"[{},\n{\"a\":[1}", []string{"1:2 {}", `2:1 {"a":[1}`}, ""},
		"a string that is cut off":         {`["a`, []string{`1:2 "a`}, ""},
		"no closing bracket":               {`[{}`, nil, "line 1, column 3: the array is cut off here: its closing bracket is missing"},
		"no closing bracket after spaces":  {"[{},\n ", []string{"1:2 {}"}, "line 2, column 1: the array is cut off here: its closing bracket is missing"},
		"a trailing comma":                 {"[{},\n]", []string{"1:2 {}"}, "line 2, column 1: a trailing comma before this bracket"},
		"two commas":                       {`[{},,{}]`, []string{"1:2 {}"}, "line 1, column 5: an element is missing before this comma"},
		"more than one array":              {"[{}]\n[{}]", []string{"1:2 {}"}, "line 2, column 1: the array ends before this place: a batch is one array, or one event a line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := elements(t, test.text)
			if !slices.Equal(got, test.want) {
				t.Errorf("%.100q\nwant %.100q", got, test.want)
			}
			fault := ""
			if broken := new(webhook.SyntaxError); errors.As(err, &broken) {
				fault = broken.Error()
			} else if err != nil {
				t.Error(err)
			}
			if fault != test.fault {
				t.Errorf("the error is %q, want %q", fault, test.fault)
			}
		})
	}
	if _, err := batch.Read(t.Context(), io.MultiReader(strings.NewReader(`[1`), failing{io.ErrClosedPipe}), nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the error of the reader is %v", err)
	}
}

// TestReadArray_memory reads an array of 64 MiB, indented.
//
//nolint:paralleltest // what other tests allocate would count
func TestReadArray_memory(t *testing.T) {
	element := bytes.Repeat([]byte("\n"), 1<<10)
	copy(element, `{"a":1},`)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	whole := io.MultiReader(strings.NewReader("["), io.LimitReader(&repeating{line: element}, 64<<20), strings.NewReader("{}]"))
	file, err := batch.Read(t.Context(), whole, nil)
	if err != nil || file.Len() != 64<<10+1 {
		t.Fatal(file.Len(), err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the memory has grown by %d KiB", grown>>10)
	}
	runtime.KeepAlive(file)
}

// FuzzReadArray compares the elements with those that encoding/json finds, and
// accepts no array that it refuses.
func FuzzReadArray(f *testing.F) {
	for _, text := range []string{`[{"a":1},{"b":"]"}]`, "[ ]", "[1,", `[{"a":[1}]`, "\n[\n1\n,\n\"\\\"\"\n]\n", "[]]", "[1 2]", `["`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = "[" + text
		var got []json.RawMessage
		allJSON := true
		_, err := batch.Read(t.Context(), strings.NewReader(text), func(l batch.Line) bool {
			got = append(got, bytes.Clone(l.Raw))
			allJSON = allJSON && json.Valid(l.Raw)
			return true
		})
		var want []json.RawMessage
		valid := json.Unmarshal([]byte(text), &want) == nil
		if accepted := err == nil && allJSON; accepted != valid {
			t.Fatalf("%q: accepted: %t, valid: %t: %q, %v", text, accepted, valid, got, err)
		}
		if valid && !slices.EqualFunc(got, want, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			t.Fatalf("%q: %q, want %q", text, got, want)
		}
	})
}
