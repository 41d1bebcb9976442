package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// WorkType is a kind of hours.
type WorkType struct {
	Code              string  `yaml:"code"`
	Name              string  `yaml:"name"`
	Multiplier        float64 `yaml:"multiplier"` // of the pay; default: 1
	Billable          bool    `yaml:"billable"`
	RequiresWorkOrder bool    `yaml:"requires_work_order"`
	Default           bool    `yaml:"default"` // what an entry without one is
}

// DefaultWorkTypes are those that the page describes.
func DefaultWorkTypes() []WorkType {
	return []WorkType{
		{"REG", "Regular Time", 1, true, true, true},
		{"OT", "Overtime", 1.5, true, true, false},
		{"VAC", "Vacation", 1, false, false, false},
		{"SICK", "Sick Leave", 1, false, false, false},
		{"HOL", "Holiday", 1, false, false, false},
	}
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
