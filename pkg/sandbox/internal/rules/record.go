package rules

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// idPrefix begins the IDs of a kind.
func idPrefix(k store.Kind) string {
	switch k {
	case store.Project:
		return "proj"
	case store.WorkOrder:
		return "wo"
	case store.Employee:
		return "emp"
	case store.Vendor:
		return "vnd"
	case store.Customer:
		return "cust"
	case store.Location:
		return "loc"
	case store.Contact:
		return "cont"
	case store.TimeOff:
		return "to"
	case store.Timesheet:
		return "ts"
	case store.Report:
		return "rpt"
	case store.Department:
		return "dept"
	case store.WorkType:
		return "wt"
	}
	return string(k)
}

// fresh begins a record with an ID of its own.
func (c *Call) fresh(k store.Kind, key, name string) *store.Record {
	return &store.Record{
		ID: c.NewID(idPrefix(k)), Company: c.Company, Kind: k, Key: key, Name: name,
		Created: c.Now, Updated: c.Now, Fields: store.Fields{"created_by": c.Actor},
	}
}

// find looks for a record by its key; it is nil when there is none.
func (c *Call) find(k store.Kind, key string) (*store.Record, error) {
	return orNone(c.Tx.Find(c.Company, k, key))
}

// get looks for a record by its ID; it is nil when there is none.
func (c *Call) get(id string) (*store.Record, error) {
	return orNone(c.Tx.Get(c.Company, id))
}

func orNone(r *store.Record, err error) (*store.Record, error) {
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return r, err
}

// known finds a record by its key, or refuses an event whose member names one
// that is not there.
func (c *Call) known(k store.Kind, key, member, absent string) (*store.Record, error) {
	r, err := c.find(k, key)
	if r == nil && err == nil {
		err = missing(member, absent)
	}
	return r, err
}

// children lists the records of a kind that belong to one.
func (c *Call) children(k store.Kind, of *store.Record) ([]*store.Record, error) {
	return c.Tx.List(store.Query{Company: c.Company, Kind: k, Parent: of.ID})
}

// maxKeys is how many records an error names.
const maxKeys = 10

// keys lists what the platform knows records by.
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

// create writes a new record.
func (c *Call) create(r *store.Record) error {
	c.changes = append(c.changes, Change{Action: Created, After: r})
	return c.Tx.Put(r)
}

// update writes what has become of before, unless it is the same.
func (c *Call) update(before, after *store.Record) error {
	if after.Key == before.Key && after.Parent == before.Parent && after.Name == before.Name && reflect.DeepEqual(before.Fields, after.Fields) {
		return nil
	}
	return c.replace(Updated, before, after)
}

func (c *Call) replace(a Action, before, after *store.Record) error {
	after.Updated = c.Now
	after.Fields["updated_by"] = c.Actor
	c.changes = append(c.changes, Change{a, before, after})
	return c.Tx.Put(after)
}

// setStatus updates the status of a record alone.
func (c *Call) setStatus(before *store.Record, status string) error {
	after := before.Clone()
	after.Fields["status"] = status
	return c.update(before, after)
}

// remove deletes a record, which says who did it.
func (c *Call) remove(r *store.Record) error {
	r.Updated = c.Now
	r.Fields["deleted_by"] = c.Actor
	c.changes = append(c.changes, Change{Action: Deleted, Before: r})
	return c.Tx.Delete(r)
}
