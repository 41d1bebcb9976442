package rules

import (
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

// Seeds are what a company has from the start.
type Seeds struct {
	Skills    []string
	Employees []store.Fields // members as employee.created has them
	WorkTypes []WorkType
}

// Seed puts into a company what is not there yet, and brings up to date what
// is. Nobody is told of it.
func Seed(tx *store.Tx, company string, now time.Time, newID func(prefix string) string, s Seeds) error {
	c := &Call{Tx: tx, Company: company, Actor: "user_setup", Now: now, NewID: newID}
	for _, skill := range s.Skills {
		if err := c.seed(c.fresh(store.Skill, skill, skill)); err != nil {
			return fmt.Errorf("the skill %q: %w", skill, err)
		}
	}
	for _, w := range s.WorkTypes {
		r := c.fresh(store.WorkType, w.Code, w.Name)
		multiplier := w.Multiplier
		if multiplier == 0 {
			multiplier = 1
		}
		r.Fields["multiplier"] = json.Number(fmt.Sprint(multiplier))
		r.Fields["billable"], r.Fields["requires_work_order"], r.Fields["default"] = w.Billable, w.RequiresWorkOrder, w.Default
		if err := c.seed(r); err != nil {
			return fmt.Errorf("the work type %q: %w", w.Code, err)
		}
	}
	for _, fields := range s.Employees {
		number := text(fields, "emp_number")
		if number == "" {
			return errors.New("an employee has no emp_number")
		}
		there, err := c.find(store.Employee, number)
		if err != nil {
			return err
		}
		c.Data, c.Event.Type, c.verb = fields, "employee.created", "created"
		if there != nil {
			c.verb = "updated"
		}
		if _, err := c.employee(); err != nil {
			return fmt.Errorf("the employee %s: %w", number, err)
		}
	}
	return nil
}

// seed writes a record, or its fields into the one of its key.
func (c *Call) seed(r *store.Record) error {
	if r.Key == "" {
		return errors.New("it has no name")
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
