package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestInboundRefusalsRevealNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{Limits: []deliver.Limit{}}.withKey())
	body := event("project.search", `{"search_term":"x"}`)
	answers := map[int]string{}
	for name, c := range map[string]struct {
		change func(http.Header)
		want   int
	}{
		"no key":            {func(h http.Header) { h.Del("X-API-Key") }, 401},
		"an unknown key":    {func(h http.Header) { h.Set("X-API-Key", "key") }, 401},
		"two keys":          {func(h http.Header) { h.Add("X-API-Key", testKey) }, 401},
		"another's secret":  {func(h http.Header) { h.Set("X-API-Key", "key_2") }, 403},
		"no signature":      {func(h http.Header) { h.Del("X-Webhook-Signature") }, 403},
		"a short signature": {func(h http.Header) { h.Set("X-Webhook-Signature", "ab") }, 403},
		"another timestamp": {func(h http.Header) {
			h.Set("X-Webhook-Timestamp", webhook.FormatTimestamp(time.Now().Add(time.Second)))
		}, 403},
		"no timestamp":         {func(h http.Header) { h.Del("X-Webhook-Timestamp") }, 403},
		"a repeated signature": {func(h http.Header) { h.Add("X-Webhook-Signature", h.Get("X-Webhook-Signature")) }, 403},
		"a valid event":        {nil, 200},
		"no source":            {func(h http.Header) { h.Del("X-Webhook-Source") }, 200},
		"zapier":               {func(h http.Header) { h.Set("X-Webhook-Source", "zapier") }, 200},
		"an unknown source":    {func(h http.Header) { h.Set("X-Webhook-Source", "sap") }, 400},
		"compressed":           {func(h http.Header) { h.Set("Content-Encoding", "gzip") }, 415},
	} {
		got := d.request(body, c.change)
		if got.status != c.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.raw, c.want)
		}
		if said, seen := answers[got.status]; seen && got.status/100 == 4 && said != got.raw {
			t.Errorf("%s: the response differs from others of its status: %s, %s", name, got.raw, said)
		}
		answers[got.status] = got.raw
	}
	if got := d.raw(http.MethodGet, Path, "", http.Header{}); got.status != 405 {
		t.Errorf("GET: %d", got.status)
	}
	if got := d.raw(http.MethodPost, "/", "", http.Header{}); got.status != 404 || !strings.Contains(got.raw, Path) {
		t.Errorf("another path: %s", got.raw)
	}
}

func TestInboundAcceptsBothReadingsOfTheSignature(t *testing.T) {
	t.Parallel()
	body := event("test.connection", `{}`)
	secret, err := webhook.NewSecret(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := webhook.SchemeNamed(webhook.BodyOnly)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := scheme.Signature(webhook.Message{Body: []byte(body)}, secret)
	if err != nil {
		t.Fatal(err)
	}
	bodyOnly := func(h http.Header) { h.Set("X-Webhook-Signature", signature) }
	old := func(h http.Header) {
		bodyOnly(h)
		h.Set("X-Webhook-Timestamp", webhook.FormatTimestamp(time.Now().Add(-302*time.Second)))
	}
	unsigned := func(h http.Header) { h.Del("X-Webhook-Signature") }
	both, strict := newDesk(t, Config{}.withKey()), newDesk(t, Config{RequireScheme: webhook.TimestampBody}.withKey())
	for _, c := range []struct {
		d      *desk
		change func(http.Header)
		want   int
	}{{both, nil, 200}, {both, bodyOnly, 200}, {both, old, 403}, {both, unsigned, 200}, {strict, bodyOnly, 403}, {strict, nil, 200}} {
		if got := c.d.request(body, c.change); got.status != c.want {
			t.Errorf("%d %s, want %d", got.status, got.raw, c.want)
		}
	}
	if _, err := New(t.Context(), Config{RequireScheme: "square"}); err == nil {
		t.Error("a scheme of another source was accepted")
	}
}

// TestInboundRateLimits counts to the edges of both limits, in injected time.
func TestInboundRateLimits(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	clock := time.Now().Truncate(time.Second)
	d := newDesk(t, Config{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }}.withKey())
	body := event("test.connection", `{}`)
	ask := func() reply { return d.request(body, func(h http.Header) { h.Del("X-Webhook-Signature") }) }
	for n := range 50 {
		got := ask()
		if got.status != 200 || got.header.Get("X-Ratelimit-Limit") != "50" || got.header.Get("X-Ratelimit-Remaining") != strconv.Itoa(49-n) {
			t.Fatalf("request %d: %d, %v", n+1, got.status, got.header)
		}
	}
	got := ask()
	if got.status != 429 || got.header.Get("Retry-After") != "60" || got.body.Error != "Rate limit exceeded" {
		t.Fatalf("request 51: %d %v", got.status, got.header)
	}
	if got := d.request(body, func(h http.Header) { h.Set("X-API-Key", "key_2"); h.Del("X-Webhook-Signature") }); got.status != 200 {
		t.Errorf("another key: %d", got.status)
	}
	step := func(by time.Duration) { mu.Lock(); clock = clock.Add(by); mu.Unlock() }
	if step(59 * time.Second); ask().status != 429 {
		t.Error("after 59 s there is room")
	}
	if step(time.Second); ask().status != 200 {
		t.Error("after 60 s the limit still applies")
	}
	for n := 51; n < 1000; {
		switch ask().status {
		case 200:
			n++
		case 429:
			step(time.Minute)
		}
	}
	step(time.Minute)
	if got := ask(); got.status != 429 || got.header.Get("X-Ratelimit-Limit") != "1000" {
		t.Errorf("request 1,001 of the hour: %d %v", got.status, got.header)
	}
}

// TestInboundStory goes from a project to its end, over HTTP.
func TestInboundStory(t *testing.T) {
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
		if c.event == "report.completion_approved" { // the order keeps its dates, so it is not scheduled again
			want = want[:len(want)-1]
		}
		slices.Sort(want)
		if raised := in.take(); raised != strings.Join(want, " ") {
			t.Errorf("%s raised %s, want %s", c.event, raised, want)
		}
	}
}

func TestInboundWithWrongMembers(t *testing.T) {
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
	for _, definition := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, webhook.Inbound) {
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

func TestInboundConcurrentCreates(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	results := make(chan int, 20)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() { results <- d.request(event("customer.created", `{"name":"Acme"}`), nil).status })
	}
	wait.Wait()
	counts := map[int]int{}
	for range 20 {
		counts[<-results]++
	}
	if counts[200] != 1 || counts[400] != 19 {
		t.Errorf("answers %v", counts)
	}
}

func TestInboundCustomFields(t *testing.T) {
	t.Parallel()
	c := Config{}.withKey()
	c.Companies[0].CustomFields = map[string][]string{"vendor": {"license"}}
	d := newDesk(t, c)
	d.send("vendor.created", `{"vendor_name":"V","custom_fields":{"license":"1"}}`)
	got := d.request(event("vendor.created", `{"vendor_name":"W","custom_fields":{"licence":"1"}}`), nil)
	if got.status != 400 || len(got.body.Details) != 1 || got.body.Details[0].Pointer != "/data/custom_fields/licence" || !strings.Contains(got.body.Error, "license") {
		t.Errorf("answered %s", got.raw)
	}
}

func TestConfigReceived(t *testing.T) {
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
		t.Errorf("a record contains the API key: %s, %v", raw, err)
	}
}
