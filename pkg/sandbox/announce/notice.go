package announce

import (
	"reflect"

	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// notice is one event that a change raises.
type notice struct {
	event string
	extra store.Fields // members of this event beside those of its record
}

// noticed is a change with what it raises.
type noticed struct {
	rules.Change
	list []notice
}

func (n *noticed) add(event string) { n.addWith(event, nil) }

func (n *noticed) addWith(event string, extra store.Fields) {
	n.list = append(n.list, notice{event, extra})
}

// notices lists what a change raises in a form.
func notices(form webhook.Form, c rules.Change) []notice {
	n := &noticed{Change: c}
	kind := c.Record().Kind
	switch {
	case form == webhook.Compact:
		n.compact(kind)
	case kind == store.WorkOrder:
		n.workOrder()
	case kind == store.Report:
		n.report()
	case kind == store.Timesheet:
		n.timesheet()
	case kind == store.Skill, kind == store.Department, kind == store.Role, kind == store.WorkType:
	default:
		n.add(string(kind) + "." + string(c.Action))
	}
	return n.list
}

// field is a member of the record before and after the change.
func (n *noticed) field(name string) (before, after any) {
	if n.Before != nil {
		before = n.Before.Fields[name]
	}
	if n.After != nil {
		after = n.After.Fields[name]
	}
	return before, after
}

// differs reports whether one of the members has changed.
func (n *noticed) differs(names ...string) bool {
	for _, name := range names {
		if before, after := n.field(name); !reflect.DeepEqual(before, after) {
			return true
		}
	}
	return false
}

func (n *noticed) workOrder() {
	n.add("work_order." + string(n.Action))
	if n.Action == rules.Deleted {
		return
	}
	if before, after := n.field("status"); n.Before != nil && before != after {
		n.addWith("work_order.status_changed", store.Fields{"previous_status": before, "new_status": after})
	}
	if n.After.Fields["start_date"] != nil && n.differs("start_date", "end_date", "start_time", "end_time", "site_lead_id") {
		n.add("work_order.scheduled")
	}
}

func (n *noticed) report() {
	_, status := n.field("status")
	switch {
	case n.Action == rules.Created && n.After.Fields["type"] == "daily":
		n.add("report.daily_submitted")
	case n.Action == rules.Created:
		n.add("report.completion_submitted")
	case n.Action == rules.Updated && status == "approved" && n.differs("status"):
		n.add("report.completion_approved")
	}
}

// timesheet raises one event for each entry that was added or changed, one for
// the notes, one for a new status. The page lists none for a deletion in this
// form.
func (n *noticed) timesheet() {
	const updated = "timesheet.updated"
	switch n.Action {
	case rules.Created:
		n.add("timesheet.created")
	case rules.Updated:
		n.entries(updated)
		if n.differs("notes") {
			n.addWith(updated, store.Fields{"update_type": "notes_updated"})
		}
	case rules.Deleted:
		return
	}
	before, after := n.field("status")
	switch {
	case before == after:
	case after == "submitted" && before != "locked":
		n.add("timesheet.submitted")
	case after == "locked":
		n.add("timesheet.locked")
	case after == "processed":
		n.add("timesheet.processed")
	case before == "locked":
		n.add("timesheet.unlocked")
	}
}

func (n *noticed) entries(event string) {
	tell := func(what string, e store.Fields) {
		n.addWith(event, store.Fields{"update_type": "entry_" + what, "entry": e})
	}
	was := map[any]store.Fields{}
	for _, e := range entries(n.Before) {
		was[e["entry_id"]] = e
	}
	for _, e := range entries(n.After) {
		old, there := was[e["entry_id"]]
		delete(was, e["entry_id"])
		if !there {
			tell("added", e)
		} else if !reflect.DeepEqual(old, e) {
			tell("updated", e)
		}
	}
	for _, e := range entries(n.Before) {
		if was[e["entry_id"]] != nil {
			tell("deleted", e)
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
func (n *noticed) compact(kind store.Kind) {
	switch kind {
	case store.WorkOrder:
		n.add("workorder." + string(n.Action))
	case store.Project, store.Employee, store.Vendor, store.TimeOff, store.Timesheet:
		n.add(string(kind) + "." + string(n.Action))
		return
	default:
		return
	}
	if _, status := n.field("status"); n.differs("status") {
		switch status {
		case "in_progress":
			n.add("workorder.started")
		case "completed":
			n.add("workorder.completed")
		case "cancelled":
			n.add("workorder.cancelled")
		}
	}
	if _, lead := n.field("site_lead_id"); lead != nil && n.differs("site_lead_id") {
		n.add("employee.assigned")
	}
}
