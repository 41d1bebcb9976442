package receive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// observed is what an Observer gets for a request that is accepted.
func observed() (observe.Call, observe.Receipt) {
	return observe.Call{Platform: webhook.WorkSkedge, Event: "work_order.created", Outcome: webhook.Accepted, Status: 200},
		observe.Receipt{
			Platform: webhook.WorkSkedge, Scheme: webhook.TimestampBody, Event: "work_order.created",
			Outcome: webhook.Accepted, Status: 200, Bytes: len(payload),
		}
}

func TestObserver_of_a_receiver(t *testing.T) {
	call, receipt := observed()
	failedCall, failed := call, receipt
	failedCall.Outcome, failedCall.Status = webhook.Failed, 503
	failed.Outcome, failed.Reason, failed.Status = webhook.Failed, "app", 503
	duplicate, suspect, conflict, unstored := receipt, receipt, receipt, receipt
	duplicate.Outcome = webhook.Duplicate
	suspect.Outcome = webhook.ReplaySuspect
	conflict.Outcome, conflict.Reason, conflict.Status, conflict.Bytes = webhook.Conflict, "conflict", 409, len(payload)+1
	unstored.Outcome, unstored.Reason, unstored.Status = webhook.Failed, "journal", 503
	refusal := observe.Refusal{Scheme: webhook.TimestampBody, Bytes: len(payload)}
	const custom = `{"event_id":"evt_1","event_type":"acme.exploded","timestamp":"2026-01-15T14:30:00Z","company_id":"co_1","data":{}}`
	otherCall, other := call, receipt
	otherCall.Event, other.Event, other.Bytes = observe.Other, observe.Other, len(custom)

	answers := func(status int) func(*receive.Config) {
		return func(c *receive.Config) { c.App = receive.Always(status) }
	}
	for name, test := range map[string]struct {
		edit  func(*receive.Config)
		serve func(*receiver)
		want  []any
	}{
		"a new event": {nil, func(r *receiver) { r.deliver("evt_1", payload, clock) }, []any{call, receipt}},
		"a repeat": {nil, func(r *receiver) {
			r.deliver("evt_1", payload, clock)
			r.deliver("evt_1", payload, clock)
		}, []any{call, receipt, duplicate}},
		"a replay": {nil, func(r *receiver) {
			r.deliver("evt_1", payload, clock)
			r.deliver("evt_2", payload, clock)
		}, []any{call, receipt, suspect}},
		"another body": {nil, func(r *receiver) {
			r.deliver("evt_1", payload, clock)
			r.deliver("evt_1", payload+" ", clock)
		}, []any{call, receipt, conflict}},
		"an app that fails":                       {answers(503), func(r *receiver) { r.deliver("evt_1", payload, clock) }, []any{failedCall, failed}},
		"an event that the catalog does not have": {nil, func(r *receiver) { r.deliver("evt_1", custom, clock) }, []any{otherCall, other}},
		"an event that is not wanted": {
			func(c *receive.Config) { c.Wants = func(webhook.Event) bool { return false } },
			func(r *receiver) { r.deliver("evt_1", payload, clock) }, []any{receipt},
		},
		"a store that fails": {
			func(c *receive.Config) {
				c.Keep = func(context.Context, receive.Receipt) error { return errors.New("disk full") }
			},
			func(r *receiver) { r.deliver("evt_1", payload, clock) }, []any{call, unstored},
		},
		"a wrong signature": {nil, func(r *receiver) { r.answerTo(post(header("evt_1", "another body", clock), payload)) }, []any{
			with(refusal, string(webhook.SignatureMismatch), 401),
		}},
		"an old timestamp": {nil, func(r *receiver) { r.deliver("evt_1", payload, clock.Add(-time.Hour)) }, []any{
			with(refusal, string(webhook.TimestampTooOld), 400),
		}},
		"another method": {nil, func(r *receiver) {
			request := post(header("evt_1", payload, clock), payload)
			request.Method = http.MethodGet
			r.answerTo(request)
		}, []any{observe.Refusal{Scheme: webhook.TimestampBody, Reason: "method", Status: 405}}},
		"a refusal by the App": {
			func(c *receive.Config) {
				c.App = func(_ context.Context, _ *webhook.Event, r *webhook.Record) webhook.Response {
					r.Verdict.Outcome, r.Verdict.Reason = webhook.Refused, "lint"
					return receive.Status(422)
				}
			},
			func(r *receiver) { r.deliver("evt_1", payload, clock) },
			[]any{
				observe.Call{Platform: webhook.WorkSkedge, Event: "work_order.created", Outcome: webhook.Failed, Status: 422},
				observe.Refusal{Platform: webhook.WorkSkedge, Scheme: webhook.TimestampBody, Reason: "lint", Status: 422, Bytes: len(payload)},
			},
		},
		"a platform that signs nothing": {
			func(c *receive.Config) {
				c.Platform, c.Unsigned = webhook.WorkMarket, &receive.Unsigned{Header: webhook.Header{{Name: "X-Token", Value: "hunter2"}}}
			},
			func(r *receiver) {
				r.answerTo(post(http.Header{"X-Token": {"hunter2"}}, "a=1"))
				r.answerTo(post(http.Header{"X-Token": {"wrong"}}, "a=1"))
			},
			[]any{
				observe.Call{Platform: webhook.WorkMarket, Outcome: webhook.Accepted, Status: 200},
				observe.Receipt{Platform: webhook.WorkMarket, Outcome: webhook.Accepted, Status: 200, Bytes: 3},
				observe.Refusal{Platform: webhook.WorkMarket, Reason: "credential", Status: 401, Bytes: 3},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o webhooktest.Observer
			r := newReceiver(t, func(c *receive.Config) {
				if test.edit != nil {
					test.edit(c)
				}
				c.Observer = &o
			})
			test.serve(r)
			o.Want(t, test.want...)
		})
	}
}

func with(r observe.Refusal, reason string, status int) observe.Refusal {
	r.Reason, r.Status = reason, status
	return r
}

func TestObserver_of_a_receiver_without_an_App(t *testing.T) {
	t.Parallel()
	var o webhooktest.Observer
	handler, err := receive.New(receive.Config{
		Secrets: []webhook.Secret{webhooktest.Secret(t, sharedSecret)}, Observer: &o, Now: func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	(&receiver{Handler: handler}).deliver("evt_1", payload, clock)
	_, receipt := observed()
	o.Want(t, receipt) // nothing handled it
}

func TestObserver_of_a_middleware(t *testing.T) {
	t.Parallel()
	var o webhooktest.Observer
	middleware, err := receive.Middleware(receive.Config{
		Secrets: []webhook.Secret{webhooktest.Secret(t, sharedSecret)}, Observer: &o, Now: func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	behind := middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	behind.ServeHTTP(&discard{http.Header{}}, post(header("evt_1", payload, clock), payload))
	call, receipt := observed()
	call.Status, receipt.Status = 202, 202
	o.Want(t, call, receipt)
}

// slow is a Recorder that takes a while to keep a request.
type slow struct {
	receive.Store // is not asked
	wait          func()
}

func (slow) Marks(context.Context, int) ([]receive.Mark, error)         { return nil, nil }
func (slow) Seen(context.Context, receive.Mark) ([]receive.Mark, error) { return nil, nil }
func (s slow) Keep(context.Context, receive.Receipt) error              { s.wait(); return nil }

// Waiting for a store is a part of the answer's duration, and not of the App's.
func TestObserver_of_a_receiver_gets_durations(t *testing.T) {
	t.Parallel()
	now := clock
	var o webhooktest.Observer
	r := newReceiver(t, func(c *receive.Config) {
		c.Now, c.Observer = func() time.Time { return now }, &o
		c.Store = slow{wait: func() { now = now.Add(time.Second) }}
		c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
			now = now.Add(5 * time.Second)
			return receive.OK()
		}
	})
	r.deliver("evt_1", payload, clock)
	call, receipt := observed()
	call.Duration, call.Age = 5*time.Second, 6*time.Second
	receipt.Duration = 7 * time.Second
	o.Want(t, call, receipt)
}

func TestObserver_of_an_App_that_panics(t *testing.T) {
	t.Parallel()
	var o webhooktest.Observer
	r := newReceiver(t, func(c *receive.Config) {
		c.Observer = &o
		c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { panic("out of luck") }
	})
	func() {
		defer func() {
			if value := recover(); value != "out of luck" {
				t.Errorf("net/http gets the panic %v", value)
			}
		}()
		r.deliver("evt_1", payload, clock)
	}()
	call, receipt := observed()
	call.Outcome, call.Status = webhook.Failed, 500
	receipt.Outcome, receipt.Reason, receipt.Status = webhook.Failed, "app", 0
	o.Want(t, call, receipt)
}

func TestObserver_that_panics_breaks_no_receipt(t *testing.T) {
	t.Parallel()
	var kept int
	r := newReceiver(t, func(c *receive.Config) {
		c.Observer = &webhooktest.Observer{Then: func(value any) { panic(fmt.Sprintf("no room for %T", value)) }}
		c.Keep = func(context.Context, receive.Receipt) error {
			kept++
			return nil
		}
	})
	wantAnswer(t, r.deliver("evt_1", payload, clock), 200, taken)
	if got, want := fmt.Sprint(r.last(t).Verdict.Warnings), "[the observer panicked: no room for observe.Call the observer panicked: no room for observe.Receipt]"; got != want {
		t.Errorf("the warnings are %s, want %s", got, want)
	}
	wantAnswer(t, r.deliver("evt_1", payload, clock), 200, takenBefore)
	wantAnswer(t, r.deliver("evt_2", payload+" ", clock.Add(-time.Hour)), 400, `{"error":"The timestamp is 3600 s old, more than 300 s"}`)
	wantCalls(t, r, 1)
	if kept != 3 {
		t.Errorf("stored %d receipts, want 3", kept)
	}
}

// An Observer that does not return keeps nobody waiting: the sender has the answer, what
// is to be stored is stored, and the id is known.
func TestObserver_that_blocks_delays_no_answer(t *testing.T) {
	t.Parallel()
	release, kept := make(chan struct{}), make(chan webhook.Outcome, 3)
	r := newReceiver(t, func(c *receive.Config) {
		c.Observer = &webhooktest.Observer{Then: func(any) { <-release }}
		c.Keep = func(_ context.Context, r receive.Receipt) error {
			kept <- r.Record.Verdict.Outcome
			return nil
		}
	})
	url := "http://" + serve(t, r.Handler)
	t.Cleanup(func() { close(release) }) // before the server's end, which waits for its handlers
	for _, want := range []struct {
		header  http.Header
		answer  string
		outcome webhook.Outcome
	}{
		{header("evt_1", payload, clock), taken, webhook.Accepted},
		{header("evt_1", payload, clock), takenBefore, webhook.Duplicate},
		{header("evt_1", "another body", clock), invalidSignature, webhook.Refused},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(payload))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = want.header
		response, err := plainTransport(t).RoundTrip(request) // a connection for each
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(answer) != want.answer {
			t.Errorf("answered %s, %v, want %s", answer, err, want.answer)
		}
		if got := <-kept; got != want.outcome {
			t.Errorf("stored as %s, want %s", got, want.outcome)
		}
	}
}

// forwarded is a stored record of an event.
func forwarded(id string, at time.Time) receive.Receipt {
	return receive.Receipt{Forward: true, Record: webhook.Record{
		ID: id, Time: at, Platform: webhook.WorkSkedge, Form: webhook.Outbound, Event: "work_order.created",
		Request: webhook.Request{Method: http.MethodPost, URL: "/", Body: []byte(payload)},
	}}
}

func TestObserver_of_a_Forwarder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var o webhooktest.Observer
		q := &queue{}
		f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: newApp(503, 0, 200, 404), Retries: 2, Observer: &o})
		for n, id := range []string{"rec_1", "rec_2"} {
			if err := f.Keep(t.Context(), forwarded(id, time.Now().Add(-time.Minute))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour) // of the bubble's clock
			if left := q.waiting(); left != "" {
				t.Errorf("%d: %s is left", n, left)
			}
		}
		f.Shutdown(t.Context())
		call := func(outcome webhook.Outcome, status, attempt int, age time.Duration) observe.Call {
			return observe.Call{
				Platform: webhook.WorkSkedge, Event: "work_order.created",
				Outcome: outcome, Status: status, Attempt: attempt, Age: time.Minute + age,
			}
		}
		o.Want(t, call(webhook.Pending, 503, 0, 0), call(webhook.Pending, 502, 1, time.Second), call(webhook.Accepted, 200, 2, 3*time.Second),
			call(webhook.ForwardFailed, 404, 0, 0))
	})
}

func TestObserver_of_a_Forwarder_gets_durations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var o webhooktest.Observer
		f, err := receive.NewForwarder(receive.ForwarderConfig{
			Queue: &queue{}, Observer: &o,
			App: func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
				time.Sleep(5 * time.Second) // of the bubble's clock
				return receive.OK()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Keep(t.Context(), forwarded("rec_1", time.Now().Add(time.Hour))); err != nil { // the clock was set back since
			t.Fatal(err)
		}
		synctest.Wait()
		f.Shutdown(t.Context())
		call, _ := observed()
		call.Duration = 5 * time.Second
		o.Want(t, call)
	})
}

func TestObserver_that_panics_breaks_no_Forwarder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		var warnings []string
		f := newForwarder(t, receive.ForwarderConfig{
			Queue: q, Transport: newApp(),
			Observer: &webhooktest.Observer{Then: func(any) { panic("no room") }},
			OnResult: func(r receive.ForwardResult) { warnings = append(warnings, r.Record.Verdict.Warnings...) },
		})
		for _, id := range []string{"rec_1", "rec_2"} {
			if err := f.Keep(t.Context(), forwarded(id, time.Now())); err != nil {
				t.Fatal(err)
			}
		}
		f.Shutdown(t.Context())
		if left := q.waiting(); left != "" || fmt.Sprint(warnings) != "[the observer panicked: no room the observer panicked: no room]" {
			t.Errorf("%q is left, the warnings are %q", left, warnings)
		}
	})
}

// An Observer that does not return takes one of the attempts at a time. The result is
// stored before.
func TestObserver_that_blocks_delays_no_stored_result(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		calls := 0
		q := &queue{}
		f := newForwarder(t, receive.ForwarderConfig{
			Queue: q, Transport: newApp(), Concurrency: 2,
			Observer: &webhooktest.Observer{Then: func(any) {
				if calls++; calls == 1 {
					<-release
				}
			}},
		})
		for _, id := range []string{"rec_1", "rec_2", "rec_3"} {
			if err := f.Keep(t.Context(), forwarded(id, time.Now())); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if left := q.waiting(); left != "" || calls != 3 {
			t.Errorf("%q is left after %d calls", left, calls)
		}
		close(release)
		f.Shutdown(t.Context())
	})
}

// BenchmarkObserver shows that a receiver without an Observer does nothing for one.
func BenchmarkObserver(b *testing.B) {
	for name, o := range map[string]observe.Observer{"without": nil, "with": observe.Nop{}} {
		b.Run(name, func(b *testing.B) {
			handler, err := receive.New(receive.Config{
				Secrets: []webhook.Secret{webhooktest.Secret(b, sharedSecret)}, Store: receive.NewMemory(remembered),
				App: receive.Always(http.StatusOK), Observer: o, Now: func() time.Time { return clock }, NewID: func() string { return "rec_1" },
			})
			if err != nil {
				b.Fatal(err)
			}
			d := newDeliveries(500)
			b.ReportAllocs()
			for b.Loop() {
				head, body := d.next()
				handler.ServeHTTP(&discard{http.Header{}}, post(head, body))
			}
		})
	}
}
