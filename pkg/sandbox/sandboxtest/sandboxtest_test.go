package sandboxtest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/sandbox/sandboxtest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// erp is a receiver that counts verified events by type.
type erp struct {
	*httptest.Server
	mu     sync.Mutex
	events map[string]int
	status int
	secret webhook.Secret
}

func newERP(t *testing.T) *erp {
	t.Helper()
	e := &erp{events: map[string]int{}, status: http.StatusOK}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		body, err := webhook.VerifyRequest(r, 1<<20, e.secret)
		if err != nil {
			t.Errorf("a delivery is not verified: %v", err)
		}
		event, err := webhook.ParseEvent(body)
		if err != nil {
			t.Errorf("a delivery is not an event: %v", err)
		}
		e.events[event.Type]++
		w.WriteHeader(e.status)
	}))
	t.Cleanup(e.Close)
	return e
}

// knows gives the receiver the secret of a box.
func (e *erp) knows(b *sandboxtest.Box) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.secret = b.Secret
}

func (e *erp) count(event string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.events[event]
}

var acme = map[string]any{"project_name": "Harbor", "project_code": "P-1", "customer_name": "Acme", "location_name": "Pier 6"}

func TestBoxSendReachesASubscriber(t *testing.T) {
	t.Parallel()
	receiver := newERP(t)
	box := sandboxtest.New(t, sandboxtest.Subscribe(receiver.URL, "project.*"))
	receiver.knows(box)
	if got := box.Send(sandboxtest.Event("project.created", acme)); got.RecordID == "" || got.EventID == "" {
		t.Errorf("the answer is %+v", got)
	}
	found := box.Send(sandboxtest.Event("project.search", map[string]any{"search_term": "P-1", "search_field": "project_code", "exact_match": true}))
	if len(found.Results) != 1 || found.Results[0]["project_code"] != "P-1" {
		t.Errorf("the search found %v", found.Results)
	}
	d := box.Wait(sandboxtest.Of("project.created", sandbox.Delivered))
	if d.Status != 200 || receiver.count("project.created") != 1 {
		t.Errorf("the delivery is %+v, and the receiver got %d", d, receiver.count("project.created"))
	}
	if all := box.Deliveries(); len(all) != 1 || all[0].ID != d.ID {
		t.Errorf("the deliveries are %+v", all)
	}
}

// Both URLs receive events, as the endpoint of the platform does.
func TestBoxURL(t *testing.T) {
	t.Parallel()
	box := sandboxtest.New(t)
	for _, url := range []string{box.URL, box.URL + "/", box.URL + sandbox.Path} {
		d := box.Delivery(sandboxtest.Sample(webhook.Inbound, "test.connection"))
		d.URL = url
		if record, err := box.Client.Attempt(t.Context(), d, 0); err != nil || record.Status() != 200 {
			t.Errorf("%s answers %d, %v", url, record.Status(), err)
		}
	}
	response, err := (&http.Client{Transport: box.Client.Transport}).Get(box.URL + sandbox.AdminPath + "status")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 200 {
		t.Errorf("the admin API answers %d, %v", response.StatusCode, err)
	}
}

// Every event that the platform sends can be had, also those that no inbound event
// raises.
func TestBoxPublishesEveryDocumentedEvent(t *testing.T) {
	t.Parallel()
	receiver := newERP(t)
	box := sandboxtest.New(t, sandboxtest.Subscribe(receiver.URL),
		sandboxtest.Subscription(sandbox.Subscription{URL: receiver.URL, Form: webhook.Compact}))
	receiver.knows(box)
	want := map[string]int{}
	for _, form := range []webhook.Form{webhook.Outbound, webhook.Compact} {
		for _, d := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, form) {
			raw := d.Sample()
			if raw == nil { // documented by name only
				raw = fmt.Appendf(nil, `{"event":%q,"timestamp":"2026-01-15T14:30:00Z","data":{}}`, d.Type)
				if form == webhook.Outbound {
					raw = fmt.Appendf(nil, `{"event_id":"evt_1","event_type":%q,"timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{}}`, d.Type)
				}
			}
			event, err := webhook.ParseEvent(raw)
			if err != nil {
				t.Fatal(err)
			}
			box.Publish(event)
			want[d.Type]++
		}
	}
	if err := box.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for event, n := range want {
		if got := receiver.count(event); got != n {
			t.Errorf("%s arrived %d times, want %d", event, got, n)
		}
	}
}

func TestBoxAdvanceUntil(t *testing.T) {
	t.Parallel()
	receiver := newERP(t)
	receiver.status = http.StatusServiceUnavailable
	box := sandboxtest.New(t, sandboxtest.Subscribe(receiver.URL))
	receiver.knows(box)
	box.Publish(sandboxtest.Sample(webhook.Outbound, "work_order.created"))
	d := box.AdvanceUntil(sandboxtest.Of("work_order.created", sandbox.Dead))
	if d.Attempts != 6 || receiver.count("work_order.created") != 6 {
		t.Errorf("the delivery is %+v after %d attempts", d, receiver.count("work_order.created"))
	}
	box.Publish(sandboxtest.Sample(webhook.Outbound, "project.created"))
	box.Wait(func(d sandbox.Delivery) bool { return d.Event == "project.created" && d.Status == 503 })
	receiver.mu.Lock()
	receiver.status = http.StatusOK
	receiver.mu.Unlock()
	box.Advance(time.Minute)
	box.Wait(sandboxtest.Of("project.created", sandbox.Delivered))
}

func TestBoxSeed(t *testing.T) {
	t.Parallel()
	box := sandboxtest.New(t)
	box.Seed([]byte(`{"event_type":"vendor.created","timestamp":"2026-01-15T14:30:00Z","source":"x","data":{"vendor_name":"V"}}
{"event_type":"vendor.updated","timestamp":"2026-01-15T14:30:00Z","source":"x","data":{"vendor_name":"V","rating":4}}`))
	records, err := box.Records(t.Context(), sandbox.RecordQuery{Kind: "vendor"})
	if err != nil || len(records) != 1 || records[0].Name != "V" {
		t.Errorf("the vendors are %+v, %v", records, err)
	}
}

// failing is a test that keeps why it failed.
type failing struct {
	testing.TB
	why string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

func (f *failing) Fatal(args ...any) {
	f.why = fmt.Sprint(args...)
	runtime.Goexit()
}

// A method that cannot do what its name says ends the test and says why.
func TestBoxFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(*sandboxtest.Box)
		want string
	}{
		"an event that is refused": {
			func(b *sandboxtest.Box) {
				b.Send(sandboxtest.Event("vendor.deleted", map[string]any{"vendor_name": "nobody"}))
			},
			`400 Bad Request: {"success":false,"error":"there is no vendor named \"nobody\""`,
		},
		"an event that nobody wants": {
			func(b *sandboxtest.Box) { b.Publish(sandboxtest.Sample(webhook.Compact, "vendor.created")) },
			"publishing vendor.created: no subscription wants it in the form compact",
		},
		"an event of the other direction": {
			func(b *sandboxtest.Box) { b.Publish(sandboxtest.Sample(webhook.Inbound, "vendor.created")) },
			`it has the form "inbound"`,
		},
		"a fixture that is not JSON": {
			func(b *sandboxtest.Box) { b.Seed([]byte("{\"event_type\"\n")) },
			"event 1 of the fixture",
		},
		"a delivery that never comes": {
			func(b *sandboxtest.Box) { b.AdvanceUntil(sandboxtest.Of("project.created", sandbox.Delivered)) },
			"no attempt is due any more; there are:\n  none",
		},
		"a configuration that is wrong": {
			func(b *sandboxtest.Box) {
				sandboxtest.New(&failing{TB: t}, sandboxtest.Config(func(c *sandbox.Config) { c.Speed = -1 }))
			},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &failing{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				box := sandboxtest.New(f)
				tt.do(box)
				t.Error("the test went on")
			}()
			<-done
			if !strings.Contains(f.why, tt.want) {
				t.Errorf("it says %q, want %q", f.why, tt.want)
			}
		})
	}
}
