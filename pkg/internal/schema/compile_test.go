package schema_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

func TestCompileCatalog(t *testing.T) {
	compiled := map[string]*schema.Schema{}
	for _, file := range catalogFiles(t) {
		s, err := schema.Compile(loadCatalog, file)
		if err != nil {
			t.Fatal(err)
		}
		compiled[file] = s
	}
	checker := new(schema.Checker)
	for _, s := range samples(t) {
		if found := checker.Check(compiled[s.file], s.payload); !isValid(found) {
			t.Errorf("%s:\n%s", s.file, allInFull(found))
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                "schema a.json#: at byte 0: this is empty: a JSON value is expected",
		`{"a":1.0,}`:                      "schema a.json#: at byte 9: a trailing comma before this bracket",
		`{"type":"string","type":"null"}`: "schema a.json#/type: at byte 17: type appears twice in this object, and receivers differ in which one they use",
		`[]`:                              "schema a.json#: a schema is an object or a boolean",
		`null`:                            "schema a.json#: a schema is an object or a boolean",
		`"string"`:                        "schema a.json#: a schema is an object or a boolean",

		`{"if":{}}`: "schema a.json#/if: the keyword if is not supported",
		`{"properties":{"a":{"items":{"format":1}}}}`:           "schema a.json#/properties/a/items/format: unknown format",
		`{"properties":{"a/b":{"multipleOf":2}}}`:               "schema a.json#/properties/a~1b/multipleOf: the keyword multipleOf is not supported",
		`{"allOf":[{},{"prefixItems":[]}]}`:                     "schema a.json#/allOf/1/prefixItems: the keyword prefixItems is not supported",
		`{"anyOf":[{"$anchor":"x"}]}`:                           "schema a.json#/anyOf/0/$anchor: the keyword $anchor is not supported",
		`{"not":{"x-unheard-of":1}}`:                            "schema a.json#/not/x-unheard-of: the keyword x-unheard-of is not supported",
		`{"items":[{}]}`:                                        "schema a.json#/items: a schema is an object or a boolean",
		`{"format":"dat"}`:                                      `schema a.json#/format: unknown format "dat": did you mean "date"?`,
		`{"format":"ipv4"}`:                                     "known are date, date-time, time-of-day, worksome-time, email, uri, currency",
		`{"properties":{"id":{"$id":"x.json"}}}`:                "schema a.json#/properties/id/$id: the keyword $id is supported only at the top of a file",
		`{"$schema":"http://json-schema.org/draft-07/schema#"}`: "schema a.json#/$schema: only draft 2020-12 is supported",

		`{"type":"text"}`:               "a.json#/type: must name the types",
		`{"type":[]}`:                   "a.json#/type: must name the types",
		`{"type":["string",1]}`:         "a.json#/type: must name the types",
		`{"type":{}}`:                   "a.json#/type: must name the types",
		`{"type":null}`:                 "a.json#/type: must name the types",
		`{"enum":"a"}`:                  "a.json#/enum: must be a list",
		`{"enum":{"a":1}}`:              "a.json#/enum: must be a list",
		`{"enum":["a",[]]}`:             "a.json#/enum: may contain only strings, numbers, booleans and null",
		`{"const":{}}`:                  "a.json#/const: may contain only strings, numbers, booleans and null",
		`{"properties":[]}`:             "a.json#/properties: must be an object",
		`{"properties":{"a":1}}`:        "a.json#/properties/a: a schema is an object or a boolean",
		`{"required":"a"}`:              "a.json#/required: must be a list of names",
		`{"required":["a",1]}`:          "a.json#/required: must be a list of names",
		`{"additionalProperties":null}`: "a.json#/additionalProperties: a schema is an object or a boolean",
		`{"items":"string"}`:            "a.json#/items: a schema is an object or a boolean",
		`{"minItems":-1}`:               "a.json#/minItems: must be a whole number of 0 or more",
		`{"maxItems":1.5}`:              "a.json#/maxItems: must be a whole number of 0 or more",
		`{"minLength":"1"}`:             "a.json#/minLength: must be a whole number of 0 or more",
		`{"maxLength":null}`:            "a.json#/maxLength: must be a whole number of 0 or more",
		`{"pattern":1}`:                 "a.json#/pattern: must be a string",
		`{"pattern":"("}`:               "a.json#/pattern: error parsing regexp: missing closing )",
		`{"pattern":"(?=a)"}`:           "a.json#/pattern: error parsing regexp",
		`{"minimum":"0"}`:               "a.json#/minimum: must be a number",
		`{"maximum":null}`:              "a.json#/maximum: must be a number",
		`{"exclusiveMinimum":true}`:     "a.json#/exclusiveMinimum: must be a number",
		`{"exclusiveMaximum":[]}`:       "a.json#/exclusiveMaximum: must be a number",
		`{"anyOf":{}}`:                  "a.json#/anyOf: must be a list of schemas",
		`{"allOf":[]}`:                  "a.json#/allOf: must be a list of schemas",
		`{"oneOf":[1]}`:                 "a.json#/oneOf/0: a schema is an object or a boolean",
		`{"not":[]}`:                    "a.json#/not: a schema is an object or a boolean",
		`{"$defs":[]}`:                  "a.json#/$defs: must be an object",
		`{"title":1}`:                   "a.json#/title: must be a string",
		`{"examples":{}}`:               "a.json#/examples: must be a list",
		`{"deprecated":"yes"}`:          "a.json#/deprecated: must be a boolean",
		`{"x-values":"a"}`:              "a.json#/x-values: must be a list of names",
		`{"x-values":[1]}`:              "a.json#/x-values: must be a list of names",
		`{"x-alias-of":true}`:           "a.json#/x-alias-of: must be a non-empty string",
		`{"$ref":"#/$defs/a","x-alias-of":"","$defs":{"a":{}}}`: "a.json#/x-alias-of: must be a non-empty string",
		`{"x-deprecated":false}`:                                "a.json#/x-deprecated: must be a non-empty string",
		`{"$id":5}`:                                             "a.json#/$id: must be a string",
	} {
		_, err := schema.Compile(filesOf(map[string]string{"a.json": text}), "a.json")
		var placed *schema.Error
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &placed) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestCompileBrokenReferences(t *testing.T) {
	for ref, want := range map[string]string{
		`"#/$defs/b"`:                       "schema dir/a.json#/properties/x/anyOf/0/$ref: schema dir/a.json#/$defs/b: the file has nothing at this place",
		`"#/$defs/a/type/0"`:                "schema dir/a.json#/$defs/a/type/0: the file has nothing at this place",
		`"#/properties/x/anyOf/01"`:         "the file has nothing at this place",
		`"#/properties/x/anyOf/-1"`:         "the file has nothing at this place",
		`"#/"`:                              "schema dir/a.json#/: the file has nothing at this place",
		`"b.json"`:                          "schema dir/a.json#/properties/x/anyOf/0/$ref: loading schema dir/b.json: open dir/b.json: file does not exist",
		`"../b.json#/x"`:                    "loading schema b.json: open b.json: file does not exist",
		`"broken.json"`:                     "schema dir/a.json#/properties/x/anyOf/0/$ref: schema dir/broken.json#: at byte 1: the JSON is cut off here",
		`"other.json#/none"`:                "schema dir/other.json#/none: the file has nothing at this place",
		`"other.json#/$defs/bad"`:           "schema dir/other.json#/$defs/bad/type: must name the types",
		`"#a"`:                              "schema dir/a.json#/properties/x/anyOf/0/$ref: a $ref names a file relative to this one",
		`"https://example.com/schema.json"`: "a $ref names a file relative to this one",
		`"//example.com/schema.json"`:       "a $ref names a file relative to this one",
		`"urn:a:b"`:                         "a $ref names a file relative to this one",
		`"a.json?x=1"`:                      "a $ref names a file relative to this one",
		`"#/%zz"`:                           "a $ref names a file relative to this one",
		`5`:                                 "a $ref names a file relative to this one",
		`null`:                              "a $ref names a file relative to this one",
	} {
		files := map[string]string{
			"dir/a.json":      `{"$defs":{"a":{"type":"string"}},"properties":{"x":{"anyOf":[{"$ref":` + ref + `}]}}}`,
			"dir/broken.json": `{`,
			"dir/other.json":  `{"$defs":{"bad":{"type":1}}}`,
		}
		_, err := schema.Compile(filesOf(files), "dir/a.json")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", ref, err, want)
		}
	}
	if _, err := schema.Compile(filesOf(nil), "none.json"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "loading schema none.json") {
		t.Errorf("a missing file: %v", err)
	}
	_, err := schema.Compile(filesOf(map[string]string{"a.json": `{"items":{"$ref":"b.json"}}`}), "a.json")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file that is referred to: %v", err)
	}
}

func TestCompileReferencesBetweenFiles(t *testing.T) {
	s, err := schema.Compile(filesOf(map[string]string{
		"x/event.json":     `{"$id":"https://wsk.dev/x/event.json","properties":{"a":{"$ref":"../defs.json#/$defs/list"},"b":{"$ref":"y/z.json"},"c":{"$ref":"./event.json#/properties/d"},"d":{"type":"null"},"e":{"$ref":"a%20b.json"}}}`,
		"defs.json":        `{"$defs":{"list":{"items":{"$ref":"#/$defs/item"}},"item":{"$ref":"x/y/z.json#/$defs/word"}}}`,
		"x/y/z.json":       `{"$defs":{"word":{"type":"string"}},"additionalProperties":{"$ref":"../event.json"}}`,
		"x/a b.json":       `{"type":"boolean"}`,
		"never/asked.json": `{`,
	}), "x/event.json")
	if err != nil {
		t.Fatal(err)
	}
	for payload, want := range map[string]string{
		`{"a":["x"],"b":{"e1":{"a":[]}},"c":null,"e":true}`: "",
		`{"a":["x",1]}`:                       "type /a/1",
		`{"b":{"e1":{"a":[1]},"e2":{"c":1}}}`: "type /b/e1/a/0; type /b/e2/c",
		`{"c":1,"e":null}`:                    "type /c; type /e",
	} {
		if got := summarize(new(schema.Checker).Check(s, []byte(payload)), schema.Kind.IsViolation); got != want {
			t.Errorf("%s: got %q, want %q", payload, got, want)
		}
	}
}

func TestCompileCircularSchemas(t *testing.T) {
	for _, text := range []string{
		`{"$ref":"#"}`,
		`{"$ref":"#","type":"object"}`,
		`{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}`,
		`{"$defs":{"a":{"$ref":"#/$defs/b","minLength":1},"b":{"$ref":"#/$defs/a","minLength":1}},"items":{"$ref":"#/$defs/a"}}`,
		`{"allOf":[{"$ref":"#"}]}`, `{"anyOf":[{"type":"string"},{"$ref":"#"}]}`, `{"oneOf":[{"$ref":"#"}]}`, `{"not":{"$ref":"#"}}`,
		`{"allOf":[{"anyOf":[{"oneOf":[{"not":{"$ref":"#"}}]}]}]}`,
		`{"properties":{"a":{"$defs":{"b":{"not":{"$ref":"#/properties/a"}}},"allOf":[{"$ref":"#/properties/a/$defs/b"}]}}}`,
	} {
		_, err := schema.Compile(filesOf(map[string]string{"a.json": text}), "a.json")
		var placed *schema.Error
		if !errors.As(err, &placed) || placed.File != "a.json" || !strings.Contains(placed.Reason, "refers back to itself") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Schemas that check each value twice on every level double the work with each
// level. The checker gives up instead.
func TestCheckHostileSchemasEnd(t *testing.T) {
	deep := strings.Repeat("[", 500) + strings.Repeat("]", 500)
	wide := "[" + strings.Repeat("[[[]]],", 50_000/slowdown) + "[]]"
	for _, text := range []string{
		`{"oneOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`,
		`{"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`,
		`{"anyOf":[{"items":{"$ref":"#"},"maxItems":0},{"items":{"$ref":"#"},"type":"string"},{"items":{"$ref":"#"}}]}`,
		`{"not":{"not":{"items":{"$ref":"#"},"not":{"items":{"$ref":"#"},"not":{}}}}}`,
		`{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}],"$defs":{` + doubling(40) + `}}`,
	} {
		s := mustCompile(t, text)
		for _, payload := range []string{deep, wide, `[[[1.0]]]`} {
			start := time.Now()
			found := new(schema.Checker).Check(s, []byte(payload))
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%.100s took %v", text, took)
			}
			inOrder(t, []byte(payload), found)
		}
	}
	s := mustCompile(t, `{"oneOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`)
	checker := new(schema.Checker)
	found := checker.Check(s, []byte(strings.Repeat("[", 100)+strings.Repeat("]", 100)))
	if len(found) != 1 || found[0].Kind != schema.Depth || !strings.Contains(found[0].Message(), "too many times") {
		t.Errorf("%+v", found)
	}
	if found := checker.Check(mustCompile(t, `{"type":"array"}`), []byte(`[]`)); len(found) != 0 {
		t.Errorf("the next payload suffers: %+v", found)
	}
}

// doubling returns schemas each of which contains the next one twice.
func doubling(n int) string {
	name := func(i int) string { return "a" + strings.Repeat("b", i) }
	var defs []string
	for i := range n {
		next := `{"$ref":"#/$defs/` + name(i+1) + `"}`
		defs = append(defs, `"`+name(i)+`":{"allOf":[`+next+`,`+next+`]}`)
	}
	return strings.Join(defs, ",") + `,"` + name(n) + `":{"type":"array"}`
}

// Many alternatives for a large payload are not hostile.
func TestCheckManyAlternatives(t *testing.T) {
	var options []string
	for i := range 200 {
		options = append(options, `{"properties":{"event":{"const":"e`+strings.Repeat("x", i)+`"},"data":{"type":"array"}},"required":["event"]}`)
	}
	s := mustCompile(t, `{"oneOf":[`+strings.Join(options, ",")+`]}`)
	payload := `{"event":"e` + strings.Repeat("x", 199) + `","data":[` + strings.Repeat(`"some text",`, 50_000) + `1]}`
	if found := new(schema.Checker).Check(s, []byte(payload)); len(found) != 0 {
		t.Errorf("%.300v", found)
	}
}
