package announce

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// report shows a report with its work order and its project.
func (v *viewer) report(data store.Fields, r store.Record) {
	data["report_id"], data["report_type"], data["phase_name"] = r.ID, r.Fields["type"], r.Name
	if order, ok := v.get(r.Parent); ok {
		data["work_order_number"], data["phase_name"] = order.Key, order.Name
		if project, ok := v.get(order.Parent); ok {
			data["project_name"] = project.Name
		}
	}
	if weather := r.Fields["weather_conditions"]; weather != nil {
		data["weather"] = weather
	}
	if summary := r.Fields["completion_summary"]; summary != nil {
		data["notes"] = summary
	}
	data["scope_checklist"] = checklist(r.Fields["scope_checklist"], "title", true)
	data["completion_checklist"] = checklist(r.Fields["completion_checklist"], "item", false)
}

// reporter names the people of a report, and when they acted.
func (v *viewer) reporter(r store.Record) store.Fields {
	data := store.Fields{"submitted_at": r.Created.UTC().Format(time.RFC3339), "approved_at": r.Fields["approved_at"]}
	person := func(id, actor any) any {
		shown := store.Fields{"user_id": actor}
		if e, ok := v.get(id); ok {
			shown["employee_id"], shown["name"], shown["role"] = e.ID, e.Name, e.Fields["role_name"]
		}
		return shown
	}
	data["submitted_by"] = person(r.Fields["submitted_by_id"], r.Fields["created_by"])
	data["approved_by"] = person(r.Fields["approved_by_id"], first(r.Fields, "updated_by", "created_by"))
	return data
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
		if c.Record().Kind != store.Timesheet || c.Action != rules.Updated || !differs(c, "status") || c.After.Fields["status"] != "processed" {
			continue
		}
		data := v.view(*c.After)
		sheets = append(sheets, data)
		by = c.After.Fields["updated_by"]
	}
	if len(sheets) < 2 {
		return nil
	}
	return store.Fields{"timesheets": sheets, "processed_by": by, "processed_at": v.Now.UTC().Format(time.RFC3339), "total_count": len(sheets)}
}
