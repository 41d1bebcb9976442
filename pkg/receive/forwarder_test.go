package receive_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// queue is a Queue in memory.
type queue struct {
	receive.Recorder // knows no delivery

	mu    sync.Mutex
	items []queued
	fault error // of Due
}

type queued struct {
	receive.DueRecord
	order string
	at    time.Time
	done  bool
}

func (q *queue) Keep(_ context.Context, r receive.Receipt) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, queued{DueRecord: receive.DueRecord{Record: r.Record}, order: r.Order, done: !r.Forward})
	return nil
}

func (q *queue) Due(_ context.Context, now time.Time, limit int) (due []receive.DueRecord, next time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := map[string]bool{"": false} // the orders that an earlier record has
	var ready []queued
	for _, item := range q.items {
		switch {
		case item.done:
			continue
		case !item.at.After(now) && !waiting[item.order]:
			ready = append(ready, item)
		case item.at.After(now) && (next.IsZero() || item.at.Before(next)):
			next = item.at
		}
		if item.order != "" {
			waiting[item.order] = true
		}
	}
	slices.SortStableFunc(ready, func(a, b queued) int { return a.at.Compare(b.at) })
	for _, item := range ready[:min(limit, len(ready))] {
		due = append(due, item.DueRecord)
	}
	return due, next, q.fault
}

func (q *queue) SaveResult(_ context.Context, r receive.ForwardResult) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.items, func(item queued) bool { return item.Record.ID == r.Record.ID })
	q.items[i].Attempts, q.items[i].at, q.items[i].done = r.Attempt, r.Next, r.Next.IsZero()
	return nil
}

func (q *queue) setFault(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fault = err
}

// waiting lists the bodies that are still to be forwarded.
func (q *queue) waiting() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var bodies []string
	for _, item := range q.items {
		if !item.done {
			bodies = append(bodies, string(item.Record.Request.Body))
		}
	}
	return strings.Join(bodies, " ")
}

func (q *queue) add(t *testing.T, f *receive.Forwarder, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		r := webhook.Record{ID: "rec_" + body, Request: webhook.Request{Method: "POST", URL: "/", Body: []byte(body)}}
		keep := q.Keep
		if f != nil {
			keep = f.Keep
		}
		if err := keep(t.Context(), receive.Receipt{Record: r, Forward: true}); err != nil {
			t.Fatal(err)
		}
	}
}

// app is an app behind a forwarder: a transport that logs each request with the
// seconds since its start, and answers with the statuses in turn, then 200.
type app struct {
	mu       sync.Mutex
	began    time.Time
	statuses []int
	hang     bool   // on every request, until its context ends
	hangOn   string // likewise, on the bodies that begin so; "" for none
	log      []string
}

func newApp(statuses ...int) *app { return &app{began: time.Now(), statuses: statuses} }

func (a *app) RoundTrip(r *http.Request) (*http.Response, error) {
	body := make([]byte, r.ContentLength)
	_, _ = r.Body.Read(body)
	a.mu.Lock()
	a.log = append(a.log, fmt.Sprintf("%s@%g", body, time.Since(a.began).Seconds()))
	hang := a.hang || a.hangOn != "" && strings.HasPrefix(string(body), a.hangOn)
	a.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	status := http.StatusOK
	if len(a.statuses) > 0 {
		status, a.statuses = a.statuses[0], a.statuses[1:]
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Body: http.NoBody}, nil
}

func (a *app) want(t *testing.T, log string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := strings.Join(a.log, " "); got != log {
		t.Errorf("the app got %q, want %q", got, log)
	}
}

func newForwarder(t *testing.T, c receive.ForwarderConfig) *receive.Forwarder {
	t.Helper()
	c.URL = "http://app.example/hooks"
	f, err := receive.NewForwarder(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestForwarderForwardsInTheOrderOfReceiptOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, q := newApp(), &queue{}
		q.add(t, nil, "before") // stored by the process before
		f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a, Concurrency: 1})
		q.add(t, f, "1", "2", "3")
		synctest.Wait()
		a.want(t, "before@0 1@0 2@0 3@0")
		f.Shutdown(t.Context())
		if left := q.waiting(); left != "" {
			t.Errorf("%s is left", left)
		}
	})
}

// An App in this process handles the events after the sender has its answer. An event
// whose handler fails or panics comes again.
func TestForwarderCallsAnAppInThisProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var calls []string
		began, fail := time.Now(), map[string]bool{"error": true, "panic": true}
		var router receive.Router
		router.Handle("*", func(ctx context.Context, e *webhook.Event) error {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, fmt.Sprintf("%s@%g", e.Type, time.Since(began).Seconds()))
			if same, ok := receive.EventFrom(ctx); !ok || same != e {
				t.Errorf("the event in the context is %+v", same)
			}
			if !fail[e.Type] {
				return nil
			}
			delete(fail, e.Type)
			if e.Type == "panic" {
				panic("out of luck")
			}
			return errors.New("the database is busy")
		})
		q := &queue{}
		var problems []string
		f, err := receive.NewForwarder(receive.ForwarderConfig{
			Queue: q, App: router.Receive, Retries: 2, Concurrency: 1,
			OnResult: func(r receive.ForwardResult) {
				if r.Problem != "" {
					problems = append(problems, r.Problem)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for n, name := range []string{"good", "error", "panic"} {
			body := fmt.Appendf(nil, `{"event":%q,"timestamp":"2026-01-15T14:30:00Z","data":{}}`, name)
			r := webhook.Record{ID: fmt.Sprint("rec_", n), Request: webhook.Request{Method: "POST", URL: "/", Body: body}}
			if err := f.Keep(t.Context(), receive.Receipt{Record: r, Forward: true}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute) // of the bubble
		f.Shutdown(t.Context())
		mu.Lock()
		defer mu.Unlock()
		if got, want := strings.Join(calls, " "), "good@0 error@0 panic@0 error@1 panic@1"; got != want {
			t.Errorf("the calls are %s, want %s", got, want)
		}
		if got, want := strings.Join(problems, ", "), "the database is busy, the app panicked: out of luck"; got != want {
			t.Errorf("the problems are %s, want %s", got, want)
		}
		if left := q.waiting(); left != "" {
			t.Errorf("%s is left", left)
		}
	})
}

// An attempt ends, whatever the App waits for: the forwarder has a limited number.
func TestForwarderEndsAnAppThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var ended []float64
		q := &queue{}
		f, err := receive.NewForwarder(receive.ForwarderConfig{
			Queue: q, Retries: 1, Timeout: 10 * time.Second,
			App: func(ctx context.Context, _ *webhook.Event, _ *webhook.Record) webhook.Response {
				<-ctx.Done()
				ended = append(ended, time.Since(began).Seconds())
				return receive.Status(http.StatusServiceUnavailable)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		q.add(t, f, "hangs")
		time.Sleep(time.Minute) // of the bubble
		f.Shutdown(t.Context())
		if got := fmt.Sprint(ended); got != "[10 21]" {
			t.Errorf("the attempts ended after %s seconds, want [10 21]", got)
		}
	})
}

func TestForwarderForwardsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, q := newApp(), &queue{}
		f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a})
		if err := f.Keep(t.Context(), receive.Receipt{Record: webhook.Record{ID: "rec_1"}}); err != nil {
			t.Fatal(err)
		}
		f.Shutdown(t.Context())
		a.want(t, "")
		if len(q.items) != 1 {
			t.Error("the receipt was not stored")
		}
	})
}

func TestForwarderRetries(t *testing.T) {
	for name, test := range map[string]struct {
		statuses []int
		retries  int
		log      string
		problem  string // of the last attempt
	}{
		"not after 2xx":                       {[]int{204}, 3, "x@0", ""},
		"not after 4xx":                       {[]int{404}, 3, "x@0", "the app answered 404 Not Found"},
		"not after a redirect":                {[]int{307}, 3, "x@0", "the app answered 307 Temporary Redirect"},
		"not without retries":                 {[]int{503}, 0, "x@0", "the app answered 503 Service Unavailable"},
		"after 429":                           {[]int{429}, 3, "x@0 x@1", ""},
		"after no response":                   {[]int{0}, 3, "x@0 x@1", ""},
		"up to the limit":                     {[]int{500, 500, 502}, 2, "x@0 x@1 x@3", "the app answered 502 Bad Gateway"},
		"with no response to the last":        {[]int{500, 0}, 1, "x@0 x@1", "forwarding: connection refused"},
		"with pauses that double to a minute": {[]int{500, 500, 500, 500, 500, 500, 500, 500}, 9, "x@0 x@1 x@3 x@7 x@15 x@31 x@63 x@123 x@183", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, q := newApp(test.statuses...), &queue{}
				var results []receive.ForwardResult
				f := newForwarder(t, receive.ForwarderConfig{
					Queue: q, Transport: a, Retries: test.retries,
					OnResult: func(r receive.ForwardResult) { results = append(results, r) },
				})
				q.add(t, f, "x")
				time.Sleep(time.Hour) // of the bubble's clock
				a.want(t, test.log)
				f.Shutdown(t.Context())
				for i, r := range results {
					last := i == len(results)-1
					want := webhook.Pending
					switch {
					case r.OK:
						want = webhook.Accepted
					case last:
						want = webhook.ForwardFailed
					}
					if got := r.Record.Verdict.Outcome; got != want {
						t.Errorf("the outcome of attempt %d of %d is %s, want %s", i+1, len(results), got, want)
					}
					if r.Attempt != i+1 || r.Next.IsZero() != last || (r.Pause == 0) != last || (r.Problem == "") != r.OK {
						t.Errorf("result %d of %d is %+v", i+1, len(results), r)
					}
				}
				if last := results[len(results)-1]; last.Problem != test.problem || last.OK != (test.problem == "") {
					t.Errorf("it ended with %q, want %q", last.Problem, test.problem)
				}
			})
		})
	}
}

func TestForwarderKeepsOthersGoingDuringARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, q := newApp(500), &queue{}
		f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a, Retries: 1, Concurrency: 1})
		q.add(t, f, "1", "2")
		time.Sleep(time.Minute)
		a.want(t, "1@0 2@0 1@1")
		f.Shutdown(t.Context())
	})
}

// times returns the seconds at which the bodies with a prefix reached the app.
func (a *app) times(t *testing.T, prefix string) []float64 {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	var times []float64
	for _, entry := range a.log {
		body, at, _ := strings.Cut(entry, "@")
		if !strings.HasPrefix(body, prefix) {
			continue
		}
		seconds, err := strconv.ParseFloat(at, 64)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, seconds)
	}
	return times
}

// An app hangs on one event in ten, again and again.
func TestForwarderGoesOnPastEventsThatHang(t *testing.T) {
	for name, concurrency := range map[string]int{"with the default concurrency": 0, "with two more than hang": 8} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, q := newApp(), &queue{}
				a.hangOn = "hang"
				f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a, Retries: 9, Concurrency: concurrency})
				for n := range 60 {
					body := fmt.Sprint("event", n)
					if n%10 == 0 {
						body = fmt.Sprint("hang", n)
					}
					q.add(t, f, body)
				}
				synctest.Wait()
				if got := a.times(t, "event"); len(got) != 54 || slices.Max(got) > 5 {
					t.Errorf("%d of 54 reached the app, at %v s", len(got), got)
				}
				if got := len(a.times(t, "hang")); got != 6 {
					t.Errorf("%d of 6 that hang were attempted", got)
				}
				time.Sleep(receive.ForwardTimeout + 5*time.Second) // of the bubble's clock: the retries hang now
				began := time.Since(a.began).Seconds()
				q.add(t, f, "later1", "later2", "later3")
				synctest.Wait()
				if got := a.times(t, "later"); len(got) != 3 || slices.Max(got) > began+5 {
					t.Errorf("of the later ones, %d of 3 reached the app, at %v s", len(got), got)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				f.Shutdown(ctx)
				if left := strings.Fields(q.waiting()); len(left) != 6 {
					t.Errorf("%v are left", left)
				}
			})
		})
	}
}

func TestForwarderConcurrencyIsALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, q := newApp(), &queue{}
		a.hang = true
		f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a, Retries: 3, Concurrency: 4})
		for n := range 20 {
			q.add(t, f, fmt.Sprint("x", n))
		}
		time.Sleep(5 * time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f.Shutdown(ctx)
		began := map[float64]int{}
		for _, at := range a.times(t, "x") {
			began[at]++
		}
		for at, n := range began { // each attempt takes 30 s
			if n > 4 {
				t.Errorf("%d attempts began at %g s", n, at)
			}
		}
		if len(began) < 5 {
			t.Errorf("attempts began at %v", began)
		}
	})
}

func TestForwarderOrderByKeepsTheOrderOfARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, q := newApp(), &queue{}
		byFirstLetter := func(r webhook.Record) string { return string(r.Request.Body[:1]) }
		q.add(t, nil, "-") // without an order
		f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a, Retries: 1, OrderBy: byFirstLetter})
		synctest.Wait()
		a.statuses = []int{500} // for a1
		q.add(t, f, "a1")
		synctest.Wait()
		q.add(t, f, "a2", "b1", "a3", "b2")
		time.Sleep(time.Minute)
		f.Shutdown(t.Context())
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, prefix := range []string{"a", "b"} {
			var got []string
			for _, entry := range a.log {
				if strings.HasPrefix(entry, prefix) {
					got = append(got, entry)
				}
			}
			want := map[string]string{"a": "a1@0 a1@1 a2@1 a3@1", "b": "b1@0 b2@0"}[prefix]
			if strings.Join(got, " ") != want {
				t.Errorf("the app got %v, want %s", got, want)
			}
		}
	})
}

func TestForwarderTriesAFailedQueueAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, q := newApp(), &queue{fault: errors.New("the disk is full")}
		faults := 0
		f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a, OnError: func(err error) {
			if err.Error() != "the disk is full" {
				t.Error(err)
			}
			if faults++; faults == 3 {
				q.setFault(nil)
			}
		}})
		q.add(t, nil, "x")
		time.Sleep(time.Minute)
		f.Shutdown(t.Context())
		a.want(t, "x@3")
		if faults != 3 {
			t.Errorf("%d errors, want 3", faults)
		}
	})
}

func TestForwarderShutdown(t *testing.T) {
	t.Run("forwards what is due", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, q := newApp(500), &queue{}
			f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a, Retries: 1, Concurrency: 1})
			q.add(t, f, "1", "2", "3")
			f.Shutdown(t.Context())
			f.Shutdown(t.Context()) // a second call changes nothing
			a.want(t, "1@0 2@0 3@0")
			if left := q.waiting(); left != "1" { // its retry is due later
				t.Errorf("%q is left, want 1", left)
			}
		})
	})
	t.Run("interrupts an app that hangs, and its event stays due", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, q := newApp(), &queue{}
			a.hang = true
			f := newForwarder(t, receive.ForwarderConfig{Queue: q, Transport: a})
			q.add(t, f, "1", "2")
			synctest.Wait()
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			f.Shutdown(ctx)
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("took %s, want 5s", took)
			}
			if left := q.waiting(); left != "1 2" {
				t.Errorf("%q is left, want 1 2", left)
			}
			for _, item := range q.items {
				if item.Attempts != 0 {
					t.Errorf("the attempt of %s counts", item.Record.ID)
				}
			}
		})
	})
}

func TestNewForwarderChecksItsConfig(t *testing.T) {
	for _, c := range []receive.ForwarderConfig{
		{}, {Queue: &queue{}}, {URL: "http://app.example"},
		{Queue: &queue{}}, {Queue: &queue{}, URL: "http://app.example", App: receive.Always(200)},
		{Queue: &queue{}, URL: "app.example:80"}, {Queue: &queue{}, URL: "/hooks"}, {Queue: &queue{}, URL: "http://u:hunter2@[::1"},
	} {
		if f, err := receive.NewForwarder(c); f != nil || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v makes %v, %v", c, f, err)
		}
	}
}
