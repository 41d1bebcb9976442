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
	number, day := text(c.Data, "emp_number"), text(c.Data, "timesheet_date")
	employee, err := c.employeeNamed(number, "emp_number")
	if err != nil {
		return nil, err
	}
	r, err := c.find(store.Timesheet, store.Key(number, day))
	switch {
	case err != nil:
		return nil, err
	case c.verb == "created" && r == nil:
		return c.createTimesheet(employee, day)
	case c.verb == "created":
		if err := c.refuse(ruleExists, "timesheet_date", number+" already has a timesheet for "+day+": change it with timesheet.updated"); err != nil {
			return nil, err
		}
		return r, c.updateTimesheet(r, day)
	case r == nil:
		return nil, c.refuse(ruleUnknown, "timesheet_date", number+" has no timesheet for "+day)
	case c.verb == "updated":
		return r, c.updateTimesheet(r, day)
	case c.verb != "deleted":
		return nil, c.unknown()
	case text(r.Fields, "status") == "processed":
		if err := c.refuse(ruleProcessed, "timesheet_date", "the timesheet of "+number+" for "+day+" is processed and cannot be deleted"); err != nil {
			return nil, err
		}
	}
	return r, c.remove(r)
}

func (c *Call) createTimesheet(employee *store.Record, day string) (*store.Record, error) {
	status := cmp.Or(text(c.Data, "status"), "draft")
	if err := c.checkStatus(status); err != nil {
		return nil, err
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
	if err := c.checkStep(from, to); err != nil {
		return err
	}
	if to != "" {
		after.Fields["status"] = to
	}
	if from == "locked" || from == "processed" {
		for _, name := range []string{"entries", "notes", "total_hours"} {
			if has(c.Data, name) && !sameJSON(c.Data[name], before.Fields[name]) {
				return c.refuse(ruleLocked, name, "the timesheet is "+from+", and its "+name+" cannot be changed")
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
func (c *Call) checkStep(from, to string) error {
	if to == "" || to == from {
		return nil
	}
	if err := c.checkStatus(to); err != nil {
		return err
	}
	was, is := slices.Index(timesheetStatuses, from), slices.Index(timesheetStatuses, to)
	switch {
	case from == "processed":
		return c.refuse(ruleStep, "status", "the timesheet is processed, which is final")
	case is == was+1, from == "locked" && is < was, from == "submitted" && to == "draft":
		return nil
	}
	return c.refuse(ruleStep, "status", "a timesheet that is "+from+" becomes "+timesheetStatuses[was+1]+" next, not "+to)
}

func (c *Call) checkStatus(status string) error {
	if slices.Contains(timesheetStatuses, status) {
		return nil
	}
	return c.refuse(ruleStatus, "status", "status "+strconv.Quote(status)+" is not one of "+strings.Join(timesheetStatuses, ", "))
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
			return nil, c.refuse(ruleEntry, place, "an entry must be an object")
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
		return nil, c.refuse(ruleEntry, place+"/entry_date", "entry_date must be the timesheet's date, "+day)
	}
	hours, ok := number(given["hours"])
	if !ok || hours.Sign() < 0 || hours.Cmp(big.NewRat(24, 1)) > 0 {
		return nil, c.refuse(ruleEntry, place+"/hours", "hours must be a number from 0 to 24")
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
			return nil, c.refuse(ruleNeedsWork, place+"/work_order_number", "work type "+workType.Key+" requires a work_order_number")
		}
		entry["work_order_number"] = nil
		return entry, nil
	}
	entry["work_order_number"] = order
	r, err := c.find(store.WorkOrder, order)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return entry, c.refuse(ruleReference, place+"/work_order_number", "there is no work order "+strconv.Quote(order))
	}
	entry["work_order_id"] = r.ID
	return entry, nil
}

// workType returns an entry's work type: by its code, else by its name, else
// the company's default.
func (c *Call) workType(given store.Fields, place string) (*store.Record, error) {
	code, name := text(given, "work_type_code"), text(given, "work_type_name")
	all, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.WorkType})
	if err != nil {
		return nil, err
	}
	unknown := &store.Record{Key: code, Name: name} // what a lenient company keeps
	if len(all) == 0 {
		return unknown, c.refuse(ruleWorkType, place+"/work_type_code", "the company has no work types: add one to its configuration")
	}
	standard := all[0]
	for _, r := range all {
		if code != "" && r.Key == code || code == "" && name != "" && strings.EqualFold(r.Name, name) {
			return r, nil
		}
		if isTrue(r.Fields, "default") && !isTrue(standard.Fields, "default") {
			standard = r
		}
	}
	switch {
	case code != "":
		return unknown, c.refuse(ruleWorkType, place+"/work_type_code", "there is no work type with the code "+strconv.Quote(code))
	case name != "":
		return unknown, c.refuse(ruleWorkType, place+"/work_type_name", "there is no work type named "+strconv.Quote(name))
	}
	return standard, nil
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
