package announce

import (
	"reflect"

	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// raised is an event that a change raises.
type raised struct {
	event string
	extra store.Fields // members beside those of the record; may be nil
}

// raisedBy returns the events that a change raises in a form.
func raisedBy(c rules.Change, form webhook.Form) []raised {
	if form == webhook.Compact {
		return compactEvents(c)
	}
	switch kind := c.Record().Kind; kind {
	case store.WorkOrder:
		return workOrderEvents(c)
	case store.Report:
		return reportEvents(c)
	case store.Timesheet:
		return timesheetEvents(c)
	case store.Skill, store.Department, store.Role, store.WorkType:
		return nil
	default:
		return []raised{{event: string(kind) + "." + string(c.Action)}}
	}
}

// field returns a member of the record before and after a change.
func field(c rules.Change, name string) (before, after any) {
	if c.Before != nil {
		before = c.Before.Fields[name]
	}
	if c.After != nil {
		after = c.After.Fields[name]
	}
	return before, after
}

// differs reports whether one of the members has changed.
func differs(c rules.Change, names ...string) bool {
	for _, name := range names {
		if before, after := field(c, name); !reflect.DeepEqual(before, after) {
			return true
		}
	}
	return false
}

func workOrderEvents(c rules.Change) []raised {
	events := []raised{{event: "work_order." + string(c.Action)}}
	if c.Action == rules.Deleted {
		return events
	}
	if before, after := field(c, "status"); c.Before != nil && differs(c, "status") {
		events = append(events, raised{"work_order.status_changed", store.Fields{"previous_status": before, "new_status": after}})
	}
	switch {
	case c.Before != nil && differs(c, "status") && c.After.Fields["status"] == "scheduled", // it is scheduled again
		c.After.Fields["start_date"] != nil && differs(c, "start_date", "end_date", "start_time", "end_time", "site_lead_id"):
		events = append(events, raised{event: "work_order.scheduled"})
	}
	return events
}

func reportEvents(c rules.Change) []raised {
	_, status := field(c, "status")
	switch {
	case c.Action == rules.Created && c.After.Fields["type"] == "daily":
		return []raised{{event: "report.daily_submitted"}}
	case c.Action == rules.Created:
		return []raised{{event: "report.completion_submitted"}}
	case c.Action == rules.Updated && status == "approved" && differs(c, "status"):
		return []raised{{event: "report.completion_approved"}}
	}
	return nil
}

// timesheetEvents has one event for each entry that was added, changed or
// deleted, one for the notes, and one for a new status. The outbound form has
// none for the deletion of a timesheet.
func timesheetEvents(c rules.Change) []raised {
	var events []raised
	switch c.Action {
	case rules.Created:
		events = append(events, raised{event: "timesheet.created"})
	case rules.Updated:
		events = append(events, entryEvents(c)...)
		if differs(c, "notes") {
			events = append(events, raised{"timesheet.updated", store.Fields{"update_type": "notes_updated"}})
		}
	case rules.Deleted:
		return nil
	}
	before, after := field(c, "status")
	switch {
	case before == after:
	case after == "submitted" && before != "locked":
		events = append(events, raised{event: "timesheet.submitted"})
	case after == "locked":
		events = append(events, raised{event: "timesheet.locked"})
	case after == "processed":
		events = append(events, raised{event: "timesheet.processed"})
	case before == "locked":
		events = append(events, raised{event: "timesheet.unlocked"})
	}
	return events
}

func entryEvents(c rules.Change) []raised {
	var events []raised
	add := func(updateType string, entry store.Fields) {
		events = append(events, raised{"timesheet.updated", store.Fields{"update_type": updateType, "entry": entry}})
	}
	old := map[any]store.Fields{}
	for _, entry := range entries(c.Before) {
		old[entry["entry_id"]] = entry
	}
	for _, entry := range entries(c.After) {
		was := old[entry["entry_id"]]
		delete(old, entry["entry_id"])
		switch {
		case was == nil:
			add("entry_added", entry)
		case !reflect.DeepEqual(was, entry):
			add("entry_updated", entry)
		}
	}
	for _, entry := range entries(c.Before) {
		if old[entry["entry_id"]] != nil {
			add("entry_deleted", entry)
		}
	}
	return events
}

// entries returns a timesheet's entries.
func entries(r *store.Record) (list []store.Fields) {
	all, _ := r.Fields["entries"].([]any)
	for _, item := range all {
		if entry, ok := item.(map[string]any); ok {
			list = append(list, entry)
		}
	}
	return list
}

// compactEvents are those of WorkSkedge's Event Catalog page, which has none
// for customers, locations, contacts and reports.
func compactEvents(c rules.Change) []raised {
	kind := c.Record().Kind
	switch kind {
	case store.Project, store.Employee, store.Vendor, store.TimeOff, store.Timesheet:
		return []raised{{event: string(kind) + "." + string(c.Action)}}
	case store.WorkOrder:
	default:
		return nil
	}
	events := []raised{{event: "workorder." + string(c.Action)}}
	if _, status := field(c, "status"); differs(c, "status") {
		switch status {
		case "in_progress":
			events = append(events, raised{event: "workorder.started"})
		case "completed":
			events = append(events, raised{event: "workorder.completed"})
		case "cancelled":
			events = append(events, raised{event: "workorder.cancelled"})
		}
	}
	if _, lead := field(c, "site_lead_id"); lead != nil && differs(c, "site_lead_id") {
		events = append(events, raised{event: "employee.assigned"})
	}
	return events
}
