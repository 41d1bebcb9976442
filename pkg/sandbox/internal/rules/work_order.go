package rules

import (
	"fmt"
	"strconv"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// workOrder carries out work_order.created, .updated and .deleted.
func (c *Call) workOrder() (*store.Record, error) {
	c.canonical()
	switch c.verb {
	case "created":
		return c.createWorkOrder()
	case "updated":
		return c.updateWorkOrder()
	case "deleted":
		r, err := c.workOrderNamed(true)
		if err != nil {
			return nil, err
		}
		return r, c.removeWorkOrder(r)
	}
	return nil, c.unknown()
}

// canonical gives members their canonical names, by the page's reference; one
// that is there as well has the say.
func (c *Call) canonical() {
	c.Data = (&store.Record{Fields: c.Data}).Clone().Fields
	for _, pair := range [][2]string{
		{"required_headcount", "people_required"}, {"estimated_hours", "days_hours_required"},
		{"requested_start_date", "expected_start_date"}, {"requested_end_date", "expected_end_date"},
		{"requested_start_time", "expected_start_time"}, {"requested_end_time", "expected_end_time"},
	} {
		rename(c.Data, pair[0], pair[1])
	}
}

func (c *Call) createWorkOrder() (*store.Record, error) {
	given, err := c.requiredAll("project_code", "phase_name")
	if err != nil {
		return nil, err
	}
	project, err := c.openProject(given[0])
	if err != nil {
		return nil, err
	}
	phase, number := given[1], text(c.Data, "work_order_number")
	if number == "" {
		if number, err = c.nextNumber(); err != nil {
			return nil, err
		}
	}
	return c.make(&subject{
		kind: store.WorkOrder, key: number, name: phase, parent: project.ID,
		own: store.Fields{
			"work_order_number": number, "phase_name": phase, "project_id": project.ID,
			"status": "scheduled", "priority": "normal", "require_daily_report": false, "require_completion_report": false,
		},
		take:   c.takeWorkOrder,
		member: "work_order_number",
		taken:  "there is a work order " + number + " already",
	})
}

// openProject finds a project that takes work orders.
func (c *Call) openProject(code string) (*store.Record, error) {
	project, err := c.projectNamed(code)
	if err == nil && text(project.Fields, "status") == "closed" {
		err = bad("project_code", "the project "+code+" is closed")
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
		if taken, err := c.find(store.WorkOrder, number); err != nil || taken == nil {
			return number, err
		}
	}
}

// takeWorkOrder copies what an event says of a work order.
func (c *Call) takeWorkOrder(r *store.Record) error {
	const lead = "site_lead_emp_number"
	if has(c.Data, lead) {
		employee, err := c.employeeNamed(text(c.Data, lead), lead)
		if err != nil {
			return err
		}
		r.Fields["site_lead_id"] = employee.ID
	} else if _, cleared := c.Data[lead]; cleared {
		delete(r.Fields, "site_lead_id")
	}
	takeValues(r.Fields, c.Data, "status priority")
	take(r.Fields, c.Data, "start_date end_date start_time end_time expected_start_date expected_end_date expected_start_time expected_end_time "+
		"people_required people_skill_requirements days_hours_required performed_by site_lead_emp_number equipment specialty_materials "+
		"display_order require_daily_report require_completion_report travel_time_hours additional_labor_cost")
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

// workOrderNamed finds the work order of an event: by its number, or, where
// that may be, by project and phase.
func (c *Call) workOrderNamed(byPhase bool) (*store.Record, error) {
	if number := text(c.Data, "work_order_number"); number != "" {
		return c.known(store.WorkOrder, number, "work_order_number", "there is no work order "+strconv.Quote(number))
	}
	code, phase, also := text(c.Data, "project_code"), text(c.Data, "phase_name"), ""
	if byPhase {
		also = ", or project_code and phase_name together,"
	}
	if !byPhase || code == "" || phase == "" {
		return nil, bad("work_order_number", "work_order_number"+also+" is required for "+c.Event.Type)
	}
	project, err := c.projectNamed(code)
	if err != nil {
		return nil, err
	}
	found, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.WorkOrder, Parent: project.ID, Name: phase})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, missing("phase_name", fmt.Sprintf("the project %s has no work order with the phase %q", code, phase))
	case len(found) > 1:
		return nil, bad("phase_name", fmt.Sprintf("%d work orders of project %s have the phase %q: name one of %s by work_order_number", len(found), code, phase, keys(found)))
	}
	return found[0], nil
}

func (c *Call) updateWorkOrder() (*store.Record, error) {
	before, err := c.workOrderNamed(false)
	if err != nil {
		return nil, err
	}
	after := before.Clone()
	if code := text(c.Data, "project_code"); code != "" {
		project, err := c.projectNamed(code)
		if err == nil && project.ID != before.Parent {
			project, err = c.openProject(code)
		}
		if err != nil {
			return nil, err
		}
		after.Parent, after.Fields["project_id"] = project.ID, project.ID
	}
	if phase := text(c.Data, "phase_name"); phase != "" {
		after.Name, after.Fields["phase_name"] = phase, phase
	}
	if err := c.takeWorkOrder(after); err != nil {
		return nil, err
	}
	if !isOpen(before) && isOpen(after) {
		project, err := c.Tx.Get(c.Company, after.Parent)
		switch {
		case err != nil:
			return nil, fmt.Errorf("the project of work order %s: %w", after.Key, err)
		case text(project.Fields, "status") == "closed":
			return nil, bad("status", "the project "+project.Key+" is closed, and has no open work orders")
		}
	}
	return before, c.update(before, after)
}

// removeWorkOrder deletes a work order with its reports, which nobody is told
// of.
func (c *Call) removeWorkOrder(r *store.Record) error {
	reports, err := c.children(store.Report, r)
	if err != nil {
		return err
	}
	for _, report := range reports {
		if err := c.Tx.Delete(report); err != nil {
			return err
		}
	}
	return c.remove(r)
}

// isOpen reports whether there is still work on a work order.
func isOpen(r *store.Record) bool {
	switch text(r.Fields, "status") {
	case "completed", "cancelled", "closed":
		return false
	}
	return true
}
