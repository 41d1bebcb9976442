package rules

import (
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// has reports whether a member is there and not null.
func has(f store.Fields, name string) bool { return f[name] != nil }

// text returns a member that is a string, without the space around it.
//
//go:noinline // forty places call it
func text(f store.Fields, name string) string {
	s, _ := f[name].(string)
	return strings.TrimSpace(s)
}

// yes reports whether a member is true.
func yes(f store.Fields, name string) bool {
	b, _ := f[name].(bool)
	return b
}

// required returns a member's text, or refuses an event that lacks it.
func (c *Call) required(name string) (string, error) {
	if s := text(c.Data, name); s != "" {
		return s, nil
	}
	return "", bad(name, name+" is required for "+c.Event.Type)
}

// requiredAll is required for several members, as many texts as names.
func (c *Call) requiredAll(names ...string) ([]string, error) {
	list := make([]string, len(names))
	for i, name := range names {
		var err error
		if list[i], err = c.required(name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// take copies those members that the event has, of names with spaces between;
// null clears one.
func take(into, from store.Fields, names string) { takePrefixed(into, from, "", names) }

// takePrefixed is take for members that have a prefix in the event.
func takePrefixed(into, from store.Fields, prefix, names string) {
	for _, name := range strings.Fields(names) {
		if v, ok := from[prefix+name]; ok {
			into[name] = v
		}
	}
}

// takeValues is take for members that null leaves as they are.
func takeValues(into, from store.Fields, names string) {
	for _, name := range strings.Fields(names) {
		if v := from[name]; v != nil {
			into[name] = v
		}
	}
}

// mergeFields puts the members of an object into the object of that name: null
// removes one, and null for the whole removes all.
func mergeFields(into, from store.Fields, name string) {
	given, there := from[name]
	if !there {
		return
	}
	members, isObject := given.(map[string]any)
	if !isObject {
		into[name] = given
		return
	}
	merged, _ := into[name].(map[string]any)
	if merged == nil {
		merged = map[string]any{}
	}
	for member, value := range members {
		if value == nil {
			delete(merged, member)
		} else {
			merged[member] = value
		}
	}
	into[name] = merged
}

// rename gives a member another name, unless there is one of that name.
func rename(m store.Fields, from, to string) {
	if v, ok := m[from]; ok {
		delete(m, from)
		if _, there := m[to]; !there {
			m[to] = v
		}
	}
}
