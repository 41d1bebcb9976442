package rules

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// idPrefixes begin the IDs of records, by their kind.
var idPrefixes = map[store.Kind]string{
	store.Project:    "proj",
	store.WorkOrder:  "wo",
	store.Employee:   "emp",
	store.Vendor:     "vnd",
	store.Customer:   "cust",
	store.Location:   "loc",
	store.Contact:    "cont",
	store.TimeOff:    "to",
	store.Timesheet:  "ts",
	store.Report:     "rpt",
	store.Skill:      "skill",
	store.Department: "dept",
	store.Role:       "role",
	store.WorkType:   "wt",
}

// newRecord returns a record with a new ID, which is not stored yet.
func (c *Call) newRecord(k store.Kind, key, name string) *store.Record {
	return &store.Record{
		ID: c.NewID(idPrefixes[k]), Company: c.Company, Kind: k, Key: key, Name: name,
		Created: c.Now, Updated: c.Now, Fields: store.Fields{"created_by": c.Actor},
	}
}

// find returns the record with a key, or nil.
func (c *Call) find(k store.Kind, key string) (*store.Record, error) {
	return orNone(c.Tx.Find(c.Company, k, key))
}

// get returns the record with an ID, or nil.
func (c *Call) get(id string) (*store.Record, error) {
	return orNone(c.Tx.Get(c.Company, id))
}

func orNone(r *store.Record, err error) (*store.Record, error) {
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return r, err
}

// findOrRefuse returns the record with a key. If there is none, it refuses the
// event: absent is the message, about the given member.
func (c *Call) findOrRefuse(k store.Kind, key, member, absent string) (*store.Record, error) {
	r, err := c.find(k, key)
	if r == nil && err == nil {
		err = c.refuse(ruleUnknown, member, absent)
	}
	return r, err
}

// children returns the records of a kind whose parent is the given one.
func (c *Call) children(k store.Kind, parent *store.Record) ([]*store.Record, error) {
	return c.Tx.List(store.Query{Company: c.Company, Kind: k, Parent: parent.ID})
}

// maxKeys is how many records an error message names.
const maxKeys = 10

// keys lists the keys of records for an error message.
func keys(list []*store.Record) string {
	var all []string
	for _, r := range list[:min(len(list), maxKeys)] {
		all = append(all, r.Key)
	}
	text := strings.Join(all, ", ")
	if more := len(list) - maxKeys; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// create stores a new record.
func (c *Call) create(r *store.Record) error {
	c.changes = append(c.changes, Change{Action: Created, After: r})
	return c.Tx.Put(r)
}

// update stores the new state of a record, unless nothing has changed.
func (c *Call) update(before, after *store.Record) error {
	if after.Key == before.Key && after.Parent == before.Parent && after.Name == before.Name && reflect.DeepEqual(before.Fields, after.Fields) {
		return nil
	}
	return c.replace(Updated, before, after)
}

func (c *Call) replace(a Action, before, after *store.Record) error {
	after.Updated = c.Now
	after.Fields["updated_by"] = c.Actor
	c.changes = append(c.changes, Change{Action: a, Before: before, After: after})
	return c.Tx.Put(after)
}

// setStatus updates the status of a record alone.
func (c *Call) setStatus(before *store.Record, status string) error {
	after := before.Clone()
	after.Fields["status"] = status
	return c.update(before, after)
}

// remove deletes a record.
func (c *Call) remove(r *store.Record) error {
	r.Updated = c.Now
	r.Fields["deleted_by"] = c.Actor
	c.changes = append(c.changes, Change{Action: Deleted, Before: r})
	return c.Tx.Delete(r)
}

// subject is the record that an event is about, for the kinds of records whose
// created, updated and deleted work alike. What differs between the kinds is
// here, and [Call.applyTo] does the rest.
type subject struct {
	kind    store.Kind
	key     string // "": nothing but its ID identifies it
	name    string
	parent  string       // the parent's ID
	initial store.Fields // members of a new record that are not copied from the event

	fill func(*store.Record) error // copies the event's members into the record

	member  string // of the event, which the first two messages are about
	taken   string // the message if a new record exists already
	absent  string // the message if an existing record does not exist
	another string // the message if another record has the new name, which is appended
}

// applyTo applies created, updated or deleted to a subject.
func (c *Call) applyTo(s *subject) (*store.Record, error) {
	switch c.verb {
	case "created":
		return c.createSubject(s)
	case "updated", "deleted":
	default:
		return nil, c.unknown()
	}
	r, err := c.existing(s)
	if err != nil {
		return nil, err
	}
	if c.verb == "deleted" {
		return r, c.remove(r)
	}
	return r, c.updateSubject(r, s)
}

// existing returns the record of a subject, or refuses the event.
func (c *Call) existing(s *subject) (*store.Record, error) {
	return c.findOrRefuse(s.kind, s.key, s.member, s.absent)
}

func (c *Call) createSubject(s *subject) (*store.Record, error) {
	var existing *store.Record
	var err error
	if s.key != "" {
		existing, err = c.find(s.kind, s.key)
	}
	if existing != nil && err == nil {
		err = c.refuse(ruleExists, s.member, s.taken)
	}
	switch {
	case err != nil:
		return nil, err
	case existing != nil:
		return existing, c.updateSubject(existing, s)
	}
	r := c.newRecord(s.kind, s.key, s.name)
	r.Key, r.Parent = cmp.Or(s.key, r.ID), s.parent
	maps.Copy(r.Fields, s.initial)
	if err := s.fill(r); err != nil {
		return nil, err
	}
	return r, c.create(r)
}

func (c *Call) updateSubject(before *store.Record, s *subject) error {
	after := before.Clone()
	if err := s.fill(after); err != nil {
		return err
	}
	if after.Key != before.Key {
		other, err := c.find(s.kind, after.Key)
		if other != nil && err == nil {
			err = c.refuse(ruleNameTaken, "name", s.another+strconv.Quote(after.Name))
		}
		switch {
		case err != nil:
			return err
		case other != nil:
			after.Key = before.Key // it is still found under its old name
		}
	}
	return c.update(before, after)
}

// ensure returns the record of a subject. If there is none, it creates one from
// the members that have a prefix in the event.
func (c *Call) ensure(s *subject, prefix string, members []string) (*store.Record, error) {
	r, err := c.find(s.kind, s.key)
	if r != nil || err != nil {
		return r, err
	}
	s.fill = func(r *store.Record) error {
		copyPrefixed(r.Fields, c.Data, prefix, members)
		return nil
	}
	return c.createSubject(s)
}
