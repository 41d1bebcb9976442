package receive_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// THREATS row 8.
func TestHandlerAnswersACapturedRequestAndDoesNotHandleIt(t *testing.T) {
	first, retry := header("evt_1", payload, clock), header("evt_1", payload, clock.Add(time.Minute))
	under := func(h http.Header, id string) http.Header {
		h = h.Clone()
		if h.Del(webhook.HeaderID); id != "" {
			h.Set(webhook.HeaderID, id)
		}
		return h
	}
	tests := []struct {
		name   string
		before []http.Header
		again  http.Header
		answer string
	}{
		{"under a new id", []http.Header{first}, under(first, "evt_2"), takenSuspect},
		{"without its id", []http.Header{first}, under(first, ""), takenSuspect},
		{"with an id, where it came without", []http.Header{under(first, "")}, first, takenSuspect},
		{"without an id, then with one", []http.Header{under(first, "")}, first, takenSuspect},
		{"a re-signed retry under a new id", []http.Header{first, retry}, under(retry, "evt_2"), takenSuspect},
		{"a re-signed retry without its id", []http.Header{first, retry}, under(retry, ""), takenSuspect},
		{"the first of two under a new id", []http.Header{first, retry}, under(first, "evt_2"), takenSuspect},
		{"unchanged", []http.Header{first}, first, takenBefore},
		{"without an id, unchanged", []http.Header{under(first, "")}, under(first, ""), takenBefore},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, nil)
			for _, h := range tt.before {
				r.answerTo(post(h, payload))
			}
			wantCalls(t, r, 1)
			for range 3 {
				wantAnswer(t, r.answerTo(post(tt.again, payload)), 200, tt.answer)
			}
			wantCalls(t, r, 1)
			record := r.last(t)
			if tt.answer != takenSuspect {
				return
			}
			if record.Verdict.Outcome != webhook.ReplaySuspect || string(record.Request.Body) != payload {
				t.Errorf("recorded as %+v", record.Verdict)
			}
			named := "without an id:"
			if id := tt.before[0].Get(webhook.HeaderID); id != "" {
				named = `under the id "` + id + `":`
			}
			if !strings.Contains(record.Verdict.Detail, named) {
				t.Errorf("the detail does not say %q: %s", named, record.Verdict.Detail)
			}
		})
	}
}

// A try that failed carries a good signature as well.
func TestHandlerSuspectsACapturedTryOnceItsRetryWasAccepted(t *testing.T) {
	failures := 2
	r := newReceiver(t, func(c *receive.Config) {
		c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
			if failures--; failures >= 0 {
				return receive.Status(503)
			}
			return receive.OK()
		}
	})
	for i, want := range []int{503, 503, 200} {
		if got := r.deliver("evt_1", payload, clock.Add(time.Duration(i)*time.Minute)); got.Code != want {
			t.Fatalf("try %d was answered %d, want %d", i, got.Code, want)
		}
	}
	for i := range 3 {
		at := clock.Add(time.Duration(i) * time.Minute)
		wantAnswer(t, r.deliver("evt_9", payload, at), 200, takenSuspect)
		wantAnswer(t, r.deliver("", payload, at), 200, takenSuspect)
		wantAnswer(t, r.deliver("evt_1", payload, at), 200, takenBefore)
	}
	wantCalls(t, r, 3)
}

// Nothing was accepted yet, so the copy is the one chance that is left.
func TestHandlerAcceptsACapturedTryWhileNothingWasAccepted(t *testing.T) {
	status := 503
	r := newReceiver(t, func(c *receive.Config) {
		c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { return receive.Status(status) }
	})
	r.deliver("evt_1", payload, clock)
	status = 200
	wantAnswer(t, r.deliver("evt_2", payload, clock), 200, taken)
	wantAnswer(t, r.deliver("evt_1", payload, clock), 200, takenSuspect)
}

func TestHandlerHoldsACapturedRequestDuringTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c *receive.Config) { c.Now, c.App = time.Now, receive.Delay(time.Second, receive.Always(200)) })
		at := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { wantAnswer(t, r.deliver("evt_1", payload, at), 200, taken) })
		synctest.Wait()
		wg.Go(func() { wantAnswer(t, r.deliver("evt_2", payload, at), 200, takenSuspect) })
		wg.Wait()
		wantCalls(t, r, 1)
	})
}

// THREATS row 9.
func TestHandlerAnswersAnotherBodyUnderTheSameIDWithAConflict(t *testing.T) {
	r := newReceiver(t, nil)
	other := strings.Replace(payload, "wo_1", "wo_2", 1)
	wantAnswer(t, r.deliver("evt_1", payload, clock), 200, taken)
	wantAnswer(t, r.deliver("evt_1", other, clock), 409, `{"error":"Webhook id was used for another body"}`)
	if v := r.last(t).Verdict; v.Outcome != webhook.Conflict || v.Reason != "conflict" || !v.Verified {
		t.Errorf("recorded as %+v", v)
	}
	wantAnswer(t, r.deliver("evt_1", payload+" ", clock), 409, `{"error":"Webhook id was used for another body"}`)
	wantAnswer(t, r.deliver("evt_1", payload, clock), 200, takenBefore)
	wantAnswer(t, r.deliver("evt_2", other, clock), 200, taken) // a conflict leaves no mark on the body
	wantCalls(t, r, 2)
}

func TestHandlerStandardWebhooksDistinguishesDeliveriesOfOneSecond(t *testing.T) {
	key := "whsec_c2VjcmV0IGtleSBvZiB0aGUgdGVzdHM="
	scheme, err := webhook.SchemeNamed(webhook.StandardWebhooks)
	if err != nil {
		t.Fatal(err)
	}
	r := newReceiver(t, func(c *receive.Config) {
		c.Verifier = webhook.Verifier{Scheme: scheme, Secrets: []webhook.Secret{webhooktest.Secret(t, key)}}
	})
	for _, step := range []struct{ id, want string }{
		{"msg_1", taken}, {"msg_2", taken}, {"msg_1", takenBefore}, {"msg_2", takenBefore},
	} {
		wantAnswer(t, r.answerTo(post(standardHeader("secret key of the tests", step.id, payload), payload)), 200, step.want)
	}
	wantCalls(t, r, 2)
}
