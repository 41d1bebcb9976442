package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

func now() time.Time { return time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC) }

// receiver records what it receives and checks each signature. It answers with
// the given statuses in turn, and repeats the last.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	answers []int
	came    []string // event, retry, id
}

func newReceiver(t *testing.T, answers ...int) *receiver {
	t.Helper()
	r := &receiver{answers: answers}
	secret, err := webhook.NewSecret("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		if err := webhook.Verify(req.Header, body, now(), secret); err != nil {
			t.Errorf("a delivery is not verified: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.came = append(r.came, fmt.Sprintf("%s %s %s", req.Header.Get("X-Webhook-Event"), req.Header.Get("X-Webhook-Retry"), req.Header.Get("X-Webhook-ID")))
		status := r.answers[0]
		if len(r.answers) > 1 {
			r.answers = r.answers[1:]
		}
		if status/100 == 3 {
			w.Header().Set("Location", "http://127.0.0.1:1/")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.came...)
}

// box is an outbox whose clock only Advance moves.
type box struct {
	*Outbox
	t     *testing.T
	store *store.Store
}

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newBox(t *testing.T, s *store.Store, change func(*Config)) *box {
	t.Helper()
	b := &box{t: t, store: s}
	mine := rand.Text()[:6] // a later box on the same file makes others
	var n atomic.Int64
	c := Config{
		Store: s, Now: now, NewID: func(prefix string) string { return fmt.Sprintf("%s_%d_%s", prefix, n.Add(1), mine) },
		Wait: func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() },
	}
	if change != nil {
		change(&c)
	}
	o, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	b.Outbox = o
	return b
}

func newMemoryBox(t *testing.T, change func(*Config)) *box {
	t.Helper()
	s := open(t, "")
	b := newBox(t, s, change)
	t.Cleanup(func() {
		if err := errors.Join(b.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *box) do(f func(*store.Tx) error) {
	b.t.Helper()
	if err := b.store.Do(context.Background(), f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) subscribe(s store.Subscription) {
	b.t.Helper()
	s.Company, s.Secret = "comp_1", "s3cret"
	if s.Form == "" {
		s.Form = webhook.Outbound
	}
	b.do(func(tx *store.Tx) error { return tx.Subscribe(s) })
}

// vendor creates a vendor with an API key, which raises one event.
func (b *box) vendor(name, key string) {
	b.t.Helper()
	b.do(func(tx *store.Tx) error {
		result, err := rules.Apply(rules.Call{
			Tx: tx, Company: "comp_1", Actor: "user_1", Event: webhook.Event{Type: "vendor.created"}, Data: store.Fields{"vendor_name": name}, Now: now(), NewID: b.config.NewID,
		})
		if err != nil {
			return err
		}
		_, err = b.Enqueue(tx, "comp_1", key, result.Changes)
		return err
	})
	b.Wake()
}

func (b *box) idle() {
	b.t.Helper()
	if err := b.Idle(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) advance(d time.Duration) {
	b.t.Helper()
	if _, err := b.Advance(b.t.Context(), d); err != nil {
		b.t.Fatal(err)
	}
	b.idle()
}

func (b *box) states() string {
	b.t.Helper()
	var list []string
	b.do(func(tx *store.Tx) error {
		list = nil
		all, err := tx.Deliveries(store.DeliveryQuery{})
		for _, d := range all {
			list = append(list, fmt.Sprintf("%s %s %d %d %s", d.Event, d.State, d.Attempts, d.Status, d.Error))
		}
		return err
	})
	return strings.Join(list, "\n")
}

func TestOutboxFollowsTheSchedule(t *testing.T) {
	t.Parallel()
	b, r := newMemoryBox(t, nil), newReceiver(t, 500)
	b.subscribe(store.Subscription{ID: "sub_1", URL: r.URL})
	b.vendor("V", "")
	b.idle()
	total := 1
	for _, pause := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour} {
		b.advance(pause - time.Second)
		if n := len(r.seen()); n != total {
			t.Fatalf("%d attempts a second before the pause of %s ends, want %d", n, pause, total)
		}
		b.advance(time.Second)
		total++
		if n := len(r.seen()); n != total {
			t.Fatalf("%d attempts after the pause of %s, want %d", n, pause, total)
		}
	}
	b.advance(48 * time.Hour)
	came := r.seen()
	if len(came) != 6 {
		t.Fatalf("%d attempts", len(came))
	}
	_, id, _ := strings.Cut(came[0], " 0 ")
	for n, got := range came {
		if want := fmt.Sprintf("vendor.created %d %s", n, id); got != want {
			t.Errorf("attempt %d was %q, want %q", n, got, want)
		}
	}
	if got := b.states(); got != "vendor.created dead 6 500 " {
		t.Errorf("the delivery is %s", got)
	}
	b.do(func(tx *store.Tx) error {
		tries, err := tx.Attempts(id)
		if len(tries) != 6 {
			t.Errorf("%d attempts are noted", len(tries))
		}
		return err
	})
}

func TestOutboxFinalResponses(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 307, 400, 404, 410, 429} {
		b, r := newMemoryBox(t, nil), newReceiver(t, status)
		b.subscribe(store.Subscription{ID: "sub_1", URL: r.URL})
		b.vendor("V", "")
		b.idle()
		b.advance(24 * time.Hour)
		if got, want := b.states(), fmt.Sprintf("vendor.created dead 1 %d ", status); got != want || len(r.seen()) != 1 {
			t.Errorf("%d: the delivery is %s after %d attempts", status, got, len(r.seen()))
		}
	}
}

func TestOutboxRetriesUntilDelivered(t *testing.T) {
	t.Parallel()
	b, r := newMemoryBox(t, nil), newReceiver(t, 503, 500, 204)
	b.subscribe(store.Subscription{ID: "sub_1", URL: r.URL})
	b.vendor("V", "")
	b.idle()
	b.advance(6 * time.Minute)
	b.advance(6 * time.Minute)
	if got := b.states(); got != "vendor.created delivered 3 204 " {
		t.Errorf("the delivery is %s", got)
	}
}

func TestConfigSpeed(t *testing.T) {
	t.Parallel()
	b, r := newMemoryBox(t, func(c *Config) { c.Speed = 60 }), newReceiver(t, 500)
	b.subscribe(store.Subscription{ID: "sub_1", URL: r.URL})
	b.vendor("V", "")
	b.idle()
	b.advance(time.Second)
	b.advance(5 * time.Second)
	if n := len(r.seen()); n != 3 {
		t.Errorf("%d attempts", n)
	}
}

func TestEnqueuePreventsEchoes(t *testing.T) {
	t.Parallel()
	b, mine, other := newMemoryBox(t, nil), newReceiver(t, 200), newReceiver(t, 200)
	b.subscribe(store.Subscription{ID: "sub_1", URL: mine.URL, APIKey: "key_1"})
	b.subscribe(store.Subscription{ID: "sub_2", URL: other.URL})
	b.vendor("V", "key_1")
	b.vendor("W", "key_2")
	b.vendor("X", "")
	b.idle()
	if got := [2]int{len(mine.seen()), len(other.seen())}; got != [2]int{2, 3} {
		t.Errorf("deliveries %v", got)
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patterns []string
		event    string
		want     bool
	}{
		{nil, "vendor.created", true}, {[]string{"vendor.created"}, "vendor.created", true}, {[]string{"vendor.*"}, "vendor.deleted", true},
		{[]string{"vendor"}, "vendor.deleted", true}, {[]string{"work_order", "vendor.updated"}, "vendor.deleted", false}, {[]string{"*"}, "vendor.deleted", true},
		{[]string{"vend"}, "vendor.deleted", false},
		{[]string{"work_order"}, "workorder.created", true}, {[]string{"workorder.*"}, "work_order.scheduled", true},
		{[]string{"Work Orders"}, "work_order.updated", true}, {[]string{"Time Off"}, "time_off.created", true}, {[]string{"projects"}, "project.closed", true},
		{[]string{"Work Order Events"}, "work_order.updated", true}, {[]string{"Work Order Events"}, "vendor.updated", false},
		{[]string{"Customer & Location Events"}, "customer.created", true}, {[]string{"Customer & Location Events"}, "location.deleted", true},
		{[]string{"customer & location events"}, "contact.created", false}, {[]string{"Purchase Orders"}, "po.attachment.added", true},
		{[]string{"Time Off Events"}, "time_off.created", true}, {[]string{"Timesheet Events"}, "timesheets.processed.batch", true},
		{[]string{"Report Events"}, "report.daily_submitted", true}, {[]string{"Contact Events"}, "contact.updated", true},
		{[]string{"timesheet"}, "timesheets.processed.batch", true}, {[]string{"timesheet.*"}, "timesheet.locked", true},
	} {
		if got := Wants(c.patterns, c.event); got != c.want {
			t.Errorf("%v wants %s: %v", c.patterns, c.event, got)
		}
	}
	b, compact, none := newMemoryBox(t, nil), newReceiver(t, 200), newReceiver(t, 200)
	b.subscribe(store.Subscription{ID: "sub_1", URL: compact.URL, Form: webhook.Compact, Events: []string{"vendor.*"}})
	b.subscribe(store.Subscription{ID: "sub_2", URL: none.URL, Events: []string{"work_order"}})
	b.vendor("V", "")
	b.idle()
	if len(compact.seen()) != 1 || len(none.seen()) != 0 {
		t.Errorf("deliveries %v, %v", compact.seen(), none.seen())
	}
}

func TestOutboxDropsDeliveriesOfARemovedSubscription(t *testing.T) {
	t.Parallel()
	b, r := newMemoryBox(t, nil), newReceiver(t, 500)
	b.subscribe(store.Subscription{ID: "sub_1", URL: r.URL})
	b.vendor("V", "")
	b.idle()
	b.do(func(tx *store.Tx) error { return tx.Unsubscribe("sub_1") })
	b.advance(time.Hour)
	if got := b.states(); got != "vendor.created dead 1 500 the subscription was removed" || len(r.seen()) != 1 {
		t.Errorf("the delivery is %s", got)
	}
}

func TestResend(t *testing.T) {
	t.Parallel()
	b, r := newMemoryBox(t, nil), newReceiver(t, 404, 200)
	b.subscribe(store.Subscription{ID: "sub_1", URL: r.URL})
	b.vendor("V", "")
	b.idle()
	_, id, _ := strings.Cut(r.seen()[0], " 0 ")
	if err := b.Resend(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	b.idle()
	if got := b.states(); got != "vendor.created delivered 1 200 " || r.seen()[1] != r.seen()[0] {
		t.Errorf("the delivery is %s after %v", got, r.seen())
	}
	if err := b.Resend(t.Context(), "whk_none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}

// TestNewAfterACrash interrupts each attempt. The file says that it was started,
// so there are never more than six.
func TestNewAfterACrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "box.db")
	var came atomic.Int64
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		came.Add(1)
		<-req.Context().Done() // it never answers
	}))
	defer r.Close()
	began := make(chan struct{}, 1)
	for start := range 9 {
		s := open(t, path)
		b := newBox(t, s, func(c *Config) { c.Transport = announcing{c.Guard.Transport(), began} })
		if start == 0 {
			b.subscribe(store.Subscription{ID: "sub_1", URL: r.URL})
			b.vendor("V", "")
		} else if _, err := b.Advance(t.Context(), 7*time.Hour); err != nil {
			t.Fatal(err)
		}
		if start < 6 {
			<-began
		} else {
			b.idle()
		}
		if err := errors.Join(b.Close(), s.Close()); err != nil { // the attempt is cut off, and noted as begun
			t.Fatal(err)
		}
	}
	s := open(t, path)
	defer func() { _ = s.Close() }()
	b := &box{t: t, store: s}
	if got := b.states(); !strings.HasPrefix(got, "vendor.created dead 6 0 the sandbox stopped") || came.Load() > 6 {
		t.Errorf("the delivery is %s after %d attempts", got, came.Load())
	}
}

// announcing signals the start of each request.
type announcing struct {
	next  http.RoundTripper
	began chan struct{}
}

func (a announcing) RoundTrip(r *http.Request) (*http.Response, error) {
	a.began <- struct{}{}
	return a.next.RoundTrip(r)
}

func TestOutboxIsolatesSubscriptions(t *testing.T) {
	t.Parallel()
	good := newReceiver(t, 200)
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(hang.Close) // after the outbox, which would start attempts to it that hang
	all := make(chan struct{})
	var n atomic.Int64
	b := newMemoryBox(t, func(c *Config) {
		c.Each = func(d store.Delivery, _ webhook.Record) {
			if d.State == store.Delivered && n.Add(1) == 20 {
				close(all)
			}
		}
	})
	b.subscribe(store.Subscription{ID: "sub_1", URL: hang.URL})
	for i := range 300 {
		b.vendor(fmt.Sprint("W", i), "")
	}
	b.subscribe(store.Subscription{ID: "sub_2", URL: good.URL})
	for i := range 20 {
		b.vendor(fmt.Sprint("V", i), "")
	}
	select {
	case <-all:
	case <-t.Context().Done():
		t.Errorf("only %d of 20 arrived", n.Load())
	}
}

// TestResendAfterUnsubscribing: a delivery whose subscription was removed is
// dead, and cannot be sent again.
func TestResendAfterUnsubscribing(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, 500, 200)
	b := newMemoryBox(t, nil)
	b.subscribe(store.Subscription{ID: "sub_1", URL: r.URL})
	b.subscribe(store.Subscription{ID: "sub_2", URL: r.URL, Events: []string{"none"}})
	b.vendor("V", "")
	if err := b.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.do(func(tx *store.Tx) error { return tx.Unsubscribe("sub_1") })
	var d store.Delivery
	b.do(func(tx *store.Tx) error {
		list, err := tx.Deliveries(store.DeliveryQuery{})
		d = list[0]
		return err
	})
	if d.State != store.Dead || d.Error != "the subscription was removed" {
		t.Errorf("the delivery is %+v", d)
	}
	if err := b.Resend(t.Context(), d.ID); !errors.Is(err, ErrUnsubscribed) {
		t.Errorf("sending it again: %v", err)
	}
	if n, err := b.ResendAll(t.Context(), store.Dead); n != 0 || err != nil {
		t.Errorf("sending all again: %d, %v", n, err)
	}
	if _, err := b.Advance(t.Context(), 6*time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := b.Idle(t.Context()); err != nil || len(r.seen()) != 1 {
		t.Errorf("came %v, %v", r.seen(), err)
	}
}
