package render

import (
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Events lists Work Market's events in the catalog's order.
func Events() []webhook.Definition { return webhook.Events(webhook.WorkMarket, webhook.Template) }

// EventNamed finds an event as its documentation writes it, "Check In", or as
// the catalog does, "check_in". The error is an *webhook.UnknownError with the
// nearest.
func EventNamed(name string) (webhook.Definition, error) {
	slug := strings.Join(strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c == ' ' || c == '-' || c == '_' }), "_")
	d, err := webhook.Lookup(webhook.WorkMarket, webhook.Template, slug)
	if err == nil {
		return d, nil
	}
	var known []string
	for _, d := range Events() {
		known = append(known, d.Type)
	}
	return d, webhook.Unknown("event of Work Market", name, known)
}

// Title is an event's name as Work Market writes it: "Check In".
func Title(d webhook.Definition) string { return gjson.GetBytes(d.Schema(), "title").String() }

// Variable is one that a template may name.
type Variable struct {
	Name        string
	Description string
	Types       []string // JSON Schema's names
	Format      string   // date-time, email
	Successor   string   // what is to be used in its place; "" while it is current
}

// Variables lists those of an event, in the documentation's order, custom
// fields aside.
func Variables(d webhook.Definition) []Variable {
	shared := sharedDefinitions()
	var list []Variable
	for _, p := range d.Properties() {
		if p.Path == "*" {
			continue
		}
		list = append(list, Variable{
			Name: p.Path, Description: p.Description, Types: p.Types, Format: p.Format,
			Successor: shared.Get(p.Path + ".x-deprecated").String(),
		})
	}
	return list
}

func sharedDefinitions() gjson.Result {
	raw, err := fs.ReadFile(webhook.Schemas(), "workmarket/defs.json")
	if err != nil {
		return gjson.Result{} // a test opens it
	}
	return gjson.GetBytes(raw, "$defs")
}

// customField reports whether a name is that of a custom field: the documents
// write custom_field_58134, and customfield and the digits.
func customField(name string) bool {
	digits, ok := strings.CutPrefix(name, "custom_field_")
	if !ok {
		digits, ok = strings.CutPrefix(name, "customfield")
	}
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// knowledge is what is known of variables, made once for a template.
type knowledge struct {
	event map[string]Variable // of the template's event
	dates map[string]bool     // every variable of any event: whether it is a date and time
}

func knowledgeOf(event string) knowledge {
	k := knowledge{event: map[string]Variable{}, dates: map[string]bool{}}
	if d, err := EventNamed(event); err == nil {
		for _, v := range Variables(d) {
			k.event[v.Name] = v
		}
	}
	sharedDefinitions().ForEach(func(name, definition gjson.Result) bool {
		if name.String() != "custom_field" {
			k.dates[name.String()] = definition.Get("format").String() == "date-time"
		}
		return true
	})
	return k
}

// any reports whether some event has the variable.
func (k knowledge) any(name string) bool {
	_, ok := k.dates[name]
	return ok
}

// names lists every variable of any event.
func (k knowledge) names() []string { return slices.Sorted(maps.Keys(k.dates)) }

// isDate reports whether a variable is a date and time.
func (k knowledge) isDate(name string) bool { return k.dates[name] }

// owners lists the titles of the events that have each variable.
func owners() map[string][]string {
	titles := map[string][]string{}
	for _, d := range Events() {
		title := Title(d)
		for _, v := range Variables(d) {
			titles[v.Name] = append(titles[v.Name], title)
		}
	}
	return titles
}
