package render

import (
	_ "embed" // template.schema.json
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Limits, in bytes.
const (
	MaxTemplate   = 1 << 20  // of a template's file
	MaxAttachment = 32 << 20 // of an attachment
	MaxBody       = 64 << 20 // of what a template renders to
)

// Dates is how a template writes dates and times.
type Dates string

// The formats of dates: 2026-01-15T14:30:00Z, and seconds since 1970.
const (
	ISO8601 Dates = "iso8601"
	Unix    Dates = "unix"
)

// Template is one webhook as Work Market keeps it.
type Template struct {
	Name   string
	Event  string // as the catalog names it, check_in; "" where it is unknown
	Method string // as written, in upper case
	URL    string
	Header webhook.Header
	Dates  Dates // default: ISO8601
	Body   string

	source *source
}

//go:embed template.schema.json
var schemaText []byte

// Parse reads a template in YAML or JSON. The findings are those of the file
// itself; [Template.Render] has the others. A template with errors is returned
// as far as it could be read.
func Parse(raw []byte) (Template, []Finding) {
	r := &report{}
	s := read(raw, r)
	t := Template{source: s, Dates: ISO8601}
	if s == nil {
		return t, r.findings
	}
	t.checkShape(r)
	var dates, event string
	for name, to := range map[string]*string{
		"name": &t.Name, "url": &t.URL, "body": &t.Body, "method": &t.Method, "date_format": &dates, "event": &event,
	} {
		if v := gjson.GetBytes(s.json, name); v.Type == gjson.String {
			*to = v.String()
		}
	}
	t.Method = strings.ToUpper(t.Method)
	if Dates(dates) == Unix {
		t.Dates = Unix
	}
	gjson.GetBytes(s.json, "headers").ForEach(func(name, value gjson.Result) bool {
		t.Header = append(t.Header, webhook.Pair{Name: name.String(), Value: value.String()})
		return true
	})
	if event != "" {
		d, err := EventNamed(event)
		if err != nil {
			r.add(s.value("/event"), "template-event", "%v", err)
		}
		t.Event = d.Type
	}
	return t, r.findings
}

// checkShape holds the template to its schema.
func (t *Template) checkShape(r *report) {
	compiled, err := schema.Compile(func(string) ([]byte, error) { return schemaText, nil }, "template.schema.json")
	if err != nil {
		r.add(place{line: 1, column: 1}, "template-schema", "%v", err) // a test compiles it
		return
	}
	known := []string{"name", "event", "url", "method", "headers", "date_format", "body"}
	for _, f := range schema.NewChecker().Check(compiled, t.source.json) {
		if !f.Kind.IsViolation() && f.Kind != schema.Syntax && f.Kind != schema.DuplicateKey && f.Kind != schema.Depth {
			continue
		}
		at, text := t.source.at(f.Offset), f.Message()
		at.pointer = f.Pointer
		switch {
		case f.Kind == schema.AdditionalProperties:
			if near := webhook.Nearest(f.Name, known); near != "" {
				text = fmt.Sprintf("unknown member %q: did you mean %q?", f.Name, near)
			} else {
				text = fmt.Sprintf("unknown member %q: known are %s", f.Name, strings.Join(known, ", "))
			}
		case f.Kind == schema.Required && f.Name == "headers":
			text = "headers is missing: Content-Type is required"
		}
		r.add(at, "template-schema", "%s", text)
	}
}

// LooksLikeTemplate reports whether a file is a template rather than a payload
// or other YAML: it has an event, a URL and a method at its top and no data, or
// seems to where it does not parse.
func LooksLikeTemplate(raw []byte) bool {
	if len(raw) > MaxTemplate || !utf8.Valid(raw) {
		return false
	}
	s := read(raw, &report{})
	if s == nil {
		names := regexp.MustCompile(`(?m)^[ \t{]*"?(event|url|method|data)"?[ \t]*:`).FindAllSubmatch(raw, -1)
		seen := map[string]bool{}
		for _, m := range names {
			seen[string(m[1])] = true
		}
		return len(seen) == 3 && !seen["data"]
	}
	for _, name := range []string{"url", "event", "method"} {
		if !gjson.GetBytes(s.json, name).Exists() {
			return false
		}
	}
	return gjson.ParseBytes(s.json).IsObject() && !gjson.GetBytes(s.json, "data").Exists()
}
