package announce

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// viewer shows records as events carry them.
type viewer struct {
	Context
	past  map[string]*store.Record // what has changed, as it was
	then  bool                     // records are shown as they were
	fault error                    // of reading what a record refers to
}

// data is everything that an event may carry of a change.
func (v *viewer) data(c rules.Change, event string, extra store.Fields) store.Fields {
	record := c.Record()
	switch event {
	case "employee.assigned":
		data := show(nil, record, "work_order_id=.id workOrderNumber=.key")
		if lead := v.get(record.Fields["site_lead_id"]); lead != nil {
			show(data, lead, employeeNames)
		}
		return data
	case "workorder.started", "workorder.completed", "workorder.cancelled":
		// The documents only name them: they carry what tells their work order.
		return show(nil, record, "id=.id workOrderNumber=.key title=.name status projectId=project_id")
	case "project.closed":
		return show(nil, record, "id=.id project_code=.key project_name=.name closed_at") // both forms, as the page has it
	}
	data := v.view(record)
	v.times(data, record)
	if event == "time_off.created" && v.Form == webhook.Outbound { // whole days are told of by null
		data["start_time"], data["end_time"] = orNull(data["start_time"]), orNull(data["end_time"])
	}
	if record.Kind == store.Report {
		v.reporter(data, record)
	}
	if c.Before != nil && c.After != nil {
		data["changes"] = v.changes(c.Before, c.After)
	}
	maps.Copy(data, extra)
	if entry, ok := extra["entry"].(store.Fields); ok {
		data["entry"] = v.entry(entry)
	}
	return data
}

// times says who did what when; every kind of event has its own word for it.
func (v *viewer) times(data store.Fields, r *store.Record) {
	if data["updated_by"] == nil {
		data["updated_by"] = data["created_by"]
	}
	by := data["deleted_by"]
	if by == nil {
		by = data["updated_by"]
	}
	at := stamp(v.Now)
	for _, act := range strings.Fields("deleted status_changed scheduled locked unlocked processed submitted closed") {
		data[act+"_at"], data[act+"_by"] = at, by
	}
	data["deletedBy"], data["created_at"], data["updated_at"] = by, stamp(r.Created), stamp(r.Updated)
}

func stamp(t time.Time) any { return t.UTC().Format(time.RFC3339) }

// get follows a reference; one that leads nowhere is nil.
func (v *viewer) get(id any) *store.Record {
	text, _ := id.(string)
	if text == "" {
		return nil
	}
	was, changed := v.past[text]
	if changed && v.then {
		return was
	}
	r, err := v.Tx.Get(v.Company, text)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return was // it was deleted with what refers to it
	case err != nil:
		v.fault = fmt.Errorf("reading %s: %w", text, err)
	}
	return r
}

// show puts members of a record into data, or into something new: those that
// it has, of names with spaces between. shown=own gives one another name; .id,
// .key, .name and .parent are the record's own.
func show(data store.Fields, r *store.Record, members string) store.Fields {
	if data == nil {
		data = store.Fields{}
	}
	for _, member := range strings.Fields(members) {
		shown, own, renamed := strings.Cut(member, "=")
		if !renamed {
			own = shown
		}
		value := r.Fields[own]
		switch own {
		case ".id":
			value = r.ID
		case ".key":
			value = r.Key
		case ".name":
			value = r.Name
		case ".parent":
			value = r.Parent
		}
		if value != nil {
			data[shown] = value
		}
	}
	return data
}

// employeeNames are what tells an employee.
const employeeNames = "id=.id emp_number=.key name=.name"

// view is a record with every member that some event has.
func (v *viewer) view(r *store.Record) store.Fields {
	data := show(maps.Clone(r.Fields), r, "id=.id")
	switch r.Kind {
	case store.WorkOrder:
		v.workOrder(data, r)
	case store.Project:
		v.project(data, r)
	case store.Employee:
		show(data, r, "role=role_name department=department_name")
		kind := r.Fields["employee_type"]
		data["is_project_owner"], data["is_site_lead"], data["is_site_worker"] = kind == "project_owner", kind == "site_lead", kind == "site_worker" || kind == "site_lead"
	case store.Vendor:
		vendor(data, r)
	case store.Customer:
		data["type"] = lower(r.Fields["type"])
	case store.Location:
		if customer := v.get(r.Parent); customer != nil {
			data["customer"] = show(nil, customer, "id=.id name=.name")
		}
	case store.Contact:
		show(data, r, "role=title")
		if customer := v.get(r.Parent); customer != nil {
			show(data, customer, "customer_name=.name")
		}
	case store.TimeOff:
		show(data, r, "employee_name=.name")
	case store.Timesheet:
		v.timesheet(data, r)
	case store.Report:
		v.report(data, r)
	}
	return data
}

func (v *viewer) workOrder(data store.Fields, r *store.Record) {
	show(data, r, "workOrderNumber=.key title=.name projectId=.parent")
	if hours, ok := r.Fields["days_hours_required"].(json.Number); ok {
		data["estimated_hours"] = hours
	}
	if project := v.get(r.Parent); project != nil {
		shown := show(nil, project, "id=.id project_code=.key project_name=.name")
		if customer := v.get(project.Fields["customer_id"]); customer != nil {
			show(shown, customer, "customer_name=.name")
		}
		if location := v.get(project.Fields["location_id"]); location != nil {
			shown["site_address"] = address(location)
		}
		data["project"] = shown
	}
	if lead := v.get(r.Fields["site_lead_id"]); lead != nil {
		data["site_lead"] = show(nil, lead, employeeNames+" email phone")
		assigned := show(nil, lead, employeeNames)
		assigned["role"] = "site_lead"
		data["assigned_employees"], data["assignedTo"] = []any{assigned}, []any{lead.ID}
	}
}

// address writes a location's address as one text.
func address(r *store.Record) any {
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

func (v *viewer) project(data store.Fields, r *store.Record) {
	show(data, r, "projectNumber=.key name=.name startDate=start_date estimatedEndDate=end_date")
	if location := v.get(r.Fields["location_id"]); location != nil {
		data["address"] = address(location)
		data["location"] = show(nil, location, "id=.id name=.name address_line_1 city province postal_code country")
	}
	if customer := v.get(r.Fields["customer_id"]); customer != nil {
		shown := show(nil, customer, "id=.id name=.name email phone")
		shown["type"] = lower(customer.Fields["type"])
		data["customer"] = shown
		if v.Form == webhook.Compact {
			data["customer"] = customer.Name
		}
	}
	contacts := []any{}
	ids, _ := r.Fields["contact_ids"].([]any)
	for _, id := range ids {
		if c := v.get(id); c != nil {
			contacts = append(contacts, show(nil, c, "id=.id first_name last_name email phone role=title"))
		}
	}
	data["contacts"] = contacts
	if number, _ := r.Fields["internal_manager_emp_number"].(string); number != "" {
		if owner, err := v.Tx.Find(v.Company, store.Employee, number); err == nil {
			data["project_owners"] = []any{show(nil, owner, employeeNames+" email phone")}
		}
	}
}

func vendor(data store.Fields, r *store.Record) {
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
	place := show(nil, r, "address_line_1=address city province=state postal_code=zip_code country")
	delete(data, "address")
	if len(place) > 0 {
		data["address"] = place
	}
}

func (v *viewer) timesheet(data store.Fields, r *store.Record) {
	show(data, r, "timesheet_id=.id employee_name=.name")
	shown := []any{}
	for _, e := range entries(r) {
		if v.Form == webhook.Outbound {
			e = v.entry(e)
		}
		shown = append(shown, e)
	}
	data["entries"], data["entry_count"] = shown, len(shown)
}

// entry is an entry of a timesheet by identifiers.
func (v *viewer) entry(e store.Fields) store.Fields {
	shown := maps.Clone(e)
	if order := v.get(e["work_order_id"]); order != nil {
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
