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

// changes lists the members that differ between two states of a record: with
// old and new, or from and to where WorkSkedge's samples have these, and for
// lists of the compact form with added and removed. Members that only follow
// from others are left out, unless nothing else differs.
func (v viewer) changes(before, after *store.Record) store.Fields {
	was, is := v.asBefore().view(before), v.view(after)
	oldName, newName := "old", "new"
	if v.Form == webhook.Compact || after.Kind == store.TimeOff {
		oldName, newName = "from", "to"
	}
	differences, following := store.Fields{}, store.Fields{}
	all := maps.Clone(was)
	maps.Copy(all, is)
	for name := range all {
		switch {
		case reflect.DeepEqual(was[name], is[name]):
			continue
		case incidental(name):
			if _, own := after.Fields[name]; own && strings.Contains(name, "_id") {
				following[name] = store.Fields{oldName: orNull(was[name]), newName: orNull(is[name])}
			}
			continue
		}
		oldList, wasList := was[name].([]any)
		newList, isList := is[name].([]any)
		if v.Form == webhook.Compact && (wasList || was[name] == nil) && (isList || is[name] == nil) {
			differences[name] = store.Fields{"added": missingFrom(oldList, newList), "removed": missingFrom(newList, oldList)}
			continue
		}
		differences[name] = store.Fields{oldName: orNull(was[name]), newName: orNull(is[name])}
	}
	if len(differences) == 0 {
		return following
	}
	return differences
}

// keepKnown removes the differences that a subscriber cannot place. It keeps
// those of members that the event has, and those of the record's own members,
// unless the event has the same difference under another name. A project keeps
// what it is linked to, although the compact form shows only a part of that.
func keepKnown(differences store.Fields, s *shape, c rules.Change) {
	own := func(name string) bool { return c.Before.Fields[name] != nil || c.After.Fields[name] != nil }
	linked := func(name string) bool {
		return c.After.Kind == store.Project && (name == "customer" || name == "location" || name == "address" || name == "contacts")
	}
	var renamed []any
	for name, values := range differences {
		if s.members[name] != nil && !own(name) {
			renamed = append(renamed, values)
		}
	}
	maps.DeleteFunc(differences, func(name string, values any) bool {
		return s.members[name] == nil && !linked(name) && (!own(name) || slices.ContainsFunc(renamed, func(r any) bool { return reflect.DeepEqual(r, values) }))
	})
}

// incidental reports whether a member follows from others, or from the change
// itself, and is no difference of its own.
func incidental(name string) bool {
	switch name {
	case "id", "updated_by", "created_by", "closed_at", "entry_count",
		"site_lead_emp_number": // site_lead covers it
		return true
	}
	return strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_ids")
}

// orNull makes the absence of a value explicit: a member that is nil is left
// out.
func orNull(v any) any {
	if v == nil {
		return json.RawMessage("null")
	}
	return v
}

// missingFrom returns the values of others that are not in list.
func missingFrom(list, others []any) []any {
	missing := []any{}
	for _, o := range others {
		if !slices.ContainsFunc(list, func(l any) bool { return reflect.DeepEqual(l, o) }) {
			missing = append(missing, o)
		}
	}
	return missing
}
