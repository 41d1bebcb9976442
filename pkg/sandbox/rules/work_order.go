package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// workOrder carries out work_order.created, .updated, .deleted and .search.
func (c *Call) workOrder(verb string) (Result, error) {
	c.canonical()
	switch verb {
	case "created":
		return c.createWorkOrder()
	case "updated":
		return c.updateWorkOrder()
	case "deleted":
		r, err := c.workOrderNamed(true)
		if err != nil {
			return Result{}, err
		}
		change, err := c.removeWorkOrder(r)
		return Result{Message: "Work order deleted successfully", RecordID: r.ID, Changes: []Change{change}}, err
	case "search":
		return c.searchWorkOrders()
	}
	return c.unknown()
}

// aliases are the names that are taken for others, by the page's reference.
func aliases() [][2]string {
	return [][2]string{
		{"required_headcount", "people_required"}, {"estimated_hours", "days_hours_required"},
		{"requested_start_date", "expected_start_date"}, {"requested_end_date", "expected_end_date"},
		{"requested_start_time", "expected_start_time"}, {"requested_end_time", "expected_end_time"},
	}
}

// canonical gives members their canonical names; one that is there as well has
// the say.
func (c *Call) canonical() {
	data := store.Record{Fields: c.Data}.Clone().Fields
	for _, pair := range aliases() {
		v, ok := data[pair[0]]
		if !ok {
			continue
		}
		delete(data, pair[0])
		if _, there := data[pair[1]]; !there {
			data[pair[1]] = v
		}
	}
	c.Data = data
}

func (c *Call) createWorkOrder() (Result, error) {
	code, err := c.required("project_code")
	if err != nil {
		return Result{}, err
	}
	phase, err := c.required("phase_name")
	if err != nil {
		return Result{}, err
	}
	project, err := c.openProject(code)
	if err != nil {
		return Result{}, err
	}
	number := text(c.Data, "work_order_number")
	if number == "" {
		if number, err = c.nextNumber(); err != nil {
			return Result{}, err
		}
	}
	r := c.fresh(store.WorkOrder, "wo", number, phase)
	r.Parent = project.ID
	r.Fields["work_order_number"], r.Fields["phase_name"], r.Fields["project_id"] = number, phase, project.ID
	r.Fields["status"], r.Fields["priority"] = "scheduled", "normal"
	r.Fields["require_daily_report"], r.Fields["require_completion_report"] = false, false
	if err := c.takeWorkOrder(&r); err != nil {
		return Result{}, err
	}
	change, err := c.create(r)
	if errors.Is(err, store.ErrTaken) {
		return Result{}, bad(pointer("work_order_number"), "there is a work order %s already", number)
	}
	return Result{Message: processed, RecordID: r.ID, Changes: []Change{change}}, err
}

// openProject finds a project that takes work orders.
func (c *Call) openProject(code string) (store.Record, error) {
	project, err := c.projectNamed(code)
	if err == nil && text(project.Fields, "status") == "closed" {
		err = bad(pointer("project_code"), "the project %s is closed", code)
	}
	return project, err
}

// nextNumber is the next free WO-YYYY-NNN of the year.
func (c *Call) nextNumber() (string, error) {
	year := fmt.Sprintf("WO-%d", c.Now.Year())
	for {
		n, err := c.Tx.Next(c.Company, year)
		if err != nil {
			return "", err
		}
		number := fmt.Sprintf("%s-%03d", year, n)
		if _, taken, err := c.find(store.WorkOrder, number); err != nil || !taken {
			return number, err
		}
	}
}

// takeWorkOrder copies what an event says of a work order.
func (c *Call) takeWorkOrder(r *store.Record) error {
	if has(c.Data, "site_lead_emp_number") {
		lead, err := c.employeeNamed(text(c.Data, "site_lead_emp_number"), pointer("site_lead_emp_number"))
		if err != nil {
			return err
		}
		r.Fields["site_lead_id"] = lead.ID
	} else if _, cleared := c.Data["site_lead_emp_number"]; cleared {
		delete(r.Fields, "site_lead_id")
	}
	for _, name := range []string{"status", "priority"} { // null leaves them as they are
		if has(c.Data, name) {
			r.Fields[name] = c.Data[name]
		}
	}
	take(r.Fields, c.Data, "start_date", "end_date", "start_time", "end_time", "expected_start_date", "expected_end_date",
		"expected_start_time", "expected_end_time", "people_required", "people_skill_requirements", "days_hours_required",
		"performed_by", "site_lead_emp_number", "equipment", "specialty_materials", "display_order", "require_daily_report",
		"require_completion_report", "travel_time_hours", "additional_labor_cost")
	mergeFields(r.Fields, c.Data, "scheduler_notes")
	mergeFields(r.Fields, c.Data, "custom_fields")
	if scope, ok := c.Data["scope_of_work"]; ok {
		r.Fields["scope_of_work"] = internalScope(scope)
	}
	return nil
}

// internalScope converts a scope of work as the page says: checklist_name to
// title, item_name to text, status to completed. The other names stay.
func internalScope(v any) any {
	scope, ok := v.(map[string]any)
	if !ok {
		return v
	}
	lists, ok := scope["checklists"].([]any)
	if !ok {
		return v
	}
	for _, entry := range lists {
		list, _ := entry.(map[string]any)
		rename(list, "checklist_name", "title")
		items, _ := list["items"].([]any)
		for _, one := range items {
			item, _ := one.(map[string]any)
			rename(item, "item_name", "text")
			if status, given := item["status"].(string); given {
				delete(item, "status")
				item["completed"] = status == "complete" || status == "completed"
			}
		}
	}
	return scope
}

func rename(m map[string]any, from, to string) {
	if v, ok := m[from]; ok {
		delete(m, from)
		if _, there := m[to]; !there {
			m[to] = v
		}
	}
}

// workOrderNamed finds the work order of an event: by its number, or, where
// that may be, by project and phase.
func (c *Call) workOrderNamed(byPhase bool) (store.Record, error) {
	if number := text(c.Data, "work_order_number"); number != "" {
		r, ok, err := c.find(store.WorkOrder, number)
		if err == nil && !ok {
			err = missing(pointer("work_order_number"), "there is no work order %q", number)
		}
		return r, err
	}
	code, phase := text(c.Data, "project_code"), text(c.Data, "phase_name")
	if !byPhase || code == "" || phase == "" {
		also := ""
		if byPhase {
			also = ", or project_code and phase_name together,"
		}
		return store.Record{}, bad(pointer("work_order_number"), "work_order_number%s is required for %s", also, c.Event.Type)
	}
	project, err := c.projectNamed(code)
	if err != nil {
		return store.Record{}, err
	}
	found, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.WorkOrder, Parent: project.ID, Name: phase})
	switch {
	case err != nil:
		return store.Record{}, err
	case len(found) == 0:
		return store.Record{}, missing(pointer("phase_name"), "the project %s has no work order with the phase %q", code, phase)
	case len(found) > 1:
		var numbers []string
		for _, r := range found {
			numbers = append(numbers, r.Key)
		}
		return store.Record{}, bad(pointer("phase_name"), "%d work orders of project %s have the phase %q: name one of %s by work_order_number", len(found), code, phase, strings.Join(numbers, ", "))
	}
	return found[0], nil
}

func (c *Call) updateWorkOrder() (Result, error) {
	before, err := c.workOrderNamed(false)
	if err != nil {
		return Result{}, err
	}
	after := before.Clone()
	if code := text(c.Data, "project_code"); code != "" {
		project, err := c.projectNamed(code)
		if err == nil && project.ID != before.Parent {
			project, err = c.openProject(code)
		}
		if err != nil {
			return Result{}, err
		}
		after.Parent, after.Fields["project_id"] = project.ID, project.ID
	}
	if phase := text(c.Data, "phase_name"); phase != "" {
		after.Name, after.Fields["phase_name"] = phase, phase
	}
	if err := c.takeWorkOrder(&after); err != nil {
		return Result{}, err
	}
	changes, err := c.updated(before, after)
	return Result{Message: "Work order updated successfully", RecordID: before.ID, Changes: changes}, err
}

// removeWorkOrder deletes a work order with its reports.
func (c *Call) removeWorkOrder(r store.Record) (Change, error) {
	if _, err := c.removeAll(store.Query{Company: c.Company, Kind: store.Report, Parent: r.ID}); err != nil {
		return Change{}, err
	}
	return c.remove(r)
}

// isOpen reports whether there is still work on a work order.
func isOpen(r store.Record) bool {
	return !slices.Contains([]string{"completed", "cancelled", "closed"}, text(r.Fields, "status"))
}

// complete sets a work order to completed.
func (c *Call) complete(before store.Record) ([]Change, error) {
	after := before.Clone()
	after.Fields["status"] = "completed"
	return c.updated(before, after)
}
