package announce

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// viewer shows records as events carry them.
type viewer struct {
	Context
	earlier map[string]*store.Record // the changed records by ID, before the changes; nil: it did not exist
	before  bool                     // references lead to records as they were before the changes
	err     *error                   // of reading a referenced record
}

func newViewer(c Context, changes []rules.Change) viewer {
	v := viewer{Context: c, earlier: map[string]*store.Record{}, err: new(error)}
	for _, change := range changes {
		if id := change.Record().ID; v.earlier[id] == nil {
			v.earlier[id] = change.Before
		}
	}
	return v
}

// asBefore returns a viewer that shows records as they were before the changes.
func (v viewer) asBefore() viewer {
	v.before = true
	return v
}

// get follows a reference. It returns nil if the record does not exist.
func (v viewer) get(id any) *store.Record {
	text, _ := id.(string)
	if text == "" {
		return nil
	}
	earlier, changed := v.earlier[text]
	if changed && v.before {
		return earlier
	}
	r, err := v.Tx.Get(v.Company, text)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return earlier // it was deleted together with the record that refers to it
	case err != nil:
		*v.err = fmt.Errorf("reading %s: %w", text, err)
	}
	return r
}

// set sets the members that have a value, and leaves the others as they are.
func set(data, members store.Fields) {
	for name, value := range members {
		if value != nil {
			data[name] = value
		}
	}
}

// payload returns every member that an event raised by a change may carry.
func (v viewer) payload(c rules.Change, r raised) store.Fields {
	record := c.Record()
	switch r.event {
	case "employee.assigned":
		data := store.Fields{"work_order_id": record.ID, "workOrderNumber": record.Key}
		if lead := v.get(record.Fields["site_lead_id"]); lead != nil {
			maps.Copy(data, employeeReference(lead))
		}
		return data
	case "workorder.started", "workorder.completed", "workorder.cancelled":
		// WorkSkedge documents these by name only. They carry what identifies
		// the work order.
		return store.Fields{
			"id": record.ID, "workOrderNumber": record.Key, "title": record.Name,
			"status": record.Fields["status"], "projectId": record.Fields["project_id"],
		}
	case "timesheet.deleted": // of the compact form, which shows a week from the timesheet's day on
		data := v.view(record)
		v.addActions(data, record)
		day, _ := record.Fields["timesheet_date"].(string)
		if start, err := time.Parse(time.DateOnly, day); err == nil {
			data["week_start"], data["week_end"] = day, start.AddDate(0, 0, 6).Format(time.DateOnly)
		}
		return data
	case "project.closed": // alike in both forms
		return store.Fields{"id": record.ID, "project_code": record.Key, "project_name": record.Name, "closed_at": record.Fields["closed_at"]}
	}
	data := v.view(record)
	v.addActions(data, record)
	if r.event == "time_off.created" && v.Form == webhook.Outbound { // null means a whole day
		data["start_time"], data["end_time"] = orNull(data["start_time"]), orNull(data["end_time"])
	}
	if record.Kind == store.Report {
		data["submitted_at"] = rfc3339(record.Created)
		data["submitted_by"] = v.actor(record.Fields["submitted_by_id"], record.Fields["created_by"])
		data["approved_by"] = v.actor(record.Fields["approved_by_id"], data["updated_by"])
	}
	if c.Before != nil && c.After != nil {
		data["changes"] = v.changes(c.Before, c.After)
	}
	maps.Copy(data, r.extra)
	if entry, ok := r.extra["entry"].(store.Fields); ok {
		data["entry"] = v.entry(entry)
	}
	return data
}

// actions are the acts that events name in their members …_at and …_by.
var actions = []string{"deleted", "status_changed", "scheduled", "locked", "unlocked", "processed", "submitted", "closed"}

// addActions adds who changed a record, and when, under the names of every
// event. The shape of an event picks its own.
func (v viewer) addActions(data store.Fields, r *store.Record) {
	if data["updated_by"] == nil {
		data["updated_by"] = data["created_by"]
	}
	by := data["deleted_by"]
	if by == nil {
		by = data["updated_by"]
	}
	at, name := rfc3339(v.Now), v.userName(by)
	for _, action := range actions {
		data[action+"_at"], data[action+"_by"], data[action+"_by_name"] = at, by, name
	}
	data["deletedBy"] = by // in the compact form
	data["created_at"], data["updated_at"] = rfc3339(r.Created), rfc3339(r.Updated)
}

// userName returns the name of a user, or nil.
func (v viewer) userName(id any) any {
	text, _ := id.(string)
	if v.UserName == nil || text == "" {
		return nil
	}
	return v.UserName(text)
}

// actor shows who submitted or approved a report: the user, and the employee if
// the report names one.
func (v viewer) actor(employee, user any) store.Fields {
	shown := store.Fields{"user_id": user}
	if e := v.get(employee); e != nil {
		set(shown, store.Fields{"employee_id": e.ID, "name": e.Name, "role": e.Fields["role_name"]})
	}
	return shown
}

// view returns a record with every member that some event has.
func (v viewer) view(r *store.Record) store.Fields {
	data := store.Fields{}
	maps.Copy(data, r.Fields)
	data["id"] = r.ID
	switch r.Kind {
	case store.WorkOrder:
		v.workOrder(data, r)
	case store.Project:
		v.project(data, r)
	case store.Employee:
		kind := r.Fields["employee_type"]
		set(data, store.Fields{"role": r.Fields["role_name"], "department": r.Fields["department_name"]})
		data["is_project_owner"] = kind == "project_owner"
		data["is_site_lead"] = kind == "site_lead"
		data["is_site_worker"] = kind == "site_worker" || kind == "site_lead"
	case store.Vendor:
		vendor(data, r)
	case store.Customer:
		data["type"] = lower(r.Fields["type"])
	case store.Location:
		if customer := v.get(r.Parent); customer != nil {
			data["customer"] = store.Fields{"id": customer.ID, "name": customer.Name}
		}
	case store.Contact:
		set(data, store.Fields{"role": r.Fields["title"]})
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

func employeeReference(e *store.Record) store.Fields {
	return store.Fields{"id": e.ID, "emp_number": e.Key, "name": e.Name}
}

func employeeContact(e *store.Record) store.Fields {
	shown := employeeReference(e)
	set(shown, store.Fields{"email": e.Fields["email"], "phone": e.Fields["phone"]})
	return shown
}

func (v viewer) workOrder(data store.Fields, r *store.Record) {
	data["workOrderNumber"], data["title"], data["projectId"] = r.Key, r.Name, r.Parent
	if hours := estimatedHours(r.Fields["days_hours_required"]); hours != nil {
		data["estimated_hours"] = hours
	}
	if project := v.get(r.Parent); project != nil {
		shown := store.Fields{"id": project.ID, "project_code": project.Key, "project_name": project.Name}
		if customer := v.get(project.Fields["customer_id"]); customer != nil {
			shown["customer_name"] = customer.Name
		}
		if location := v.get(project.Fields["location_id"]); location != nil {
			shown["site_address"] = address(location)
		}
		data["project"] = shown
	}
	if lead := v.get(r.Fields["site_lead_id"]); lead != nil {
		assigned := employeeReference(lead)
		assigned["role"] = "site_lead"
		data["site_lead"] = employeeContact(lead)
		data["assigned_employees"] = []any{assigned}
		data["assignedTo"] = []any{lead.ID}
	}
}

// daysAndHours matches what days_hours_required says of the hours: "5 days, 9
// hours per day", or hours alone.
var daysAndHours = regexp.MustCompile(`(?i)^\s*(?:(\d+(?:\.\d+)?)\s*days?\b[^\d]*)?(\d+(?:\.\d+)?)\s*(?:hours?|hrs?|h)\b`)

// estimatedHours returns the hours that days_hours_required comes to: a number,
// which its alias estimated_hours may have, or what a text says. It returns nil
// if that is not known.
func estimatedHours(required any) any {
	if hours, ok := required.(json.Number); ok {
		return hours
	}
	text, _ := required.(string)
	found := daysAndHours.FindStringSubmatch(text)
	if found == nil {
		return nil
	}
	hours, _ := new(big.Rat).SetString(found[2]) // digits
	if days, ok := new(big.Rat).SetString(found[1]); ok {
		hours.Mul(hours, days)
	}
	return json.Number(strings.TrimSuffix(strings.TrimRight(hours.FloatString(2), "0"), "."))
}

// address returns a location's address on one line, or nil. names are the members
// after the street.
func address(r *store.Record, names ...string) any {
	var parts []string
	for _, name := range append([]string{"address_line_1", "address_line_2", "city"}, names...) {
		if text, _ := r.Fields[name].(string); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return strings.Join(parts, ", ")
}

func (v viewer) project(data store.Fields, r *store.Record) {
	data["projectNumber"], data["name"] = r.Key, r.Name
	set(data, store.Fields{"startDate": r.Fields["start_date"], "estimatedEndDate": r.Fields["end_date"]})
	if location := v.get(r.Fields["location_id"]); location != nil {
		shown := store.Fields{"id": location.ID, "name": location.Name}
		for _, name := range []string{"address_line_1", "city", "province", "postal_code", "country"} {
			shown[name] = location.Fields[name]
		}
		data["location"] = shown
		if v.Form == webhook.Compact {
			data["address"] = address(location, "province")
			data["location"] = location.Name // for changes
		}
	}
	if customer := v.get(r.Fields["customer_id"]); customer != nil {
		data["customer"] = store.Fields{
			"id": customer.ID, "name": customer.Name, "type": lower(customer.Fields["type"]),
			"email": customer.Fields["email"], "phone": customer.Fields["phone"],
		}
		if v.Form == webhook.Compact {
			data["customer"] = customer.Name
		}
	}
	contacts := []any{}
	ids, _ := r.Fields["contact_ids"].([]any)
	for _, id := range ids {
		if c := v.get(id); c != nil {
			contacts = append(contacts, store.Fields{
				"id": c.ID, "first_name": c.Fields["first_name"], "last_name": c.Fields["last_name"],
				"email": c.Fields["email"], "phone": c.Fields["phone"], "role": c.Fields["title"],
			})
		}
	}
	data["contacts"] = contacts
	if number, _ := r.Fields["internal_manager_emp_number"].(string); number != "" {
		if owner, err := v.Tx.Find(v.Company, store.Employee, number); err == nil {
			data["project_owners"] = []any{employeeContact(owner)}
		}
	}
}

// vendor shows the trades as text, and the address as an object.
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
	place := store.Fields{}
	set(place, store.Fields{
		"address_line_1": r.Fields["address"], "city": r.Fields["city"], "province": r.Fields["state"],
		"postal_code": r.Fields["zip_code"], "country": r.Fields["country"],
	})
	delete(data, "address")
	if len(place) > 0 {
		data["address"] = place
	}
}

func (v viewer) timesheet(data store.Fields, r *store.Record) {
	data["timesheet_id"], data["employee_name"] = r.ID, r.Name
	shown := []any{}
	for _, e := range entries(r) {
		if v.Form == webhook.Outbound {
			e = v.entry(e)
		} else {
			e = withoutIDs(e)
		}
		shown = append(shown, e)
	}
	data["entries"], data["entry_count"] = shown, len(shown)
}

// withoutIDs returns an entry as the compact form has it.
func withoutIDs(e store.Fields) store.Fields {
	shown := maps.Clone(e)
	maps.DeleteFunc(shown, func(name string, _ any) bool { return strings.HasSuffix(name, "_id") })
	return shown
}

// entry shows an entry of a timesheet with the name of its work order.
func (v viewer) entry(e store.Fields) store.Fields {
	shown := maps.Clone(e)
	if order := v.get(e["work_order_id"]); order != nil {
		shown["work_order_name"] = order.Name
	}
	return shown
}

// batch returns the payload of the event for timesheets that were processed
// together. It is nil for fewer than two, and in the compact form, which does
// not have the event.
func (v viewer) batch(changes []rules.Change) store.Fields {
	if v.Form != webhook.Outbound {
		return nil
	}
	sheets := []any{}
	var by any
	for _, c := range changes {
		if c.Record().Kind != store.Timesheet || c.Action != rules.Updated {
			continue
		}
		if c.After.Fields["status"] == "processed" && differs(c, "status") {
			sheets, by = append(sheets, v.view(c.After)), c.After.Fields["updated_by"]
		}
	}
	if len(sheets) < 2 {
		return nil
	}
	return store.Fields{"timesheets": sheets, "processed_by": by, "processed_by_name": v.userName(by), "processed_at": rfc3339(v.Now), "total_count": len(sheets)}
}

// report shows a report with its work order and project.
func (v viewer) report(data store.Fields, r *store.Record) {
	data["report_id"], data["phase_name"] = r.ID, r.Name
	set(data, store.Fields{"report_type": r.Fields["type"], "weather": r.Fields["weather_conditions"], "notes": r.Fields["completion_summary"]})
	if order := v.get(r.Parent); order != nil {
		data["work_order_number"], data["phase_name"] = order.Key, order.Name
		if project := v.get(order.Parent); project != nil {
			data["project_name"] = project.Name
		}
	}
	if items, done, ok := checklist(r.Fields["scope_checklist"], "title"); ok {
		shown := store.Fields{"items": items}
		if len(items) > 0 {
			shown["completion_percentage"] = json.Number(strconv.Itoa(100 * done / len(items)))
		}
		data["scope_checklist"] = shown
	} else {
		delete(data, "scope_checklist")
	}
	if items, _, ok := checklist(r.Fields["completion_checklist"], "item"); ok {
		data["completion_checklist"] = store.Fields{"items": items}
	} else {
		delete(data, "completion_checklist")
	}
}

// checklist converts the items of an inbound checklist to those of an outbound
// one, where nameMember holds the item's name, and counts those that are done.
func checklist(v any, nameMember string) (items []any, done int, ok bool) {
	list, ok := v.([]any)
	items = []any{}
	for _, entry := range list {
		given, _ := entry.(map[string]any)
		status, _ := given["status"].(string)
		completed := status == "completed" || status == "complete"
		if completed {
			done++
		}
		items = append(items, store.Fields{nameMember: given["item_name"], "completed": completed, "notes": given["notes"]})
	}
	return items, done, ok
}

func lower(value any) any {
	if text, ok := value.(string); ok {
		return strings.ToLower(text)
	}
	return value
}
