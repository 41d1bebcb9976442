package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// goType is a type to be written: a struct, or a string with constants.
type goType struct {
	Name   string
	Doc    string
	Fields []goField
	Values []goConstant
	Event  *goEvent // nil: a part of an event

	file   string // that it is written to
	source schemaNode
}

type goField struct {
	Name, Type, Tag, Doc string
}

type goConstant struct {
	Name, Value string
}

type goEvent struct {
	Form eventForm
	Type string
}

// typeWriter makes Go types of schemas. A schema that it has no type for is an
// error, so that nothing is generated that decodes less than is documented.
type typeWriter struct {
	types map[string]*goType // by name
	order []*goType          // each before its parts
	file  string             // of the form that is being written
}

// schemaNode is a schema and the file that its references are relative to.
type schemaNode struct {
	file string
	gjson.Result
}

func (n schemaNode) get(keyword string) schemaNode {
	return schemaNode{n.file, n.Get(gjson.Escape(keyword))}
}

func (n schemaNode) isShared() bool { return strings.Count(n.file, "/") == 1 }

func (w *typeWriter) event(form eventForm, d webhook.Definition) error {
	w.file = string(form.Form) + ".go"
	file := path.Join(string(d.Platform), string(d.Form), d.Type+".json")
	name := form.prefix + goName(d.Type)
	t, err := w.add(name, schemaNode{file, gjson.ParseBytes(d.Schema())})
	if err != nil {
		return err
	}
	t.Event = &goEvent{form, d.Type}
	return w.fields(t, name)
}

// add reserves the name of a type.
func (w *typeWriter) add(name string, n schemaNode) (*goType, error) {
	if w.types[name] != nil {
		return nil, fmt.Errorf("two schemas would have the type %s", name)
	}
	t := &goType{Name: name, Doc: n.Get("description").Str, file: w.file, source: n}
	if n.isShared() {
		t.file = "shared.go"
	}
	w.types[name] = t
	w.order = append(w.order, t)
	return t, nil
}

// member is the Go type of a schema's value.
type member struct {
	goType   string
	nullable bool
}

// member returns the Go type for a schema. If a type must be declared, it has
// the given name, or that of the $defs entry where the schema refers to one.
func (w *typeWriter) member(n schemaNode, name string) (member, error) {
	if ref := n.Get("$ref"); ref.Exists() {
		target, defined, err := follow(n.file, ref.Str)
		if err != nil {
			return member{}, err
		}
		return w.member(target, defined)
	}
	types := []string{}
	nullable := false
	for _, t := range n.Get("type").Array() {
		if t.Str == "null" {
			nullable = true
		} else {
			types = append(types, t.Str)
		}
	}
	goType, err := w.typeOf(n, types, name)
	return member{goType, nullable}, err
}

// follow returns what a $ref refers to, and the name of its Go type.
func follow(file, ref string) (target schemaNode, name string, err error) {
	other, pointer, _ := strings.Cut(ref, "#")
	if other != "" {
		file = path.Join(path.Dir(file), other)
	}
	raw, err := webhook.DefaultCatalog().ReadFile(file)
	if err != nil {
		return schemaNode{}, "", err
	}
	name, ok := strings.CutPrefix(pointer, "/$defs/")
	target = schemaNode{file, gjson.GetBytes(raw, `$defs.`+gjson.Escape(name))}
	if !ok || !target.Exists() {
		return schemaNode{}, "", fmt.Errorf("%q is not an entry of $defs", ref)
	}
	return target, goName(name), nil
}

func (w *typeWriter) typeOf(n schemaNode, types []string, name string) (string, error) {
	slices.Sort(types)
	switch strings.Join(types, " ") {
	case "": // anything, or x-type
		return "events.Value", nil
	case "array string":
		return "events.StringOrList", nil
	case "number string":
		return "events.StringOrNumber", nil
	case "boolean":
		return "bool", nil
	case "integer":
		return "int64", nil
	case "number":
		return "float64", nil
	case "string":
		return w.text(n, name)
	case "array":
		items := n.get("items")
		if !items.Exists() {
			return "[]events.Value", nil
		}
		m, err := w.member(items, name)
		if m.nullable {
			return "", errors.New("items that may be null are not supported")
		}
		return "[]" + m.goType, err
	case "object":
		return w.object(n, name)
	}
	return "", fmt.Errorf("the types %q together are not supported", types)
}

// text returns the type of a string. Where values are documented, they become
// constants, also those of an open set.
func (w *typeWriter) text(n schemaNode, name string) (string, error) {
	switch n.Get("format").Str {
	case "date-time":
		return "events.Timestamp", nil
	case "date":
		return "events.Date", nil
	}
	values := append(n.Get("enum").Array(), n.Get("x-values").Array()...)
	if len(values) == 0 {
		return "string", nil
	}
	t := w.types[name]
	if t == nil {
		var err error
		if t, err = w.add(name, n); err != nil {
			return "", err
		}
	} else if len(t.Values) == 0 {
		return "", fmt.Errorf("two schemas would have the type %s", name)
	}
	// Forms have shared parts of the same name, whose values differ at most in
	// which of them are documented.
	for _, value := range values {
		if err := t.addValue(value.Str); err != nil {
			return "", err
		}
	}
	return name, nil
}

func (t *goType) addValue(value string) error {
	name := t.Name + goName(value)
	if strings.ToLower(value) != value && slices.ContainsFunc(t.Values, func(c goConstant) bool { return c.Value == strings.ToLower(value) }) {
		name += "Capitalized" // documented in both spellings
	}
	for _, c := range t.Values {
		if c.Value == value {
			return nil
		}
		if c.Name == name {
			return fmt.Errorf("%q and %q would have the constant %s", c.Value, value, name)
		}
	}
	t.Values = append(t.Values, goConstant{name, value})
	return nil
}

func (w *typeWriter) object(n schemaNode, name string) (string, error) {
	extra := n.get("additionalProperties")
	switch {
	case extra.IsObject() && !n.Get("properties").Exists():
		m, err := w.member(extra, name+"Value")
		if m.nullable {
			return "", errors.New("members of a map that may be null are not supported")
		}
		return "map[string]" + m.goType, err
	case extra.Exists() || !n.Get("properties").Exists():
		return "map[string]events.Value", nil // any members, some of which may be documented
	}
	if t := w.types[name]; t != nil && t.source.file == n.file && t.source.Raw == n.Raw {
		return name, nil
	}
	t, err := w.add(name, n)
	if err != nil {
		return "", err
	}
	return name, w.fields(t, strings.TrimSuffix(name, "Data"))
}

// fields adds the properties of an object to its struct. The types of their
// values have names that begin with prefix.
func (w *typeWriter) fields(t *goType, prefix string) error {
	required := t.source.Get("required").Array()
	var err error
	t.source.Get("properties").ForEach(func(property, schema gjson.Result) bool {
		field := goField{Name: goName(property.Str), Tag: property.Str, Doc: schema.Get("description").Str}
		if slices.ContainsFunc(t.Fields, func(f goField) bool { return f.Name == field.Name }) {
			err = fmt.Errorf("%s: two properties would have the field %s", t.Name, field.Name)
			return false
		}
		name := prefix + field.Name
		if schema.Get("items").Exists() {
			name = prefix + goName(singular(property.Str))
		}
		var m member
		if m, err = w.member(schemaNode{t.source.file, schema}, name); err != nil {
			err = fmt.Errorf("%s: %w", property.Str, err)
			return false
		}
		always := slices.ContainsFunc(required, func(name gjson.Result) bool { return name.Str == property.Str })
		field.Type = m.goType
		if !always || m.nullable {
			field.Type = "events.Optional[" + m.goType + "]"
		}
		if !always {
			field.Tag += ",omitzero"
		}
		t.Fields = append(t.Fields, field)
		return true
	})
	return err
}

// singular returns the name for an item of a list.
func singular(name string) string {
	if stem, ok := strings.CutSuffix(name, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(name, "s")
}

// initialisms are the words that are written in capital letters in Go.
var initialisms = map[string]string{"id": "ID", "ids": "IDs", "po": "PO", "url": "URL"}

// goName turns work_order.created, projectId or onsite-only into a Go name.
func goName(name string) string {
	var words []string
	start := true
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			start = true
			continue
		case start || unicode.IsUpper(r):
			words = append(words, "")
			start = false
		}
		words[len(words)-1] += string(r)
	}
	for i, word := range words {
		if initialism, ok := initialisms[strings.ToLower(word)]; ok {
			words[i] = initialism
		} else {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}
