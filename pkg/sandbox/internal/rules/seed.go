package rules

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// WorkType is a type of hours in timesheets.
type WorkType struct {
	Code              string
	Name              string
	Multiplier        float64 // of the pay; default: 1
	Billable          bool
	RequiresWorkOrder bool
	Default           bool // the type of entries that name none
}

// DocumentedWorkTypes are the work types that WorkSkedge documents (Inbound
// Webhooks, Work Type Support).
var DocumentedWorkTypes = []WorkType{
	{Code: "REG", Name: "Regular Time", Multiplier: 1, Billable: true, RequiresWorkOrder: true, Default: true},
	{Code: "OT", Name: "Overtime", Multiplier: 1.5, Billable: true, RequiresWorkOrder: true},
	{Code: "VAC", Name: "Vacation", Multiplier: 1},
	{Code: "SICK", Name: "Sick Leave", Multiplier: 1},
	{Code: "HOL", Name: "Holiday", Multiplier: 1},
}

// Seeds are the records that a company has from the start.
type Seeds struct {
	Skills    []string
	Employees []store.Fields // members as in employee.created
	WorkTypes []WorkType
}

// Seed creates the seeds that do not exist and updates those that do. It raises
// no events.
func Seed(tx *store.Tx, company string, now time.Time, newID func(prefix string) string, s Seeds) error {
	c := &Call{Tx: tx, Company: company, Actor: "user_setup", Now: now, NewID: newID}
	for _, skill := range s.Skills {
		if err := c.seed(c.newRecord(store.Skill, skill, skill)); err != nil {
			return fmt.Errorf("the skill %q: %w", skill, err)
		}
	}
	for _, w := range s.WorkTypes {
		r := c.newRecord(store.WorkType, w.Code, w.Name)
		r.Fields["multiplier"] = json.Number(fmt.Sprint(cmp.Or(w.Multiplier, 1)))
		r.Fields["billable"] = w.Billable
		r.Fields["requires_work_order"] = w.RequiresWorkOrder
		r.Fields["default"] = w.Default
		if err := c.seed(r); err != nil {
			return fmt.Errorf("the work type %q: %w", w.Code, err)
		}
	}
	for _, fields := range s.Employees {
		number := text(fields, "emp_number")
		if number == "" {
			return errors.New("an employee has no emp_number")
		}
		existing, err := c.find(store.Employee, number)
		if err != nil {
			return err
		}
		c.Data, c.Event.Type, c.verb = fields, "employee.created", "created"
		if existing != nil {
			c.verb = "updated"
		} else if err := c.checkRequired(c.Event.Type, fields); err != nil {
			return fmt.Errorf("the employee %s: %w", number, err)
		}
		if _, err := c.employee(); err != nil {
			return fmt.Errorf("the employee %s: %w", number, err)
		}
	}
	return nil
}

// seed stores a record, or its fields in the record that has its key.
func (c *Call) seed(r *store.Record) error {
	if r.Key == "" {
		return errors.New("its name is empty")
	}
	before, err := c.find(r.Kind, r.Key)
	if err != nil {
		return err
	}
	if before == nil {
		return c.Tx.Put(r)
	}
	r.ID, r.Created = before.ID, before.Created
	if r.Name == before.Name && reflect.DeepEqual(r.Fields, before.Fields) {
		return nil
	}
	return c.Tx.Put(r)
}
