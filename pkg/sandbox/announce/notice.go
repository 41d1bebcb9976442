package announce

import (
	"reflect"

	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// notice is one event that a change raises.
type notice struct {
	event  string
	change rules.Change
	extra  store.Fields // members of this event beside those of its record
}

// notices lists what a change raises in a form.
func notices(form webhook.Form, c rules.Change) []notice {
	kind := c.Record().Kind
	switch kind {
	case store.Skill, store.Department, store.Role, store.WorkType:
		return nil
	}
	if form == webhook.Compact {
		return compactNotices(kind, c)
	}
	switch kind {
	case store.WorkOrder:
		return workOrderNotices(c)
	case store.Report:
		return reportNotices(c)
	case store.Timesheet:
		return timesheetNotices(c)
	}
	return []notice{{event: string(kind) + "." + string(c.Action), change: c}}
}

// field is a member of a record before and after a change.
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

func workOrderNotices(c rules.Change) []notice {
	list := []notice{{event: "work_order." + string(c.Action), change: c}}
	if c.Action == rules.Deleted {
		return list
	}
	if before, after := field(c, "status"); c.Before != nil && before != after {
		list = append(list, notice{"work_order.status_changed", c, store.Fields{"previous_status": before, "new_status": after}})
	}
	if _, start := field(c, "start_date"); start != nil && differs(c, "start_date", "end_date", "start_time", "end_time", "site_lead_id") {
		list = append(list, notice{event: "work_order.scheduled", change: c})
	}
	return list
}

func reportNotices(c rules.Change) []notice {
	_, status := field(c, "status")
	switch {
	case c.Action == rules.Created && c.After.Fields["type"] == "daily":
		return []notice{{event: "report.daily_submitted", change: c}}
	case c.Action == rules.Created:
		return []notice{{event: "report.completion_submitted", change: c}}
	case c.Action == rules.Updated && status == "approved" && differs(c, "status"):
		return []notice{{event: "report.completion_approved", change: c}}
	}
	return nil
}

// timesheetNotices: one event for each entry that was added or changed, one for
// the notes, one for a new status. The page lists none for a deletion in this
// form.
func timesheetNotices(c rules.Change) (list []notice) {
	switch c.Action {
	case rules.Created:
		list = append(list, notice{event: "timesheet.created", change: c})
	case rules.Updated:
		list = append(list, entryNotices(c)...)
		if differs(c, "notes") {
			list = append(list, notice{"timesheet.updated", c, store.Fields{"update_type": "notes_updated"}})
		}
	case rules.Deleted:
		return nil
	}
	before, after := field(c, "status")
	if before == after {
		return list
	}
	switch {
	case after == "submitted" && before != "locked":
		list = append(list, notice{event: "timesheet.submitted", change: c})
	case after == "locked":
		list = append(list, notice{event: "timesheet.locked", change: c})
	case after == "processed":
		list = append(list, notice{event: "timesheet.processed", change: c})
	case before == "locked":
		list = append(list, notice{event: "timesheet.unlocked", change: c})
	}
	return list
}

func entryNotices(c rules.Change) (list []notice) {
	was := map[any]any{}
	for _, e := range entries(*c.Before) {
		was[e["entry_id"]] = e
	}
	for _, e := range entries(*c.After) {
		old, there := was[e["entry_id"]]
		delete(was, e["entry_id"])
		update := "entry_updated"
		if !there {
			update = "entry_added"
		} else if reflect.DeepEqual(old, any(e)) {
			continue
		}
		list = append(list, notice{"timesheet.updated", c, store.Fields{"update_type": update, "entry": e}})
	}
	for _, e := range entries(*c.Before) {
		if _, gone := was[e["entry_id"]]; gone {
			list = append(list, notice{"timesheet.updated", c, store.Fields{"update_type": "entry_deleted", "entry": e}})
		}
	}
	return list
}

// entries lists a timesheet's entries.
func entries(r store.Record) (list []store.Fields) {
	all, _ := r.Fields["entries"].([]any)
	for _, item := range all {
		if e, ok := item.(map[string]any); ok {
			list = append(list, e)
		}
	}
	return list
}

// compactNotices are those of the Event Catalog page: it has none for
// customers, locations, contacts and reports.
func compactNotices(kind store.Kind, c rules.Change) []notice {
	switch kind {
	case store.WorkOrder:
		list := []notice{{event: "workorder." + string(c.Action), change: c}}
		_, status := field(c, "status")
		text, _ := status.(string)
		if name := map[string]string{"in_progress": "started", "completed": "completed", "cancelled": "cancelled"}[text]; name != "" && differs(c, "status") && c.Action != rules.Deleted {
			list = append(list, notice{event: "workorder." + name, change: c})
		}
		if _, lead := field(c, "site_lead_id"); lead != nil && differs(c, "site_lead_id") {
			list = append(list, notice{event: "employee.assigned", change: c})
		}
		return list
	case store.Project, store.Employee, store.Vendor, store.TimeOff, store.Timesheet:
		return []notice{{event: string(kind) + "." + string(c.Action), change: c}}
	}
	return nil
}
