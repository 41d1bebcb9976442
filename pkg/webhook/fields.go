package webhook

import (
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/internal/nearest"
)

// Property is one place in an event's envelope, as its schema describes it.
type Property struct {
	Path        string   `json:"path"`               // "data.scope_of_work.checklists[].items[].status"; * stands for any name
	Types       []string `json:"types,omitempty"`    // JSON Schema's names: string, integer, null, ...; none: any
	Required    bool     `json:"required,omitempty"` // in the object that holds it
	Values      []string `json:"values,omitempty"`   // the closed or the documented values, if any
	Closed      bool     `json:"closed,omitempty"`   // no other value is allowed
	Format      string   `json:"format,omitempty"`   // date, date-time, time-of-day, email, uri
	AliasOf     string   `json:"alias_of,omitempty"` // the canonical name, for an alias
	Description string   `json:"description,omitempty"`
}

// maxSchemaDepth bounds the walk through schemas that refer to themselves.
const maxSchemaDepth = 16

// Properties lists every place that the event's schema knows, in the schema's
// order, objects before what they hold.
func (d Definition) Properties() []Property {
	w := schemaWalk{own: d.own, files: map[string]string{}}
	w.object("", newSchemaNode(d.file(), gjson.ParseBytes(d.Schema())), 0)
	return w.found
}

// Property finds the place that a path names. Steps are joined by dots, and
// an index is a number: data.contacts.0.email; data.contacts[0].email is the
// same. The error for an unknown place is an [*UnknownError] with the nearest:
// the same path under data where that is known.
func (d Definition) Property(name string) (Property, error) {
	all := d.Properties()
	if p := findProperty(all, jsonpath.Split(name)); p != nil {
		return *p, nil
	}
	err := Unknown("path", name, fillPaths(all, jsonpath.Split(name)))
	under := jsonpath.Split("data." + name)
	if p := findProperty(all, under); p != nil {
		err.Nearest = fillIndexes(jsonpath.Split(p.Path), under)
	} else if err.Nearest == "" {
		err.Nearest = nearest.Name("data."+name, fillPaths(all, under))
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

func fillPaths(all []Property, typed []string) []string {
	paths := make([]string, len(all))
	for i := range all {
		paths[i] = fillIndexes(jsonpath.Split(all[i].Path), typed)
	}
	return paths
}

func matchPath(pattern, steps []string) bool {
	return slices.EqualFunc(pattern, steps, func(want, got string) bool {
		return want == got || want == "*" || want == "[]" && jsonpath.IsIndex(got)
	})
}

// fillIndexes writes a pattern with the indexes and free names that the
// person typed, so that the nearest path can be pasted.
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

// schemaNode is the members of one schema object, read in one pass.
type schemaNode struct {
	file string
	has  map[string]gjson.Result
}

func (n schemaNode) get(keyword string) gjson.Result { return n.has[keyword] }

func newSchemaNode(file string, raw gjson.Result) schemaNode {
	n := schemaNode{file, map[string]gjson.Result{}}
	raw.ForEach(func(keyword, value gjson.Result) bool {
		n.has[keyword.String()] = value
		return true
	})
	return n
}

// gjsonPath turns a JSON Pointer of the catalog's own files into gjson's words.
func gjsonPath(pointer string) string {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, step := range steps {
		steps[i] = gjson.Escape(step)
	}
	return strings.Join(steps, ".")
}

// schemaWalk lists the places of an event's envelope.
type schemaWalk struct {
	own   *Overlay
	files map[string]string // the catalog's files that were read
	found []Property
}

// deref follows $ref within the catalog's files. What stands beside the $ref
// (a description, an alias) goes before what it refers to.
func (w *schemaWalk) deref(n schemaNode) schemaNode {
	for range maxSchemaDepth {
		ref := n.get("$ref").String()
		if ref == "" {
			break
		}
		name, pointer, _ := strings.Cut(ref, "#")
		file := n.file
		if name != "" {
			file = path.Join(path.Dir(n.file), name)
		}
		if _, read := w.files[file]; !read {
			w.files[file] = string(w.own.read(file))
		}
		target := newSchemaNode(file, gjson.Get(w.files[file], gjsonPath(pointer)))
		for _, keyword := range []string{"description", "x-alias-of"} {
			if n.get(keyword).Exists() {
				target.has[keyword] = n.get(keyword)
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

func (w *schemaWalk) place(name string, n schemaNode, required bool, depth int) {
	n = w.deref(n)
	p := Property{
		Path: name, Required: required, Description: n.get("description").String(), Types: texts(n.get("type")),
		Format: n.get("format").String(), AliasOf: n.get("x-alias-of").String(),
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
		w.inside(name, n, depth+1)
	}
}

// inside lists what an object or a list holds, the alternatives of anyOf too.
func (w *schemaWalk) inside(name string, n schemaNode, depth int) {
	w.object(name, n, depth)
	if items := n.get("items"); items.IsObject() {
		w.place(name+"[]", newSchemaNode(n.file, items), false, depth)
	}
	for _, option := range n.get("anyOf").Array() {
		w.inside(name, w.deref(newSchemaNode(n.file, option)), depth)
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
