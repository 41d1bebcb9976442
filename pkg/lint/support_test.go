package lint_test

import (
	"encoding/json"
	"io/fs"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// samples returns the events that have a sample, except templates.
func samples() []webhook.Definition {
	var list []webhook.Definition
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		if d.Form != webhook.Template && d.Sample() != nil {
			list = append(list, d)
		}
	}
	return list
}

// sampleOf returns the sample of one event.
func sampleOf(tb testing.TB, f webhook.Form, event string) string {
	tb.Helper()
	d, err := webhook.DefaultCatalog().Lookup("", f, event)
	if err != nil {
		tb.Fatal(err)
	}
	return string(d.Sample())
}

// swap replaces a text that must be present.
func swap(tb testing.TB, text, old, with string) string {
	tb.Helper()
	if !strings.Contains(text, old) {
		tb.Fatalf("%q is not in %s", old, text)
	}
	return strings.Replace(text, old, with, 1)
}

// newLinter returns a linter with a valid configuration.
func newLinter(tb testing.TB, c lint.Config) *lint.Linter {
	tb.Helper()
	l, err := lint.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// summarize writes findings as the tables do: place, pointer, severity and rule.
func summarize(findings []report.Finding) string {
	var lines []string
	for _, f := range findings {
		place := strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column)
		lines = append(lines, strings.Join([]string{place, f.Pointer, f.Severity.String(), f.Rule}, " "))
	}
	return strings.Join(lines, "\n")
}

// field is one value of a payload, with its schema.
type field struct {
	pointer, parent string
	member          bool // it has a name
	required        bool
	last            bool // nothing follows it in its object or list
	start, at, end  int  // of the member, and of its value
	schema          map[string]any
}

// fieldsOf returns the values of a compact payload with their schemas.
func fieldsOf(tb testing.TB, d webhook.Definition, payload []byte) []field {
	tb.Helper()
	var root map[string]any
	if err := json.Unmarshal(d.Bundle(), &root); err != nil {
		tb.Fatal(err)
	}
	var list []field
	var walk func(v gjson.Result, at int, pointer string, node map[string]any)
	walk = func(v gjson.Result, at int, pointer string, node map[string]any) {
		needed, _ := node["required"].([]any)
		index := 0
		latest := -1
		v.ForEach(func(name, value gjson.Result) bool {
			f := field{parent: pointer, member: v.IsObject(), at: at + value.Index, end: at + value.Index + len(value.Raw)}
			step := strconv.Itoa(index)
			part := node["items"]
			if f.start = f.at; f.member {
				step, f.start = name.Str, at+name.Index
				part = node["additionalProperties"]
				if properties, ok := node["properties"].(map[string]any); ok && properties[step] != nil {
					part = properties[step]
				}
			}
			f.pointer = pointer + "/" + strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
			for _, n := range needed {
				f.required = f.required || n == step
			}
			schema, _ := part.(map[string]any)
			f.schema = deref(root, schema)
			latest = len(list)
			list = append(list, f)
			if value.IsObject() || value.IsArray() {
				walk(gjson.ParseBytes(payload[f.at:f.end]), f.at, f.pointer, f.schema)
			}
			index++
			return true
		})
		if latest >= 0 {
			list[latest].last = true
		}
	}
	walk(gjson.ParseBytes(payload), 0, "", root)
	for _, f := range list {
		if !json.Valid(payload[f.at:f.end]) {
			tb.Fatalf("%s: %q is no value", f.pointer, payload[f.at:f.end])
		}
	}
	return list
}

// deref follows references within a bundle.
func deref(root, node map[string]any) map[string]any {
	for node != nil && node["$ref"] != nil {
		target := any(root)
		for step := range strings.SplitSeq(strings.TrimPrefix(node["$ref"].(string), "#/"), "/") {
			object, _ := target.(map[string]any)
			target = object[strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")]
		}
		node, _ = target.(map[string]any)
	}
	return node
}

// catalogOf returns the catalog with custom schemas in front.
func catalogOf(t testing.TB, schemas fs.FS) *webhook.Catalog {
	t.Helper()
	c, err := webhook.NewCatalog(schemas)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
