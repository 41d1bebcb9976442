package receive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// faultyStore is a Store with the faults of the functions that are set.
type faultyStore struct {
	right    receive.Memory
	onClaim  func(ctx context.Context, m receive.Mark, c receive.Claim) (receive.Claim, error) // after the claim
	onSettle func(ctx context.Context, accepted bool) error                                    // before it
}

func (s *faultyStore) Claim(ctx context.Context, m receive.Mark, lease time.Duration) (receive.Claim, error) {
	c, err := s.right.Claim(ctx, m, lease)
	if err == nil && s.onClaim != nil {
		return s.onClaim(ctx, m, c)
	}
	return c, err
}

func (s *faultyStore) Finish(ctx context.Context, c receive.Claim) error {
	return s.settle(ctx, c, true, s.right.Finish)
}

func (s *faultyStore) Release(ctx context.Context, c receive.Claim) error {
	return s.settle(ctx, c, false, s.right.Release)
}

func (s *faultyStore) settle(ctx context.Context, c receive.Claim, accepted bool, settle func(context.Context, receive.Claim) error) error {
	if s.onSettle != nil {
		if err := s.onSettle(ctx, accepted); err != nil {
			return err
		}
	}
	return settle(ctx, c)
}

// yesStore takes every delivery for a new one.
type yesStore struct{}

func (yesStore) Claim(_ context.Context, m receive.Mark, _ time.Duration) (receive.Claim, error) {
	return receive.Claim{Outcome: webhook.Accepted, Mark: &m}, nil
}
func (yesStore) Finish(context.Context, receive.Claim) error  { return nil }
func (yesStore) Release(context.Context, receive.Claim) error { return nil }

// onStore returns a receiver of its own process on a store.
func onStore(t testing.TB, s receive.Store, edit func(*receive.Config)) *receiver {
	t.Helper()
	return newReceiver(t, func(c *receive.Config) {
		c.Store = s
		if edit != nil {
			edit(c)
		}
	})
}

// withClock lets a receiver have the time of the test's bubble.
func withClock(app receive.App) func(*receive.Config) {
	return func(c *receive.Config) { c.Now, c.App = time.Now, app }
}

const (
	cannotStore = `{"error":"The receiver cannot store events now"}`
	interrupted = `{"error":"Interrupted"}`
)

func TestHandler_on_a_store_that_lies(t *testing.T) {
	t.Parallel()
	saying := func(outcome webhook.Outcome) *faultyStore {
		return &faultyStore{onClaim: func(context.Context, receive.Mark, receive.Claim) (receive.Claim, error) {
			return receive.Claim{Outcome: outcome}, nil
		}}
	}
	for name, test := range map[string]struct {
		store  *faultyStore
		status int
		body   string
	}{
		"an outcome that does not exist": {saying("perhaps"), 503, cannotStore},
		"no outcome":                     {saying(""), 503, cannotStore},
		"pending for ever":               {saying(webhook.Pending), 503, interrupted},
		"a duplicate of nothing":         {saying(webhook.Duplicate), 200, takenBefore},
		"a suspect of nothing":           {saying(webhook.ReplaySuspect), 200, takenSuspect},
		"a conflict with nothing":        {saying(webhook.Conflict), 409, `{"error":"Webhook id was used for another body"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := onStore(t, test.store, nil)
			for range 2 {
				wantAnswer(t, r.deliver("evt_1", payload, clock), test.status, test.body)
			}
			wantCalls(t, r, 0)
		})
	}
	t.Run("accepted for all", func(t *testing.T) {
		t.Parallel()
		for range 2 { // processes: each knows what it has handled
			r := onStore(t, yesStore{}, nil)
			wantAnswer(t, r.deliver("evt_1", payload, clock), 200, taken)
			wantAnswer(t, r.deliver("evt_1", payload, clock), 200, takenBefore)
			wantCalls(t, r, 1)
		}
	})
}

// A store that does not answer does not hold a sender for longer than a lease.
func TestHandler_on_a_slow_store(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		for name, s := range map[string]*faultyStore{
			"Claim": {onClaim: func(ctx context.Context, _ receive.Mark, c receive.Claim) (receive.Claim, error) {
				return c, hangs(ctx)
			}},
			"Finish": {onSettle: func(ctx context.Context, accepted bool) error {
				if accepted {
					return hangs(ctx)
				}
				return nil
			}},
		} {
			r := onStore(t, s, withClock(nil))
			began := time.Now()
			wantAnswer(t, r.deliver("evt_1", payload, began), 503, cannotStore)
			if took := time.Since(began); took != receive.DefaultLease {
				t.Errorf("a %s that hangs takes %s", name, took)
			}
			if v := r.last(t).Verdict; v.Outcome != webhook.Failed || v.Reason != "journal" {
				t.Errorf("%s: recorded as %+v", name, v)
			}
			s.onClaim, s.onSettle = nil, nil
			wantAnswer(t, r.deliver("evt_1", payload, began), 200, taken)
		}
	})
}

func TestHandler_on_a_store_that_fails_after_it_has_claimed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &faultyStore{onClaim: func(_ context.Context, _ receive.Mark, c receive.Claim) (receive.Claim, error) {
			return c, errors.New("the connection broke")
		}}
		r := onStore(t, s, withClock(nil))
		at := time.Now()
		wantAnswer(t, r.deliver("evt_1", payload, at), 503, cannotStore)
		s.onClaim = nil
		wantAnswer(t, r.deliver("evt_1", payload, at), 503, interrupted) // nobody knows who has the claim
		wantCalls(t, r, 0)
		time.Sleep(receive.DefaultLease)
		wantAnswer(t, r.deliver("evt_1", payload, at), 200, taken)
		wantCalls(t, r, 1)
	})
}

// After an error of Finish, whether it has finished or not, the sender tries again.
func TestHandler_on_a_store_that_cannot_finish(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		finishes bool
		again    string
		calls    int
	}{
		"it has finished":     {true, takenBefore, 1},
		"it has not finished": {false, taken, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &faultyStore{}
			broken := brokenFinish{s, test.finishes}
			r := onStore(t, broken, nil)
			wantAnswer(t, r.deliver("evt_1", payload, clock), 503, cannotStore)
			if v := r.last(t).Verdict; v.Outcome != webhook.Failed || v.Reason != "journal" || v.Detail != "no room" {
				t.Errorf("recorded as %+v", v)
			}
			other := onStore(t, s, nil)
			wantAnswer(t, other.deliver("evt_1", payload, clock), 200, test.again)
			if calls := r.appCalls() + other.appCalls(); calls != test.calls {
				t.Errorf("the App was called %d times, want %d", calls, test.calls)
			}
		})
	}
}

// brokenFinish is a store whose Finish returns an error.
type brokenFinish struct {
	*faultyStore
	finishes bool // all the same
}

func (s brokenFinish) Finish(ctx context.Context, c receive.Claim) error {
	if s.finishes {
		if err := s.faultyStore.Finish(ctx, c); err != nil {
			return err
		}
	}
	return errors.New("no room")
}

// panickyShelf is a Recorder whose Seen panics.
type panickyShelf struct{ *shelf }

func (panickyShelf) Seen(context.Context, receive.Mark) ([]receive.Mark, error) {
	panic("no such table")
}

// A panic reaches net/http, and another try does not wait for the one that it ended.
func TestHandler_on_a_store_that_panics(t *testing.T) {
	t.Parallel()
	const panics = "the store panicked"
	failing := receive.Always(http.StatusInternalServerError)
	for name, test := range map[string]struct {
		store receive.Store
		app   receive.App
		calls int
		error string
	}{
		"at Claim":   {&faultyStore{onClaim: func(context.Context, receive.Mark, receive.Claim) (receive.Claim, error) { panic("claim") }}, nil, 0, panics},
		"at Finish":  {&faultyStore{onSettle: func(context.Context, bool) error { panic("settle") }}, nil, 1, panics},
		"at Release": {&faultyStore{onSettle: func(context.Context, bool) error { panic("settle") }}, failing, 1, ""},
		"at Seen":    {panickyShelf{&shelf{marks: make([]receive.Mark, 1)}}, nil, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := onStore(t, test.store, func(c *receive.Config) { c.App, c.Remember = test.app, 1 })
			deliver := func(ctx context.Context) (w *httptest.ResponseRecorder, panicked bool) {
				defer func() { panicked = recover() != nil }()
				w = httptest.NewRecorder()
				r.ServeHTTP(w, post(header("evt_1", payload, clock), payload).WithContext(ctx))
				return w, false
			}
			if _, panicked := deliver(t.Context()); !panicked {
				t.Error("the panic was swallowed: net/http would not know of it")
			}
			wantCalls(t, r, test.calls)
			if got := r.last(t); got.Error != test.error || got.Response != nil || got.Verdict.Outcome == webhook.Accepted {
				t.Errorf("recorded as %+v, response %v, error %q", got.Verdict, got.Response, got.Error)
			}
			gone, leave := context.WithCancel(t.Context())
			leave()
			if w, panicked := deliver(gone); !panicked && strings.Contains(r.last(t).Verdict.Detail, "the sender went away") {
				t.Errorf("the next try waits for the one that panicked: it is answered %d", w.Code)
			}
		})
	}
}

// An App that goes on after the end of its lease does not have its answer accepted.
func TestHandler_with_an_app_that_outlives_its_lease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &faultyStore{}
		var ended time.Duration // of the context of the App
		slow := onStore(t, s, withClock(func(ctx context.Context, _ *webhook.Event, _ *webhook.Record) webhook.Response {
			began := time.Now()
			<-ctx.Done()
			ended = time.Since(began)
			time.Sleep(time.Minute)
			return receive.OK()
		}))
		other := onStore(t, s, withClock(nil))
		at := time.Now()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			wantAnswer(t, slow.deliver("evt_1", payload, at), 503, cannotStore)
		}()
		time.Sleep(receive.DefaultLease - time.Second)
		wantAnswer(t, other.deliver("evt_1", payload, at), 503, interrupted)
		time.Sleep(time.Second)
		wantAnswer(t, other.deliver("evt_1", payload, at), 200, taken)
		<-answered
		if ended != receive.DefaultLease {
			t.Errorf("the context of the App ended after %s, want %s", ended, receive.DefaultLease)
		}
		if v := slow.last(t).Verdict; v.Outcome != webhook.Failed || v.Detail != receive.ErrLeaseLost.Error() || len(v.Warnings) != 1 {
			t.Errorf("recorded as %+v", v)
		}
		wantAnswer(t, slow.deliver("evt_1", payload, at), 200, takenBefore)
		wantCalls(t, slow, 1)
		wantCalls(t, other, 1)
	})
}

func TestHandler_releases_the_claim_of_an_app_that_panics(t *testing.T) {
	t.Parallel()
	s := &faultyStore{}
	r := onStore(t, s, func(c *receive.Config) {
		c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { panic(http.ErrAbortHandler) }
	})
	func() {
		defer func() { _ = recover() }() // net/http's part
		r.deliver("evt_1", payload, clock)
	}()
	if got := r.last(t); got.Error != "the app panicked" || got.Verdict.Reason != "app" {
		t.Errorf("recorded as %+v, %q", got.Verdict, got.Error)
	}
	wantAnswer(t, onStore(t, s, nil).deliver("evt_1", payload, clock), 200, taken)
}

// A body that arrives slowly takes nothing of the lease, or the claim would end while
// the App is at work.
func TestHandler_begins_a_lease_with_the_claim(t *testing.T) {
	t.Parallel()
	const slow = 40 * time.Second // longer than a lease
	synctest.Test(t, func(t *testing.T) {
		var left time.Duration // for the App
		app := withClock(func(ctx context.Context, _ *webhook.Event, _ *webhook.Record) webhook.Response {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			time.Sleep(receive.DefaultLease - time.Second)
			return receive.OK()
		})
		kept := &shelf{}
		shared := &faultyStore{}
		other := onStore(t, shared, withClock(nil))
		for name, store := range map[string]receive.Store{"a Store": shared, "a Recorder": kept} {
			at := time.Now()
			request := post(header("evt_1", payload, at), payload)
			request.Body = slowly{request.Body, slow}
			r := onStore(t, store, app)
			go func() {
				time.Sleep(slow + receive.DefaultLease - 2*time.Second)
				if name == "a Store" {
					wantAnswer(t, other.deliver("evt_1", payload, at), 503, interrupted)
				}
			}()
			wantAnswer(t, r.answerTo(request), 200, taken)
			if left != receive.DefaultLease {
				t.Errorf("on %s the App had %s, want %s", name, left, receive.DefaultLease)
			}
			if name == "a Recorder" {
				if got := kept.marks[0].Until.Sub(at); got != slow+receive.DefaultLease {
					t.Errorf("the claim at the Recorder ends after %s, want %s", got, slow+receive.DefaultLease)
				}
			}
		}
	})
}

// slowly is a body whose end comes after a while.
type slowly struct {
	io.ReadCloser
	pause time.Duration
}

func (s slowly) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		time.Sleep(s.pause)
	}
	return n, err
}

// A sender that goes away at any step does not change what the store is asked.
func TestHandler_finishes_when_the_sender_goes_away(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"Claim", "App", "Finish"} {
		t.Run("during "+step, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			at := func(name string, ctx context.Context) error {
				if name == step {
					cancel()
				}
				if name == "App" {
					return nil
				}
				return ctx.Err()
			}
			s := &faultyStore{
				onClaim: func(ctx context.Context, _ receive.Mark, c receive.Claim) (receive.Claim, error) {
					return c, at("Claim", ctx)
				},
				onSettle: func(ctx context.Context, _ bool) error { return at("Finish", ctx) },
			}
			var appErr error
			r := onStore(t, s, func(c *receive.Config) {
				c.App = func(ctx context.Context, _ *webhook.Event, _ *webhook.Record) webhook.Response {
					_ = at("App", ctx)
					appErr = ctx.Err()
					return receive.OK()
				}
			})
			w := httptest.NewRecorder()
			r.ServeHTTP(w, post(header("evt_1", payload, clock), payload).WithContext(ctx))
			wantAnswer(t, w, 200, taken)
			if ended := appErr != nil; ended != (step != "Finish") {
				t.Errorf("the context of the App has the error %v", appErr)
			}
			s.onClaim, s.onSettle = nil, nil
			wantAnswer(t, onStore(t, s, nil).deliver("evt_1", payload, clock), 200, takenBefore)
		})
	}
}

func TestNew_refuses_a_store_that_cannot_work(t *testing.T) {
	t.Parallel()
	closed, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		store receive.Store
		want  string
	}{
		"a nil *Memory":    {(*receive.Memory)(nil), "receive: Config.Store is a nil *receive.Memory: leave it out for the default"},
		"a nil *Journal":   {(*journal.Journal)(nil), "receive: Config.Store is a nil *journal.Journal: leave it out for the default"},
		"a nil Store":      {(*faultyStore)(nil), "receive: Config.Store is a nil *receive_test.faultyStore: leave it out for the default"},
		"a closed journal": {closed, "reading the deliveries that the store has seen: "},
	} {
		_, err := receive.New(receive.Config{Secrets: []webhook.Secret{webhooktest.Secret(t, "s")}, Store: test.store})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %s", name, err, test.want)
		}
	}
}

func TestNewServer_refuses_no_handler(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a server without a handler serves those of http.Handle")
		}
	}()
	receive.NewServer(nil)
}

func TestHandler_on_a_store_that_was_closed(t *testing.T) {
	t.Parallel()
	file := newSQLFile(t, filepath.Join(t.TempDir(), "deliveries.db"))
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]struct {
		receive.Store
		close func() error
	}{"a database": {file, file.DB.Close}, "a journal": {j, j.Close}} {
		r := onStore(t, store.Store, nil)
		wantAnswer(t, r.deliver("evt_1", payload, clock), 200, taken)
		if err := store.close(); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, r.deliver("evt_2", payload+" ", clock), 503, cannotStore)
		if got := r.appCalls(); got != 1 {
			t.Errorf("on %s the App was called %d times, want 1", name, got)
		}
	}
}

// Receivers with other settings share a store: each asks for what its own say.
func TestHandlers_with_other_settings_on_one_store(t *testing.T) {
	t.Parallel()
	marks := map[string]receive.Mark{}
	s := &faultyStore{}
	s.onClaim = func(_ context.Context, m receive.Mark, c receive.Claim) (receive.Claim, error) {
		marks[m.ID] = m
		return c, nil
	}
	short := onStore(t, s, func(c *receive.Config) { c.TTL, c.DedupEvents = time.Hour, true })
	long := onStore(t, s, func(c *receive.Config) {
		c.TTL = 30 * 24 * time.Hour
		c.Verifier.Secrets = []webhook.Secret{webhooktest.Secret(t, "another"), webhooktest.Secret(t, sharedSecret)}
	})
	strict := onStore(t, s, func(c *receive.Config) { c.TTL, c.Verifier.Tolerance = time.Second, time.Hour })
	second := strings.Replace(payload, "evt_1", "evt_2", 1)
	for _, step := range []struct {
		name     string
		at       *receiver
		id, body string
		want     string
	}{
		{"an event", short, "a", payload, taken},
		{"the same at another", long, "a", payload, takenBefore},
		{"the event under another id, where events count", short, "b", payload + " ", ""},
		{"the event under another id, where ids count", long, "c", payload + " ", taken},
		{"another event, where ids count", long, "d", second, taken},
		{"it, where events count: its event id was not kept", short, "e", second + " ", taken},
		{"the first at a third", strict, "a", payload, takenBefore},
		{"a new one there", strict, "f", payload + "  ", taken},
	} {
		w := step.at.deliver(step.id, step.body, clock)
		if step.want == "" { // the body is another, by a blank
			wantAnswer(t, w, 409, `{"error":"Webhook id was used for another body"}`)
			continue
		}
		if w.Code != 200 || w.Body.String() != step.want {
			t.Errorf("%s is answered %d %s, want %s", step.name, w.Code, w.Body, step.want)
		}
	}
	for id, ttl := range map[string]time.Duration{"e": time.Hour, "c": 30 * 24 * time.Hour, "f": 2 * time.Hour} {
		if marks[id].TTL != ttl {
			t.Errorf("%s was claimed for %s, want %s", id, marks[id].TTL, ttl)
		}
	}
	if marks["e"].EventID != "evt_2" || marks["c"].EventID != "" {
		t.Errorf("the event ids are %q and %q", marks["e"].EventID, marks["c"].EventID)
	}
}

func TestHandlers_with_other_windows_on_one_store(t *testing.T) {
	t.Parallel()
	s := &faultyStore{}
	now := clock
	onWorksome := func(window time.Duration) *receiver {
		return onStore(t, s, func(c *receive.Config) {
			c.Platform, c.DedupWindow, c.Now = webhook.Worksome, window, func() time.Time { return now }
		})
	}
	minute, hour := onWorksome(time.Minute), onWorksome(time.Hour)
	body := `{"event":"hireUpdated","data":{"rate":1}}`
	for _, step := range []struct {
		after time.Duration
		at    *receiver
		want  string
	}{
		{0, minute, taken}, {30 * time.Second, hour, takenBefore}, {2 * time.Minute, hour, takenBefore},
		{2 * time.Minute, minute, taken}, {50 * time.Minute, hour, takenBefore}, {3 * time.Hour, hour, taken}, {3 * time.Hour, minute, takenBefore},
	} {
		now = clock.Add(step.after)
		h := http.Header{}
		for _, name := range []string{"Signature", "X-Worksome-Signature"} {
			h.Set(name, webhooktest.HexHMAC(sharedSecret, body))
		}
		if w := step.at.answerTo(post(h, body)); w.Code != 200 || w.Body.String() != step.want {
			t.Errorf("after %s it is answered %d %s, want %s", step.after, w.Code, w.Body, step.want)
		}
	}
}

func TestMiddleware_on_two_routes_handles_a_delivery_once(t *testing.T) {
	t.Parallel()
	verified, err := receive.Middleware(receive.Config{
		Secrets: []webhook.Secret{webhooktest.Secret(t, sharedSecret)}, Store: &faultyStore{}, Now: func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	route := func(name string) http.Handler {
		return verified(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls = append(calls, name) }))
	}
	one, two := route("one"), route("two")
	for i, h := range []http.Handler{one, two, two, one} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, post(header("evt_1", payload, clock), payload))
		if w.Code != 200 || strings.Contains(w.Body.String(), "duplicate") != (i > 0) {
			t.Errorf("delivery %d is answered %d %s", i, w.Code, w.Body)
		}
	}
	if !slices.Equal(calls, []string{"one"}) {
		t.Errorf("the routes %q had it", calls)
	}
}

// What a Store is given of an id is short, and tells long ids apart.
func TestStore_gets_ids_of_a_bounded_size(t *testing.T) {
	t.Parallel()
	var longest int
	s := &faultyStore{}
	s.onClaim = func(_ context.Context, m receive.Mark, c receive.Claim) (receive.Claim, error) {
		longest = max(longest, len(m.ID), len(m.EventID))
		return c, nil
	}
	r := onStore(t, s, func(c *receive.Config) { c.DedupEvents = true })
	long := strings.Repeat("x", 64<<10)
	for i := range 2 {
		id := fmt.Sprint(long, i)
		body := strings.Replace(payload, "evt_1", id, 1)
		wantAnswer(t, r.deliver(id, body, clock), 200, taken)
		wantAnswer(t, r.deliver(id, body, clock), 200, takenBefore)
	}
	wantCalls(t, r, 2)
	if longest != 256 {
		t.Errorf("the longest id has %d bytes, want 256", longest)
	}
}
