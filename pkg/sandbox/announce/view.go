package announce

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
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
func (v *viewer) data(c rules.Change, n notice) (store.Fields, error) {
	record := c.Record()
	switch n.event {
	case "employee.assigned":
		data := identify(store.Fields{}, record, "work_order_id", "workOrderNumber", "")
		if lead := v.get(record.Fields["site_lead_id"]); lead != nil {
			identify(data, lead, "id", "emp_number", "name")
		}
		return data, v.fault
	case "workorder.started", "workorder.completed", "workorder.cancelled":
		// The documents only name them: they carry what tells their work order.
		data := identify(store.Fields{}, record, "id", "workOrderNumber", "title")
		data["status"], data["projectId"] = record.Fields["status"], record.Fields["project_id"]
		return data, v.fault
	}
	data := v.view(record)
	v.times(data, record)
	if record.Kind == store.Report {
		v.reporter(data, record)
	}
	if c.Before != nil && c.After != nil {
		data["changes"] = v.changes(c.Before, c.After)
	}
	maps.Copy(data, n.extra)
	if entry, ok := n.extra["entry"].(store.Fields); ok {
		data["entry"] = v.entry(entry)
	}
	return data, v.fault
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
	for act := range strings.FieldsSeq("deleted status_changed scheduled locked unlocked processed submitted closed") {
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
	r, err := v.Tx.Get(v.Company, text)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		v.fault = fmt.Errorf("reading %s: %w", text, err)
	}
	return r
}

// identify puts a record's ID, key and name into data, under the names that an
// event has for them; "" leaves one out.
func identify(data store.Fields, r *store.Record, id, key, name string) store.Fields {
	if id != "" {
		data[id] = r.ID
	}
	if key != "" {
		data[key] = r.Key
	}
	if name != "" {
		data[name] = r.Name
	}
	return data
}

// with adds members of a record to what is shown of it, of names with spaces
// between.
func with(shown store.Fields, r *store.Record, names string) store.Fields {
	for name := range strings.FieldsSeq(names) {
		shown[name] = r.Fields[name]
	}
	return shown
}

// view is a record with every member that some event has.
func (v *viewer) view(r *store.Record) store.Fields {
	data := maps.Clone(r.Fields)
	data["id"] = r.ID
	switch r.Kind {
	case store.WorkOrder:
		v.workOrder(data, r)
	case store.Project:
		v.project(data, r)
	case store.Employee:
		kind := r.Fields["employee_type"]
		data["role"], data["department"] = r.Fields["role_name"], r.Fields["department_name"]
		data["is_project_owner"], data["is_site_lead"], data["is_site_worker"] = kind == "project_owner", kind == "site_lead", kind == "site_worker" || kind == "site_lead"
	case store.Vendor:
		vendor(data)
	case store.Customer:
		data["type"] = lower(r.Fields["type"])
	case store.Location:
		if customer := v.get(r.Parent); customer != nil {
			data["customer"] = identify(store.Fields{}, customer, "id", "", "name")
		}
	case store.Contact:
		data["role"] = r.Fields["title"]
		if customer := v.get(r.Parent); customer != nil {
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

func (v *viewer) workOrder(data store.Fields, r *store.Record) {
	identify(data, r, "", "workOrderNumber", "title")
	data["projectId"] = r.Parent
	if hours, ok := r.Fields["days_hours_required"].(json.Number); ok {
		data["estimated_hours"] = hours
	}
	if project := v.get(r.Parent); project != nil {
		shown := identify(store.Fields{}, project, "id", "project_code", "project_name")
		if customer := v.get(project.Fields["customer_id"]); customer != nil {
			shown["customer_name"] = customer.Name
		}
		if location := v.get(project.Fields["location_id"]); location != nil {
			shown["site_address"] = address(location)
		}
		data["project"] = shown
	}
	if lead := v.get(r.Fields["site_lead_id"]); lead != nil {
		assigned := person(lead)
		assigned["role"] = "site_lead"
		data["site_lead"] = with(person(lead), lead, "email phone")
		data["assigned_employees"], data["assignedTo"] = []any{assigned}, []any{lead.ID}
	}
}

func person(employee *store.Record) store.Fields {
	return identify(store.Fields{}, employee, "id", "emp_number", "name")
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
	identify(data, r, "", "projectNumber", "name")
	data["startDate"], data["estimatedEndDate"] = r.Fields["start_date"], r.Fields["end_date"]
	if location := v.get(r.Fields["location_id"]); location != nil {
		shown := identify(store.Fields{}, location, "id", "", "name")
		data["location"] = with(shown, location, "address_line_1 city province postal_code country")
		data["address"] = address(location)
	}
	if customer := v.get(r.Fields["customer_id"]); customer != nil {
		if v.Form == webhook.Compact {
			data["customer"] = customer.Name
		} else {
			shown := with(identify(store.Fields{}, customer, "id", "", "name"), customer, "email phone")
			shown["type"] = lower(customer.Fields["type"])
			data["customer"] = shown
		}
	}
	ids, _ := r.Fields["contact_ids"].([]any)
	contacts := []any{}
	for _, id := range ids {
		if c := v.get(id); c != nil {
			shown := with(store.Fields{"id": c.ID, "role": c.Fields["title"]}, c, "first_name last_name email phone")
			contacts = append(contacts, shown)
		}
	}
	data["contacts"] = contacts
	if number, _ := r.Fields["internal_manager_emp_number"].(string); number != "" {
		if owner, err := v.Tx.Find(v.Company, store.Employee, number); err == nil {
			data["project_owners"] = []any{with(person(owner), owner, "email phone")}
		}
	}
}

func vendor(data store.Fields) {
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
	for _, pair := range [][2]string{{"address", "address_line_1"}, {"city", "city"}, {"state", "province"}, {"zip_code", "postal_code"}, {"country", "country"}} {
		if part := data[pair[0]]; part != nil {
			place[pair[1]] = part
		}
	}
	delete(data, "address")
	if len(place) > 0 {
		data["address"] = place
	}
}

func (v *viewer) timesheet(data store.Fields, r *store.Record) {
	identify(data, r, "timesheet_id", "", "employee_name")
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

// changes lists the members that differ between two states of a record: old
// and new, or from and to where the documents say so, and for lists of the
// compact form what was added and removed.
func (v *viewer) changes(before, after *store.Record) store.Fields {
	was, is := v.view(before), v.view(after)
	old, now := "old", "new"
	if v.Form == webhook.Compact || after.Kind == store.TimeOff {
		old, now = "from", "to"
	}
	list := store.Fields{}
	all := maps.Clone(was)
	maps.Copy(all, is)
	for name := range all {
		if incidental(name) || reflect.DeepEqual(was[name], is[name]) {
			continue
		}
		a, wasList := was[name].([]any)
		b, isList := is[name].([]any)
		if v.Form == webhook.Compact && wasList && isList {
			list[name] = store.Fields{"added": missingFrom(a, b), "removed": missingFrom(b, a)}
			continue
		}
		list[name] = store.Fields{old: orNull(was[name]), now: orNull(is[name])}
	}
	return list
}

// incidental reports a member that says nothing of a record itself.
func incidental(name string) bool {
	switch name {
	case "id", "updated_by", "created_by", "entries", "entry_count":
		return true
	}
	return strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_ids")
}

// orNull writes out that a value was not there: a member that is nil is left
// out.
func orNull(v any) any {
	if v == nil {
		return json.RawMessage("null")
	}
	return v
}

// missingFrom lists what of others is not in list.
func missingFrom(list, others []any) []any {
	missing := []any{}
	for _, o := range others {
		if !slices.ContainsFunc(list, func(l any) bool { return reflect.DeepEqual(l, o) }) {
			missing = append(missing, o)
		}
	}
	return missing
}
