package lint_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// mutation is a payload with one mistake.
type mutation struct {
	what    string
	payload string
	pointer string // where the error must be
}

// TestCheckerMutatedSamples breaks each sample in every way that its schema forbids.
// The error must be at the field, or at the object that lacks it.
func TestCheckerMutatedSamples(t *testing.T) {
	t.Parallel()
	c := newLinter(t, lint.Config{}).NewChecker()
	total, found := 0, 0
	kinds := map[string]int{}
	for _, d := range samples() {
		sample := d.Sample()
		for _, m := range mutations(t, d, sample) {
			total++
			kinds[m.what[:strings.IndexByte(m.what+":", ':')]]++
			r := c.Check([]byte(m.payload))
			if slices.ContainsFunc(r.Findings, func(f report.Finding) bool { return f.Severity == report.Error && f.Pointer == m.pointer }) {
				found++
			} else {
				t.Errorf("%s %s: %s at %s was not found:\n%s", d.Form, d.Type, m.what, m.pointer, summarize(r.Findings))
			}
		}
	}
	t.Logf("%d of %d mutations found, %.2f %%: %v", found, total, 100*float64(found)/float64(total), kinds)
	if total < 5000 {
		t.Error("too few to say anything")
	}
}

func mutations(tb testing.TB, d webhook.Definition, sample []byte) []mutation {
	tb.Helper()
	var list []mutation
	for _, f := range fieldsOf(tb, d, sample) {
		put := func(what, value string) {
			list = append(list, mutation{what, string(sample[:f.at]) + value + string(sample[f.end:]), f.pointer})
		}
		if f.member && f.required {
			start, end := f.start, f.end
			switch {
			case !f.last:
				end++
			case sample[start-1] == ',':
				start--
			}
			list = append(list, mutation{"missing", string(sample[:start]) + string(sample[end:]), f.parent})
		}
		if f.member {
			member := string(sample[f.start:f.end])
			list = append(list, mutation{"duplicate", string(sample[:f.end]) + "," + member + string(sample[f.end:]), f.pointer})
		}
		for _, value := range []string{"NaN", "01", "'text'", "tru", "", "\"a\tb\"", `"\ud800"`, "\"\xff\"", "+1", "//"} {
			if value != "" || f.member { // a list without an item is right
				put("syntax: "+value, value)
			}
		}
		if f.schema == nil {
			continue
		}
		for _, value := range wrongTypes(f.schema) {
			put("type: "+value, value)
		}
		for _, value := range wrongValues(f.schema) {
			text, err := json.Marshal(value)
			if err != nil {
				tb.Fatal(err)
			}
			put(fmt.Sprintf("value: %.40s", text), string(text))
		}
	}
	return list
}

// wrongTypes returns values of the types that a schema does not allow.
func wrongTypes(schema map[string]any) []string {
	var types []string
	switch kind := schema["type"].(type) {
	case string:
		types = []string{kind}
	case []any:
		for _, k := range kind {
			types = append(types, k.(string))
		}
	default:
		return nil
	}
	examples := map[string]string{"null": "null", "boolean": "true", "string": `"text"`, "integer": "7", "number": "7.5", "array": "[]", "object": "{}"}
	var wrong []string
	for kind, value := range examples {
		if !slices.Contains(types, kind) && (kind != "integer" || !slices.Contains(types, "number")) {
			wrong = append(wrong, value)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// wrongValues returns values of the right type that a schema does not allow.
func wrongValues(schema map[string]any) []any {
	var wrong []any
	if schema["enum"] != nil || schema["const"] != nil {
		wrong = append(wrong, "no such value", "", "PENDING ")
	}
	switch schema["format"] {
	case "date":
		wrong = append(wrong, "2026-02-30", "2026-13-01", "2026-00-10", "15/01/2026", "2026-1-5", "2025-02-29", "2026-01-15T00:00:00Z", "")
	case "date-time":
		wrong = append(wrong, "2026-02-30T10:00:00Z", "2026-01-15T25:00:00Z", "2026-01-15T10:60:00Z", "2026-01-15", "2026-01-15 10:00:00", "2026-01-15T10:00:00", "soon")
	case "time-of-day":
		wrong = append(wrong, "25:00", "24:00", "8:30", "08:60", "08:30:61", "8 am", "")
	case "worksome-time":
		wrong = append(wrong, "2026-02-30 10:00:00", "2026-01-15 25:00:00", "soon", "")
	case "email":
		wrong = append(wrong, "nobody", "a@", "@b.example", "a b@c.example", "")
	case "uri":
		wrong = append(wrong, "no url", "", "/path/alone")
	}
	if limit, ok := schema["maximum"].(float64); ok {
		wrong = append(wrong, limit+1, limit+0.01, 1e9)
	}
	if limit, ok := schema["minimum"].(float64); ok {
		wrong = append(wrong, limit-1, limit-0.01)
	}
	if limit, ok := schema["maxLength"].(float64); ok {
		wrong = append(wrong, strings.Repeat("é", int(limit)+1))
	}
	if limit, ok := schema["minLength"].(float64); ok {
		wrong = append(wrong, strings.Repeat("x", int(limit)-1))
	}
	if limit, ok := schema["minItems"].(float64); ok && limit > 0 {
		wrong = append(wrong, []string{})
	}
	return wrong
}

// TestCheckerTruncatedSamples cuts each sample at every byte: there is one syntax
// error, at the end.
func TestCheckerTruncatedSamples(t *testing.T) {
	t.Parallel()
	c := newLinter(t, lint.Config{}).NewChecker()
	n := 0
	for _, d := range samples() {
		sample := d.Sample()
		for cut := range sample {
			n++
			r := c.Check(sample[:cut])
			last := "none"
			for _, f := range r.Findings {
				if f.Rule == "syntax" {
					last = strconv.Itoa(f.Offset)
				}
			}
			if last != strconv.Itoa(cut) && (cut > 0 || last != "0") {
				t.Fatalf("%s cut at %d: %s", d.Type, cut, summarize(r.Findings))
			}
		}
	}
	t.Log(n)
}
