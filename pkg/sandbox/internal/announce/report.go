package announce

import (
	"encoding/json"
	"strconv"

	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// report shows a report with its work order and its project.
func (v *viewer) report(data store.Fields, r *store.Record) {
	show(data, r, "report_id=.id phase_name=.name report_type=type weather=weather_conditions notes=completion_summary")
	if order := v.get(r.Parent); order != nil {
		show(data, order, "work_order_number=.key phase_name=.name")
		if project := v.get(order.Parent); project != nil {
			show(data, project, "project_name=.name")
		}
	}
	data["scope_checklist"] = checklist(r.Fields["scope_checklist"], "title", true)
	data["completion_checklist"] = checklist(r.Fields["completion_checklist"], "item", false)
}

// reporter names the people of a report, and when they acted.
func (v *viewer) reporter(data store.Fields, r *store.Record) {
	data["submitted_at"] = stamp(r.Created)
	data["submitted_by"] = v.actor(r.Fields["submitted_by_id"], r.Fields["created_by"])
	data["approved_by"] = v.actor(r.Fields["approved_by_id"], data["updated_by"])
}

func (v *viewer) actor(employee, user any) any {
	shown := store.Fields{"user_id": user}
	if e := v.get(employee); e != nil {
		show(shown, e, "employee_id=.id name=.name role=role_name")
	}
	return shown
}

// checklist turns the list of an inbound report into the object of an outbound
// one.
func checklist(v any, name string, percent bool) any {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	items, done := []any{}, 0
	for _, entry := range list {
		given, _ := entry.(map[string]any)
		status, _ := given["status"].(string)
		completed := status == "completed" || status == "complete"
		if completed {
			done++
		}
		items = append(items, store.Fields{name: given["item_name"], "completed": completed, "notes": given["notes"]})
	}
	shown := store.Fields{"items": items}
	if percent && len(items) > 0 {
		shown["completion_percentage"] = json.Number(strconv.Itoa(100 * done / len(items)))
	}
	return shown
}

// batch is the event of several timesheets that were processed together, or
// nil.
func (v *viewer) batch(changes []rules.Change) store.Fields {
	if v.Form != webhook.Outbound {
		return nil
	}
	sheets := []any{}
	var by any
	for _, c := range changes {
		if c.Record().Kind != store.Timesheet || c.Action != rules.Updated {
			continue
		}
		if t := (&teller{Change: c}); c.After.Fields["status"] == "processed" && t.differs("status") {
			sheets, by = append(sheets, v.view(c.After)), c.After.Fields["updated_by"]
		}
	}
	if len(sheets) < 2 {
		return nil
	}
	return store.Fields{"timesheets": sheets, "processed_by": by, "processed_at": stamp(v.Now), "total_count": len(sheets)}
}
