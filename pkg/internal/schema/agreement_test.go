package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// FuzzSyntax compares the syntax check with encoding/json.
func FuzzSyntax(f *testing.F) {
	for _, text := range validTexts {
		f.Add([]byte(text))
	}
	for _, b := range brokenTexts() {
		f.Add([]byte(b.text))
	}
	for _, c := range keywordCases(f) {
		f.Add([]byte(c.schema))
	}
	checker := new(schema.Checker)
	f.Fuzz(func(t *testing.T, text []byte) { agree(t, checker, text) })
}

func TestCheckSyntaxAgreesWithEncodingJSON(t *testing.T) {
	checker := new(schema.Checker)
	for _, seed := range validTexts {
		agree(t, checker, []byte(seed))
	}
	for i := range 1 << 16 / slowdown {
		agree(t, checker, []byte{byte(i)})
		agree(t, checker, []byte{byte(i >> 8), byte(i)})
	}
	// Every byte of some texts is replaced, removed and inserted.
	const strange = "\"\\{}[],:0-.eEtnu \n\x00\x1f\x80\xc3\xff/'"
	for _, seed := range []string{`{"a":[1,-0.5e+3,"\ud83d\ude00\n",true,null],"é":{"b":false,"":""}}`, ` [ {"a" : 10} , "x" ] `, `{"a":1,"b":{"a":2},"ab":[]}`} {
		for i := range len(seed) {
			agree(t, checker, []byte(seed[:i]+seed[i+1:]))
			for _, b := range []byte(strange) {
				agree(t, checker, []byte(seed[:i]+string([]byte{b})+seed[i:]))
				agree(t, checker, []byte(seed[:i]+string([]byte{b})+seed[i+1:]))
			}
		}
	}
}

// agree fails unless a check accepts what encoding/json accepts, except for what
// strict JSON excludes.
func agree(t *testing.T, checker *schema.Checker, text []byte) {
	t.Helper()
	found := checker.Check(nil, text)
	inOrder(t, text, found)
	right := summarize(found, func(k schema.Kind) bool { return k == schema.Syntax || k == schema.Depth }) == ""
	valid := json.Valid(text)
	if want := valid && utf8.Valid(text) && !halvesSurrogates(text) && !isDeep(text); right != want {
		t.Fatalf("%q: valid: %v, want %v: %+v", text, right, want, found)
	}
	if !right {
		couldBegin(t, text, found[len(found)-1].Offset)
		return
	}
	duplicates := strings.Count(summarize(found, schema.Kind.IsViolation), schema.DuplicateKey.String())
	if want := countDuplicates(t, text); duplicates != want {
		t.Fatalf("%q: %d duplicate keys, want %d", text, duplicates, want)
	}
}

// inOrder checks what is promised of all findings.
func inOrder(t *testing.T, text []byte, found []schema.Finding) {
	t.Helper()
	if len(found) > schema.MaxFindings {
		t.Errorf("%q: %d findings", text, len(found))
	}
	before := 0
	for _, f := range found {
		if f.Offset < before || f.End < f.Offset || f.End > len(text) || f.Message() == "" || f.Pointer != "" && f.Pointer[0] != '/' {
			t.Errorf("%q: %+v: %s", text, f, f.Message())
		}
		before = f.Offset
	}
}

// couldBegin fails unless the text is valid up to the place of its error.
func couldBegin(t *testing.T, text []byte, offset int) {
	t.Helper()
	err := json.NewDecoder(bytes.NewReader(text[:offset])).Decode(new(json.RawMessage))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Fatalf("%q: the error is reported at %d, but is before it: %v", text, offset, err)
	}
}

// halvesSurrogates reports whether a JSON text has an escape of half a surrogate
// pair.
func halvesSurrogates(text []byte) bool {
	high := -1 // where a low half has to begin
	for i := 0; i < len(text); i++ {
		if i == high && (len(text) < i+6 || text[i] != '\\' || text[i+1] != 'u') {
			return true
		}
		if text[i] != '\\' {
			continue
		}
		if text[i+1] != 'u' {
			i++
			continue
		}
		r, err := strconv.ParseUint(string(text[i+2:i+6]), 16, 16)
		isLow := r >= 0xdc00 && r < 0xe000
		if err != nil || isLow != (i == high) {
			return true
		}
		if r >= 0xd800 && r < 0xdc00 {
			high = i + 6
		}
		i += 5
	}
	return false
}

func isDeep(text []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case !inString && (b == '{' || b == '['):
			if depth++; depth > schema.MaxDepth {
				return true
			}
		case !inString && (b == '}' || b == ']'):
			depth--
		}
	}
	return false
}

// countDuplicates counts the repeated names of all objects, up to the limit of
// findings.
func countDuplicates(t *testing.T, text []byte) int {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var open []map[string]bool // nil for a list
	var isName []bool
	count := 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return min(count, schema.MaxFindings)
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		top := len(open) - 1
		if name, ok := token.(string); ok && top >= 0 && isName[top] {
			if open[top][name] {
				count++
			}
			open[top][name], isName[top] = true, false
			continue
		}
		switch token {
		case json.Delim('{'):
			open, isName = append(open, map[string]bool{}), append(isName, true)
			continue
		case json.Delim('['):
			open, isName = append(open, nil), append(isName, false)
			continue
		case json.Delim('}'), json.Delim(']'):
			open, isName = open[:top], isName[:top]
			top--
		}
		if top >= 0 {
			isName[top] = open[top] != nil
		}
	}
}
