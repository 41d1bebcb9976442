// Package sandboxtest is WorkSkedge for the tests of an integration: a sandbox on
// loopback that ends with the test.
//
//	func TestProjectsReachTheERP(t *testing.T) {
//		erp := httptest.NewServer(newERPHandler()) // the receiver under test
//		defer erp.Close()
//		box := sandboxtest.New(t, sandboxtest.Subscribe(erp.URL, "project.*"))
//		box.Send(sandboxtest.Event("project.created", map[string]any{
//			"project_name": "Harbor", "project_code": "P-1", "customer_name": "Acme", "location_name": "Pier 6",
//		}))
//		box.Wait(sandboxtest.Of("project.created", sandbox.Delivered))
//	}
//
// A method that cannot do what its name says ends the test and says why. The test in
// testdata/examples/workorders has an integration in both directions, and a receiver
// that fails.
//
// This package is experimental: its API may change.
package sandboxtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// WaitLimit is how long [Box.Wait] and [Box.AdvanceUntil] wait.
const WaitLimit = 10 * time.Second

// Box is a sandbox that a test owns. Its methods may be called from the goroutine of
// the test alone.
type Box struct {
	*sandbox.Sandbox

	URL    string         // receives events, as the endpoint of WorkSkedge does; so does URL + sandbox.Path
	Key    string         // the API key of the first company
	Secret webhook.Secret // signs what is sent with Key, and what subscribers receive

	Client deliver.Client // sends as Send does

	t       testing.TB
	mu      sync.Mutex
	changed chan struct{} // closed and replaced after each attempt
}

// Option configures a [Box].
type Option func(*options)

type options struct {
	config        sandbox.Config
	subscriptions []sandbox.Subscription
}

// Config edits the configuration of the sandbox, which has no rate limits and pauses
// of real length by default.
func Config(edit func(*sandbox.Config)) Option { return func(o *options) { edit(&o.config) } }

// Subscribe delivers the outbound events that match the patterns, or all, to a URL.
func Subscribe(url string, events ...string) Option {
	return Subscription(sandbox.Subscription{URL: url, Events: events})
}

// Subscription adds a subscription of any kind, such as one to compact events.
func Subscription(s sandbox.Subscription) Option {
	return func(o *options) { o.subscriptions = append(o.subscriptions, s) }
}

// New starts a sandbox that ends with the test.
func New(t testing.TB, given ...Option) *Box {
	t.Helper()
	b := &Box{t: t, changed: make(chan struct{})}
	o := options{config: sandbox.Config{Limits: []deliver.Limit{}}}
	for _, option := range given {
		option(&o)
	}
	delivered := o.config.Delivered
	o.config.Delivered = func(d sandbox.Delivery, r webhook.Record) {
		if delivered != nil {
			delivered(d, r)
		}
		b.signal()
	}
	var err error
	if b.Sandbox, err = sandbox.New(t.Context(), o.config); err != nil {
		t.Fatalf("starting the sandbox: %v", err)
	}
	server := httptest.NewServer(http.HandlerFunc(b.serve))
	transport := deliver.NewTransport()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		if err := b.Close(); err != nil {
			t.Errorf("closing the sandbox: %v", err)
		}
	})
	key := b.Companies()[0].Keys[0]
	if b.Secret, err = webhook.NewSecret(key.Secret); err != nil {
		t.Fatalf("the secret of the sandbox: %v", err)
	}
	b.URL, b.Key, b.Client = server.URL, key.Key, deliver.Client{Transport: transport}
	for _, s := range o.subscriptions {
		if _, err := b.Sandbox.Subscribe(t.Context(), s); err != nil {
			t.Fatalf("subscribing %s: %v", s.URL, err)
		}
	}
	return b
}

// serve receives events also at the root.
func (b *Box) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" || r.URL.Path == "" {
		r = r.Clone(r.Context())
		r.URL.Path = sandbox.Path
	}
	b.ServeHTTP(w, r)
}

func (b *Box) signal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
}

// Event returns an inbound event, with the time now. data is marshaled to JSON; it
// panics if that fails.
func Event(eventType string, data any) webhook.Event {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("sandboxtest: the data of %s: %v", eventType, err))
	}
	d := webhook.Definition{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Type: eventType}
	if raw, err = payload.New(d, raw, payload.Head{Time: time.Now(), Source: "sandboxtest"}); err != nil { //nolint:forbidigo // the sandbox checks the time
		panic(fmt.Sprintf("sandboxtest: the data of %s: %v", eventType, err))
	}
	return parse(raw)
}

// Sample returns the catalog's sample of an event of WorkSkedge. It panics if there is
// none.
func Sample(form webhook.Form, eventType string) webhook.Event {
	d, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, form, eventType)
	if err != nil {
		panic("sandboxtest: " + err.Error())
	}
	if d.Sample() == nil {
		panic("sandboxtest: " + eventType + " is documented by name only, without a sample")
	}
	return parse(d.Sample())
}

func parse(raw []byte) webhook.Event {
	event, err := webhook.ParseEvent(raw)
	if err != nil {
		panic("sandboxtest: " + err.Error())
	}
	return event
}

// Accepted is what the sandbox answers to an event that it accepts.
type Accepted struct {
	Message  string           `json:"message"`
	EventID  string           `json:"event_id"`
	RecordID string           `json:"record_id"` // of the record that the event is about
	Results  []map[string]any `json:"results"`   // of a search
}

// Send sends a signed inbound event, which the sandbox must accept.
func (b *Box) Send(event webhook.Event) Accepted {
	b.t.Helper()
	record, err := b.Client.Send(b.t.Context(), b.Delivery(event), deliver.Policy{}, nil)
	if err != nil {
		why := err.Error()
		if record.Response != nil {
			why += ": " + strings.TrimSpace(string(record.Response.Body))
		}
		b.t.Fatalf("sending %s: %s", event.Type, why)
	}
	var accepted Accepted
	if err := json.Unmarshal(record.Response.Body, &accepted); err != nil {
		b.t.Fatalf("sending %s: the answer is not JSON: %v", event.Type, err)
	}
	return accepted
}

// Delivery returns the delivery of an inbound event to the sandbox, for [Box.Client]:
// for events that are to be refused, and for other headers.
func (b *Box) Delivery(event webhook.Event) deliver.Delivery {
	return deliver.Delivery{URL: b.URL, Event: event, Header: deliver.Inbound(b.Key, "custom"), Secret: b.Secret}
}

// Seed sends the events of a fixture, which the sandbox must accept: inbound payloads,
// one a line or one after another.
func (b *Box) Seed(fixture []byte) {
	b.t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(fixture)))
	for n := 1; decoder.More(); n++ {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			b.t.Fatalf("event %d of the fixture: %v", n, err)
		}
		event, err := webhook.ParseEvent(raw)
		if err != nil {
			b.t.Fatalf("event %d of the fixture: %v", n, err)
		}
		b.Send(event)
	}
}

// Publish delivers an event of the form outbound or compact, byte for byte, without an
// inbound event that causes it. A subscription must want it.
func (b *Box) Publish(event webhook.Event) {
	b.t.Helper()
	n, err := b.Sandbox.Publish(b.t.Context(), "", event)
	switch {
	case err != nil:
		b.t.Fatal(err)
	case n == 0:
		b.t.Fatalf("publishing %s: no subscription wants it in the form %s", event.Type, event.Form)
	}
}

// Deliveries returns all deliveries, the oldest first.
func (b *Box) Deliveries() []sandbox.Delivery {
	b.t.Helper()
	newest, err := b.Sandbox.Deliveries(b.t.Context(), sandbox.DeliveryQuery{})
	if err != nil {
		b.t.Fatal(err)
	}
	oldest := make([]sandbox.Delivery, 0, len(newest))
	for i := range newest {
		oldest = append(oldest, newest[len(newest)-1-i])
	}
	return oldest
}

// Wait waits until a delivery matches, at most [WaitLimit], and returns it.
func (b *Box) Wait(match func(sandbox.Delivery) bool) sandbox.Delivery {
	b.t.Helper()
	limited, cancel := context.WithTimeout(b.t.Context(), WaitLimit)
	defer cancel()
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		if d, ok := find(b.Deliveries(), match); ok {
			return d
		}
		select {
		case <-changed:
		case <-limited.Done():
			b.t.Fatalf("no delivery matches after %s; there are:\n%s", WaitLimit, list(b.Deliveries()))
		}
	}
}

// Advance moves the clock of the retry schedule, and lets happen what happens in that
// time.
func (b *Box) Advance(d time.Duration) {
	b.t.Helper()
	if _, err := b.Sandbox.Advance(b.t.Context(), d); err != nil {
		b.t.Fatal(err)
	}
}

// AdvanceUntil moves the clock from attempt to attempt until a delivery matches, and
// returns it. A delivery that is retried to its end is dead after seven and a half
// hours of the clock.
func (b *Box) AdvanceUntil(match func(sandbox.Delivery) bool) sandbox.Delivery {
	b.t.Helper()
	limited, cancel := context.WithTimeout(b.t.Context(), WaitLimit)
	defer cancel()
	for {
		if err := b.Idle(limited); err != nil {
			b.t.Fatalf("the attempts that are due did not end within %s: %v", WaitLimit, err)
		}
		if d, ok := find(b.Deliveries(), match); ok {
			return d
		}
		status, err := b.Status(limited)
		if err != nil {
			b.t.Fatal(err)
		}
		if status.NextDue == nil {
			b.t.Fatalf("no delivery matches, and no attempt is due any more; there are:\n%s", list(b.Deliveries()))
		}
		if pause := status.NextDue.Sub(status.Clock); pause > 0 {
			b.Advance(pause)
		}
	}
}

// Of returns a match for [Box.Wait] and [Box.AdvanceUntil]: a delivery of an event in a
// state.
func Of(eventType string, state sandbox.State) func(sandbox.Delivery) bool {
	return func(d sandbox.Delivery) bool { return d.Event == eventType && d.State == state }
}

func find(deliveries []sandbox.Delivery, match func(sandbox.Delivery) bool) (sandbox.Delivery, bool) {
	for _, d := range deliveries {
		if match(d) {
			return d, true
		}
	}
	return sandbox.Delivery{}, false
}

// list describes deliveries for a message.
func list(deliveries []sandbox.Delivery) string {
	if len(deliveries) == 0 {
		return "  none"
	}
	var b strings.Builder
	for _, d := range deliveries {
		fmt.Fprintf(&b, "  %s  %s  %s to %s: %d attempts, last status %d %s\n", d.ID, d.Event, d.State, d.URL, d.Attempts, d.Status, d.Error)
	}
	return b.String()
}
