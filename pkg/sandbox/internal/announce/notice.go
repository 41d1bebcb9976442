package announce

import (
	"reflect"

	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// teller tells of a change. What it calls with each event that the change
// raises gets the members that this event has beside those of the record.
type teller struct {
	rules.Change
	tell func(event string, extra store.Fields)
}

// all tells everything that a change raises in a form.
func (t *teller) all(form webhook.Form) {
	kind := t.Record().Kind
	switch {
	case form == webhook.Compact:
		t.compact(kind)
	case kind == store.WorkOrder:
		t.workOrder()
	case kind == store.Report:
		t.report()
	case kind == store.Timesheet:
		t.timesheet()
	case kind == store.Skill, kind == store.Department, kind == store.Role, kind == store.WorkType:
	default:
		t.tell(string(kind)+"."+string(t.Action), nil)
	}
}

// field is a member of the record before and after the change.
func (t *teller) field(name string) (before, after any) {
	if t.Before != nil {
		before = t.Before.Fields[name]
	}
	if t.After != nil {
		after = t.After.Fields[name]
	}
	return before, after
}

// differs reports whether one of the members has changed.
func (t *teller) differs(names ...string) bool {
	for _, name := range names {
		if before, after := t.field(name); !reflect.DeepEqual(before, after) {
			return true
		}
	}
	return false
}

func (t *teller) workOrder() {
	t.tell("work_order."+string(t.Action), nil)
	if t.Action == rules.Deleted {
		return
	}
	if before, after := t.field("status"); t.Before != nil && t.differs("status") {
		t.tell("work_order.status_changed", store.Fields{"previous_status": before, "new_status": after})
	}
	if t.After.Fields["start_date"] != nil && t.differs("start_date", "end_date", "start_time", "end_time", "site_lead_id") {
		t.tell("work_order.scheduled", nil)
	}
}

func (t *teller) report() {
	_, status := t.field("status")
	switch {
	case t.Action == rules.Created && t.After.Fields["type"] == "daily":
		t.tell("report.daily_submitted", nil)
	case t.Action == rules.Created:
		t.tell("report.completion_submitted", nil)
	case t.Action == rules.Updated && status == "approved" && t.differs("status"):
		t.tell("report.completion_approved", nil)
	}
}

// timesheet raises one event for each entry that was added or changed, one for
// the notes, one for a new status. The page lists none for a deletion in this
// form.
func (t *teller) timesheet() {
	const updated = "timesheet.updated"
	switch t.Action {
	case rules.Created:
		t.tell("timesheet.created", nil)
	case rules.Updated:
		t.entries(updated)
		if t.differs("notes") {
			t.tell(updated, store.Fields{"update_type": "notes_updated"})
		}
	case rules.Deleted:
		return
	}
	before, after := t.field("status")
	switch {
	case before == after:
	case after == "submitted" && before != "locked":
		t.tell("timesheet.submitted", nil)
	case after == "locked":
		t.tell("timesheet.locked", nil)
	case after == "processed":
		t.tell("timesheet.processed", nil)
	case before == "locked":
		t.tell("timesheet.unlocked", nil)
	}
}

func (t *teller) entries(event string) {
	was := map[any]store.Fields{}
	for _, e := range entries(t.Before) {
		was[e["entry_id"]] = e
	}
	for _, e := range entries(t.After) {
		old := was[e["entry_id"]]
		delete(was, e["entry_id"])
		if !reflect.DeepEqual(old, e) {
			update := "entry_updated"
			if old == nil {
				update = "entry_added"
			}
			t.tell(event, store.Fields{"update_type": update, "entry": e})
		}
	}
	for _, e := range entries(t.Before) {
		if was[e["entry_id"]] != nil {
			t.tell(event, store.Fields{"update_type": "entry_deleted", "entry": e})
		}
	}
}

// entries lists a timesheet's entries.
func entries(r *store.Record) (list []store.Fields) {
	all, _ := r.Fields["entries"].([]any)
	for _, item := range all {
		if e, ok := item.(map[string]any); ok {
			list = append(list, e)
		}
	}
	return list
}

// compact raises the events of the Event Catalog page: it has none for
// customers, locations, contacts and reports.
func (t *teller) compact(kind store.Kind) {
	switch kind {
	case store.WorkOrder:
		t.tell("workorder."+string(t.Action), nil)
	case store.Project, store.Employee, store.Vendor, store.TimeOff, store.Timesheet:
		t.tell(string(kind)+"."+string(t.Action), nil)
		return
	default:
		return
	}
	if _, status := t.field("status"); t.differs("status") {
		switch status {
		case "in_progress":
			t.tell("workorder.started", nil)
		case "completed":
			t.tell("workorder.completed", nil)
		case "cancelled":
			t.tell("workorder.cancelled", nil)
		}
	}
	if _, lead := t.field("site_lead_id"); lead != nil && t.differs("site_lead_id") {
		t.tell("employee.assigned", nil)
	}
}
