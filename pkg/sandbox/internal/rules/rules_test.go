package rules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// world is a company with some records.
type world struct {
	t     testing.TB
	store *store.Store
	n     int

	lenient bool
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s, err := store.Open(context.Background(), "", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, store: s}
	err = s.Do(context.Background(), func(tx *store.Tx) error {
		return Seed(tx, "comp_1", clock(), w.id, Seeds{
			Skills: []string{"Concrete", "Framing"}, WorkTypes: DocumentedWorkTypes,
			Employees: []store.Fields{{"emp_number": "EMP-1", "name": "Ann Boss", "email": "a@example.com", "employee_type": "site_lead"}},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func clock() time.Time { return time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC) }

func (w *world) id(prefix string) string {
	w.n++
	return fmt.Sprintf("%s_%d", prefix, w.n)
}

// do applies an event, given its data as JSON.
func (w *world) do(event, data string) (*Result, error) {
	w.t.Helper()
	fields, err := store.DecodeFields([]byte(data))
	if err != nil {
		w.t.Fatalf("%s: %v", data, err)
	}
	var result *Result
	err = w.store.Do(context.Background(), func(tx *store.Tx) error {
		var err error
		result, err = Apply(Call{
			Tx: tx, Company: "comp_1", Actor: "user_1", Event: webhook.Event{Type: event}, Data: fields, Now: clock(), NewID: w.id, Lenient: w.lenient,
		})
		return err
	})
	return result, err
}

// must is do for an event that must be accepted. It summarizes the changes.
func (w *world) must(event, data string) string {
	w.t.Helper()
	result, err := w.do(event, data)
	if err != nil {
		w.t.Fatalf("%s %s: %v", event, data, err)
	}
	return changes(result)
}

func changes(r *Result) string {
	var list []string
	for _, c := range r.Changes {
		rec := c.Record()
		list = append(list, fmt.Sprintf("%s %s", rec.Kind, c.Action))
	}
	return strings.Join(list, ", ")
}

func (w *world) count() (n int) {
	w.t.Helper()
	err := w.store.Do(context.Background(), func(tx *store.Tx) error {
		list, err := tx.List(store.Query{})
		n = len(list)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) get(kind store.Kind, key string) *store.Record {
	w.t.Helper()
	var r *store.Record
	err := w.store.Do(context.Background(), func(tx *store.Tx) error {
		var err error
		r, err = tx.Find("comp_1", kind, key)
		return err
	})
	if err != nil {
		w.t.Fatalf("%s %s: %v", kind, key, err)
	}
	return r
}

const (
	aProject = `{"project_name":"Skyline","project_code":"P-1","customer_name":"Acme","location_name":"HQ","customer_email":"a@acme.com","location_city":"Oslo","contacts":[{"first_name":"Li","last_name":"Ro","email":"l@acme.com"}]}`
	anOrder  = `{"project_code":"P-1","phase_name":"Foundation","site_lead_emp_number":"EMP-1","required_headcount":5,"scope_of_work":{"checklists":[{"checklist_name":"Prep","items":[{"item_name":"Clear","status":"complete"}]}]}}`
)

// TestApplyStory applies what WorkSkedge documents, from a project to its end.
func TestApplyStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ event, data, want string }{
		{"project.created", aProject, "customer created, location created, contact created, project created"},
		{"project.created", strings.Replace(aProject, "P-1", "P-2", 1), "project created"},
		{"work_order.created", anOrder, "work_order created"},
		{"work_order.created", `{"project_code":"P-1","phase_name":"Roof"}`, "work_order created"},
		{"work_order.updated", `{"work_order_number":"WO-2026-001","status":"in_progress","people_required":7}`, "work_order updated"},
		{"work_order.updated", `{"work_order_number":"WO-2026-001","status":"in_progress"}`, ""},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","entries":[{"entry_date":"2026-01-15","hours":5.50,"work_order_number":"WO-2026-001"},{"entry_date":"2026-01-15","hours":2,"work_type_code":"VAC","work_order_number":null}]}`, "timesheet created"},
		{"timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"submitted"}`, "timesheet updated"},
		{"timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"locked"}`, "timesheet updated"},
		{"timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"processed"}`, "timesheet updated"},
		{"report.daily_submitted", `{"work_order_number":"WO-2026-001","report_date":"2026-01-15","submitted_by":"EMP-1"}`, "report created"},
		{"report.completion_submitted", `{"work_order_number":"WO-2026-001"}`, "report created"},
		{"report.completion_approved", `{"work_order_number":"WO-2026-001","approved_by":"EMP-1"}`, "report updated, work_order updated"},
		{"project.closed", `{"project_code":"P-1","close_work_orders":true}`, "work_order updated, project closed"},
		{"work_order.deleted", `{"project_code":"P-1","phase_name":"Roof"}`, "work_order deleted"},
		{"project.deleted", `{"project_code":"P-1"}`, "work_order deleted, project deleted"},
		{"project.deleted", `{"project_code":"P-2"}`, "project deleted"},
		{"customer.deleted", `{"customer_name":"Acme"}`, "contact deleted, location deleted, customer deleted"},
		{"test.connection", `{"test":true}`, ""},
	} {
		if got := w.must(c.event, c.data); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.event, c.data, got, c.want)
		}
	}
}

func TestApplyStoresCanonicalNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("project.created", aProject)
	w.must("work_order.created", anOrder)
	order := w.get(store.WorkOrder, "WO-2026-001")
	scope := fmt.Sprint(order.Fields["scope_of_work"])
	if fmt.Sprint(order.Fields["people_required"]) != "5" || order.Fields["required_headcount"] != nil || scope != "map[checklists:[map[items:[map[completed:true text:Clear]] title:Prep]]]" {
		t.Errorf("stored %v", order.Fields)
	}
	if customer := w.get(store.Customer, "Acme"); customer.Fields["email"] != "a@acme.com" {
		t.Errorf("the customer is %v", customer.Fields)
	}
	w.must("project.updated", `{"project_code":"P-1","customer_phone":"5","location_notes":"n","custom_fields":{"a":"1","b":"2"}}`)
	w.must("project.updated", `{"project_code":"P-1","custom_fields":{"a":null,"c":"3"}}`)
	if got := fmt.Sprint(w.get(store.Project, "P-1").Fields["custom_fields"]); got != "map[b:2 c:3]" {
		t.Errorf("custom fields are %s", got)
	}
	if customer := w.get(store.Customer, "Acme"); customer.Fields["phone"] != "5" || customer.Fields["email"] != "a@acme.com" {
		t.Errorf("the customer is %v", customer.Fields)
	}
	w.must("customer.created", `{"name":" Beta ","custom_fields":{"a":null,"b":"2"}}`)
	if beta := w.get(store.Customer, "Beta"); fmt.Sprintf("%v %v", beta.Fields["name"], beta.Fields["custom_fields"]) != "Beta map[b:2]" {
		t.Errorf("the customer is %v", beta.Fields)
	}
	w.must("project.updated", `{"project_code":"P-1","customer_name":"Beta"}`)
	if moved := w.get(store.Project, "P-1"); moved.Fields["location_id"] != nil || moved.Fields["customer_id"] != w.get(store.Customer, "Beta").ID {
		t.Errorf("the project is at the other customer's location: %v", moved.Fields)
	}
	w.must("vendor.created", `{"vendor_name":"V9","trade_specialty":"HVAC, Mechanical"}`)
	w.must("vendor.updated", `{"vendor_name":"V9","trade_specialty":null}`)
	if v := w.get(store.Vendor, "V9"); v.Fields["trade_specialty"] != nil {
		t.Errorf("the vendor is %v", v.Fields)
	}
	w.must("timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","entries":[{"entry_date":"2026-01-15","hours":5.50,"work_order_number":"WO-2026-001"}]}`)
	w.must("timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","entries":[{"entry_date":"2026-01-15","hours":6.25,"work_order_number":"WO-2026-001"},{"entry_date":"2026-01-15","hours":1,"work_order_number":"WO-2026-001","work_type_code":"OT"}]}`)
	sheet := w.get(store.Timesheet, store.Key("EMP-1", "2026-01-15"))
	if entries, _ := sheet.Fields["entries"].([]any); len(entries) != 2 || fmt.Sprint(sheet.Fields["total_hours"]) != "7.25" {
		t.Errorf("the timesheet is %v", sheet.Fields)
	}
	// Two tasks of one day on one work order are two entries, and stay two.
	const twice = `{"emp_number":"EMP-1","timesheet_date":"2026-01-19","entries":[{"entry_date":"2026-01-19","hours":%d,"work_order_number":"WO-2026-001"},{"entry_date":"2026-01-19","hours":1,"work_order_number":"WO-2026-001"}]}`
	w.must("timesheet.created", fmt.Sprintf(twice, 7))
	w.must("timesheet.updated", fmt.Sprintf(twice, 6))
	sheet = w.get(store.Timesheet, store.Key("EMP-1", "2026-01-19"))
	if entries, _ := sheet.Fields["entries"].([]any); len(entries) != 2 || fmt.Sprint(sheet.Fields["total_hours"]) != "7" {
		t.Errorf("the timesheet is %v", sheet.Fields)
	}
	w.must("vendor.created", `{"vendor_name":"V","trade_specialty":"HVAC, Mechanical"}`)
	if got := fmt.Sprint(w.get(store.Vendor, "V").Fields["trade_specialty"]); got != "[HVAC Mechanical]" {
		t.Errorf("trades are %s", got)
	}
}

// refusingWorld is a company in which each rule has something to refuse.
func refusingWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.must("project.created", aProject)
	w.must("work_order.created", anOrder)
	w.must("work_order.created", anOrder)
	w.must("project.created", `{"project_name":"Done","project_code":"P-7","customer_name":"Acme","location_name":"HQ"}`)
	w.must("work_order.created", `{"project_code":"P-7","phase_name":"Roof"}`)
	w.must("project.closed", `{"project_code":"P-7","close_work_orders":true}`)
	w.must("timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15"}`)
	w.must("timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-14","status":"processed"}`)
	w.must("report.completion_submitted", `{"work_order_number":"WO-2026-002"}`)
	w.must("customer.created", `{"name":"Beta"}`)
	return w
}

// TestApplyRefusals has an event for each rule. Those that WorkSkedge does not
// document can be turned off.
func TestApplyRefusals(t *testing.T) {
	t.Parallel()
	w := refusingWorld(t)
	before := w.count()
	tested := map[string]bool{}
	for _, c := range []struct {
		event, data string
		rule        Rule
		pointer     string
		says        string
	}{
		{"project.created", aProject, ruleExists, "/data/project_code", "a project with the code"},
		{"project.created", `{"project_name":"x","project_code":"P-9","customer_name":"New","location_name":"New","account_manager_emp_number":"EMP-9"}`, ruleReference, "/data/account_manager_emp_number", "there is no employee"},
		{"project.created", `{"project_name":"x","project_code":"P-9","customer_name":"New","location_name":"New","contacts":[{"first_name":"a"}]}`, ruleContact, "/data/contacts/0", "needs first_name and last_name"},
		{"project.created", `{}`, ruleRequired, "/data/customer_name", "customer_name is required"},
		{"project.updated", `{"project_code":"P-9"}`, ruleUnknown, "/data/project_code", "there is no project"},
		{"project.closed", `{"project_code":"P-1"}`, ruleOpenWork, "/data/project_code", "open work orders: WO-2026-001, WO-2026-002"},
		{"work_order.created", `{"project_code":"P-9","phase_name":"x"}`, ruleUnknown, "/data/project_code", "there is no project"},
		{"work_order.created", `{"project_code":"P-1","phase_name":"x","work_order_number":"WO-2026-001"}`, ruleExists, "/data/work_order_number", "there is a work order WO-2026-001 already"},
		{"work_order.created", `{"project_code":"P-1","phase_name":"x","site_lead_emp_number":"EMP-9"}`, ruleReference, "/data/site_lead_emp_number", "there is no employee"},
		{"work_order.updated", `{"project_code":"P-1","phase_name":"Foundation"}`, ruleRequired, "/data/work_order_number", "is required"},
		{"work_order.updated", `{"work_order_number":"WO-2026-003","status":"in_progress"}`, ruleClosed, "/data/status", "the project P-7 is closed"},
		{"work_order.deleted", `{"project_code":"P-1","phase_name":"Foundation"}`, ruleAmbiguous, "/data/phase_name", "name one of WO-2026-001, WO-2026-002"},
		{"work_order.deleted", `{"work_order_number":"WO-1"}`, ruleUnknown, "/data/work_order_number", "there is no work order"},
		{"report.completion_approved", `{"work_order_number":"WO-2026-001"}`, ruleNoReport, "/data/work_order_number", "no completion report that waits"},
		{"employee.created", `{"emp_number":"EMP-2","name":"x","email":"x","employee_type":"office","employee_skills":["Concrete","Welding","Magic"],"department_name":"New"}`, ruleSkill, "/data/employee_skills/1", "Welding, Magic"},
		{"employee.created", `{"emp_number":"EMP-1","name":"x","email":"x","employee_type":"office"}`, ruleExists, "/data/emp_number", "employee EMP-1 already exists"},
		{"employee.updated", `{"emp_number":"EMP-9"}`, ruleUnknown, "/data/emp_number", "there is no employee"},
		{"customer.created", `{"name":"Acme"}`, ruleExists, "/data/name", "a customer named"},
		{"customer.deleted", `{"customer_name":"Acme"}`, ruleHasProjects, "/data/customer_name", "has projects: P-1"},
		{"location.created", `{"customer_name":"Acme","name":"HQ"}`, ruleExists, "/data/name", "has a location named"},
		{"location.updated", `{"customer_name":"Acme","location_name":"Other"}`, ruleUnknown, "/data/location_name", "has no location named"},
		{"contact.created", `{"customer_name":"Acme","first_name":"Li","last_name":"Ro"}`, ruleExists, "/data/last_name", "has a contact named"},
		{"contact.created", `{"customer_name":"Nobody","first_name":"Li","last_name":"Ro"}`, ruleUnknown, "/data/customer_name", "there is no customer"},
		{"vendor.deleted", `{"vendor_name":"V"}`, ruleUnknown, "/data/vendor_name", "there is no vendor"},
		{"time_off.created", `{"emp_number":"EMP-1","start_date":"2026-02-02","end_date":"2026-02-01"}`, ruleDates, "/data/end_date", "is before"},
		{"time_off.updated", `{"emp_number":"EMP-1","start_date":"2026-02-02","end_date":"2026-02-03"}`, ruleUnknown, "/data/start_date", "has no request"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15"}`, ruleExists, "/data/timesheet_date", "has a timesheet"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-16","status":"paid"}`, ruleStatus, "/data/status", "is not one of draft, submitted"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-16","entries":[{"entry_date":"2026-01-17","hours":1}]}`, ruleEntry, "/data/entries/0/entry_date", "must be the timesheet's date"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-16","entries":[{"entry_date":"2026-01-16","hours":24.01}]}`, ruleEntry, "/data/entries/0/hours", "from 0 to 24"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-16","entries":[{"entry_date":"2026-01-16","hours":1}]}`, ruleNeedsWork, "/data/entries/0/work_order_number", "REG requires a work_order_number"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-16","entries":[{"entry_date":"2026-01-16","hours":1,"work_type_code":"NAP"}]}`, ruleWorkType, "/data/entries/0/work_type_code", "there is no work type"},
		{"timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"locked"}`, ruleStep, "/data/status", "becomes submitted next, not locked"},
		{"work_order.search", `{}`, ruleRequired, "/data/search_term", "is required"},
		{"work_order.teleported", `{}`, ruleOperation, "/event_type", "has no inbound operation"},
		{"project.created", `null`, ruleData, "/data", "must be an object"},
		{"project.closed", `{"project_code":"P-7"}`, ruleClosed, "/data/project_code", "is already closed"},
		{"work_order.created", `{"project_code":"P-7","phase_name":"Wall"}`, ruleClosed, "/data/project_code", "is closed"},
		{"contact.created", `{"customer_name":"Acme","first_name":"A","last_name":"B","location_name":"Nowhere"}`, ruleReference, "/data/location_name", "has no location named"},
		{"report.daily_submitted", `{"work_order_number":"WO-2026-001","report_date":"2026-01-15","submitted_by":"EMP-9"}`, ruleReference, "/data/submitted_by", "there is no employee"},
		{"report.completion_submitted", `{"work_order_number":"WO-2026-002"}`, rulePending, "/data/work_order_number", "waits for approval"},
		{"customer.updated", `{"customer_name":"Acme","name":"Beta"}`, ruleNameTaken, "/data/name", "there is another customer named"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-16","entries":[{"entry_date":"2026-01-16","hours":1,"work_order_number":"WO-9"}]}`, ruleReference, "/data/entries/0/work_order_number", "there is no work order"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-16","entries":[{"entry_date":"2026-01-16","hours":1,"work_type_name":"Nap"}]}`, ruleWorkType, "/data/entries/0/work_type_name", "there is no work type"},
		{"timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-14","notes":"late"}`, ruleLocked, "/data/notes", "is processed"},
		{"timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-14","status":"draft"}`, ruleStep, "/data/status", "is final"},
		{"timesheet.deleted", `{"emp_number":"EMP-1","timesheet_date":"2026-01-14"}`, ruleProcessed, "/data/timesheet_date", "cannot be deleted"},
		{"work_order.search", `{"search_term":"a","search_field":"status"}`, ruleSearch, "/data/search_field", "is neither"},
	} {
		tested[c.rule.ID] = true
		_, err := w.do(c.event, c.data)
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Rule != c.rule || !strings.Contains(refusal.Message, c.says) || len(refusal.Details) == 0 || refusal.Details[0].Pointer != c.pointer {
			t.Errorf("%s %s: %+v (%v), want %s %s %s", c.event, c.data, refusal, err, c.rule.ID, c.pointer, c.says)
		}
		if n := w.count(); n != before {
			t.Fatalf("%s %s: %d records, %d before", c.event, c.data, n, before)
		}
		lenient := refusingWorld(t)
		lenient.lenient = true
		if _, err := lenient.do(c.event, c.data); errors.As(err, &refusal) != c.rule.IsDocumented() || err != nil && !c.rule.IsDocumented() {
			t.Errorf("lenient, %s %s: %v", c.event, c.data, err)
		}
	}
	for _, r := range Rules() {
		if !tested[r.ID] {
			t.Errorf("no event for the rule %s", r.ID)
		}
	}
}

// TestApplyLenient has what events do that are otherwise refused.
func TestApplyLenient(t *testing.T) {
	t.Parallel()
	w := refusingWorld(t)
	w.lenient = true
	for _, c := range []struct{ event, data, want string }{
		{"employee.created", `{"emp_number":"EMP-1","name":"Ann","email":"b@example.com","employee_type":"office"}`, "employee updated"},
		{"project.created", `{"project_name":"New","project_code":"P-1","customer_name":"Acme","location_name":"HQ"}`, "project updated"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","notes":"n"}`, "timesheet updated"},
		{"customer.updated", `{"customer_name":"Acme","name":"Beta"}`, "customer updated"},
		{"timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"locked"}`, "timesheet updated"},
		{"work_order.deleted", `{"project_code":"P-1","phase_name":"Foundation"}`, "work_order deleted"},
		{"work_order.created", `{"project_code":"P-7","phase_name":"Wall","site_lead_emp_number":"EMP-9"}`, "work_order created"},
		{"customer.deleted", `{"customer_name":"Acme"}`, "contact deleted, location deleted, customer deleted"},
	} {
		if got := w.must(c.event, c.data); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.event, c.data, got, c.want)
		}
	}
}

// TestApplyRequired: the rules require what the catalog requires, and no more.
func TestApplyRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.must("project.created", `{"customer_name":"Acme","location_name":"HQ"}`); got != "customer created, location created, project created" {
		t.Errorf("a project without a code and a name: %s", got)
	}
	if p := w.get(store.Project, "PRJ-2026-001"); p.Name != "PRJ-2026-001" {
		t.Errorf("the project is %+v", p)
	}
	for _, d := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, webhook.Inbound) {
		for _, p := range d.Properties() {
			name, inData := strings.CutPrefix(p.Path, "data.")
			if !inData || !p.Required || strings.Contains(name, ".") {
				continue
			}
			event, err := webhook.ParseEvent(d.Sample())
			if err != nil {
				t.Fatal(err)
			}
			data, err := store.DecodeFields(event.Data())
			if err != nil {
				t.Fatal(err)
			}
			data[name] = " "
			raw, err := json.Marshal(data)
			if err != nil {
				t.Fatal(err)
			}
			var refusal *Error
			if _, err := w.do(d.Type, string(raw)); !errors.As(err, &refusal) || refusal.Rule != ruleRequired || refusal.Details[0].Pointer != "/data/"+name {
				t.Errorf("%s with a blank %s: %v", d.Type, name, err)
			}
		}
	}
}

// TestApplyReports: a work order may have several daily reports of one day.
func TestApplyReports(t *testing.T) {
	t.Parallel()
	w := refusingWorld(t)
	for range 2 {
		if got := w.must("report.daily_submitted", `{"work_order_number":"WO-2026-001","report_date":"2026-01-15"}`); got != "report created" {
			t.Errorf("a daily report: %s", got)
		}
	}
	for range 2 {
		w.must("report.completion_submitted", `{"work_order_number":"WO-2026-001","report_date":"2026-01-15"}`)
		w.must("report.completion_approved", `{"work_order_number":"WO-2026-001"}`)
	}
}

// TestApplyTimesheetStatus: a timesheet may be created with every status.
func TestApplyTimesheetStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, status := range timesheetStatuses {
		day := fmt.Sprintf("2026-01-%02d", i+1)
		w.must("timesheet.created", fmt.Sprintf(`{"emp_number":"EMP-1","timesheet_date":%q,"status":%q}`, day, status))
		if got := w.get(store.Timesheet, store.Key("EMP-1", day)).Fields["status"]; got != status {
			t.Errorf("created as %s, it is %v", status, got)
		}
	}
}

func TestCheckStep(t *testing.T) {
	t.Parallel()
	for from, steps := range map[string]map[string]bool{
		"draft":     {"draft": true, "submitted": true, "locked": false, "processed": false},
		"submitted": {"draft": true, "submitted": true, "locked": true, "processed": false},
		"locked":    {"draft": true, "submitted": true, "locked": true, "processed": true},
		"processed": {"draft": false, "submitted": false, "locked": false, "processed": true},
	} {
		for to, ok := range steps {
			if err := new(Call).checkStep(from, to); (err == nil) != ok {
				t.Errorf("%s → %s: %v", from, to, err)
			}
		}
	}
	w := newWorld(t)
	w.must("timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"submitted"}`)
	w.must("timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"locked"}`)
	if _, err := w.do("timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","notes":"late"}`); err == nil {
		t.Error("a locked timesheet was changed")
	}
	err := w.store.Do(t.Context(), func(tx *store.Tx) error {
		done, err := ProcessTimesheets(Call{Tx: tx, Company: "comp_1", Now: clock(), NewID: w.id})
		if len(done) != 1 {
			t.Errorf("%d were processed", len(done))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.do("timesheet.deleted", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15"}`); err == nil {
		t.Error("a processed timesheet was deleted")
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("project.created", aProject)
	w.must("project.created", strings.NewReplacer("P-1", "P-2", "Skyline", "Harbor skyline").Replace(aProject))
	w.must("work_order.created", anOrder)
	w.must("work_order.created", `{"project_code":"P-2","phase_name":"Foundation two"}`)
	for _, c := range []struct {
		event, data string
		want        int
	}{
		{"project.search", `{"search_term":"SKY"}`, 2},
		{"project.search", `{"search_term":"Skyline","exact_match":true}`, 1},
		{"project.search", `{"search_term":"P-2","search_field":"project_code","exact_match":true}`, 1},
		{"project.search", `{"search_term":"p-","search_field":"project_code"}`, 2},
		{"project.search", `{"search_term":"nothing"}`, 0},
		{"work_order.search", `{"search_term":"foundation"}`, 2},
		{"work_order.search", `{"search_term":"foundation","project_code":"P-2"}`, 1},
		{"work_order.search", `{"search_term":"foundation","project_code":"P-9"}`, 0},
		{"work_order.search", `{"search_term":"WO-2026-001","search_field":"work_order_number","exact_match":true}`, 1},
		{"work_order.search", `{"search_term":"WO-2026-001","search_field":"work_order_number","exact_match":true,"project_code":"P-2"}`, 0},
	} {
		r, err := w.do(c.event, c.data)
		if err != nil || !r.Search || r.Results == nil || len(r.Results) != c.want {
			t.Errorf("%s %s: %v, %v; want %d", c.event, c.data, r.Results, err, c.want)
		}
	}
}

// TestSearchMistyped searches with mistyped words.
func TestSearchMistyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("project.created", strings.Replace(aProject, "Skyline", "Skyline Tower Development", 1))
	w.must("project.created", strings.NewReplacer("P-1", "P-2", "Skyline", "Harbor View").Replace(aProject))
	w.must("work_order.created", anOrder)
	w.must("work_order.created", `{"project_code":"P-2","phase_name":"Foundation two"}`)
	for _, c := range []struct {
		event, data string
		want        int
	}{
		{"project.search", `{"search_term":"Skylnie Towr"}`, 1},
		{"project.search", `{"search_term":"habror"}`, 1},
		{"project.search", `{"search_term":"Skylnie Harbor"}`, 0},
		{"project.search", `{"search_term":"Skylnie","exact_match":true}`, 0},
		{"project.search", `{"search_term":"P-3","search_field":"project_code"}`, 0},
		{"work_order.search", `{"search_term":"Foundaton"}`, 2},
		{"work_order.search", `{"search_term":"Foundaton","project_code":"P-2"}`, 1},
		{"work_order.search", `{"search_term":"Roofing"}`, 0},
	} {
		r, err := w.do(c.event, c.data)
		if err != nil || r.Results == nil || len(r.Results) != c.want {
			t.Errorf("%s %s: %v, %v; want %d", c.event, c.data, r.Results, err, c.want)
		}
	}
}

// TestApplySamples applies the catalog's samples to an empty company: each is
// accepted, or refused with a message.
func TestApplySamples(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	events := webhook.DefaultCatalog().Events(webhook.WorkSkedge, webhook.Inbound)
	if len(events) == 0 {
		t.Fatal("the catalog has no inbound events")
	}
	for _, d := range events {
		event, err := webhook.ParseEvent(d.Sample())
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.do(d.Type, string(event.Data()))
		var refusal *Error
		if err != nil && (!errors.As(err, &refusal) || refusal.Message == "" || strings.Contains(refusal.Message, "no inbound operation")) {
			t.Errorf("%s: %v", d.Type, err)
		}
	}
}

// FuzzApply applies events with any JSON: none panics, and a refused one changes
// nothing.
func FuzzApply(f *testing.F) {
	for _, d := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, webhook.Inbound) {
		event, _ := webhook.ParseEvent(d.Sample())
		f.Add(d.Type, event.Data())
	}
	f.Add("timesheet.created", []byte(`{"emp_number":"EMP-1","timesheet_date":"d","entries":[null,1,{"hours":1e999,"entry_date":"d"}]}`))
	f.Add("project.created", []byte(`{"project_name":"a","project_code":"b","customer_name":"c","location_name":"d","contacts":[null,{}]}`))
	f.Add("work_order.created", []byte(`{"project_code":{},"scope_of_work":{"checklists":[null,{"items":[null,1]}]}}`))
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, event string, data []byte) {
		if _, err := store.DecodeFields(data); err != nil {
			return
		}
		w.t = t
		for _, w.lenient = range []bool{false, true} {
			before := w.count()
			_, err := w.do(event, string(data))
			var refusal *Error
			if err != nil && !errors.As(err, &refusal) {
				t.Errorf("%s %s: %v", event, data, err)
			}
			if err != nil && w.count() != before {
				t.Errorf("%s %s was refused and left something behind", event, data)
			}
			if refusal != nil && w.lenient && !refusal.Rule.IsDocumented() {
				t.Errorf("%s %s: a lenient company refused it: %v", event, data, err)
			}
		}
	})
}
