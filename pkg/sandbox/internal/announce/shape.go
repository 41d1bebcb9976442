package announce

import (
	"maps"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/webhook"
)

// shape describes a value by an event's schema: which members it has, and in
// which order. A value whose shape has no members is written as it is.
type shape struct {
	order   []string
	members map[string]*shape
	others  *shape // of members with any other name; nil: there are none
	item    *shape // of the items of a list; nil: they have no shape
}

// shape returns the shape of an event's data, which it reads from the catalog
// once. It is empty for an event whose payload is not documented.
func (a *Announcer) shape(form webhook.Form, event string) *shape {
	key := string(form) + " " + event
	if known, ok := a.shapes.Load(key); ok {
		s, _ := known.(*shape) // nothing else is stored
		return s
	}
	root := &shape{}
	if d, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, form, event); err == nil {
		for _, p := range d.Properties() {
			if path, ok := strings.CutPrefix(p.Path, "data."); ok {
				root.add(strings.Split(path, "."))
			}
		}
	}
	a.shapes.Store(key, root) // a concurrent call stores the same
	return root
}

// add adds a path of the catalog, such as checklists[], items[], *.
func (s *shape) add(path []string) {
	for _, step := range path {
		name := strings.TrimRight(step, "[]")
		lists := strings.Count(step, "[]")
		s = s.member(name)
		for range lists {
			if s.item == nil {
				s.item = &shape{}
			}
			s = s.item
		}
	}
}

func (s *shape) member(name string) *shape {
	if name == "*" {
		if s.others == nil {
			s.others = &shape{}
		}
		return s.others
	}
	if s.members == nil {
		s.members = map[string]*shape{}
	}
	if s.members[name] == nil {
		s.members[name] = &shape{}
		s.order = append(s.order, name)
	}
	return s.members[name]
}

// write returns a value's JSON, with the members that the shape has. Members
// that are nil are left out.
func (s *shape) write(v any) []byte { return s.append(nil, v) }

func (s *shape) append(b []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		names := s.order
		if len(s.order) == 0 || s.others != nil {
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if s.members[name] == nil {
					names = append(names[:len(names):len(names)], name)
				}
			}
		}
		return s.object(b, v, names)
	case []any:
		item := s.item
		if item == nil {
			item = &shape{}
		}
		b = append(b, '[')
		for i := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(b, v[i])
		}
		return append(b, ']')
	}
	raw, err := jsontext.Marshal(v)
	if err != nil { // unreachable: the store's contents were decoded from JSON
		return append(b, "null"...)
	}
	return append(b, raw...)
}

func (s *shape) object(b []byte, v map[string]any, names []string) []byte {
	b = append(b, '{')
	first := true
	for _, name := range names {
		value := v[name]
		if value == nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		quoted, _ := jsontext.Marshal(name) // a string always marshals
		b = append(append(b, quoted...), ':')
		inner := s.members[name]
		if inner == nil {
			inner = s.others
		}
		if inner == nil {
			inner = &shape{}
		}
		b = inner.append(b, value)
	}
	return append(b, '}')
}
