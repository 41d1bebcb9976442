package schema_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// inFull writes a finding with all its fields.
func inFull(f schema.Finding) string {
	return fmt.Sprintf("%s %d-%d %s: %s", f.Kind, f.Offset, f.End, f.Pointer, f.Message())
}

func allInFull(found []schema.Finding) string {
	var lines []string
	for _, f := range found {
		lines = append(lines, inFull(f))
	}
	return strings.Join(lines, "\n")
}

func TestFindingOfEachKind(t *testing.T) {
	for _, c := range []struct{ schema, payload, want string }{
		{`{"properties":{"priority":{"type":"string"}}}`, `{"priority":{"is":1}}`, `type 12-20 /priority: priority must be a string, is an object`},
		{`{"type":["integer","null"]}`, ` 1.5 `, `type 1-4 : the payload must be an integer or null, is a number`},
		{`{"items":{"type":"array"}}`, `[[],null]`, `type 4-8 /1: item 1 must be a list, is null`},
		{`{"type":"boolean"}`, `[ ]`, `type 0-3 : the payload must be a boolean, is a list`},
		{`{"type":"object"}`, `1.0`, "type 0-3 : the payload must be an object, is an integer\nrewritten-number 0-3 : the payload is 1.0; a receiver that writes the JSON again changes it to 1"},
		{`{"properties":{"status":{"enum":["pending","complete"]}}}`, `{"status":"done"}`, `enum 10-16 /status: status must be one of pending, complete, is "done"`},
		{`{"enum":[1,"1",null,"","a b",true]}`, `[1]`, `enum 0-3 : the payload must be one of 1, "1", null, "", "a b", true, is a list`},
		{`{"enum":["a"]}`, `{}`, `enum 0-2 : the payload must be one of a, is an object`},
		{`{"properties":{"event_type":{"const":"work_order.created"}}}`, `{"event_type":"x\ny"}`, `const 14-20 /event_type: event_type must be work_order.created, is "x\ny"`},
		{`{"const":null}`, `false`, `const 0-5 : the payload must be null, is false`},
		{`{"properties":{"data":{"required":["id"]}}}`, `{"data": {}}`, `required 9-10 /data: id is required and missing`},
		{`{"properties":{"a":{}},"additionalProperties":false}`, `{"a":1, "b c" : 2}`, `additionalProperties 8-13 /b c: b c is not allowed here`},
		{`{"minItems":1}`, `[]`, `minItems 0-2 : the payload must have at least 1 item, has 0`},
		{`{"items":{"maxItems":2}}`, `[[1,2,3]]`, `maxItems 1-8 /0: item 0 must have at most 2 items, has 3`},
		{`{"minLength":2}`, `"é"`, `minLength 0-4 : the payload must have at least 2 characters, has 1`},
		{`{"minLength":3,"maxLength":9}`, `"éé"`, `minLength 0-6 : the payload must have at least 3 characters, has 2`},
		{`{"maxLength":1}`, `"\u00e9\n"`, `maxLength 0-10 : the payload must have at most 1 character, has 2`},
		{`{"pattern":"^[a-z]+$"}`, `"A1"`, `pattern 0-4 : the payload must match ^[a-z]+$, is "A1"`},
		{`{"properties":{"hours":{"minimum":0,"maximum":24}}}`, `{"hours":24.5}`, `maximum 9-13 /hours: hours must be at most 24, is 24.5`},
		{`{"minimum":0.5}`, `0`, `minimum 0-1 : the payload must be at least 0.5, is 0`},
		{`{"exclusiveMinimum":0}`, `0`, `exclusiveMinimum 0-1 : the payload must be more than 0, is 0`},
		{`{"exclusiveMaximum":1e2}`, `100`, `exclusiveMaximum 0-3 : the payload must be less than 1e2, is 100`},
		{`{"anyOf":[{"required":["a","b"]},{"required":["c"]}]}`, ` {"a":1}`, `anyOf 1-2 : the payload needs one of: a and b; or c`},
		{`{"properties":{"when":{"anyOf":[{"type":"null"},{"type":"string","format":"date"},{"const":"now"},{"enum":["a","b"]},{"type":["array","object"]}]}}}`, `{"when":2}`,
			`anyOf 8-9 /when: when needs one of: null; or a date YYYY-MM-DD; or now; or a, b; or a list or an object`},
		{`{"oneOf":[{"type":"number"},{"minimum":2}]}`, `3`, `oneOf 0-1 : the payload must fit exactly one alternative, fits several`},
		{`{"oneOf":[{"type":"number"},{"type":"null"}]}`, `"a"`, `oneOf 0-3 : the payload must fit exactly one alternative, fits none`},
		{`{"properties":{"old":{"not":{}}}}`, `{"old":[1]}`, `not 7-10 /old: old has a shape that is not allowed`},
		{`{"properties":{"day":{"format":"date"}}}`, `{"day":"15.1.2026"}`, `format 7-18 /day: day must be a date YYYY-MM-DD, is "15.1.2026"`},
		{`{}`, `{"a":[1,}`, `syntax 8-9 /a/1: a value is missing here`},
		{`{}`, `{"a":{"b":1,"b":2}}`, `duplicate-key 12-15 /a/b: b appears twice in this object, and receivers differ in which one they use`},
		{`{}`, strings.Repeat("[", 513), `depth 512-513 ` + strings.Repeat("/0", 512) + `: nested deeper than 512 brackets`},
		{`{"properties":{"people_required":{}}}`, `{"people_requird":1}`, `unknown-property 1-17 /people_requird: people_requird is not documented here: did you mean people_required?`},
		{`{"properties":{"a":{}}}`, `{"unheard_of":1}`, `unknown-property 1-13 /unheard_of: unheard_of is not documented here`},
		{`{"properties":{"status":{"x-values":["scheduled","completed"]}}}`, `{"status":"paused"}`, `undocumented-value 10-18 /status: status is "paused"; documented values are scheduled, completed`},
		{`{"properties":{"headcount":{"x-alias-of":"people"},"people":{}}}`, `{"headcount":3}`, `alias 1-12 /headcount: headcount is another name of people`},
		{`{"properties":{"old":{"x-deprecated":"use new"}}}`, `{"old":3}`, `deprecated 1-6 /old: old is deprecated: use new`},
		{`{"properties":{"url":{"format":"uri"}}}`, `{"url":"HTTP://example.com"}`, `plain-http 7-27 /url: url is a plain http URL`},
		{`{}`, `{"total":5000.00}`, `rewritten-number 9-16 /total: total is 5000.00; a receiver that writes the JSON again changes it to 5000`},
		{`{}`, `{"total":5000.00,"tax":1.0}`, `rewritten-number 9-16 /total: total is 5000.00; a receiver that writes the JSON again changes it to 5000, and 1 more number`},
		{`{"anyOf":[{"type":"string"},{"type":"number"}]}`, `1.0`, `rewritten-number 0-3 : the payload is 1.0; a receiver that writes the JSON again changes it to 1`},
		{`{"anyOf":[{"type":"object"},{"type":"array"}]}`, `[1.0,[1e2],0.10]`, `rewritten-number 1-4 /0: item 0 is 1.0; a receiver that writes the JSON again changes it to 1, and 2 more numbers`},
	} {
		if got := allInFull(new(schema.Checker).Check(mustCompile(t, c.schema), []byte(c.payload))); got != c.want {
			t.Errorf("%s with %s:\n got %s\nwant %s", c.schema, c.payload, got, c.want)
		}
	}
}

func TestCheckOrder(t *testing.T) {
	s := mustCompile(t, `{
		"required": ["id", "name"], "anyOf": [{"required": ["x"]}, {"required": ["y"]}],
		"properties": {
			"items": {"maxItems": 1, "items": {"required": ["sku"], "properties": {"sku": {"type": "string"}, "count": {"minimum": 1}}}},
			"site": {"allOf": [{"properties": {"zip": {"pattern": "^[0-9]+$"}}}], "properties": {"zip": {"maxLength": 3}, "city": {"type": "string"}}, "required": ["street"]},
			"status": {"enum": ["a"]}
		}}`)
	payload := `{"status":"b","items":[{"count":0},{"sku":1}],"site":{"city":1,"zip":"ABCD"},"colour":1.50}`
	const want = `required 0-1 : id is required and missing
required 0-1 : name is required and missing
anyOf 0-1 : the payload needs one of: x; or y
enum 10-13 /status: status must be one of a, is "b"
maxItems 22-45 /items: items must have at most 1 item, has 2
required 23-24 /items/0: sku is required and missing
minimum 32-33 /items/0/count: count must be at least 1, is 0
type 42-43 /items/1/sku: sku must be a string, is an integer
required 53-54 /site: street is required and missing
type 61-62 /site/city: city must be a string, is an integer
maxLength 69-75 /site/zip: zip must have at most 3 characters, has 4
pattern 69-75 /site/zip: zip must match ^[0-9]+$, is "ABCD"
unknown-property 77-85 /colour: colour is not documented here
rewritten-number 86-90 /colour: colour is 1.50; a receiver that writes the JSON again changes it to 1.5`
	if got := allInFull(new(schema.Checker).Check(s, []byte(payload))); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestFindingNames(t *testing.T) {
	long := strings.Repeat("é", 100)
	for _, c := range []struct{ payload, want string }{
		{`{"a/b~c":{"\u0000":[{"":""}]}}`, "type 24-26 /a~1b~0c/\x00/0/: \"\" must be an integer, an object or a list, is a string"},
		{`{"` + long + `":"x"}`, "type 204-207 /" + long + ": " + strings.Repeat("é", 60) + "… must be an integer, an object or a list, is a string"},
		{`{"\u0061\/":"x"}`, "type 12-15 /a~1: a/ must be an integer, an object or a list, is a string"},
		{`{"12":"x"}`, "type 6-9 /12: item 12 must be an integer, an object or a list, is a string"},
	} {
		s := mustCompile(t, `{"$defs":{"any":{"type":["integer","object","array"],"additionalProperties":{"$ref":"#/$defs/any"},"items":{"$ref":"#/$defs/any"}}},"$ref":"#/$defs/any"}`)
		if got := allInFull(new(schema.Checker).Check(s, []byte(c.payload))); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.payload, got, c.want)
		}
	}
	found := new(schema.Checker).Check(mustCompile(t, `{"maxLength":1,"maximum":1}`), []byte(strings.Repeat("9", 100)))
	if want := strings.Repeat("9", 60) + "…"; len(found) != 2 || found[0].Got != want || found[1].Got != want {
		t.Errorf("a number is shown in full: %+v", found)
	}
	found = new(schema.Checker).Check(mustCompile(t, `{"enum":["a"]}`), []byte(`"`+strings.Repeat("x", 1e6)+`"`))
	if want := `"` + strings.Repeat("x", 60) + `…"`; len(found) != 1 || found[0].Got != want {
		t.Errorf("a string is shown in full: %.200v", found)
	}
}

func TestCheckMaxFindings(t *testing.T) {
	list := func(n int, item string) string { return strings.Repeat(item+",", n-1) + item }
	s := mustCompile(t, `{"items":{"type":"string"},"properties":{"known":{"type":"string"}}}`)
	unknown := `"x":1`
	for i := range 200 {
		unknown += `,"x` + strconv.Itoa(i) + `":1`
	}
	checker := new(schema.Checker)
	for name, c := range map[string]struct {
		payload string
		want    map[schema.Kind]int
	}{
		"99 violations":                   {"[" + list(99, "1") + "]", map[schema.Kind]int{schema.Type: 99}},
		"100 violations":                  {"[" + list(100, "1") + "]", map[schema.Kind]int{schema.Type: 100}},
		"10,000 violations":               {"[" + list(10_000, "1") + "]", map[schema.Kind]int{schema.Type: 100}},
		"violations and then no JSON":     {"[" + list(10_000, "1"), map[schema.Kind]int{schema.Type: 99, schema.Syntax: 1}},
		"observations and then no JSON":   {`[` + list(10_000, `"a",[1.0]`), map[schema.Kind]int{schema.Type: 99, schema.Syntax: 1}},
		"observations alone":              {"{" + unknown + "}", map[schema.Kind]int{schema.UnknownProperty: 100}},
		"a violation after observations":  {"{" + unknown + `,"known":1}`, map[schema.Kind]int{schema.UnknownProperty: 99, schema.Type: 1}},
		"a duplicate after observations":  {"{" + unknown + `,"x":1}`, map[schema.Kind]int{schema.UnknownProperty: 99, schema.DuplicateKey: 1}},
		"too deep after observations":     {"{" + unknown + `,"known":` + strings.Repeat("[", 600), map[schema.Kind]int{schema.UnknownProperty: 99, schema.Depth: 1}},
		"many numbers":                    {`{"a":[` + list(10_000, "1.0") + "]}", map[schema.Kind]int{schema.UnknownProperty: 1, schema.RewrittenNumber: 1}},
		"an observation after violations": {`[` + list(100, "1") + `,"a",1.0]`, map[schema.Kind]int{schema.Type: 100}},
	} {
		t.Run(name, func(t *testing.T) {
			checker.Check(s, []byte(`{"a":[`+list(200, "1.0")+`]}`)) // the findings before are forgotten
			found := checker.Check(s, []byte(c.payload))
			inOrder(t, []byte(c.payload), found)
			got := map[schema.Kind]int{}
			for _, f := range found {
				got[f.Kind]++
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestKind(t *testing.T) {
	names := map[string]bool{}
	for k := schema.Type; k <= schema.RewrittenNumber; k++ {
		f := schema.Finding{Kind: k, Name: "name", Want: "string", Got: "object"}
		if k.String() == "" || names[k.String()] || f.Message() == "" || strings.ContainsAny(f.Message(), "ABCDEFGHIKLMNOPQRTUVWXYZ") && k != schema.RewrittenNumber && k != schema.PlainHTTP {
			t.Errorf("%d: %s: %s", k, k, f.Message())
		}
		names[k.String()] = true
		if k.IsViolation() != (k <= schema.Depth) {
			t.Errorf("%s: violation: %v", k, k.IsViolation())
		}
	}
}
