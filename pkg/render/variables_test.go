package render

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseVars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, raw string
		want      Values
		fault     string
	}{
		{"v.json", `{"note": "a", "bonus": 5000.00, "is_negotiation": true, "resolution": null}`, Values{"note": "a", "bonus": json.Number("5000.00"), "is_negotiation": true, "resolution": nil}, ""},
		{"v", ` {"note": "é"}`, Values{"note": "é"}, ""},
		{"v.json", `{"note": {"a": 1}}`, nil, "note is an object or a list"},
		{"v.json", `[1]`, nil, "the file must contain one object"},
		{"v.json", `{"note": "a"`, nil, "line 1"},
		{"v.json", ``, nil, "line 1"},
		{"v.json", `null`, nil, "the file must contain one object"},
		{"v.yaml", "note: she said no\nbonus: 5000.00\nis_negotiation: false\nresolution: ~\nproject_id: '007'\n", Values{"note": "she said no", "bonus": json.Number("5000.00"), "is_negotiation": false, "resolution": nil, "project_id": "007"}, ""},
		{"v.yml", "note: [a]\n", nil, "line 1: note is a mapping, a list"},
		{"v.yaml", "- a\n", nil, "line 1: the file must contain one mapping"},
		{"v.yaml", "a: 'b\n", nil, "found unexpected end"},
		{"v.yaml", "", Values{}, ""},
		{".env", "# values\nNOTE=\"a \\\"b\\\"\\n\"\nexport status='x # y' # of today\nproject_name=Cold Storage # refit\nbonus=\n\n", Values{"note": "a \"b\"\n", "status": "x # y", "project_name": "Cold Storage", "bonus": ""}, ""},
		{".env", "note\n", nil, "line 1: not NAME=VALUE"},
		{".env", "a=1\nnote='x\n", nil, "line 2: the quote is not closed"},
		{".env", "note='x'y\n", nil, "line 1: text follows"},
	} {
		got, err := ParseVars(c.name, []byte(c.raw))
		switch {
		case c.fault != "":
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s %q: error %v, want %s", c.name, c.raw, err, c.fault)
			}
		case err != nil || !reflect.DeepEqual(got, c.want):
			t.Errorf("%s %q: %#v, %v", c.name, c.raw, got, err)
		}
	}
}

// TestValuesWith sets a custom field by each of its names and reads it by both.
func TestValuesWith(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"custom_field_58134", "customfield58134"} {
		samples, err := Samples("created")
		if err != nil {
			t.Fatal(err)
		}
		template := parsed(t, []byte("name: n\nevent: Created\nmethod: POST\nurl: https://example.com/\nheaders: {Content-Type: text/plain}\nbody: ${custom_field_58134} ${customfield58134}\n"))
		for name, values := range map[string]Values{"beside the sample": samples.With(set, "new"), "alone": {set: "new"}} {
			if request, _ := template.Render(values, at()); string(request.Body) != "new new" {
				t.Errorf("%s set %s: %q", set, name, request.Body)
			}
		}
		if value, ok := samples["custom_field_58134"]; !ok || value == "new" {
			t.Errorf("With changed its receiver: %v", value)
		}
	}
}

func TestCheckVariable(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"note", "file_data", "custom_field_1", "customfield22"} {
		if err := CheckVariable(name); err != nil {
			t.Error(err)
		}
	}
	if err := CheckVariable("nots"); err == nil || !strings.Contains(err.Error(), `did you mean "note"?`) {
		t.Errorf("error %v", err)
	}
	if err := CheckVariable("custom_field"); err == nil {
		t.Error("custom_field has no number but is known")
	}
}

// FuzzParseVars writes what was read as JSON: it must be read as the same.
func FuzzParseVars(f *testing.F) {
	for _, seed := range []string{`{"a": 1}`, "a: b\n", "A='b\"'\n", "export a=\"\\n\" # c", "a: &x [*x]", "a: 1_000\nb: 0x10\nc: .inf\nd: ~\ne: True\n"} {
		for _, name := range []string{"v.json", "v.yaml", ".env"} {
			f.Add(name, []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		v, err := ParseVars(name, raw)
		if err != nil || !utf8.Valid(raw) {
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%q gives %#v: %v", raw, v, err)
		}
		if got, err := ParseVars("v.json", again); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%q gives %#v, and as JSON %#v, %v", raw, v, got, err)
		}
	})
}
