package announce

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

func clock() time.Time { return time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC) }

// sent is one event that was raised, in its envelope.
type sent struct {
	event string
	body  []byte
}

// announceAll applies inbound events to a new company, and returns what each of
// them raises in a form.
func announceAll(t *testing.T, form webhook.Form, events ...[2]string) [][]sent {
	t.Helper()
	s, err := store.Open(t.Context(), "", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	n := 0
	id := func(prefix string) string { n++; return fmt.Sprintf("%s_%d", prefix, n) }
	announcer := New()
	var all [][]sent
	for _, e := range events {
		var list []sent
		err := s.Do(context.Background(), func(tx *store.Tx) error {
			list = nil
			if len(all) == 0 {
				if err := rules.Seed(tx, "comp_1", clock(), id, rules.Seeds{Skills: []string{"Concrete", "Framing"}, WorkTypes: rules.DocumentedWorkTypes}); err != nil {
					return err
				}
			}
			changes, err := carryOut(tx, id, e)
			if err != nil {
				return err
			}
			raised, err := announcer.Events(Context{tx, "comp_1", form, clock(), func(id string) string { return "name of " + id }}, changes)
			for _, r := range raised {
				list = append(list, sent{r.Type, Envelope(r, "evt_1", "comp_1", clock())})
			}
			return err
		})
		if err != nil {
			t.Fatalf("%s %s: %v", e[0], e[1], err)
		}
		all = append(all, list)
	}
	return all
}

func carryOut(tx *store.Tx, id func(string) string, e [2]string) ([]rules.Change, error) {
	call := rules.Call{Tx: tx, Company: "comp_1", Actor: "user_1", Event: webhook.Event{Type: e[0]}, Now: clock(), NewID: id}
	if e[0] == "payroll" {
		return rules.ProcessTimesheets(call)
	}
	var err error
	if call.Data, err = store.DecodeFields([]byte(e[1])); err != nil {
		return nil, err
	}
	result, err := rules.Apply(call)
	if err != nil {
		return nil, err
	}
	return result.Changes, nil
}

// story is a sequence of events in the life of a company. full uses more of
// their members.
func story(full bool) [][2]string {
	pick := func(short, long string) string {
		if full {
			return long
		}
		return short
	}
	sheet := func(day, more string) string {
		return `{"emp_number":"EMP-1","timesheet_date":"2026-01-` + day + `"` + more + `}`
	}
	return [][2]string{
		{"employee.created", pick(`{"emp_number":"EMP-1","name":"Ann","email":"a@example.com","employee_type":"site_lead"}`,
			`{"emp_number":"EMP-1","name":"Ann","email":"a@example.com","phone":"+1-555","department_name":"Field","role_name":"Lead","employee_type":"site_lead","employee_skills":["Concrete"],"start_date":"2026-01-01","emergency_contact_name":"Bo","emergency_contact_phone":"5","emergency_contact_relationship":"Friend"}`)},
		{"employee.updated", `{"emp_number":"EMP-1","role_name":"Manager","employee_type":"project_owner","employee_skills":["Concrete","Framing"]}`},
		{"project.created", pick(`{"project_name":"Sky","project_code":"P-1","customer_name":"Acme","location_name":"HQ"}`,
			`{"project_name":"Sky","project_code":"P-1","description":"d","customer_name":"Acme","location_name":"HQ","customer_type":"Commercial","customer_email":"i@acme.com","customer_phone":"5","location_address_line_1":"1 Main","location_city":"Oslo","location_province":"OS","location_postal_code":"1","location_country":"NO","contacts":[{"first_name":"Li","last_name":"Ro","title":"PM","email":"l@acme.com","phone":"5","mobile":"6","is_primary":true}],"internal_manager_emp_number":"EMP-1","priority":"high","custom_fields":{"permit":"1"},"equipment":["Crane"]}`)},
		{"project.updated", `{"project_code":"P-1","priority":"urgent","customer_email":"b@acme.com","location_address_line_2":"Floor 2","contacts":[{"first_name":"Li","last_name":"Ro","title":"Boss"}]}`},
		{"work_order.created", pick(`{"project_code":"P-1","phase_name":"Foundation"}`,
			`{"project_code":"P-1","phase_name":"Foundation","status":"scheduled","priority":"high","start_date":"2026-02-01","end_date":"2026-02-05","start_time":"08:00","end_time":"17:00","expected_start_date":"2026-02-01","expected_end_date":"2026-02-05","people_required":5,"people_skill_requirements":{"Concrete":3},"days_hours_required":"5 days","performed_by":"internal","site_lead_emp_number":"EMP-1","scope_of_work":{"checklists":[{"checklist_name":"Prep","items":[{"item_name":"Clear","status":"pending"}]}]},"equipment":["Mixer"],"specialty_materials":["Rebar"],"scheduler_notes":{"subtrade_required":"Concrete"},"custom_fields":{"permit":"1"},"display_order":1,"require_daily_report":true,"require_completion_report":true}`)},
		{"work_order.updated", `{"work_order_number":"WO-2026-001","status":"in_progress","people_required":7,"start_date":"2026-02-02","end_date":"2026-02-06","site_lead_emp_number":"EMP-1"}`},
		{"timesheet.created", sheet("15", pick("", `,"notes":"n","entries":[{"entry_date":"2026-01-15","hours":5.5,"start_time":"08:00","end_time":"13:30","work_order_number":"WO-2026-001","notes":"poured"}]`))},
		{"timesheet.updated", sheet("15", `,"notes":"later","entries":[{"entry_date":"2026-01-15","hours":2,"work_type_code":"VAC"}]`)},
		{"timesheet.updated", sheet("15", `,"entries":[{"entry_date":"2026-01-15","hours":3,"work_type_code":"VAC"}]`)},
		{"timesheet.updated", sheet("15", `,"status":"submitted"`)},
		{"timesheet.updated", sheet("15", `,"status":"locked"`)},
		{"timesheet.updated", sheet("15", `,"status":"draft"`)},
		{"timesheet.updated", sheet("15", `,"status":"submitted"`)},
		{"timesheet.updated", sheet("15", `,"status":"locked"`)},
		{"timesheet.updated", sheet("15", `,"status":"processed"`)},
		{"timesheet.created", sheet("16", `,"status":"submitted"`)},
		{"timesheet.created", sheet("17", `,"status":"submitted"`)},
		{"timesheet.updated", sheet("16", `,"status":"locked"`)},
		{"timesheet.updated", sheet("17", `,"status":"locked"`)},
		{"payroll", ""},
		{"timesheet.created", sheet("18", "")},
		{"timesheet.deleted", sheet("18", "")},
		{"report.daily_submitted", pick(`{"work_order_number":"WO-2026-001","report_date":"2026-01-15"}`,
			`{"work_order_number":"WO-2026-001","report_date":"2026-01-15","submitted_by":"EMP-1","notes":"n","work_completed":"w","hours_worked":8.5,"weather_conditions":"Clear","is_auto_approved":true}`)},
		{"report.completion_submitted", pick(`{"work_order_number":"WO-2026-001"}`,
			`{"work_order_number":"WO-2026-001","report_date":"2026-01-15","submitted_by":"EMP-1","completion_summary":"done","scope_checklist":[{"item_name":"a","status":"completed"},{"item_name":"b","status":"pending"}],"completion_checklist":[{"item_name":"walk","status":"completed","notes":"ok"}]}`)},
		{"report.completion_approved", pick(`{"work_order_number":"WO-2026-001"}`, `{"work_order_number":"WO-2026-001","approved_by":"EMP-1","approval_notes":"ok"}`)},
		{"work_order.created", `{"project_code":"P-1","phase_name":"Roof","status":"cancelled"}`},
		{"work_order.deleted", `{"project_code":"P-1","phase_name":"Roof"}`},
		{"vendor.created", pick(`{"vendor_name":"V"}`, `{"vendor_name":"V","type":"subcontractor","trade_specialty":["HVAC","Mechanical"],"primary_contact_name":"R","primary_contact_email":"r@v.com","primary_contact_phone":"5","address":"1 Way","city":"Oslo","state":"OS","zip_code":"1","country":"NO","rating":4.8,"regions":["North"],"notes":"n","insurance_expiry_date":"2026-12-31","compliance_expiry_date":"2026-06-30","custom_fields":{"l":"1"}}`)},
		{"vendor.updated", `{"vendor_name":"V","rating":5,"regions":["North","South"]}`},
		{"vendor.deleted", `{"vendor_name":"V"}`},
		{"time_off.created", pick(`{"emp_number":"EMP-1","start_date":"2026-03-01","end_date":"2026-03-02"}`, `{"emp_number":"EMP-1","start_date":"2026-03-01","end_date":"2026-03-02","start_time":"09:00:00","end_time":"13:00:00","time_off_type":"personal","status":"pending","reason":"r","notes":"n"}`)},
		{"time_off.updated", `{"emp_number":"EMP-1","start_date":"2026-03-01","end_date":"2026-03-02","status":"denied","notes":"no"}`},
		{"time_off.deleted", `{"emp_number":"EMP-1","start_date":"2026-03-01","end_date":"2026-03-02"}`},
		{"location.created", `{"customer_name":"Acme","name":"Two"}`},
		{"location.updated", `{"customer_name":"Acme","location_name":"Two","city":"Bergen"}`},
		{"location.deleted", `{"customer_name":"Acme","location_name":"Two"}`},
		{"contact.created", `{"customer_name":"Acme","first_name":"Jo","last_name":"Do"}`},
		{"contact.updated", `{"customer_name":"Acme","first_name":"Jo","last_name":"Do","mobile":"7"}`},
		{"contact.deleted", `{"customer_name":"Acme","first_name":"Jo","last_name":"Do"}`},
		{"customer.updated", `{"customer_name":"Acme","phone":"9"}`},
		{"project.closed", `{"project_code":"P-1","close_work_orders":true}`},
		{"project.deleted", `{"project_code":"P-1"}`},
		{"customer.deleted", `{"customer_name":"Acme"}`},
		{"employee.deleted", `{"emp_number":"EMP-1"}`},
	}
}

// TestEventsLintClean lints every event of both forms.
func TestEventsLintClean(t *testing.T) {
	t.Parallel()
	for _, form := range []webhook.Form{webhook.Outbound, webhook.Compact} {
		for _, full := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, full %v", form, full), func(t *testing.T) {
				t.Parallel()
				linter, err := lint.New(lint.Config{Platform: webhook.WorkSkedge, Form: form})
				if err != nil {
					t.Fatal(err)
				}
				checker := linter.NewChecker()
				events := story(full)
				for i, list := range announceAll(t, form, events...) {
					for _, raised := range list {
						result := checker.Check(raised.body)
						if result.Event != raised.event || result.Form != form {
							t.Errorf("%s reads as %s %s", raised.event, result.Form, result.Event)
						}
						for _, f := range result.Findings {
							if f.Severity != report.Note && !strings.Contains(f.Message, `"cancelled"`) { // which the story says
								t.Errorf("%s after %s: %s at %s (%s)\n%s", raised.event, events[i][0], f.Message, f.Pointer, f.Rule, raised.body)
							}
						}
					}
				}
			})
		}
	}
}

// TestEventsCoverTheCatalog compares what the story raises with the catalog. An
// event of a family that the sandbox does not keep, such as po., is never raised.
func TestEventsCoverTheCatalog(t *testing.T) {
	t.Parallel()
	for _, form := range []webhook.Form{webhook.Outbound, webhook.Compact} {
		raised, families := map[string]bool{}, map[string]bool{}
		for _, list := range announceAll(t, form, story(true)...) {
			for _, r := range list {
				family, _, _ := strings.Cut(r.event, ".")
				raised[r.event], families[family] = true, true
			}
		}
		for _, d := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, form) {
			family, _, _ := strings.Cut(d.Type, ".")
			if families[family] && !raised[d.Type] {
				t.Errorf("%s %s is never raised", form, d.Type)
			}
			delete(raised, d.Type)
		}
		for event := range raised {
			t.Errorf("%s %s is in no catalog", form, event)
		}
	}
}

func eventNames(t *testing.T, form webhook.Form, at int, events ...[2]string) string {
	t.Helper()
	var names []string
	for _, r := range announceAll(t, form, events...)[at] {
		names = append(names, r.event)
	}
	return strings.Join(names, " ")
}

func TestChanges(t *testing.T) {
	t.Parallel()
	events := story(false)[:6]
	if got, want := eventNames(t, webhook.Outbound, 5, events...), "work_order.updated work_order.status_changed work_order.scheduled"; got != want {
		t.Errorf("raised %s, want %s", got, want)
	}
	if got, want := eventNames(t, webhook.Compact, 5, events...), "workorder.updated workorder.started employee.assigned"; got != want {
		t.Errorf("raised %s, want %s", got, want)
	}
	for form, want := range map[webhook.Form]string{
		webhook.Outbound: `{"end_date":{"new":"2026-02-06","old":null},"people_required":{"new":7,"old":null},"site_lead":{"new":{"email":"a@example.com","emp_number":"EMP-1","id":"emp_8","name":"Ann"},"old":null},"start_date":{"new":"2026-02-02","old":null},"status":{"new":"in_progress","old":"scheduled"}}`,
		webhook.Compact:  `{"assignedTo":{"added":["emp_8"],"removed":[]},"end_date":{"from":null,"to":"2026-02-06"},"people_required":{"from":null,"to":7},"start_date":{"from":null,"to":"2026-02-02"},"status":{"from":"scheduled","to":"in_progress"}}`,
	} {
		var body struct {
			Data struct {
				Changes map[string]any `json:"changes"`
			} `json:"data"`
		}
		if err := json.Unmarshal(announceAll(t, form, events...)[5][0].body, &body); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(body.Data.Changes)
		if err != nil || string(got) != want {
			t.Errorf("%s: changes\n%s\nwant\n%s", form, got, want)
		}
	}
}

// dataOf returns the data of an event that a sequence of events ends with.
func dataOf(t *testing.T, form webhook.Form, event string, events ...[2]string) map[string]any {
	t.Helper()
	for _, raised := range announceAll(t, form, events...)[len(events)-1] {
		if raised.event != event {
			continue
		}
		var body struct{ Data map[string]any }
		if err := json.Unmarshal(raised.body, &body); err != nil {
			t.Fatal(err)
		}
		return body.Data
	}
	t.Fatalf("%s did not raise %s", events[len(events)-1], event)
	return nil
}

// TestPayload has members that WorkSkedge's samples show and that no inbound
// event has.
func TestPayload(t *testing.T) {
	t.Parallel()
	sheet := func(event, more string) [2]string {
		return [2]string{event, `{"emp_number":"EMP-1","timesheet_date":"2025-10-03"` + more + `}`}
	}
	employee := story(false)[0]
	order := func(hours string) [][2]string {
		return [][2]string{story(false)[2], {"work_order.created", `{"project_code":"P-1","phase_name":"Roof","days_hours_required":` + hours + `}`}}
	}
	project := [2]string{"project.created", `{"project_name":"Sky","project_code":"P-1","customer_name":"Acme","location_name":"HQ","location_address_line_1":"123 Main St","location_city":"New York","location_province":"NY"}`}
	for name, test := range map[string]struct {
		form   webhook.Form
		event  string
		events [][2]string
		want   map[string]any
	}{
		"a deleted timesheet has a week": {
			webhook.Compact, "timesheet.deleted", [][2]string{employee, sheet("timesheet.created", ""), sheet("timesheet.deleted", "")},
			map[string]any{"week_start": "2025-10-03", "week_end": "2025-10-09"},
		},
		"a locked timesheet names who locked it": {
			webhook.Outbound, "timesheet.locked", [][2]string{employee, sheet("timesheet.created", `,"status":"locked"`)},
			map[string]any{"locked_by": "user_1", "locked_by_name": "name of user_1"},
		},
		"an unlocked timesheet names who unlocked it": {
			webhook.Outbound, "timesheet.unlocked", [][2]string{employee, sheet("timesheet.created", `,"status":"locked"`), sheet("timesheet.updated", `,"status":"draft"`)},
			map[string]any{"unlocked_by": "user_1", "unlocked_by_name": "name of user_1"},
		},
		"a processed timesheet names who processed it": {
			webhook.Outbound, "timesheet.processed", [][2]string{employee, sheet("timesheet.created", `,"status":"processed"`)},
			map[string]any{"processed_by": "user_1", "processed_by_name": "name of user_1"},
		},
		"estimated hours are days times hours": {
			webhook.Outbound, "work_order.created", order(`"5 days, 9 hours per day"`), map[string]any{"estimated_hours": 45.0},
		},
		"estimated hours of one day":         {webhook.Outbound, "work_order.created", order(`"1 day, 7.5 hours"`), map[string]any{"estimated_hours": 7.5}},
		"estimated hours alone":              {webhook.Outbound, "work_order.created", order(`"12 hours"`), map[string]any{"estimated_hours": 12.0}},
		"days alone have no estimated hours": {webhook.Outbound, "work_order.created", order(`"5 days"`), map[string]any{"estimated_hours": nil}},
		"words have no estimated hours":      {webhook.Outbound, "work_order.created", order(`"as long as it takes"`), map[string]any{"estimated_hours": nil}},
		"a compact address has the province": {webhook.Compact, "project.created", [][2]string{project}, map[string]any{"address": "123 Main St, New York, NY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := dataOf(t, test.form, test.event, test.events...)
			for name, want := range test.want {
				if data[name] != want {
					t.Errorf("%s is %v, want %v, in %v", name, data[name], want, data)
				}
			}
		})
	}
	batch := dataOf(t, webhook.Outbound, "timesheets.processed.batch", story(false)[:20]...)
	if batch["processed_by_name"] != "name of user_1" {
		t.Errorf("the batch is %v", batch)
	}
}

// TestChangesOfAProject: an update of a project names another customer, location
// or contact.
func TestChangesOfAProject(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ update, outbound, compact string }{
		"customer": {`"customer_name":"Beta"`, "customer location", "address customer location"},
		"location": {`"location_name":"Two","location_city":"Bergen"`, "location", "address location"},
		"contacts": {`"contacts":[{"first_name":"Jo","last_name":"Do"}]`, "contacts", "contacts"},
	} {
		for form, want := range map[webhook.Form]string{webhook.Outbound: test.outbound, webhook.Compact: test.compact} {
			events := append(story(true)[:3:3], [2]string{"project.updated", `{"project_code":"P-1",` + test.update + `}`})
			changes, _ := dataOf(t, form, "project.updated", events...)["changes"].(map[string]any)
			if got := strings.Join(slices.Sorted(maps.Keys(changes)), " "); got != want {
				t.Errorf("%s, %s: changes of %q, want %q: %v", form, name, got, want, changes)
			}
		}
	}
}

// TestChangesAreNamed: no event of an update has empty changes.
func TestChangesAreNamed(t *testing.T) {
	t.Parallel()
	for _, form := range []webhook.Form{webhook.Outbound, webhook.Compact} {
		seen := 0
		for i, list := range announceAll(t, form, story(true)...) {
			for _, raised := range list {
				var body struct {
					Data struct{ Changes map[string]any }
				}
				if err := json.Unmarshal(raised.body, &body); err != nil {
					t.Fatal(err)
				}
				if body.Data.Changes != nil {
					seen++
				}
				if body.Data.Changes != nil && len(body.Data.Changes) == 0 {
					t.Errorf("%s after %v: %s", raised.event, story(true)[i], raised.body)
				}
			}
		}
		if seen < 4 {
			t.Errorf("%s: %d events have changes", form, seen)
		}
	}
}

func TestEventsOfAScheduledWorkOrder(t *testing.T) {
	t.Parallel()
	order := func(members string) [2]string {
		return [2]string{"work_order.updated", `{"work_order_number":"WO-2026-001",` + members + `}`}
	}
	for name, test := range map[string]struct {
		events []([2]string)
		want   string
	}{
		"it gets a date":                      {[][2]string{order(`"start_date":"2026-02-01"`)}, "work_order.updated work_order.scheduled"},
		"it is started":                       {[][2]string{order(`"status":"in_progress"`)}, "work_order.updated work_order.status_changed"},
		"it is scheduled again":               {[][2]string{order(`"status":"cancelled"`), order(`"status":"scheduled"`)}, "work_order.updated work_order.status_changed work_order.scheduled"},
		"it is scheduled again, on a date":    {[][2]string{order(`"status":"cancelled","start_date":"2026-02-01"`), order(`"status":"scheduled"`)}, "work_order.updated work_order.status_changed work_order.scheduled"},
		"it is scheduled again, on a new one": {[][2]string{order(`"status":"cancelled"`), order(`"status":"scheduled","start_date":"2026-03-01"`)}, "work_order.updated work_order.status_changed work_order.scheduled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := append(story(false)[:5:5], test.events...)
			if got := eventNames(t, webhook.Outbound, len(events)-1, events...); got != test.want {
				t.Errorf("raised %s, want %s", got, test.want)
			}
		})
	}
}

// A new name appears once, under the name that the form has for it.
func TestChangesNameADifferenceOnce(t *testing.T) {
	t.Parallel()
	events := append(story(false)[:6:6], [2]string{"work_order.updated", `{"work_order_number":"WO-2026-001","phase_name":"Roof"}`})
	for form, want := range map[webhook.Form]string{
		webhook.Outbound: `"changes":{"phase_name":{"old":"Foundation","new":"Roof"}}`,
		webhook.Compact:  `"changes":{"title":{"from":"Foundation","to":"Roof"}}`,
	} {
		if got := string(announceAll(t, form, events...)[6][0].body); !strings.Contains(got, want) {
			t.Errorf("%s: %s\nwant %s in it", form, got, want)
		}
	}
}

// An event that WorkSkedge documents by name only identifies its record.
func TestPayloadOfUndocumentedEvents(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"workorder.started": "id projectId status title workOrderNumber", "workorder.completed": "id projectId status title workOrderNumber",
		"workorder.cancelled": "id projectId status title workOrderNumber", "employee.assigned": "emp_number id name workOrderNumber work_order_id",
		"project.closed": "closed_at id project_code project_name",
	}
	seen := 0
	for _, list := range announceAll(t, webhook.Compact, story(true)...) {
		for _, raised := range list {
			d, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Compact, raised.event)
			if err != nil {
				t.Fatal(err)
			}
			if d.Sample() != nil {
				continue
			}
			var body struct{ Data map[string]any }
			if err := json.Unmarshal(raised.body, &body); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(slices.Sorted(maps.Keys(body.Data)), " "); got != want[raised.event] {
				t.Errorf("%s has %q, want %q", raised.event, got, want[raised.event])
			}
			seen++
		}
	}
	if seen < len(want) {
		t.Errorf("%d of these were raised", seen)
	}
}

func TestTimesheetEvents(t *testing.T) {
	t.Parallel()
	events := story(true)
	want := map[int]string{
		6: "timesheet.created", 7: "timesheet.updated timesheet.updated", 8: "timesheet.updated", 9: "timesheet.submitted", 10: "timesheet.locked",
		11: "timesheet.unlocked", 14: "timesheet.processed", 15: "timesheet.created timesheet.submitted",
		19: "timesheet.processed timesheet.processed timesheets.processed.batch", 21: "",
	}
	all := announceAll(t, webhook.Outbound, events...)
	for at, names := range want {
		var got []string
		for _, r := range all[at] {
			got = append(got, r.event)
		}
		if strings.Join(got, " ") != names {
			t.Errorf("%s %s raised %v, want %s", events[at][0], events[at][1], got, names)
		}
	}
}
