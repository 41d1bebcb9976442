package schema_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// isObservation is the opposite of Kind.IsViolation.
func isObservation(k schema.Kind) bool { return !k.IsViolation() }

func TestRewrittenNumber(t *testing.T) {
	for token, want := range map[string]string{
		"5000.00": "5000", "1.0": "1", "0.10": "0.1", "1e3": "1000", "1E5": "100000", "1e+2": "100", "5e-1": "0.5", "-0": "0", "-0.0": "0", "0.0": "0", "0e1": "0",
		"9007199254740993": "9007199254740992", "-9007199254740993": "-9007199254740992", "123456789012345680001": "123456789012345680000", "12345678901234567890": "12345678901234567000",
		"1e21": "1e+21", "1000000000000000000000": "1e+21", "0.0000001": "1e-7", "0.00000012": "1.2e-7", "1.10e-7": "1.1e-7", "1e-07": "1e-7", "1E-7": "1e-7", "1e-400": "0",
		"1e400": "null", "-1e400": "null", "0.1000000000000000055511151231257827": "0.1", "1.00000000000000001": "1", "3.141592653589793238": "3.141592653589793", "100000000000000000000000": "1e+23",
	} {
		found := new(schema.Checker).Check(nil, []byte(` [`+token+`]`))
		f := schema.Finding{Kind: schema.RewrittenNumber, Offset: 2, End: 2 + len(token), Pointer: "/0", Want: want, Got: token}
		if len(found) != 1 || found[0] != f {
			t.Errorf("%s: %+v, want %+v", token, found, f)
		}
	}
}

func TestRewrittenNumberLeavesOthersAlone(t *testing.T) {
	for _, token := range []string{
		"0", "1", "-1", "42", "0.1", "-0.1", "24.5", "5000.01", "0.000001", "0.0000011", "1e-7", "1.5e-7", "1e+21", "1.5e+300", "-1e-300", "5e-324", "123456789012345", "1234567890123456", "9007199254740992", "9007199254740991",
		"123456789012345680000", "100000000000000000000", "3.141592653589793", "0.30000000000000004", "12345678.1234567", "1.7976931348623157e+308",
	} {
		if found := new(schema.Checker).Check(nil, []byte(token)); len(found) != 0 {
			t.Errorf("%s: %+v", token, found)
		}
	}
}

// A number is reported unless encoding/json, which writes floats as ECMAScript
// does, writes it back unchanged.
func TestRewrittenNumberAgreesWithEncodingJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	checker := new(schema.Checker)
	for range 200_000 / slowdown {
		token := randomNumber(rng)
		want := ""
		if f, err := strconv.ParseFloat(token, 64); err != nil {
			want = "null"
		} else if again, _ := json.Marshal(f); f == 0 && token != "0" {
			want = "0"
		} else if string(again) != token {
			want = string(again)
		}
		got := ""
		for _, f := range checker.Check(nil, []byte(token)) {
			got += f.Want
		}
		if got != want {
			t.Fatalf("%s: %q, want %q", token, got, want)
		}
	}
}

func randomNumber(rng *rand.Rand) string {
	digits := func(most int) string {
		var b strings.Builder
		for range 1 + rng.IntN(most) {
			b.WriteByte("0000123456789999"[rng.IntN(16)])
		}
		return b.String()
	}
	token := strings.TrimLeft(digits(18), "0")
	if token == "" {
		token = "0"
	}
	if rng.IntN(4) == 0 {
		token = "-" + token
	}
	if rng.IntN(3) > 0 {
		token += "." + digits(18)
	}
	if rng.IntN(4) == 0 {
		token += []string{"e", "E", "e+", "e-"}[rng.IntN(4)] + digits(3)
	}
	return token
}

// A number is observed once wherever it is: with any schema, without one, and
// inside another finding.
func TestRewrittenNumberIsObservedEverywhere(t *testing.T) {
	for text, payload := range map[string]string{
		`true`:                                `1.0`,
		`false`:                               `1.0`,
		`{"type":"string"}`:                   `1.0`,
		`{"properties":{}}`:                   `{"a":1.0}`,
		`{"additionalProperties":false}`:      `{"a":1.0}`,
		`{"properties":{"a":{"items":{}}}}`:   `{"a":[1.0]}`,
		`{"allOf":[{},{"type":"number"}]}`:    `1.0`,
		`{"anyOf":[false,{"const":1}]}`:       `1.0`,
		`{"oneOf":[{"items":{}},{"not":{}}]}`: `[[[1.0]]]`,
	} {
		found := new(schema.Checker).Check(mustCompile(t, text), []byte(payload))
		if got := strings.Count(summarize(found, isObservation), "rewritten-number"); got != 1 {
			t.Errorf("%s with %s: %+v", text, payload, found)
		}
	}
}

func TestCheckObservations(t *testing.T) {
	for _, c := range []struct{ name, schema, payload, want string }{
		{"no names are listed, none is unknown", `{"type":"object"}`, `{"a":1}`, ``},
		{"other names are described, none is unknown", `{"properties":{"a":{}},"additionalProperties":{"type":"integer"}}`, `{"b":1}`, ``},
		{"other names are welcome, none is unknown", `{"properties":{"a":{}},"additionalProperties":true}`, `{"b":1}`, ``},
		{"a required name is known", `{"properties":{"a":{}},"required":["b"],"anyOf":[{"required":["c"]}]}`, `{"b":1,"c":1}`, ``},
		{"a name in another spelling is known", `{"properties":{"a":{}}}`, `{"\u0061":1}`, ``},
		{"what is below an unknown name is not looked at", `{"properties":{"a":{}}}`, `{"b":{"c":{"d":1}}}`, `unknown-property /b`},
		{"names in a list of objects", `{"items":{"properties":{"a":{}}}}`, `[{"a":1},{"b":1},{"a":{"b":1}}]`, `unknown-property /1/b`},
		{"an unknown name twice", `{"properties":{"a":{}}}`, `{"b":1,"b":2}`, `unknown-property /b; unknown-property /b`},
		{"allOf lists further names", `{"properties":{"a":{}},"allOf":[{"properties":{"b":{}}},{"required":["c"]}]}`, `{"a":1,"b":1,"c":1,"d":1}`, `unknown-property /d`},
		{"all names are in allOf", `{"allOf":[{"properties":{"a":{}}},{"properties":{"b":{}}}]}`, `{"a":1,"b":1,"c":1}`, `unknown-property /c`},
		{"alternatives list further names", `{"properties":{"a":{}},"anyOf":[{"properties":{"b":{}}},{"properties":{"c":{}}}],"oneOf":[{"properties":{"d":{}}}]}`, `{"a":1,"b":1,"c":1,"d":1,"e":1}`, `unknown-property /e`},
		{"names only in alternatives", `{"anyOf":[{"properties":{"a":{}}},{"type":"object"}]}`, `{"b":1}`, ``},
		{"allOf describes other names", `{"properties":{"a":{}},"allOf":[{"additionalProperties":{"type":"integer"}}]}`, `{"b":1}`, ``},
		{"a reference beside other keywords", `{"$defs":{"site":{"properties":{"zip":{}}}},"$ref":"#/$defs/site","properties":{"a":{}}}`, `{"zip":1,"a":1,"b":1}`, `unknown-property /b`},
		{"a documented value", `{"x-values":["a","é"]}`, `"\u00e9"`, ``},
		{"an undocumented value", `{"x-values":["a"]}`, `"A"`, `undocumented-value`},
		{"a value of another type is not undocumented", `{"x-values":["a"]}`, `1`, ``},
		{"values beside a reference", `{"$defs":{"s":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/s","x-values":["x"]}}}`, `{"a":"y"}`, `undocumented-value /a`},
		{"values in the target of a reference with other keywords", `{"$defs":{"s":{"x-values":["x"]}},"properties":{"a":{"$ref":"#/$defs/s","maxLength":5}}}`, `{"a":"y"}`, `undocumented-value /a`},
		{"values at the end of a chain of references", `{"$defs":{"s":{"x-values":["x"]},"t":{"$ref":"#/$defs/s"}},"properties":{"a":{"$ref":"#/$defs/t"}}}`, `{"a":"y"}`, `undocumented-value /a`},
		{"a format that is not documented", `{"properties":{"a":{"type":"string","x-format":"email"}}}`, `{"a":"x"}`, `undocumented-format /a`},
		{"the empty string has no format", `{"x-format":"email"}`, `""`, ``},
		{"a type that is not documented", `{"items":{"x-type":["string","number"]}}`, `["a",1,1.5,true,null,[],{}]`, `undocumented-type /3; undocumented-type /4; undocumented-type /5; undocumented-type /6`},
		{"http where the format is not documented", `{"x-format":"uri"}`, `"http://x.example"`, `plain-http`},
		{"a type beside a reference", `{"$defs":{"s":{"x-type":"string"}},"properties":{"a":{"$ref":"#/$defs/s"}}}`, `{"a":1}`, `undocumented-type /a`},
		{"an alias beside a reference", `{"$defs":{"s":{"type":"string"}},"properties":{"old":{"$ref":"#/$defs/s","x-alias-of":"new"},"new":{}}}`, `{"old":"y"}`, `alias /old`},
		{"allOf holds for certain", `{"allOf":[{"properties":{"a":{"x-deprecated":"gone"},"u":{"format":"uri"}}}]}`, `{"a":1,"u":"http://x.example"}`, `deprecated /a; plain-http /u`},
		{"an alternative does not", `{"anyOf":[{"properties":{"a":{"x-deprecated":"gone","x-values":["b"]}}},{"type":"string"}],"oneOf":[{"properties":{"a":{"format":"uri"},"z":{}}}],"not":{"properties":{"a":{"x-alias-of":"b"}},"required":["q"]}}`, `{"a":"http://x.example","b":{}}`, ``},
		{"https is fine, and so is text that is not a URL", `{"items":{"format":"uri"}}`, `["https://x.example","mailto:a@b.example","httpx://x.example"]`, ``},
		{"http in another spelling", `{"items":{"format":"uri"}}`, `["http:\/\/x.example","\u0068ttp://x.example","Http://x.example"]`, `plain-http /0; plain-http /1; plain-http /2`},
		{"http where no URL is required", `{"properties":{"a":{"type":"string"}}}`, `{"a":"http://x.example"}`, ``},
	} {
		found := new(schema.Checker).Check(mustCompile(t, c.schema), []byte(c.payload))
		if got := summarize(found, isObservation); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if v := summarize(found, schema.Kind.IsViolation); v != "" && !strings.Contains(v, "duplicate-key") {
			t.Errorf("%s: violations: %s", c.name, v)
		}
	}
}

func TestUnknownPropertyFarFromAnyOther(t *testing.T) {
	s := mustCompile(t, `{"properties":{"work_order_number":{},"phase_name":{}}}`)
	for name, want := range map[string]string{
		"work_order_numbr": "work_order_number", "Phase_Name": "phase_name", "phasename": "phase_name", "zzz": "", strings.Repeat("n", 1e5): "", "": "",
	} {
		found := new(schema.Checker).Check(s, []byte(`{"`+name+`":1}`))
		if len(found) != 1 || found[0].Kind != schema.UnknownProperty || found[0].Want != want {
			t.Errorf("%.40s: %.200v, want %q", name, found, want)
		}
	}
}
