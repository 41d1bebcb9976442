package rules

import (
	"fmt"
	"strconv"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

var workOrderMembers = []string{
	"start_date", "end_date", "start_time", "end_time",
	"expected_start_date", "expected_end_date", "expected_start_time", "expected_end_time",
	"people_required", "people_skill_requirements", "days_hours_required", "performed_by", "site_lead_emp_number",
	"equipment", "specialty_materials", "display_order", "require_daily_report", "require_completion_report",
	"travel_time_hours", "additional_labor_cost",
}

// workOrderAliases are the alternative names of members, with the names that
// they are stored under (Inbound Webhooks, Field Aliases Reference).
var workOrderAliases = map[string]string{
	"required_headcount":   "people_required",
	"estimated_hours":      "days_hours_required",
	"requested_start_date": "expected_start_date",
	"requested_end_date":   "expected_end_date",
	"requested_start_time": "expected_start_time",
	"requested_end_time":   "expected_end_time",
}

// workOrder applies work_order.created, .updated and .deleted.
func (c *Call) workOrder() (*store.Record, error) {
	c.Data = store.CloneFields(c.Data) // the caller's stays as it is
	for alias, name := range workOrderAliases {
		rename(c.Data, alias, name)
	}
	switch c.verb {
	case "created":
		return c.createWorkOrder()
	case "updated":
		return c.updateWorkOrder()
	case "deleted":
		r, err := c.workOrderNamedOrPhase()
		if err != nil {
			return nil, err
		}
		return r, c.removeWorkOrder(r)
	}
	return nil, c.unknown()
}

func (c *Call) createWorkOrder() (*store.Record, error) {
	project, err := c.openProject(text(c.Data, "project_code"))
	if err != nil {
		return nil, err
	}
	phase, number := text(c.Data, "phase_name"), text(c.Data, "work_order_number")
	if number == "" {
		if number, err = c.nextKey(store.WorkOrder, "WO"); err != nil {
			return nil, err
		}
	}
	return c.createSubject(&subject{
		kind: store.WorkOrder, key: number, name: phase, parent: project.ID,
		initial: store.Fields{
			"work_order_number": number, "phase_name": phase, "project_id": project.ID,
			"status": "scheduled", "priority": "normal", "require_daily_report": false, "require_completion_report": false,
		},
		fill:   c.fillWorkOrder,
		member: "work_order_number",
		taken:  "there is a work order " + number + " already",
	})
}

// openProject returns a project that is not closed.
func (c *Call) openProject(code string) (*store.Record, error) {
	project, err := c.projectNamed(code)
	if err == nil && text(project.Fields, "status") == "closed" {
		err = c.refuse(ruleClosed, "project_code", "the project "+code+" is closed")
	}
	return project, err
}

// nextKey returns the next free key of the year, such as WO-YYYY-NNN.
func (c *Call) nextKey(k store.Kind, prefix string) (string, error) {
	year := fmt.Sprintf("%s-%d", prefix, c.Now.Year())
	for {
		n, err := c.Tx.Next(c.Company, year)
		if err != nil {
			return "", err
		}
		number := fmt.Sprintf("%s-%03d", year, n)
		if taken, err := c.find(k, number); err != nil || taken == nil {
			return number, err
		}
	}
}

func (c *Call) fillWorkOrder(r *store.Record) error {
	const lead = "site_lead_emp_number"
	if _, given := c.Data[lead]; given { // null clears it
		delete(r.Fields, "site_lead_id")
	}
	if has(c.Data, lead) {
		employee, err := c.employeeReferred(text(c.Data, lead), lead)
		if err != nil {
			return err
		}
		if employee != nil {
			r.Fields["site_lead_id"] = employee.ID
		}
	}
	copyValues(r.Fields, c.Data, []string{"status", "priority"}) // these always have a value
	copyMembers(r.Fields, c.Data, workOrderMembers)
	mergeFields(r.Fields, c.Data, "scheduler_notes")
	mergeFields(r.Fields, c.Data, "custom_fields")
	if scope, ok := c.Data["scope_of_work"]; ok {
		convertScope(scope)
		r.Fields["scope_of_work"] = scope
	}
	return nil
}

// convertScope gives the members of a scope of work the names under which
// WorkSkedge stores them: checklist_name becomes title, item_name text, and
// status completed. Other members stay as they are.
func convertScope(scope any) {
	members, _ := scope.(map[string]any)
	checklists, _ := members["checklists"].([]any)
	for _, entry := range checklists {
		checklist, _ := entry.(map[string]any)
		rename(checklist, "checklist_name", "title")
		items, _ := checklist["items"].([]any)
		for _, entry := range items {
			task, _ := entry.(map[string]any)
			rename(task, "item_name", "text")
			if status, given := task["status"].(string); given {
				delete(task, "status")
				task["completed"] = status == "complete" || status == "completed"
			}
		}
	}
}

// workOrderNamed returns the work order whose number the event has.
func (c *Call) workOrderNamed() (*store.Record, error) {
	number := text(c.Data, "work_order_number")
	return c.findOrRefuse(store.WorkOrder, number, "work_order_number", "there is no work order "+strconv.Quote(number))
}

// workOrderNamedOrPhase returns the work order that the event names by its
// number, or by its project and phase.
func (c *Call) workOrderNamedOrPhase() (*store.Record, error) {
	if text(c.Data, "work_order_number") != "" {
		return c.workOrderNamed()
	}
	code, phase := text(c.Data, "project_code"), text(c.Data, "phase_name")
	if code == "" || phase == "" {
		return nil, c.refuse(ruleRequired, "work_order_number", "work_order_number, or project_code and phase_name together, is required for "+c.Event.Type)
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
		return nil, c.refuse(ruleUnknown, "phase_name", fmt.Sprintf("the project %s has no work order with the phase %q", code, phase))
	case len(found) > 1:
		err = c.refuse(ruleAmbiguous, "phase_name", fmt.Sprintf("%d work orders of project %s have the phase %q: name one of %s by work_order_number", len(found), code, phase, keys(found)))
	}
	return found[0], err
}

func (c *Call) updateWorkOrder() (*store.Record, error) {
	before, err := c.workOrderNamed()
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
	if err := c.fillWorkOrder(after); err != nil {
		return nil, err
	}
	if !isOpen(before) && isOpen(after) {
		project, err := c.Tx.Get(c.Company, after.Parent)
		switch {
		case err != nil:
			return nil, fmt.Errorf("the project of work order %s: %w", after.Key, err)
		case text(project.Fields, "status") == "closed":
			if err := c.refuse(ruleClosed, "status", "the project "+project.Key+" is closed, and cannot have open work orders"); err != nil {
				return nil, err
			}
		}
	}
	return before, c.update(before, after)
}

// removeWorkOrder also deletes its reports, which raises no events.
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

// isOpen reports whether a work order has work left.
func isOpen(r *store.Record) bool {
	switch text(r.Fields, "status") {
	case "completed", "cancelled", "closed":
		return false
	}
	return true
}
