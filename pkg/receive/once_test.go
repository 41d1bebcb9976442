package receive_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// storm delivers one request n times at once and counts the answers.
func storm(r *receiver, n int, id string, at time.Time) map[string]int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]int{}
	for range n {
		wg.Go(func() {
			w := r.deliver(id, payload, at)
			mu.Lock()
			defer mu.Unlock()
			answers[fmt.Sprint(w.Code, " ", w.Body)]++
		})
	}
	wg.Wait()
	return answers
}

// THREATS row 7.
func TestHandlerCallsTheAppOnceForConcurrentDeliveries(t *testing.T) {
	const failed = `503 {"error":"Service Unavailable"}`
	tests := []struct {
		name  string
		app   receive.App
		calls int
		want  map[string]int
	}{
		{"with a quick App", receive.Always(200), 1, map[string]int{"200 " + taken: 1, "200 " + takenBefore: 49}},
		{"with a slow App", receive.Delay(20*time.Second, receive.Always(200)), 1, map[string]int{"200 " + taken: 1, "200 " + takenBefore: 49}},
		{"when the first three tries fail", receive.FailFirst(3, 10, receive.Always(200)), 4,
			map[string]int{failed: 3, "200 " + taken: 1, "200 " + takenBefore: 46}},
		{"when the first three tries fail slowly", receive.Delay(time.Second, receive.FailFirst(3, 10, receive.Always(200))), 4,
			map[string]int{failed: 3, "200 " + taken: 1, "200 " + takenBefore: 46}},
		{"when every try fails", receive.Always(500), 50, map[string]int{`500 {"error":"Internal Server Error"}`: 50}},
	}
	for i, tt := range slices.Concat(tests, tests) {
		id := "evt_1"
		if i >= len(tests) {
			id = "" // known by time and body alone
		}
		t.Run(fmt.Sprintf("%s, id %q", tt.name, id), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var atOnce, most int
				var mu sync.Mutex
				r := newReceiver(t, func(c *receive.Config) {
					c.Now = time.Now
					c.App = func(ctx context.Context, e *webhook.Event, record *webhook.Record) webhook.Response {
						mu.Lock()
						atOnce++
						most = max(most, atOnce)
						mu.Unlock()
						defer func() { mu.Lock(); atOnce--; mu.Unlock() }()
						return tt.app(ctx, nil, record)
					}
				})
				got := storm(r, 50, id, time.Now())
				if fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("answers %v, want %v", got, tt.want)
				}
				wantCalls(t, r, tt.calls)
				if most != 1 {
					t.Errorf("the App was at work on the id %d times at once", most)
				}
			})
		})
	}
}

func TestHandlerHandlesDifferentIDsConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c *receive.Config) { c.Now, c.App = time.Now, receive.Delay(time.Second, receive.Always(200)) })
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 20 {
			body := strings.Replace(payload, "wo_1", fmt.Sprint("wo_", i), 1)
			wg.Go(func() { wantAnswer(t, r.deliver(fmt.Sprint("evt_", i), body, began), 200, taken) })
		}
		wg.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("twenty deliveries of a second each took %s, want 1s", took)
		}
	})
}

func TestHandlerTreatsARetryAfterAFailureAsANewTry(t *testing.T) {
	for _, status := range []int{300, 307, 400, 401, 404, 409, 422, 429, 500, 502, 503, 504, 599} {
		for kind, at := range map[string]time.Time{"with a new signature": clock.Add(time.Minute), "byte for byte": clock} {
			t.Run(fmt.Sprintf("%d, %s", status, kind), func(t *testing.T) {
				now := status
				r := newReceiver(t, func(c *receive.Config) {
					c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { return receive.Status(now) }
				})
				if got := r.deliver("evt_1", payload, clock); got.Code != status {
					t.Fatalf("answered %d", got.Code)
				}
				if v := r.last(t).Verdict; v.Outcome != webhook.Failed || v.Reason != "app" || !v.Verified {
					t.Errorf("recorded as %+v", v)
				}
				now = 200
				wantAnswer(t, r.deliver("evt_1", payload, at), 200, taken)
				wantAnswer(t, r.deliver("evt_1", payload, at), 200, takenBefore)
				wantCalls(t, r, 2)
			})
		}
	}
	for _, status := range []int{200, 201, 202, 204, 299} {
		t.Run(fmt.Sprintf("%d is a yes", status), func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) { c.App = receive.Always(status) })
			if got := r.deliver("evt_1", payload, clock); got.Code != status {
				t.Fatalf("answered %d", got.Code)
			}
			wantAnswer(t, r.deliver("evt_1", payload, clock), 200, takenBefore)
			wantCalls(t, r, 1)
		})
	}
}

// shared is a Store that is not a Memory, so that a receiver claims and settles.
type shared struct{ receive.Store }

// A store that receivers share is free for the next try at once, at each of them.
func TestHandlerReleasesWhatTheAppFailed(t *testing.T) {
	t.Parallel()
	store := shared{&receive.Memory{}}
	fails := map[string]receive.App{
		"answers 503": receive.Always(http.StatusServiceUnavailable),
		"panics":      func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { panic("out of luck") },
	}
	for name, app := range fails {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := newReceiver(t, func(c *receive.Config) { c.Store, c.App = store, app })
			second := newReceiver(t, func(c *receive.Config) { c.Store = store })
			body := strings.Replace(payload, "wo_1", name, 1)
			func() {
				defer func() { _ = recover() }() // net/http's part
				first.deliver(name, body, clock)
			}()
			wantCalls(t, first, 1)
			wantAnswer(t, second.deliver(name, body, clock), 200, taken)
			wantAnswer(t, second.deliver(name, body, clock), 200, takenBefore)
			wantCalls(t, second, 1)
		})
	}
}

func TestHandlerKeepsNoIDOfARefusedRequest(t *testing.T) {
	tests := map[string]func() *http.Request{
		"for its signature": func() *http.Request { return post(header("evt_1", payload+" ", clock), payload) },
		"for its age":       func() *http.Request { return post(header("evt_1", payload, clock.Add(-time.Hour)), payload) },
		"for its JSON":      func() *http.Request { return post(header("evt_1", payload[1:], clock), payload[1:]) },
	}
	for name, refused := range tests {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, nil)
			if got := r.answerTo(refused()); got.Code/100 != 4 {
				t.Fatalf("answered %d %s", got.Code, got.Body)
			}
			wantAnswer(t, r.deliver("evt_1", payload, clock), 200, taken)
			wantCalls(t, r, 1)
		})
	}
}

func TestHandlerRecognizesARetryWithANewSignature(t *testing.T) {
	r := newReceiver(t, nil)
	wantAnswer(t, r.deliver("evt_1", payload, clock), 200, taken)
	for minute := range 5 {
		wantAnswer(t, r.deliver("evt_1", payload, clock.Add(time.Duration(minute)*time.Minute)), 200, takenBefore)
		if v := r.last(t).Verdict; v.Outcome != webhook.Duplicate || v.Reason != "" {
			t.Errorf("recorded as %+v", v)
		}
	}
	wantCalls(t, r, 1)
}

func TestHandlerRecognizesARequestWithoutAnIDByTimestampAndBody(t *testing.T) {
	r := newReceiver(t, nil)
	wantAnswer(t, r.deliver("", payload, clock), 200, taken)
	wantAnswer(t, r.deliver("", payload, clock), 200, takenBefore)
	wantAnswer(t, r.deliver("", payload, clock.Add(time.Second)), 200, taken)
	wantAnswer(t, r.deliver("", payload+" ", clock), 200, taken)
	wantCalls(t, r, 3)
}

func TestHandlerEndsWithASenderThatWaitsAndGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan int)
		r := newReceiver(t, func(c *receive.Config) {
			c.Now = time.Now
			c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
				return receive.Status(<-release)
			}
		})
		at := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { wantAnswer(t, r.deliver("evt_1", payload, at), 200, taken) })
		synctest.Wait()

		ctx, leave := context.WithCancel(t.Context())
		gone := httptest.NewRecorder()
		waiting := make(chan struct{})
		go func() {
			defer close(waiting)
			r.ServeHTTP(gone, post(header("evt_1", payload, at), payload).WithContext(ctx))
		}()
		synctest.Wait()
		leave()
		<-waiting
		wantAnswer(t, gone, 503, `{"error":"Interrupted"}`)
		if v := r.last(t).Verdict; v.Outcome != webhook.Refused || v.Reason != "aborted" {
			t.Errorf("recorded as %+v", v)
		}
		release <- 200
		wg.Wait()
		wantAnswer(t, r.deliver("evt_1", payload, at), 200, takenBefore)
		wantCalls(t, r, 1)
	})
}

func TestHandlerRecordsAPanicOfTheAppAndFreesTheID(t *testing.T) {
	panics := true
	r := newReceiver(t, func(c *receive.Config) {
		c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
			if panics {
				panic("the app's own fault")
			}
			return receive.OK()
		}
	})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed: net/http would not know of it")
			}
		}()
		r.deliver("evt_1", payload, clock)
	}()
	record := r.last(t)
	if record.Verdict.Outcome != webhook.Failed || record.Response != nil || record.Error != "the app panicked" {
		t.Errorf("recorded as %+v, response %v, error %q", record.Verdict, record.Response, record.Error)
	}
	panics = false
	wantAnswer(t, r.deliver("evt_1", payload, clock), 200, taken)
}

func TestConfigWantsSelectsWhatReachesTheApp(t *testing.T) {
	r := newReceiver(t, func(c *receive.Config) {
		c.Wants = func(e webhook.Event) bool { return strings.HasPrefix(e.Type, "work_order.") }
	})
	other := strings.Replace(payload, "work_order.created", "project.closed", 1)
	wantAnswer(t, r.deliver("evt_2", other, clock), 200, taken)
	if got := r.last(t); got.Verdict.Outcome != webhook.Accepted || got.Event != "project.closed" {
		t.Errorf("recorded as %s, %+v", got.Event, got.Verdict)
	}
	wantCalls(t, r, 0)
	wantAnswer(t, r.deliver("evt_2", other, clock), 200, takenBefore)
	wantAnswer(t, r.deliver("evt_1", payload, clock), 200, taken)
	wantCalls(t, r, 1)
	h := header("evt_3", other, clock)
	h.Set(webhook.HeaderSignature, strings.Repeat("0", 64))
	wantAnswer(t, r.answerTo(post(h, other)), 401, invalidSignature) // what is not wanted is verified all the same
}
