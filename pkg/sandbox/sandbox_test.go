package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// TestOneStoryInBothDirections goes from a project to its end, over HTTP alone.
func TestOneStoryInBothDirections(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	in := newInbox(t, "s3cret-out")
	if _, err := d.Subscribe(t.Context(), Subscription{URL: in.URL, Secret: "s3cret-out"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ event, data, message, raised string }{
		{"test.connection", `{"test":true}`, "Webhook processed successfully", ""},
		{"project.created", `{"project_name":"Sky","project_code":"P-1","customer_name":"Acme","location_name":"HQ"}`, "Webhook processed successfully", "customer.created location.created project.created"},
		{"work_order.created", `{"project_code":"P-1","phase_name":"Foundation"}`, "Webhook processed successfully", "work_order.created"},
		{"work_order.updated", `{"work_order_number":"WO-` + strconv.Itoa(time.Now().UTC().Year()) + `-001","status":"in_progress","start_date":"2026-02-01","site_lead_emp_number":"EMP-1"}`, "Work order updated successfully", "work_order.scheduled work_order.status_changed work_order.updated"},
		{"timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","entries":[{"entry_date":"2026-01-15","hours":8,"work_type_code":"VAC"}]}`, "Timesheet created successfully", "timesheet.created"},
		{"timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"submitted"}`, "Timesheet updated successfully", "timesheet.submitted"},
		{"report.daily_submitted", `{"work_order_number":"WO-` + strconv.Itoa(time.Now().UTC().Year()) + `-001","report_date":"2026-01-15"}`, "Webhook processed successfully", "report.daily_submitted"},
		{"report.completion_submitted", `{"work_order_number":"WO-` + strconv.Itoa(time.Now().UTC().Year()) + `-001"}`, "Webhook processed successfully", "report.completion_submitted"},
		{"report.completion_approved", `{"work_order_number":"WO-` + strconv.Itoa(time.Now().UTC().Year()) + `-001","approved_by":"EMP-1"}`, "Webhook processed successfully", "report.completion_approved work_order.status_changed work_order.updated work_order.scheduled"},
		{"work_order.created", `{"project_code":"P-1","phase_name":"Roof"}`, "Webhook processed successfully", "work_order.created"},
		{"project.closed", `{"project_code":"P-1","close_work_orders":true}`, "Project closed successfully", "project.closed work_order.status_changed work_order.updated"},
		{"project.deleted", `{"project_code":"P-1"}`, "Project deleted successfully", "project.deleted work_order.deleted work_order.deleted"},
	} {
		if c.event == "project.closed" {
			got := d.request(event("project.closed", `{"project_code":"P-1"}`), nil)
			if got.status != 400 || !strings.Contains(got.body.Error, "open work orders") {
				t.Errorf("a project with open work orders: %s", got.raw)
			}
			found := d.send("work_order.search", `{"search_term":"found"}`)
			if found.body.Count != 1 || found.body.Results[0]["phase_name"] != "Foundation" {
				t.Errorf("found %s", found.raw)
			}
		}
		got := d.send(c.event, c.data)
		if got.body.Message != c.message || !strings.HasPrefix(got.body.EventID, "evt_") {
			t.Errorf("%s: answered %s", c.event, got.raw)
		}
		if err := d.Idle(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(c.raised)
		if c.event == "report.completion_approved" { // the order keeps its dates, so it is not scheduled anew
			want = want[:len(want)-1]
		}
		slices.Sort(want)
		if raised := in.take(); raised != strings.Join(want, " ") {
			t.Errorf("%s raised %s, want %s", c.event, raised, want)
		}
	}
}

func TestEveryFieldMayBeWrong(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{Limits: []deliver.Limit{}}.withKey())
	count := func() int {
		list, err := d.Records(t.Context(), RecordQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := count()
	tried := 0
	for _, definition := range webhook.Events(webhook.WorkSkedge, webhook.Inbound) {
		var envelope map[string]any
		if err := json.Unmarshal(definition.Sample(), &envelope); err != nil {
			t.Fatal(err)
		}
		data, _ := envelope["data"].(map[string]any)
		for name := range data {
			for _, wrong := range []any{nil, map[string]any{"x": []any{}}, []any{[]any{}}, true, -1e9, strings.Repeat("x", 3000)} {
				changed := map[string]any{}
				for n, v := range data {
					changed[n] = v
				}
				changed[name] = wrong
				envelope["data"] = changed
				raw, err := json.Marshal(envelope)
				if err != nil {
					t.Fatal(err)
				}
				got := d.request(string(raw), nil)
				tried++
				switch {
				case got.status >= 500 || got.raw == "":
					t.Errorf("%s with %s = %.60v: %d %s", definition.Type, name, wrong, got.status, got.raw)
				case got.status != 200 && count() != before:
					t.Errorf("%s with %s = %.60v was refused and left something", definition.Type, name, wrong)
				case got.status == 400 && len(got.body.Details) == 0:
					t.Errorf("%s with %s = %.60v: no details in %s", definition.Type, name, wrong, got.raw)
				}
				if got.status == 200 {
					if err := d.Reset(t.Context()); err != nil {
						t.Fatal(err)
					}
					before = count()
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("%d tried", tried)
	}
	for _, body := range []string{"", "null", "[]", "\x00", `{"event_type":"x"}`, event("work_order.created", "null"), event("work_order.created", `"x"`)} {
		if got := d.request(body, nil); got.status != 400 || len(got.body.Details) == 0 {
			t.Errorf("%q: %d %s", body, got.status, got.raw)
		}
	}
}

// TestTwoMirroredSandboxesFallSilent: each is told of the other's changes by a
// bridge with an API key of its own. One write is told once by each of them,
// to those who did not do it, and comes back to nobody.
func TestTwoMirroredSandboxesFallSilent(t *testing.T) {
	t.Parallel()
	desks := [2]*desk{newDesk(t, Config{}.withKey()), newDesk(t, Config{}.withKey())}
	var mu sync.Mutex
	deliveries := 0
	for i := range desks {
		other := desks[1-i]
		bridge := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			deliveries++
			mu.Unlock()
			e, err := webhook.ParseEvent(body)
			if err != nil || e.Type != "vendor.created" {
				t.Errorf("a bridge got %s", body)
				return
			}
			var data struct {
				Name string `json:"vendor_name"`
			}
			_ = json.Unmarshal(e.Data(), &data)
			raw := event("vendor.created", `{"vendor_name":"`+data.Name+`"}`)
			secret, _ := webhook.NewSecret("s3cret-two")
			lines, _ := webhook.Sign([]byte(raw), time.Now(), secret)
			h := lines.HTTP()
			h.Set("X-API-Key", "key_2")
			if got := other.raw(http.MethodPost, Path, raw, h); got.status != 200 {
				t.Errorf("the other one answered %s", got.raw)
			}
		}))
		t.Cleanup(bridge.Close)
		if _, err := desks[i].Subscribe(t.Context(), Subscription{URL: bridge.URL, APIKey: "key_2"}); err != nil {
			t.Fatal(err)
		}
	}
	in := newInbox(t, testSecret) // somebody else, at the second
	if _, err := desks[1].Subscribe(t.Context(), Subscription{URL: in.URL}); err != nil {
		t.Fatal(err)
	}
	desks[0].send("vendor.created", `{"vendor_name":"V"}`)
	for range 3 {
		desks[0].idle()
		desks[1].idle()
	}
	if all := deliveries + len(strings.Fields(in.take())); all != 2 || deliveries != 1 {
		t.Errorf("%d deliveries, %d of them over the bridges", all, deliveries)
	}
}

func TestWhatWasReceivedIsTold(t *testing.T) {
	t.Parallel()
	told := make(chan webhook.Record, 2)
	c := Config{Received: func(r webhook.Record) { told <- r }}.withKey()
	d := newDesk(t, c)
	d.send("test.connection", `{}`)
	d.request(event("test.connection", `{}`)+"\n", func(h http.Header) {
		secret, _ := webhook.NewSecret(testSecret)
		lines, _ := webhook.Sign([]byte(event("test.connection", `{}`)), time.Now(), secret)
		h.Set("X-Webhook-Signature", lines.Get("X-Webhook-Signature"))
		h.Set("X-Webhook-Timestamp", lines.Get("X-Webhook-Timestamp"))
	})
	records := []webhook.Record{<-told, <-told}
	if records[0].Verdict.Outcome != webhook.Accepted || records[1].Verdict.Diagnosis == nil || records[1].Verdict.Diagnosis.ID != "body.newline_added" {
		t.Fatalf("told %+v", records)
	}
	raw, err := json.Marshal(records)
	if err != nil || bytes.Contains(raw, []byte(testKey)) {
		t.Errorf("a record holds the API key: %s, %v", raw, err)
	}
}
