package rules

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// timesheet carries out timesheet.created, .updated and .deleted.
func (c *Call) timesheet() (*store.Record, error) {
	given, err := c.requiredAll("emp_number", "timesheet_date")
	if err != nil {
		return nil, err
	}
	number, day := given[0], given[1]
	employee, err := c.employeeNamed(number, "emp_number")
	if err != nil {
		return nil, err
	}
	r, err := c.find(store.Timesheet, store.Key(number, day))
	switch {
	case err != nil:
		return nil, err
	case c.verb == "created" && r != nil:
		return nil, bad("timesheet_date", number+" has a timesheet for "+day+" already: change it with timesheet.updated")
	case c.verb == "created":
		return c.createTimesheet(employee, day)
	case r == nil:
		return nil, missing("timesheet_date", number+" has no timesheet for "+day)
	case c.verb == "updated":
		return r, c.updateTimesheet(r, day)
	case c.verb != "deleted":
		return nil, c.unknown()
	case text(r.Fields, "status") == "processed":
		return nil, bad("timesheet_date", "the timesheet of "+number+" for "+day+" is processed and cannot be deleted")
	}
	return r, c.remove(r)
}

// timesheetFlow is the order of a timesheet's statuses.
func timesheetFlow() []string { return []string{"draft", "submitted", "locked", "processed"} }

func (c *Call) createTimesheet(employee *store.Record, day string) (*store.Record, error) {
	status := cmp.Or(text(c.Data, "status"), "draft")
	if status != "draft" && status != "submitted" {
		return nil, bad("status", "a timesheet begins as draft or submitted, not as "+status)
	}
	return c.make(&subject{
		kind: store.Timesheet, key: store.Key(employee.Key, day), name: employee.Name, parent: employee.ID,
		own: store.Fields{"emp_number": employee.Key, "employee_id": employee.ID, "timesheet_date": day, "status": status},
		take: func(r *store.Record) error {
			take(r.Fields, c.Data, "notes")
			entries, err := c.entries(nil, day)
			r.Fields["entries"] = entries
			c.total(r.Fields)
			return err
		},
	})
}

func (c *Call) updateTimesheet(before *store.Record, day string) error {
	after := before.Clone()
	from, to := text(before.Fields, "status"), text(c.Data, "status")
	if err := timesheetStep(from, to); err != nil {
		return err
	}
	if to != "" {
		after.Fields["status"] = to
	}
	if from == "locked" || from == "processed" {
		for _, name := range []string{"entries", "notes", "total_hours"} {
			if has(c.Data, name) && !sameJSON(c.Data[name], before.Fields[name]) {
				return bad(name, "the timesheet is "+from+", and its "+name+" cannot be changed")
			}
		}
		return c.update(before, after)
	}
	take(after.Fields, c.Data, "notes")
	old, _ := before.Fields["entries"].([]any)
	entries, err := c.entries(old, day)
	if err != nil {
		return err
	}
	after.Fields["entries"] = entries
	if has(c.Data, "total_hours") || has(c.Data, "entries") {
		c.total(after.Fields)
	}
	return c.update(before, after)
}

// timesheetStep refuses a status that does not follow on the one before: one
// step on at a time, and back from locked, which unlocks.
func timesheetStep(from, to string) error {
	flow := timesheetFlow()
	i, j := slices.Index(flow, from), slices.Index(flow, to)
	switch {
	case to == "" || to == from:
		return nil
	case j < 0:
		return bad("status", "status "+strconv.Quote(to)+" is none of "+strings.Join(flow, ", "))
	case from == "processed":
		return bad("status", "the timesheet is processed, which is final")
	case j == i+1, from == "locked" && j < i, from == "submitted" && to == "draft":
		return nil
	}
	return bad("status", "a timesheet that is "+from+" becomes "+flow[i+1]+" next, not "+to)
}

// entries puts those of the event among those that are there: one with the
// same work order, work type and start takes the place of the old one, and a
// second such one that of the next.
func (c *Call) entries(old []any, day string) ([]any, error) {
	merged, replaced := append([]any{}, old...), make([]bool, len(old))
	list, _ := c.Data["entries"].([]any)
	for n, item := range list {
		given, ok := item.(map[string]any)
		if !ok {
			return nil, bad(at("entries", n), "an entry must be an object")
		}
		entry, err := c.entry(given, at("entries", n), day)
		if err != nil {
			return nil, err
		}
		i := 0
		for i < len(old) && (replaced[i] || !sameWork(old[i], entry)) {
			i++
		}
		if i == len(old) {
			entry["entry_id"] = c.NewID("ent")
			merged = append(merged, entry)
			continue
		}
		was, _ := old[i].(map[string]any)
		entry["entry_id"] = was["entry_id"]
		merged[i], replaced[i] = entry, true
	}
	return merged, nil
}

// sameWork reports whether an entry says anew what another one said.
func sameWork(old any, entry store.Fields) bool {
	was, _ := old.(map[string]any)
	for _, name := range []string{"work_order_number", "work_type_code", "start_time"} {
		if !sameJSON(was[name], entry[name]) {
			return false
		}
	}
	return true
}

// entry checks one entry of a day.
func (c *Call) entry(given store.Fields, where, day string) (store.Fields, error) {
	if date := text(given, "entry_date"); date != day {
		return nil, bad(where+"/entry_date", "entry_date must be the timesheet's date, "+day)
	}
	hours, ok := number(given["hours"])
	if !ok || hours.Sign() < 0 || hours.Cmp(big.NewRat(24, 1)) > 0 {
		return nil, bad(where+"/hours", "hours must be a number from 0 to 24")
	}
	workType, err := c.workType(given, where)
	if err != nil {
		return nil, err
	}
	entry := store.Fields{"work_type_id": workType.ID, "work_type_code": workType.Key, "work_type_name": workType.Name}
	take(entry, given, "entry_date hours start_time end_time notes")
	order := text(given, "work_order_number")
	if order == "" {
		if yes(workType.Fields, "requires_work_order") {
			return nil, bad(where+"/work_order_number", "work type "+workType.Key+" requires a work_order_number")
		}
		entry["work_order_number"] = nil
		return entry, nil
	}
	r, err := c.known(store.WorkOrder, order, where+"/work_order_number", "there is no work order "+strconv.Quote(order))
	if err != nil {
		return nil, err
	}
	entry["work_order_number"], entry["work_order_id"] = order, r.ID
	return entry, nil
}

// workType finds an entry's work type: by its code, else by its name, else the
// company's default.
func (c *Call) workType(given store.Fields, where string) (*store.Record, error) {
	if code := text(given, "work_type_code"); code != "" {
		return c.known(store.WorkType, code, where+"/work_type_code", "there is no work type with the code "+strconv.Quote(code))
	}
	all, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.WorkType})
	if err != nil {
		return nil, err
	}
	name := text(given, "work_type_name")
	for _, r := range all {
		if name != "" && strings.EqualFold(r.Name, name) || name == "" && yes(r.Fields, "default") {
			return r, nil
		}
	}
	if name != "" {
		return nil, missing(where+"/work_type_name", "there is no work type named "+strconv.Quote(name))
	}
	if len(all) > 0 {
		return all[0], nil
	}
	return nil, bad(where+"/work_type_code", "the company has no work types: name one in its configuration")
}

// total settles total_hours: what the event says, else the sum of the entries.
func (c *Call) total(into store.Fields) {
	if has(c.Data, "total_hours") {
		into["total_hours"] = c.Data["total_hours"]
		return
	}
	sum := new(big.Rat)
	entries, _ := into["entries"].([]any)
	for _, item := range entries {
		entry, _ := item.(map[string]any)
		if hours, ok := number(entry["hours"]); ok {
			sum.Add(sum, hours)
		}
	}
	into["total_hours"] = json.Number(strings.TrimSuffix(strings.TrimRight(sum.FloatString(4), "0"), "."))
}

// number reads a number of JSON exactly, up to a size that no payload has a
// use for.
func number(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok || len(n) > 40 || strings.ContainsAny(n.String(), "eE") {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

func sameJSON(a, b any) bool {
	x, _ := json.Marshal(a) // both came out of JSON
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// ProcessTimesheets marks every locked timesheet of the company as processed,
// as a payroll run does.
func ProcessTimesheets(c Call) ([]Change, error) {
	list, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.Timesheet})
	if err != nil {
		return nil, fmt.Errorf("listing timesheets: %w", err)
	}
	for _, before := range list {
		if text(before.Fields, "status") != "locked" {
			continue
		}
		if err := c.setStatus(before, "processed"); err != nil {
			return nil, err
		}
	}
	return c.changes, nil
}
