package main

import (
	"bytes"
	_ "embed" // the template
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/wskdev/wsk/pkg/webhook"
)

//go:embed events.go.tmpl
var eventsTemplate string

// eventPackage is a package of generated types.
type eventPackage struct {
	Platform webhook.Platform
	Name     string // of the platform, as people write it
	Constant string // of the platform, in package webhook
	Doc      string
	forms    []eventForm
}

// eventForm is a form of a platform's events. Each has a file of its own.
type eventForm struct {
	Form     webhook.Form
	Constant string // in package webhook
	prefix   string // of the types' names
	InForm   string // said of an event where a platform has several forms
}

var eventPackages = []eventPackage{
	{
		webhook.WorkSkedge, "WorkSkedge", "WorkSkedge", `
A type has the name of its event: WorkOrderCreated is work_order.created, as
WorkSkedge sends it. InboundWorkOrderCreated is the event of the same name that
WorkSkedge receives, and CompactWorkorderCreated is workorder.created in the
envelope of the Event Catalog page. Objects that several events contain have
their own types.`,
		[]eventForm{
			{webhook.Outbound, "Outbound", "", " in the outbound form"},
			{webhook.Inbound, "Inbound", "Inbound", " in the inbound form"},
			{webhook.Compact, "Compact", "Compact", " in the compact form"},
		},
	},
	{
		webhook.Worksome, "Worksome", "Worksome", `
A type has the name of its event: HireUpdated is hireUpdated. Worksome documents
the content of that event; the others are documented by name alone, and their
data is a map.`,
		[]eventForm{{webhook.WorksomeForm, "WorksomeForm", "", ""}},
	},
}

// writeEvents writes the Go types of the events into a folder for each platform
// in dir.
func writeEvents(dir string) error {
	for _, p := range eventPackages {
		files, err := p.generate()
		if err != nil {
			return fmt.Errorf("generating the types of %s: %w", p.Name, err)
		}
		folder := filepath.Join(dir, string(p.Platform))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// generate returns the source files of a package by name.
func (p eventPackage) generate() (map[string][]byte, error) {
	w := typeWriter{types: map[string]*goType{}}
	for _, form := range p.forms {
		for _, d := range webhook.DefaultCatalog().Events(p.Platform, form.Form) {
			if err := w.event(form, d); err != nil {
				return nil, fmt.Errorf("%s %s: %w", d.Form, d.Type, err)
			}
		}
	}
	parts := map[string][]*goType{}
	var events []*goType
	for _, t := range w.order {
		parts[t.file] = append(parts[t.file], t)
		if t.Event != nil {
			events = append(events, t)
		}
	}
	files := map[string][]byte{}
	var err error
	if files["doc.go"], err = p.render("package", events); err != nil {
		return nil, err
	}
	for name, types := range parts {
		if files[name], err = p.render("types", types); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (p eventPackage) render(name string, types []*goType) ([]byte, error) {
	parsed, err := template.New("").Funcs(template.FuncMap{"comment": comment}).Parse(eventsTemplate)
	if err != nil {
		return nil, err
	}
	var source bytes.Buffer
	if err := parsed.ExecuteTemplate(&source, name, map[string]any{"Package": p, "Types": types}); err != nil {
		return nil, err
	}
	return format.Source(source.Bytes())
}

// comment writes text as lines of a comment that fit into 80 columns.
func comment(indent, text string) string {
	const width = 80
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if b.Len() > 0 {
			b.WriteString("\n" + indent + "//\n")
		}
		line := indent + "//"
		for word := range strings.FieldsSeq(paragraph) {
			if len(line)+1+len(word) > width {
				b.WriteString(line + "\n")
				line = indent + "//"
			}
			line += " " + word
		}
		b.WriteString(line)
	}
	return b.String()
}
