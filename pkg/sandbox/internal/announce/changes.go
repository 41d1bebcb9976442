package announce

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// changes lists the members that differ between two states of a record: old
// and new, or from and to where the documents say so, and for lists of the
// compact form what was added and removed.
func (v *viewer) changes(before, after *store.Record) store.Fields {
	v.then = true
	was := v.view(before)
	v.then = false
	is := v.view(after)
	old, now := "old", "new"
	if v.Form == webhook.Compact || after.Kind == store.TimeOff {
		old, now = "from", "to"
	}
	list := store.Fields{}
	all := maps.Clone(was)
	maps.Copy(all, is)
	for name := range all {
		if incidental(name) || reflect.DeepEqual(was[name], is[name]) {
			continue
		}
		a, wasList := was[name].([]any)
		b, isList := is[name].([]any)
		if v.Form == webhook.Compact && (wasList || was[name] == nil) && (isList || is[name] == nil) {
			list[name] = store.Fields{"added": missingFrom(a, b), "removed": missingFrom(b, a)}
			continue
		}
		list[name] = store.Fields{old: orNull(was[name]), now: orNull(is[name])}
	}
	return list
}

// keepKnown leaves the changes that whoever gets the event can place: of members
// that the event has, and of the record's own, unless one of the event's says
// the same by another name.
func keepKnown(changes store.Fields, s *shape, c rules.Change) {
	own := func(name string) bool { return c.Before.Fields[name] != nil || c.After.Fields[name] != nil }
	var renamed []any
	for name, values := range changes {
		if s.members[name] != nil && !own(name) {
			renamed = append(renamed, values)
		}
	}
	maps.DeleteFunc(changes, func(name string, values any) bool {
		return s.members[name] == nil && (!own(name) || slices.ContainsFunc(renamed, func(r any) bool { return reflect.DeepEqual(r, values) }))
	})
}

// incidental reports a member that says nothing of a record itself.
func incidental(name string) bool {
	switch name {
	case "id", "updated_by", "created_by", "closed_at", "entries", "entry_count",
		"site_lead_emp_number": // the site lead is told of as a whole
		return true
	}
	return strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_ids")
}

// orNull writes out that a value was not there: a member that is nil is left
// out.
func orNull(v any) any {
	if v == nil {
		return json.RawMessage("null")
	}
	return v
}

// missingFrom lists what of others is not in list.
func missingFrom(list, others []any) []any {
	missing := []any{}
	for _, o := range others {
		if !slices.ContainsFunc(list, func(l any) bool { return reflect.DeepEqual(l, o) }) {
			missing = append(missing, o)
		}
	}
	return missing
}
