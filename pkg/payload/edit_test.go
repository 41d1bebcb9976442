package payload_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestSet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ raw, path, value, want string }{
		"a member":                            {`{ "a" : 1 , "b":5000.00}`, "a", `"x"`, `{ "a" : "x" , "b":5000.00}`},
		"a member of a member":                {`{"a":{"b":[ 1 ]}}`, "a.b", `{}`, `{"a":{"b":{}}}`},
		"an element":                          {`{"a":[1, 2 ,3]}`, "a.1", `null`, `{"a":[1, null ,3]}`},
		"an element in brackets":              {`{"a":[{"b":1}]}`, "a[0].b", `2`, `{"a":[{"b":2}]}`},
		"a new member":                        {"{\n  \"a\": 1\n}\n", "b", `2`, "{\n  \"a\": 1,\"b\":2\n}\n"},
		"a new member of an empty object":     {`{"a":{ }}`, "a.b", `2`, `{"a":{ "b":2}}`},
		"new objects on the way":              {`{}`, "a.b.c", `2`, `{"a":{"b":{"c":2}}}`},
		"a new list":                          {`{"a":1}`, "b.0.c", `2`, `{"a":1,"b":[{"c":2}]}`},
		"one past the end":                    {`{"a":[1]}`, "a.1", `2`, `{"a":[1,2]}`},
		"one past the end of an empty list":   {`{"a":[ ]}`, "a.0", `2`, `{"a":[ 2]}`},
		"a name that is a number":             {`{"a":{"0":1}}`, "a.0", `2`, `{"a":{"0":2}}`},
		"a new name that is a number":         {`{"a":{"x":1}}`, "a.5", `2`, `{"a":{"x":1,"5":2}}`},
		"a name with a dot":                   {`{"a.b":1,"a":{"b":1}}`, `a\.b`, `2`, `{"a.b":2,"a":{"b":1}}`},
		"a name with the syntax of gjson":     {`{"a|@this.#(x)*":1}`, `a|@this\.#(x)*`, `2`, `{"a|@this.#(x)*":2}`},
		"a name that begins with a colon":     {`{"5":1,":5":1}`, ":5", `2`, `{"5":1,":5":2}`},
		"a name written with an escape":       {`{"\u0061":1}`, "a", `2`, `{"\u0061":2}`},
		"a new name that needs escapes":       {`{}`, `q"q`, `2`, `{"q\"q":2}`},
		"a member behind a string of braces":  {`{"x":"}],{","a":1}`, "a", `2`, `{"x":"}],{","a":2}`},
		"a list at the root":                  {` [1,2]`, "1", `3`, ` [1,3]`},
		"the first of two members of a name":  {`{"a":1,"a":2}`, "a", `3`, `{"a":3,"a":2}`},
		"a number that floats cannot hold":    {`{"n":9007199254740993,"a":1}`, "a", `9007199254740995`, `{"n":9007199254740993,"a":9007199254740995}`},
		"space around the payload and values": {"\n{\"a\":\t1}\r\n", "b", ` 2 `, "\n{\"a\":\t1,\"b\": 2 }\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := []byte(test.raw)
			got, err := payload.Set(raw, test.path, []byte(test.value))
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
			if string(raw) != test.raw {
				t.Errorf("the argument became %s", raw)
			}
		})
	}
}

func TestSet_refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ raw, path, value, want string }{
		"no path":                      {`{}`, "", `1`, "the path is empty"},
		"a path that is not UTF-8":     {`{}`, "a\xff", `1`, "the path is not UTF-8"},
		"a path of dots":               {`{}`, "..", `1`, "the path is empty"},
		"a payload that is not JSON":   {`{"a":1,}`, "a", `1`, "line 1, column 8"},
		"a value that is not JSON":     {`{"a":1}`, "a", `1,"b":2`, "the value is not JSON"},
		"a step into a string":         {`{"a":"x"}`, "a.b", `1`, "a is neither an object nor a list"},
		"a step into null":             {`{"a":{"b":null}}`, "a.b.c", `1`, "a.b is neither an object nor a list"},
		"a scalar payload":             {`5`, "a", `1`, "the payload is neither an object nor a list"},
		"an index past the end":        {`{"a":[1]}`, "a.2", `1`, "a is a list of 1: the index goes from 0 to 1, which adds one"},
		"an index with a leading zero": {`{"a":[1]}`, "a.00", `1`, "a is a list of 1"},
		"a name in a list":             {`{"a":[1]}`, "a.b", `1`, "a is a list of 1"},
		"any element":                  {`{"a":[1]}`, "a[]", `1`, "a is a list of 1"},
		"a new list from its middle":   {`{}`, "a.3", `1`, "the first index of a new list is 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := payload.Set([]byte(test.raw), test.path, []byte(test.value))
			if got != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %s, %v; want an error with %q", got, err, test.want)
			}
		})
	}
	var syntax *webhook.SyntaxError
	if _, err := payload.Set([]byte("{"), "a", []byte("1")); !errors.As(err, &syntax) {
		t.Errorf("error %v, want a SyntaxError", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ raw, path, want string }{
		"the only member":       {`{ "a" : 1 }`, "a", `{  }`},
		"the first member":      {`{"a":1, "b":2}`, "a", `{"b":2}`},
		"a member between":      {`{"a":1, "b":2 , "c":3}`, "b", `{"a":1 , "c":3}`},
		"the last member":       {"{\"a\":1,\n\"b\":2\n}", "b", "{\"a\":1\n}"},
		"the first element":     {`{"a":[ 1, 2]}`, "a.0", `{"a":[ 2]}`},
		"the last element":      {`{"a":[1,{"b":2}]}`, "a[1]", `{"a":[1]}`},
		"a member of an object": {`{"a":[{"b":1,"c":2}]}`, "a.0.b", `{"a":[{"c":2}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := payload.Delete([]byte(test.raw), test.path)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
		})
	}
	for _, test := range []struct{ raw, path string }{{`{"a":1}`, "b"}, {`{"a":1}`, "a.b"}, {`{"a":[]}`, "a.0"}, {`{}`, ""}, {`{`, "a"}, {`1`, "a"}} {
		if got, err := payload.Delete([]byte(test.raw), test.path); err == nil {
			t.Errorf("%s without %q is %s", test.raw, test.path, got)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		types []string
		text  string
		want  string
	}{
		{nil, `5`, `5`},
		{nil, `word`, `"word"`},
		{nil, ``, `""`},
		{[]string{"string"}, `5`, `"5"`},
		{[]string{"string"}, `"quoted"`, `"quoted"`},
		{[]string{"string"}, `null`, `"null"`},
		{[]string{"string", "null"}, `null`, `null`},
		{[]string{"string", "integer"}, `5.00`, `5.00`},
		{[]string{"number"}, `9007199254740993`, `9007199254740993`},
		{[]string{"boolean"}, `true`, `true`},
		{[]string{"boolean", "string"}, `[true]`, `"[true]"`},
		{[]string{"array"}, `{"a":1}`, `{"a":1}`},
		{[]string{"object"}, `{"a":1,}`, `"{\"a\":1,}"`},
		{[]string{"integer"}, `01`, `"01"`},
	} {
		if got := payload.Value(webhook.Property{Types: test.types}, test.text); string(got) != test.want {
			t.Errorf("%s as one of %q is %s, want %s", test.text, test.types, got, test.want)
		}
	}
}

// FuzzSet checks what holds for every edit: the result is JSON, has the value at
// the path, and differs from the payload in nothing else.
func FuzzSet(f *testing.F) {
	for _, seed := range []struct{ raw, path, value string }{
		{`{"a":{"b":[1,{"c":null}]},"d":"x"}`, "a.b.1.c", `{"e":5000.00}`},
		{`{"a":1}`, "b.0.c", `[]`}, {"[ ]", "0", `""`}, {`{"":1}`, `\\`, "1"}, {`{"a":1,"a":2}`, "a", "3"},
		{`{"\u0061\ud83d":1}`, "a", `"\ud83d"`}, {"{\"a\":\n[1 , 2]}", "a[2]", "3"}, {`{"a":{ } , "b":1}`, "a.x.y", "0"},
	} {
		f.Add(seed.raw, seed.path, seed.value)
	}
	f.Fuzz(func(t *testing.T, raw, path, value string) {
		value = strings.Trim(value, " \t\r\n")
		got, err := payload.Set([]byte(raw), path, []byte(value))
		if err != nil {
			return
		}
		if err := webhook.CheckJSON(got); err != nil {
			t.Fatalf("%q with %q at %q is %q: %v", raw, value, path, got, err)
		}
		steps := jsonpath.Split(path)
		if at, _ := find(got, steps); at.Raw != value {
			t.Fatalf("%q with %q at %q is %q, where %q is found", raw, value, path, got, at.Raw)
		}
		var back []byte
		if before, known := find([]byte(raw), steps); known == len(steps) {
			back, err = payload.Set(got, path, []byte(before.Raw))
		} else {
			back, err = payload.Delete(got, join(steps[:known+1]))
		}
		if err != nil || string(back) != raw {
			t.Fatalf("%q with %q at %q is %q, and undone %q, %v", raw, value, path, got, back, err)
		}
	})
}

// find follows the steps through decoded lists of members, in another way than
// the package does. known is how many steps exist.
func find(raw []byte, steps []string) (at gjson.Result, known int) {
	at = gjson.ParseBytes(raw)
	for i, step := range steps {
		var next gjson.Result
		if at.IsArray() {
			elements := at.Array()
			if n, err := strconv.Atoi(step); err == nil && 0 <= n && n < len(elements) {
				next = elements[n]
			}
		} else {
			at.ForEach(func(name, value gjson.Result) bool {
				if name.String() == step {
					next = value
				}
				return !next.Exists()
			})
		}
		if !next.Exists() {
			return next, i
		}
		at = next
	}
	return at, len(steps)
}

// join writes steps as a path.
func join(steps []string) string {
	escaped := make([]string, len(steps))
	for i, step := range steps {
		escaped[i] = jsonpath.Escape(step)
	}
	return strings.Join(escaped, ".")
}
