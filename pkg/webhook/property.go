package webhook

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/internal/nearest"
)

// Property is one place in an event's envelope, as its schema describes it.
type Property struct {
	Path        string   `json:"path"`               // "data.scope_of_work.checklists[].items[].status"; * stands for any name
	Types       []string `json:"types,omitempty"`    // JSON Schema's names: string, integer, null, …; none: any
	Required    bool     `json:"required,omitempty"` // in the object that contains it
	Values      []string `json:"values,omitempty"`   // the allowed or the documented values, if there are any
	Closed      bool     `json:"closed,omitempty"`   // no other value is allowed
	Format      string   `json:"format,omitempty"`   // date, date-time, time-of-day, worksome-time, currency, email, uri; of the last two no document states a format
	AliasOf     string   `json:"alias_of,omitempty"` // the canonical name, for an alias
	Description string   `json:"description,omitempty"`
}

// maxSchemaDepth bounds the walk through schemas that refer to themselves.
const maxSchemaDepth = 16

// Properties lists every place that the event's schema describes, in the
// schema's order, each object before its members.
func (d Definition) Properties() []Property {
	w := schemaWalk{definition: d, files: map[string][]byte{}}
	w.object("", newSchemaNode(d.file(), gjson.ParseBytes(d.Schema())), 0)
	return w.found
}

// Property finds the place that a path names. Steps are joined by dots, and an
// index is a number: data.contacts.0.email, or data.contacts[0].email. The
// error for an unknown place is an [*UnknownError] whose Nearest is the same
// path under data where the schema has that.
func (d Definition) Property(path string) (Property, error) {
	all := d.Properties()
	steps := jsonpath.Split(path)
	if p := findProperty(all, steps); p != nil {
		return *p, nil
	}
	err := Unknown("path", path, fillPaths(all, steps))
	under := jsonpath.Split("data." + path)
	if p := findProperty(all, under); p != nil {
		err.Nearest = fillIndexes(jsonpath.Split(p.Path), under)
	} else if err.Nearest == "" {
		err.Nearest = nearest.Name("data."+path, fillPaths(all, under))
	}
	return Property{}, err
}

func findProperty(all []Property, steps []string) *Property {
	for i := range all {
		if matchPath(jsonpath.Split(all[i].Path), steps) {
			return &all[i]
		}
	}
	return nil
}

func matchPath(pattern, steps []string) bool {
	return slices.EqualFunc(pattern, steps, func(want, got string) bool {
		return want == got || want == "*" || want == "[]" && jsonpath.IsIndex(got)
	})
}

func fillPaths(all []Property, typed []string) []string {
	paths := make([]string, len(all))
	for i := range all {
		paths[i] = fillIndexes(jsonpath.Split(all[i].Path), typed)
	}
	return paths
}

// fillIndexes writes a pattern with the indexes and free names that the person
// typed, so that the nearest path can be pasted.
func fillIndexes(pattern, typed []string) string {
	out := slices.Clone(pattern)
	for i, step := range out {
		switch {
		case step == "[]" && i < len(typed) && jsonpath.IsIndex(typed[i]):
			out[i] = typed[i]
		case step == "[]":
			out[i] = "0"
		case step == "*" && i < len(typed):
			out[i] = jsonpath.Escape(typed[i])
		}
	}
	return strings.Join(out, ".")
}

// schemaNode is the keywords of one schema object, read in one pass.
type schemaNode struct {
	file     string
	keywords map[string]gjson.Result
}

func (n schemaNode) get(keyword string) gjson.Result { return n.keywords[keyword] }

// first returns the first of two keywords that the schema has.
func (n schemaNode) first(keyword, other string) gjson.Result {
	if v := n.get(keyword); v.Exists() {
		return v
	}
	return n.get(other)
}

func newSchemaNode(file string, raw gjson.Result) schemaNode {
	n := schemaNode{file, map[string]gjson.Result{}}
	raw.ForEach(func(keyword, value gjson.Result) bool {
		n.keywords[keyword.String()] = value
		return true
	})
	return n
}

// schemaWalk lists the places of an event's envelope.
type schemaWalk struct {
	definition Definition
	files      map[string][]byte // the files read so far
	found      []Property
}

// deref follows $ref within the catalog's files. A description or an alias
// beside the $ref precedes the one that it refers to.
func (w *schemaWalk) deref(n schemaNode) schemaNode {
	for range maxSchemaDepth {
		ref := n.get("$ref").String()
		if ref == "" {
			break
		}
		file, pointer := resolve(n.file, ref)
		if _, read := w.files[file]; !read {
			w.files[file] = w.definition.read(file)
		}
		target := newSchemaNode(file, gjson.GetBytes(w.files[file], gjsonPath(pointer)))
		for _, keyword := range []string{"description", "x-alias-of"} {
			if n.get(keyword).Exists() {
				target.keywords[keyword] = n.get(keyword)
			}
		}
		n = target
	}
	return n
}

func (w *schemaWalk) object(prefix string, n schemaNode, depth int) {
	required := texts(n.get("required"))
	n.get("properties").ForEach(func(name, value gjson.Result) bool {
		w.place(join(prefix, name.String()), newSchemaNode(n.file, value), slices.Contains(required, name.String()), depth)
		return true
	})
	if extra := n.get("additionalProperties"); extra.IsObject() {
		w.place(join(prefix, "*"), newSchemaNode(n.file, extra), false, depth)
	}
}

func join(prefix, step string) string {
	if prefix == "" {
		return step
	}
	return prefix + "." + step
}

func (w *schemaWalk) place(path string, n schemaNode, required bool, depth int) {
	n = w.deref(n)
	p := Property{
		Path: path, Required: required, Description: n.get("description").String(), Types: texts(n.first("type", "x-type")),
		Format: n.first("format", "x-format").String(), AliasOf: n.get("x-alias-of").String(),
	}
	switch {
	case n.get("const").Exists():
		p.Values, p.Closed = []string{n.get("const").String()}, true
	case n.get("enum").Exists():
		p.Values, p.Closed = texts(n.get("enum")), true
	default:
		p.Values = texts(n.get("x-values"))
	}
	w.found = append(w.found, p)
	if depth < maxSchemaDepth {
		w.inside(path, n, depth+1)
	}
}

// inside lists what an object or a list contains, the alternatives of anyOf
// included.
func (w *schemaWalk) inside(path string, n schemaNode, depth int) {
	w.object(path, n, depth)
	if items := n.get("items"); items.IsObject() {
		w.place(path+"[]", newSchemaNode(n.file, items), false, depth)
	}
	for _, option := range n.get("anyOf").Array() {
		w.inside(path, w.deref(newSchemaNode(n.file, option)), depth)
	}
}

// texts lists a string, or the strings of a list.
func texts(v gjson.Result) []string {
	var list []string
	for _, item := range v.Array() {
		list = append(list, item.String())
	}
	return list
}
