package rules

import (
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// has reports whether a member exists and is not null.
func has(f store.Fields, name string) bool { return f[name] != nil }

// text returns a string member without surrounding space, or "".
func text(f store.Fields, name string) string {
	s, _ := f[name].(string)
	return strings.TrimSpace(s)
}

// isTrue reports whether a member is true.
func isTrue(f store.Fields, name string) bool {
	b, _ := f[name].(bool)
	return b
}

// copyMembers copies the members that the event has; null clears one.
func copyMembers(into, from store.Fields, names []string) {
	for _, name := range names {
		if v, ok := from[name]; ok {
			into[name] = v
		}
	}
}

// copyValues is copyMembers, except that null leaves a member as it is.
func copyValues(into, from store.Fields, names []string) {
	for _, name := range names {
		if has(from, name) {
			into[name] = from[name]
		}
	}
}

// copyPrefixed is copyMembers for members that have a prefix in the event:
// customer_email → email.
func copyPrefixed(into, from store.Fields, prefix string, names []string) {
	for _, name := range names {
		if v, ok := from[prefix+name]; ok {
			into[name] = v
		}
	}
}

// mergeFields merges an object of the event into the record's object of that
// name. Null removes a member, and null for the whole object removes it.
func mergeFields(into, from store.Fields, name string) {
	given, exists := from[name]
	if !exists {
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

// rename gives a member another name. A member that has that name already wins.
func rename(m store.Fields, from, to string) {
	if v, ok := m[from]; ok {
		delete(m, from)
		if _, exists := m[to]; !exists {
			m[to] = v
		}
	}
}
