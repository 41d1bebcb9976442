package render

import (
	"fmt"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// StarterTypes lists the types of body that [Starter] writes.
func StarterTypes() []string { return []string{"json", "xml", "form"} }

// Starter writes a template in YAML for an event, with every variable that the
// event has but those that are deprecated and the bytes of a file, which can
// only be a whole body.
func Starter(event, kind string) (string, error) {
	d, err := EventNamed(event)
	if err != nil {
		return "", err
	}
	var names []string
	binary := false
	for _, v := range Variables(d) {
		switch {
		case v.Name == "file_data_binary":
			binary = true
		case v.Successor == "":
			names = append(names, v.Name)
		}
	}
	write := map[string]func([]string) (contentType, body string){"json": jsonStarter, "xml": xmlStarter, "form": formStarter}[kind]
	if write == nil {
		return "", webhook.Unknown("type of body", kind, StarterTypes())
	}
	contentType, body := write(names)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", d.Description())
	b.WriteString("# A custom field is ${custom_field_58134}, with its own number.\n")
	if binary {
		b.WriteString("# To send the file itself: body: ${file_data_binary}, with its Content-Type.\n")
	}
	fmt.Fprintf(&b, "name: %s\nevent: %s\nmethod: POST\nurl: https://example.com/hooks/${assignment_id}\nheaders:\n  Content-Type: %s\ndate_format: iso8601\nbody: |-\n", Title(d), Title(d), contentType)
	for line := range strings.Lines(body) {
		b.WriteString("  " + line)
	}
	b.WriteByte('\n')
	return b.String(), nil
}

func jsonStarter(names []string) (contentType, body string) {
	body = "{\n"
	for i, name := range names {
		comma := ","
		if i == len(names)-1 {
			comma = ""
		}
		body += fmt.Sprintf("  \"%s\": \"${%s}\"%s\n", name, name, comma)
	}
	return "application/json", body + "}"
}

func xmlStarter(names []string) (contentType, body string) {
	body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<assignment>\n"
	for _, name := range names {
		body += fmt.Sprintf("  <%s>${%s}</%s>\n", name, name, name)
	}
	return "application/xml", body + "</assignment>"
}

func formStarter(names []string) (contentType, body string) {
	for i, name := range names {
		if i > 0 {
			body += "&"
		}
		body += name + "=${" + name + "}"
	}
	return "application/x-www-form-urlencoded", body
}
