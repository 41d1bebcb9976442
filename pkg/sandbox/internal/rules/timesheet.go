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

// timesheetStatuses are the statuses of a timesheet, in the order in which it
// goes through them.
var timesheetStatuses = []string{"draft", "submitted", "locked", "processed"}

// entryMembers are copied from an entry of an event as they are.
var entryMembers = []string{"entry_date", "hours", "start_time", "end_time", "notes"}

// timesheet applies timesheet.created, .updated and .deleted. A timesheet is
// identified by its employee and its day.
func (c *Call) timesheet() (*store.Record, error) {
	if err := c.require("emp_number", "timesheet_date"); err != nil {
		return nil, err
	}
	number, day := text(c.Data, "emp_number"), text(c.Data, "timesheet_date")
	employee, err := c.employeeNamed(number, "emp_number")
	if err != nil {
		return nil, err
	}
	r, err := c.find(store.Timesheet, store.Key(number, day))
	switch {
	case err != nil:
		return nil, err
	case c.verb == "created" && r != nil:
		return nil, bad("timesheet_date", number+" already has a timesheet for "+day+": change it with timesheet.updated")
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

func (c *Call) createTimesheet(employee *store.Record, day string) (*store.Record, error) {
	status := cmp.Or(text(c.Data, "status"), "draft")
	if status != "draft" && status != "submitted" {
		return nil, bad("status", "a new timesheet must be draft or submitted, not "+status)
	}
	return c.createSubject(&subject{
		kind: store.Timesheet, key: store.Key(employee.Key, day), name: employee.Name, parent: employee.ID,
		initial: store.Fields{"emp_number": employee.Key, "employee_id": employee.ID, "timesheet_date": day, "status": status},
		fill: func(r *store.Record) error {
			copyMembers(r.Fields, c.Data, []string{"notes"})
			entries, err := c.mergeEntries(nil, day)
			r.Fields["entries"] = entries
			c.setTotal(r.Fields)
			return err
		},
	})
}

func (c *Call) updateTimesheet(before *store.Record, day string) error {
	after := before.Clone()
	from, to := text(before.Fields, "status"), text(c.Data, "status")
	if err := checkStep(from, to); err != nil {
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
	copyMembers(after.Fields, c.Data, []string{"notes"})
	old, _ := before.Fields["entries"].([]any)
	entries, err := c.mergeEntries(old, day)
	if err != nil {
		return err
	}
	after.Fields["entries"] = entries
	if has(c.Data, "total_hours") || has(c.Data, "entries") {
		c.setTotal(after.Fields)
	}
	return c.update(before, after)
}

// checkStep refuses a status that does not follow the one before. A timesheet
// goes one step forward at a time, back from submitted to draft, and back from
// locked to any, which unlocks it.
func checkStep(from, to string) error {
	was, is := slices.Index(timesheetStatuses, from), slices.Index(timesheetStatuses, to)
	switch {
	case to == "" || to == from:
		return nil
	case is < 0:
		return bad("status", "status "+strconv.Quote(to)+" is not one of "+strings.Join(timesheetStatuses, ", "))
	case from == "processed":
		return bad("status", "the timesheet is processed, which is final")
	case is == was+1, from == "locked" && is < was, from == "submitted" && to == "draft":
		return nil
	}
	return bad("status", "a timesheet that is "+from+" becomes "+timesheetStatuses[was+1]+" next, not "+to)
}

// mergeEntries merges the entries of the event into the existing ones. An entry
// replaces the first one with the same work order, work type and start that
// none has replaced before it; others are added.
func (c *Call) mergeEntries(old []any, day string) ([]any, error) {
	merged, replaced := append([]any{}, old...), make([]bool, len(old))
	list, _ := c.Data["entries"].([]any)
	for n, entry := range list {
		place := item("entries", n)
		given, ok := entry.(map[string]any)
		if !ok {
			return nil, bad(place, "an entry must be an object")
		}
		entry, err := c.entry(given, place, day)
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

// sameWork reports whether two entries are about the same piece of work.
func sameWork(old any, entry store.Fields) bool {
	was, _ := old.(map[string]any)
	for _, name := range []string{"work_order_number", "work_type_code", "start_time"} {
		if !sameJSON(was[name], entry[name]) {
			return false
		}
	}
	return true
}

// entry checks an entry of an event, at a place in the event's data, and
// returns what is stored of it.
func (c *Call) entry(given store.Fields, place, day string) (store.Fields, error) {
	if date := text(given, "entry_date"); date != day {
		return nil, bad(place+"/entry_date", "entry_date must be the timesheet's date, "+day)
	}
	hours, ok := number(given["hours"])
	if !ok || hours.Sign() < 0 || hours.Cmp(big.NewRat(24, 1)) > 0 {
		return nil, bad(place+"/hours", "hours must be a number from 0 to 24")
	}
	workType, err := c.workType(given, place)
	if err != nil {
		return nil, err
	}
	entry := store.Fields{"work_type_id": workType.ID, "work_type_code": workType.Key, "work_type_name": workType.Name}
	copyMembers(entry, given, entryMembers)
	order := text(given, "work_order_number")
	if order == "" {
		if isTrue(workType.Fields, "requires_work_order") {
			return nil, bad(place+"/work_order_number", "work type "+workType.Key+" requires a work_order_number")
		}
		entry["work_order_number"] = nil
		return entry, nil
	}
	r, err := c.findOrRefuse(store.WorkOrder, order, place+"/work_order_number", "there is no work order "+strconv.Quote(order))
	if err != nil {
		return nil, err
	}
	entry["work_order_number"], entry["work_order_id"] = order, r.ID
	return entry, nil
}

// workType returns an entry's work type: by its code, else by its name, else
// the company's default.
func (c *Call) workType(given store.Fields, place string) (*store.Record, error) {
	if code := text(given, "work_type_code"); code != "" {
		return c.findOrRefuse(store.WorkType, code, place+"/work_type_code", "there is no work type with the code "+strconv.Quote(code))
	}
	all, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.WorkType})
	if err != nil {
		return nil, err
	}
	name := text(given, "work_type_name")
	for _, r := range all {
		if name != "" && strings.EqualFold(r.Name, name) || name == "" && isTrue(r.Fields, "default") {
			return r, nil
		}
	}
	if name != "" {
		return nil, missing(place+"/work_type_name", "there is no work type named "+strconv.Quote(name))
	}
	if len(all) > 0 {
		return all[0], nil
	}
	return nil, bad(place+"/work_type_code", "the company has no work types: add one to its configuration")
}

// setTotal sets total_hours to the event's total, else to the sum of the entries.
func (c *Call) setTotal(into store.Fields) {
	if has(c.Data, "total_hours") {
		into["total_hours"] = c.Data["total_hours"]
		return
	}
	sum := new(big.Rat)
	entries, _ := into["entries"].([]any)
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		if hours, ok := number(entry["hours"]); ok {
			sum.Add(sum, hours)
		}
	}
	into["total_hours"] = json.Number(strings.TrimSuffix(strings.TrimRight(sum.FloatString(4), "0"), "."))
}

// number reads a JSON number exactly. It refuses exponents and more than 40
// characters, which would take memory and mean nothing in a timesheet.
func number(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok || len(n) > 40 || strings.ContainsAny(n.String(), "eE") {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

func sameJSON(a, b any) bool {
	x, _ := json.Marshal(a) // both were decoded from JSON
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
