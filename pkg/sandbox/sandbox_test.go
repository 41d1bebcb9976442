package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	testKey    = "key_of_the_tests"
	testSecret = "s3cret-of-the-tests"
)

// desk is a sandbox behind a server, and somebody who sends to it.
type desk struct {
	*Sandbox
	t   *testing.T
	url string
}

func (c Config) withKey() Config {
	c.Companies = []Company{{ID: "comp_1", Keys: []Key{{Key: testKey, Secret: testSecret}, {Key: "key_2", Secret: "s3cret-two"}},
		Employees: []store.Fields{{"emp_number": "EMP-1", "name": "Ann", "email": "a@example.com", "employee_type": "site_lead"}}}}
	return c
}

func newDesk(t *testing.T, c Config) *desk {
	t.Helper()
	box, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return &desk{box, t, server.URL}
}

func event(name, data string) string {
	return fmt.Sprintf(`{"event_type":%q,"timestamp":"2026-01-15T14:30:00Z","source":"test","data":%s}`, name, data)
}

// reply is an answer of the sandbox.
type reply struct {
	status int
	header http.Header
	raw    string
	body   struct {
		Success  bool             `json:"success"`
		Message  string           `json:"message"`
		EventID  string           `json:"event_id"`
		RecordID string           `json:"record_id"`
		Error    string           `json:"error"`
		Details  []rules.Detail   `json:"details"`
		Results  []map[string]any `json:"results"`
		Count    int              `json:"count"`
	}
}

func (d *desk) request(body string, change func(http.Header)) reply {
	d.t.Helper()
	secret, err := webhook.NewSecret(testSecret)
	if err != nil {
		d.t.Fatal(err)
	}
	lines, err := webhook.Sign([]byte(body), time.Now(), secret)
	if err != nil {
		d.t.Fatal(err)
	}
	h := lines.HTTP()
	h.Set("X-API-Key", testKey)
	h.Set("X-Webhook-Source", "custom")
	h.Set("Content-Type", "application/json")
	if change != nil {
		change(h)
	}
	return d.raw(http.MethodPost, Path, body, h)
}

func (d *desk) raw(method, path, body string, h http.Header) (out reply) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header = h
	if host := h.Get("Host"); host != "" {
		r.Host = host
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	out.status, out.header, out.raw = answer.StatusCode, answer.Header, string(raw)
	_ = json.Unmarshal(raw, &out.body)
	return out
}

// send sends an event that has to be taken.
func (d *desk) send(name, data string) reply {
	d.t.Helper()
	got := d.request(event(name, data), nil)
	if got.status != 200 || !got.body.Success {
		d.t.Fatalf("%s %s: %d %s", name, data, got.status, got.raw)
	}
	return got
}

// inbox is a subscriber that verifies and lints what comes.
type inbox struct {
	*httptest.Server
	mu   sync.Mutex
	came []string
	raw  [][]byte
}

func newInbox(t *testing.T, secret string) *inbox {
	t.Helper()
	key, err := webhook.NewSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	linter := lint.New(lint.Config{})
	in := &inbox{}
	in.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := webhook.Verify(r.Header, body, time.Now(), key); err != nil {
			t.Errorf("a delivery is not verified: %v", err)
		}
		for _, name := range []string{"X-Webhook-ID", "X-Webhook-Event", "X-Webhook-Retry"} {
			if r.Header.Get(name) == "" {
				t.Errorf("a delivery has no %s", name)
			}
		}
		result := linter.NewChecker().Payload(body)
		if result.Errors() > 0 {
			t.Errorf("%s: %v", body, result.Findings)
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		in.came, in.raw = append(in.came, result.Event), append(in.raw, body)
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) take() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	slices.Sort(in.came)
	list := strings.Join(in.came, " ")
	in.came = nil
	return list
}

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

func TestWhoMayNotIsToldNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{Limits: []Limit{}}.withKey())
	body := event("project.search", `{"search_term":"x"}`)
	answers := map[int]string{}
	for name, c := range map[string]struct {
		change func(http.Header)
		want   int
	}{
		"no key":               {func(h http.Header) { h.Del("X-API-Key") }, 401},
		"an unknown key":       {func(h http.Header) { h.Set("X-API-Key", "key") }, 401},
		"two keys":             {func(h http.Header) { h.Add("X-API-Key", testKey) }, 401},
		"another's secret":     {func(h http.Header) { h.Set("X-API-Key", "key_2") }, 403},
		"no signature":         {func(h http.Header) { h.Del("X-Webhook-Signature") }, 403},
		"a short signature":    {func(h http.Header) { h.Set("X-Webhook-Signature", "ab") }, 403},
		"another timestamp":    {func(h http.Header) { h.Set("X-Webhook-Timestamp", webhook.Stamp(time.Now().Add(time.Second))) }, 403},
		"no timestamp":         {func(h http.Header) { h.Del("X-Webhook-Timestamp") }, 403},
		"a repeated signature": {func(h http.Header) { h.Add("X-Webhook-Signature", h.Get("X-Webhook-Signature")) }, 403},
		"nothing is wrong":     {nil, 200},
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
			t.Errorf("%s: another answer than to others: %s, %s", name, got.raw, said)
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

func TestBothReadingsOfTheSignatureAreTaken(t *testing.T) {
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
	signature, err := scheme.Sign(webhook.Message{Body: []byte(body)}, secret)
	if err != nil {
		t.Fatal(err)
	}
	bodyOnly := func(h http.Header) { h.Set("X-Webhook-Signature", signature) }
	old := func(h http.Header) {
		bodyOnly(h)
		h.Set("X-Webhook-Timestamp", webhook.Stamp(time.Now().Add(-302*time.Second)))
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
		t.Error("a scheme of another source was taken")
	}
}

// TestTheLimitsHoldAtTheirEdges counts in injected time.
func TestTheLimitsHoldAtTheirEdges(t *testing.T) {
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
		t.Error("after 60 s there is no room")
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

func TestEveryFieldMayBeWrong(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{Limits: []Limit{}}.withKey())
	count := func() int {
		list, err := d.Records(t.Context(), store.Query{})
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

func TestTheAdminAnswersThisMachineAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	for name, c := range map[string]struct {
		header http.Header
		want   int
	}{
		"plain":              {http.Header{}, 200},
		"another host":       {http.Header{"Host": {"evil.example"}}, 403},
		"a rebound name":     {http.Header{"Host": {"127.0.0.1.evil.example"}}, 403},
		"localhost":          {http.Header{"Host": {"localhost:1"}}, 200},
		"cross-site":         {http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"another origin":     {http.Header{"Origin": {"https://evil.example"}}, 403},
		"an opaque origin":   {http.Header{"Origin": {"null"}}, 403},
		"typed by a person":  {http.Header{"Sec-Fetch-Site": {"none"}}, 200},
		"same-site is other": {http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
	} {
		if got := d.raw(http.MethodGet, AdminPath+"status", "", c.header); got.status != c.want {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	if got := d.raw(http.MethodPost, AdminPath+"reset", "{}", http.Header{"Content-Type": {"text/plain"}}); got.status != 400 {
		t.Errorf("a form: %d", got.status)
	}
	r := httptest.NewRequest(http.MethodGet, "http://localhost"+AdminPath+"status", nil)
	r.RemoteAddr = "192.168.1.7:1234"
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if w.Code != 403 {
		t.Errorf("over the network: %d", w.Code)
	}
	if got := d.raw(http.MethodGet, AdminPath+"status", "", http.Header{}); strings.Contains(got.raw, testSecret) || strings.Contains(got.raw, testKey) {
		t.Errorf("the status holds a key or a secret: %s", got.raw)
	}
}

// TestTheAdminMovesThingsOn uses every question of the admin API.
func TestTheAdminMovesThingsOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	var mu sync.Mutex
	status, came := 500, 0
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		came++
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	jsonHeader := http.Header{"Content-Type": {"application/json"}}
	post := func(path, body string) reply {
		t.Helper()
		return d.raw(http.MethodPost, AdminPath+path, body, jsonHeader)
	}
	if got := post("subscriptions", `{"url":"http://10.0.0.1/"}`); got.status != 400 {
		t.Errorf("a private target: %d %s", got.status, got.raw)
	}
	if got := post("subscriptions", `{"url":"`+receiver.URL+`","events":["vendor"]}`); got.status != 200 {
		t.Fatalf("subscribing: %s", got.raw)
	}
	d.send("vendor.created", `{"vendor_name":"V"}`)
	d.idle()
	for range 5 {
		if got := post("advance", `{"duration":"6h"}`); got.status != 200 || !strings.Contains(got.raw, `"due":1`) {
			t.Fatalf("advancing: %s", got.raw)
		}
		d.idle()
	}
	if got := d.raw(http.MethodGet, AdminPath+"deliveries?state=dead", "", http.Header{}); !strings.Contains(got.raw, `"attempts":6`) || came != 6 {
		t.Errorf("after the schedule, %d attempts: %s", came, got.raw)
	}
	mu.Lock()
	status = 200
	mu.Unlock()
	if got := post("deliveries/resend", `{"state":"dead"}`); got.status != 200 || !strings.Contains(got.raw, `"resent":1`) {
		t.Errorf("resending: %s", got.raw)
	}
	d.idle()
	if got := d.raw(http.MethodGet, AdminPath+"status", "", http.Header{}); !strings.Contains(got.raw, `"deliveries":{"delivered":1}`) || !strings.Contains(got.raw, `"vendor":1`) || !strings.Contains(got.raw, `"advanced":"30h0m0s"`) {
		t.Errorf("the status is %s", got.raw)
	}
	if got := d.raw(http.MethodGet, AdminPath+"records?kind=vendor", "", http.Header{}); !strings.Contains(got.raw, `"vendor_name":"V"`) {
		t.Errorf("records: %s", got.raw)
	}
	if got := d.raw(http.MethodGet, AdminPath+"records?kind=vender", "", http.Header{}); got.status != 400 {
		t.Errorf("an unknown kind: %s", got.raw)
	}
	if got := post("reset", `{}`); got.status != 200 {
		t.Errorf("resetting: %s", got.raw)
	}
	if got := d.raw(http.MethodGet, AdminPath+"status", "", http.Header{}); !strings.Contains(got.raw, `"vendor":0`) || !strings.Contains(got.raw, `"advanced":"0s"`) || !strings.Contains(got.raw, `"employee":1`) {
		t.Errorf("after a reset: %s", got.raw)
	}
}

func (d *desk) idle() {
	d.t.Helper()
	if err := d.Idle(d.t.Context()); err != nil {
		d.t.Fatal(err)
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

func TestAFileKeepsTheStateAndTheKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "box.db")
	var first Key
	for n := range 2 {
		box, err := New(t.Context(), Config{Data: path, NewID: rand.Text})
		if err != nil {
			t.Fatal(err)
		}
		key := box.Companies()[0].Keys[0]
		if n == 0 {
			first = key
		} else if key != first {
			t.Errorf("after a restart the key is %+v, before %+v", key, first)
		}
		if err := errors.Join(box.Reset(t.Context()), box.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTwoWritersAtOnceMakeOneRecord(t *testing.T) {
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

func TestCustomFieldsAreThoseOfTheCompany(t *testing.T) {
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

func TestWhatWasReceivedIsTold(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var records []webhook.Record
	c := Config{Received: func(r webhook.Record) { mu.Lock(); defer mu.Unlock(); records = append(records, r) }}.withKey()
	d := newDesk(t, c)
	d.send("test.connection", `{}`)
	d.request(event("test.connection", `{}`)+"\n", func(h http.Header) {
		secret, _ := webhook.NewSecret(testSecret)
		lines, _ := webhook.Sign([]byte(event("test.connection", `{}`)), time.Now(), secret)
		h.Set("X-Webhook-Signature", lines.Get("X-Webhook-Signature"))
		h.Set("X-Webhook-Timestamp", lines.Get("X-Webhook-Timestamp"))
	})
	if len(records) != 2 || records[0].Verdict.Outcome != webhook.Accepted || records[1].Verdict.Diagnosis == nil || records[1].Verdict.Diagnosis.ID != "body.newline_added" {
		t.Fatalf("told %+v", records)
	}
	raw, err := json.Marshal(records)
	if err != nil || bytes.Contains(raw, []byte(testKey)) {
		t.Errorf("a record holds the API key: %s, %v", raw, err)
	}
}

// TestEverySampleFindsItsEmployeesAndSkills: a sample of the catalog may need
// what another one creates, but nobody and nothing that none of them does.
func TestEverySampleFindsItsEmployeesAndSkills(t *testing.T) {
	t.Parallel()
	box, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	known := map[string]bool{}
	list, err := box.Records(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		known[string(r.Kind)+" "+r.Key] = true
	}
	asked := 0
	for _, d := range webhook.Events(webhook.WorkSkedge, webhook.Inbound) {
		var envelope struct{ Data map[string]any }
		if err := json.Unmarshal(d.Sample(), &envelope); err != nil {
			t.Fatal(err)
		}
		need := func(kind store.Kind, name string) {
			t.Helper()
			asked++
			if !known[string(kind)+" "+name] {
				t.Errorf("the sample of %s needs the %s %s", d.Type, kind, name)
			}
		}
		for name, value := range envelope.Data {
			text, _ := value.(string)
			switch {
			case d.Type == "employee.created" && name == "emp_number":
				known["employee "+text] = true // and it is the first of them in the catalog's order
			case strings.HasSuffix(name, "emp_number"), name == "submitted_by", name == "approved_by":
				need(store.Employee, text)
			case name == "employee_skills":
				skills, _ := value.([]any)
				for _, skill := range skills {
					need(store.Skill, fmt.Sprint(skill))
				}
			}
		}
	}
	if asked < 15 {
		t.Errorf("%d references: the samples have more", asked)
	}
}

// TestARestartKeepsWhatBecameOfTheDefaults: an employee that is there by default
// and was deleted, stays so.
func TestARestartKeepsWhatBecameOfTheDefaults(t *testing.T) {
	t.Parallel()
	c := Config{Data: filepath.Join(t.TempDir(), "box.db"), Limits: []Limit{}}
	c.Companies = []Company{{Keys: []Key{{Key: testKey, Secret: testSecret}}}}
	first := newDesk(t, c)
	first.send("employee.deleted", `{"emp_number":"EMP-3116"}`)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := newDesk(t, c)
	got := second.request(event("employee.updated", `{"emp_number":"EMP-3116"}`), nil)
	if got.status != 404 {
		t.Errorf("after a restart: %d %s", got.status, got.raw)
	}
	if err := second.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.send("employee.deleted", `{"emp_number":"EMP-3116"}`)
}
