package announce

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// viewer shows records as events carry them.
type viewer struct {
	Context
	fault error // of reading what a record refers to
}

// data is everything that an event may carry of a change.
func (v *viewer) data(n notice) (store.Fields, error) {
	record := n.change.Record()
	data := v.view(record)
	at := v.Now.UTC().Format(time.RFC3339)
	by := first(record.Fields, "deleted_by", "updated_by", "created_by")
	if n.change.Action == rules.Deleted {
		by = record.Fields["deleted_by"]
	}
	data["deleted_at"], data["deleted_by"], data["deletedBy"] = at, by, by
	data["updated_at"], data["updated_by"] = record.Updated.UTC().Format(time.RFC3339), first(record.Fields, "updated_by", "created_by")
	data["created_at"], data["created_by"] = record.Created.UTC().Format(time.RFC3339), record.Fields["created_by"]
	for _, act := range []string{"status_changed", "scheduled", "locked", "unlocked", "processed", "submitted", "closed"} {
		data[act+"_at"], data[act+"_by"] = at, by
	}
	if record.Kind == store.Report {
		delete(data, "submitted_by") // the view has the person
		maps.Copy(data, v.reporter(record))
	}
	if n.change.Before != nil && n.change.After != nil {
		data["changes"] = v.changes(*n.change.Before, *n.change.After)
	}
	for name, value := range n.extra {
		if entry, ok := value.(store.Fields); ok && name == "entry" {
			value = v.entry(entry)
		}
		data[name] = value
	}
	if n.event == "employee.assigned" {
		data = v.assigned(record)
	} else if v.bare(n.event) {
		data = store.Fields{"id": record.ID, "workOrderNumber": record.Key, "title": record.Name, "status": record.Fields["status"], "projectId": record.Fields["project_id"]}
	}
	return data, v.fault
}

// bare reports an event that the documents only name: it carries what tells
// its work order.
func (v *viewer) bare(event string) bool {
	switch event {
	case "workorder.started", "workorder.completed", "workorder.cancelled":
		return true
	}
	return false
}

func (v *viewer) assigned(order store.Record) store.Fields {
	data := store.Fields{"work_order_id": order.ID, "workOrderNumber": order.Key}
	if lead, ok := v.get(order.Fields["site_lead_id"]); ok {
		data["id"], data["emp_number"], data["name"] = lead.ID, lead.Key, lead.Name
	}
	return data
}

// get follows a reference; one that leads nowhere is none.
func (v *viewer) get(id any) (store.Record, bool) {
	text, _ := id.(string)
	if text == "" {
		return store.Record{}, false
	}
	r, err := v.Tx.Get(v.Company, text)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		v.fault = fmt.Errorf("reading %s: %w", text, err)
	}
	return r, err == nil
}

// view is a record with every member that some event has.
func (v *viewer) view(r store.Record) store.Fields {
	data := maps.Clone(r.Fields)
	data["id"] = r.ID
	switch r.Kind {
	case store.WorkOrder:
		v.workOrder(data, r)
	case store.Project:
		v.project(data, r)
	case store.Employee:
		kind, _ := r.Fields["employee_type"].(string)
		data["role"], data["department"] = r.Fields["role_name"], r.Fields["department_name"]
		data["is_project_owner"], data["is_site_lead"], data["is_site_worker"] = kind == "project_owner", kind == "site_lead", kind == "site_worker" || kind == "site_lead"
	case store.Vendor:
		v.vendor(data)
	case store.Customer:
		data["type"] = lower(r.Fields["type"])
	case store.Location:
		data["customer"] = v.reference(r.Parent)
	case store.Contact:
		data["role"] = r.Fields["title"]
		if customer, ok := v.get(r.Parent); ok {
			data["customer_name"] = customer.Name
		}
	case store.TimeOff:
		data["employee_name"] = r.Name
	case store.Timesheet:
		v.timesheet(data, r)
	case store.Report:
		v.report(data, r)
	}
	return data
}

func (v *viewer) reference(id any) any {
	r, ok := v.get(id)
	if !ok {
		return nil
	}
	return store.Fields{"id": r.ID, "name": r.Name}
}

func (v *viewer) workOrder(data store.Fields, r store.Record) {
	data["workOrderNumber"], data["title"], data["projectId"] = r.Key, r.Name, r.Parent
	if hours, ok := r.Fields["days_hours_required"].(json.Number); ok {
		data["estimated_hours"] = hours
	}
	if project, ok := v.get(r.Parent); ok {
		ref := store.Fields{"id": project.ID, "project_code": project.Key, "project_name": project.Name}
		if customer, ok := v.get(project.Fields["customer_id"]); ok {
			ref["customer_name"] = customer.Name
		}
		if location, ok := v.get(project.Fields["location_id"]); ok {
			ref["site_address"] = address(location)
		}
		data["project"] = ref
	}
	if lead, ok := v.get(r.Fields["site_lead_id"]); ok {
		data["site_lead"] = v.person(lead)
		data["assigned_employees"] = []any{store.Fields{"id": lead.ID, "emp_number": lead.Key, "name": lead.Name, "role": "site_lead"}}
		data["assignedTo"] = []any{lead.ID}
	}
}

func (v *viewer) person(r store.Record) store.Fields {
	return store.Fields{"id": r.ID, "emp_number": r.Key, "name": r.Name, "email": r.Fields["email"], "phone": r.Fields["phone"]}
}

// address writes a location's address as one text.
func address(r store.Record) any {
	var parts []string
	for _, name := range []string{"address_line_1", "address_line_2", "city"} {
		if text, _ := r.Fields[name].(string); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return strings.Join(parts, ", ")
}

func (v *viewer) project(data store.Fields, r store.Record) {
	data["projectNumber"], data["name"] = r.Key, r.Name
	data["startDate"], data["estimatedEndDate"] = r.Fields["start_date"], r.Fields["end_date"]
	customer, known := v.get(r.Fields["customer_id"])
	location, placed := v.get(r.Fields["location_id"])
	if placed {
		data["location"] = with(location, "address_line_1", "city", "province", "postal_code", "country")
		data["address"] = address(location)
	}
	if known {
		shown := with(customer, "email", "phone")
		shown["type"] = lower(customer.Fields["type"])
		data["customer"] = shown
		if v.Form == webhook.Compact {
			data["customer"] = customer.Name
		}
	}
	ids, _ := r.Fields["contact_ids"].([]any)
	contacts := []any{}
	for _, id := range ids {
		if c, ok := v.get(id); ok {
			contacts = append(contacts, store.Fields{"id": c.ID, "first_name": c.Fields["first_name"], "last_name": c.Fields["last_name"],
				"email": c.Fields["email"], "phone": c.Fields["phone"], "role": c.Fields["title"]})
		}
	}
	data["contacts"] = contacts
	if number, _ := r.Fields["internal_manager_emp_number"].(string); number != "" {
		if owner, err := v.Tx.Find(v.Company, store.Employee, number); err == nil {
			data["project_owners"] = []any{v.person(owner)}
		}
	}
}

// with is a record's id and name with some of its members.
func with(r store.Record, names ...string) store.Fields {
	shown := store.Fields{"id": r.ID, "name": r.Name}
	for _, name := range names {
		shown[name] = r.Fields[name]
	}
	return shown
}

func (v *viewer) vendor(data store.Fields) {
	if trades, ok := data["trade_specialty"].([]any); ok {
		var names []string
		for _, t := range trades {
			names = append(names, fmt.Sprint(t))
		}
		data["trade_specialty"] = strings.Join(names, ", ")
		if len(names) == 0 {
			delete(data, "trade_specialty")
		}
	}
	place := store.Fields{}
	for from, to := range map[string]string{"address": "address_line_1", "city": "city", "state": "province", "zip_code": "postal_code", "country": "country"} {
		if data[from] != nil {
			place[to] = data[from]
		}
	}
	delete(data, "address")
	if len(place) > 0 {
		data["address"] = place
	}
}

func (v *viewer) timesheet(data store.Fields, r store.Record) {
	data["timesheet_id"], data["employee_name"] = r.ID, r.Name
	list := entries(r)
	shown := make([]any, len(list))
	for i, e := range list {
		shown[i] = e
		if v.Form == webhook.Outbound {
			shown[i] = v.entry(e)
		}
	}
	data["entries"], data["entry_count"] = shown, len(list)
}

// entry is an entry of a timesheet by identifiers.
func (v *viewer) entry(e store.Fields) store.Fields {
	shown := maps.Clone(e)
	if order, ok := v.get(e["work_order_id"]); ok {
		shown["work_order_name"] = order.Name
	}
	return shown
}

func lower(value any) any {
	if text, ok := value.(string); ok {
		return strings.ToLower(text)
	}
	return value
}

func first(f store.Fields, names ...string) any {
	for _, name := range names {
		if f[name] != nil {
			return f[name]
		}
	}
	return nil
}

// changes lists the members that differ between two states of a record: old
// and new, or from and to where the documents say so, and for lists of the
// compact form what was added and removed.
func (v *viewer) changes(before, after store.Record) store.Fields {
	old, now := v.view(before), v.view(after)
	list := store.Fields{}
	from, to := "old", "new"
	if v.Form == webhook.Compact || after.Kind == store.TimeOff {
		from, to = "from", "to"
	}
	for _, name := range changing(now, old) {
		if reflect.DeepEqual(old[name], now[name]) {
			continue
		}
		a, isList := now[name].([]any)
		b, wasList := old[name].([]any)
		if v.Form == webhook.Compact && isList && wasList {
			list[name] = store.Fields{"added": missingFrom(b, a), "removed": missingFrom(a, b)}
			continue
		}
		list[name] = change{from, to, old[name], now[name]}.fields()
	}
	return list
}

// change is one member's old and new value. A value that was not there is null.
type change struct {
	from, to string
	old, now any
}

func (c change) fields() store.Fields {
	return store.Fields{c.from: orNull(c.old), c.to: orNull(c.now)}
}

func orNull(v any) any {
	if v == nil {
		return json.RawMessage("null")
	}
	return v
}

// changing lists the members of two views that say something of a record
// itself.
func changing(views ...store.Fields) []string {
	seen := map[string]bool{"id": true, "updated_by": true, "created_by": true, "entries": true, "entry_count": true}
	var names []string
	for _, view := range views {
		for name := range view {
			if !seen[name] && !strings.HasSuffix(name, "_id") && !strings.HasSuffix(name, "_ids") {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// missingFrom lists what of others is not in list.
func missingFrom(list, others []any) []any {
	missing := []any{}
	for _, o := range others {
		found := false
		for _, l := range list {
			found = found || reflect.DeepEqual(l, o)
		}
		if !found {
			missing = append(missing, o)
		}
	}
	return missing
}
