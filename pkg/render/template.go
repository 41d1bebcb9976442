package render

import (
	_ "embed" // template.schema.json
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The limits that wsk sets, in bytes. Work Market documents none.
const (
	MaxTemplate   = 1 << 20  // of a template's file
	MaxAttachment = 32 << 20 // of an attachment
	MaxBody       = 64 << 20 // of a rendered body, and of a file of variables
)

// Dates is the format in which a template writes dates and times.
type Dates string

// The formats that Work Market offers (section "Date/Time Formats").
const (
	ISO8601 Dates = "iso8601" // 2026-01-15T14:30:00Z
	Unix    Dates = "unix"    // seconds since 1970
)

// Template is a webhook as it is configured in Work Market (section "Webhook
// Structure").
type Template struct {
	Name   string         // for people; may be empty
	Event  string         // the catalog's name, such as check_in; empty if the event is unknown
	Method string         // in upper case
	URL    string         // may contain variables
	Header webhook.Header // Content-Type is required; values may contain variables
	Dates  Dates          // default: ISO8601
	Body   string         // may contain variables

	source *source // nil for a template that was not parsed from a file
}

// templateSchemaText is the JSON Schema of a template's file.
//
//go:embed template.schema.json
var templateSchemaText []byte

var templateSchema = sync.OnceValues(func() (*schema.Schema, error) {
	read := func(string) ([]byte, error) { return templateSchemaText, nil }
	return schema.Compile(read, "template.schema.json")
})

// Parse reads a template in YAML or JSON. The findings are about the file
// itself; [Template.Render] returns the others. A template with errors is
// returned as far as it could be read.
func Parse(raw []byte) (Template, []report.Finding) {
	var found findings
	t := Template{Dates: ISO8601, source: readSource(raw, &found)}
	if t.source == nil {
		return t, found.list
	}
	t.checkShape(&found)
	text := func(member string) string {
		if v := gjson.GetBytes(t.source.json, member); v.Type == gjson.String {
			return v.String()
		}
		return "" // the finding about its type is enough
	}
	t.Name, t.URL, t.Body = text("name"), text("url"), text("body")
	t.Method = strings.ToUpper(text("method"))
	if Dates(text("date_format")) == Unix {
		t.Dates = Unix
	}
	gjson.GetBytes(t.source.json, "headers").ForEach(func(name, value gjson.Result) bool {
		t.Header = append(t.Header, webhook.Pair{Name: name.String(), Value: value.String()})
		return true
	})
	if event := text("event"); event != "" {
		d, err := EventNamed(event)
		if err != nil {
			found.add(t.source.value("/event"), "template-event", "%v", err)
		}
		t.Event = d.Type
	}
	return t, found.list
}

// checkShape checks the file against its schema.
func (t *Template) checkShape(found *findings) {
	compiled, err := templateSchema()
	if err != nil {
		found.add(position{line: 1, column: 1}, "template-schema", "%v", err) // a test compiles it
		return
	}
	for _, f := range new(schema.Checker).Check(compiled, t.source.json) {
		if !f.Kind.IsViolation() && f.Kind != schema.Syntax && f.Kind != schema.DuplicateKey && f.Kind != schema.Depth {
			continue
		}
		at, message := t.source.at(f.Offset), f.Message()
		at.pointer = f.Pointer
		switch {
		case f.Kind == schema.AdditionalProperties:
			message = unknownMember(f.Name)
		case f.Kind == schema.Required && f.Name == "headers":
			message = "headers is missing: Content-Type is required"
		}
		found.add(at, "template-schema", "%s", message)
	}
}

func unknownMember(name string) string {
	var known []string
	gjson.GetBytes(templateSchemaText, "properties").ForEach(func(name, _ gjson.Result) bool {
		known = append(known, name.String())
		return true
	})
	return webhook.Unknown("member", name, known).Error()
}

var templateMember = regexp.MustCompile(`(?m)^[ \t{]*"?(event|url|method|data)"?[ \t]*:`)

// LooksLikeTemplate reports whether a file is a template rather than a payload
// or another YAML file: at its top level it has an event, a url and a method,
// but no data. A file that does not parse is judged by its lines.
func LooksLikeTemplate(raw []byte) bool {
	if len(raw) > MaxTemplate || !utf8.Valid(raw) {
		return false
	}
	has := map[string]bool{}
	if s := readSource(raw, &findings{}); s != nil {
		gjson.ParseBytes(s.json).ForEach(func(name, _ gjson.Result) bool {
			has[name.String()] = true
			return true
		})
	} else {
		for _, m := range templateMember.FindAllSubmatch(raw, -1) {
			has[string(m[1])] = true
		}
	}
	return has["event"] && has["url"] && has["method"] && !has["data"]
}

// starter writes the body of a new template.
type starter struct {
	name        string
	contentType string
	body        func(variables []string) string
}

var starters = []starter{
	{name: "json", contentType: "application/json", body: jsonStarter},
	{name: "xml", contentType: "application/xml", body: xmlStarter},
	{name: "form", contentType: "application/x-www-form-urlencoded", body: formStarter},
}

// StarterTypes lists the types of body that [Starter] writes.
func StarterTypes() []string {
	names := make([]string, len(starters))
	for i, s := range starters {
		names[i] = s.name
	}
	return names
}

// Starter returns a new template for an event, as YAML. It contains every
// variable of the event except deprecated ones and file_data_binary, which can
// only be a whole body. An unknown event or type of body is an
// [*webhook.UnknownError].
func Starter(event, bodyType string) (string, error) {
	d, err := EventNamed(event)
	if err != nil {
		return "", err
	}
	var chosen *starter
	for i := range starters {
		if starters[i].name == bodyType {
			chosen = &starters[i]
		}
	}
	if chosen == nil {
		return "", webhook.Unknown("type of body", bodyType, StarterTypes())
	}
	var names []string
	binary := false
	for _, name := range eventVariables(d) {
		switch {
		case name == "file_data_binary":
			binary = true
		case variables()[name].successor == "":
			names = append(names, name)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", d.Description())
	b.WriteString("# A custom field is ${custom_field_58134}, with its own number.\n")
	if binary {
		b.WriteString("# To send the file itself: body: ${file_data_binary}, with its Content-Type.\n")
	}
	fmt.Fprintf(&b, `name: %s
event: %s
method: POST
url: https://example.com/hooks/${assignment_id}
headers:
  Content-Type: %s
date_format: iso8601
body: |-
`, Title(d), Title(d), chosen.contentType)
	for line := range strings.Lines(chosen.body(names)) {
		b.WriteString("  " + line)
	}
	b.WriteByte('\n')
	return b.String(), nil
}

func jsonStarter(names []string) string {
	members := make([]string, len(names))
	for i, name := range names {
		members[i] = fmt.Sprintf("  %q: \"${%s}\"", name, name)
	}
	return "{\n" + strings.Join(members, ",\n") + "\n}"
}

func xmlStarter(names []string) string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<assignment>\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  <%s>${%s}</%s>\n", name, name, name)
	}
	b.WriteString("</assignment>")
	return b.String()
}

func formStarter(names []string) string {
	fields := make([]string, len(names))
	for i, name := range names {
		fields[i] = name + "=${" + name + "}"
	}
	return strings.Join(fields, "&")
}
