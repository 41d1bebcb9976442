package announce

import (
	"maps"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/webhook"
)

// shape is what an event's schema says of a value: which members it has, in
// which order. Without any, the value goes out as it is.
type shape struct {
	order   []string
	members map[string]*shape
	others  *shape // of members with any name; nil: there are none
	item    *shape // of the items of a list
}

// shape reads the shape of an event's data out of the catalog, once. An event
// that the documents show no payload of has none.
func (a *Announcer) shape(form webhook.Form, event string) *shape {
	key := string(form) + " " + event
	if known, ok := a.shapes.Load(key); ok {
		s, _ := known.(*shape) // nothing else is stored
		return s
	}
	root := &shape{}
	if d, err := webhook.Lookup(webhook.WorkSkedge, form, event); err == nil {
		for _, p := range d.Properties() {
			if path, ok := strings.CutPrefix(p.Path, "data."); ok {
				root.add(strings.Split(path, "."))
			}
		}
	}
	a.shapes.Store(key, root) // who was faster has the same
	return root
}

// add notes a path of the catalog: checklists[], items[], *.
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

// write writes a value's JSON, with the members that the shape has. A member
// without a value is left out.
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
	if err != nil { // what the store holds came out of JSON
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
