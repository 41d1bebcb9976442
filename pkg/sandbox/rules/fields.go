package rules

import (
	"errors"
	"maps"
	"reflect"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// has reports whether a member is there and not null.
func has(f store.Fields, name string) bool { return f[name] != nil }

// text returns a member that is a string, without the space around it.
func text(f store.Fields, name string) string {
	s, _ := f[name].(string)
	return strings.TrimSpace(s)
}

// yes reports whether a member is true.
func yes(f store.Fields, name string) bool {
	b, _ := f[name].(bool)
	return b
}

// pointer is the JSON Pointer of a member of data.
func pointer(name string) string {
	return "/data/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// required returns a member's text, or refuses an event that lacks it.
func (c *Call) required(name string) (string, error) {
	if s := text(c.Data, name); s != "" {
		return s, nil
	}
	return "", bad(pointer(name), "%s is required for %s", name, c.Event.Type)
}

// take copies those of the named members that the event has; null clears one.
func take(into, from store.Fields, names ...string) {
	for _, name := range names {
		if v, ok := from[name]; ok {
			into[name] = v
		}
	}
}

// fresh begins a record with an ID of its own.
func (c *Call) fresh(k store.Kind, prefix, key, name string) store.Record {
	return store.Record{
		ID: c.NewID(prefix), Company: c.Company, Kind: k, Key: key, Name: name,
		Created: c.Now, Updated: c.Now, Fields: store.Fields{"created_by": c.Actor},
	}
}

// find looks for a record by its key; ok is false when there is none.
func (c *Call) find(k store.Kind, key string) (r store.Record, ok bool, err error) {
	r, err = c.Tx.Find(c.Company, k, key)
	if errors.Is(err, store.ErrNotFound) {
		return r, false, nil
	}
	return r, err == nil, err
}

// create writes a new record.
func (c *Call) create(r store.Record) (Change, error) {
	if err := c.Tx.Put(r); err != nil {
		return Change{}, err
	}
	return Change{Action: Created, After: &r}, nil
}

// update writes what has become of before. changed is false, and nothing is
// written, when after is the same.
func (c *Call) update(before, after store.Record) (change Change, changed bool, err error) {
	if after.Key == before.Key && after.Parent == before.Parent && after.Name == before.Name && reflect.DeepEqual(before.Fields, after.Fields) {
		return Change{}, false, nil
	}
	after.Updated = c.Now
	after.Fields = maps.Clone(after.Fields)
	after.Fields["updated_by"] = c.Actor
	if err := c.Tx.Put(after); err != nil {
		return Change{}, false, err
	}
	return Change{Action: Updated, Before: &before, After: &after}, true, nil
}

// remove deletes a record.
func (c *Call) remove(r store.Record) (Change, error) {
	if err := c.Tx.Delete(r); err != nil {
		return Change{}, err
	}
	r.Updated = c.Now
	r.Fields = maps.Clone(r.Fields)
	r.Fields["deleted_by"] = c.Actor
	return Change{Action: Deleted, Before: &r}, nil
}
