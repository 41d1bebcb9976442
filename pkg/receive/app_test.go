package receive_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// try calls an App with a record of the given id and body.
func try(ctx context.Context, app receive.App, id, body string) (int, *webhook.Record) {
	record := &webhook.Record{WebhookID: id, Verdict: &webhook.Verdict{}, Request: webhook.Request{Body: []byte(body)}}
	return app(ctx, nil, record).Status, record
}

func TestAlwaysAnswersWithItsStatus(t *testing.T) {
	tests := []struct {
		status int
		body   string
	}{
		{200, taken}, {202, taken}, {299, taken}, {204, ""}, {304, ""}, // the last two have no body
		{302, `{"error":"Found"}`}, {418, `{"error":"I'm a teapot"}`}, {503, `{"error":"Service Unavailable"}`}, {599, `{"error":""}`},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) { c.App = receive.Always(tt.status) })
			got := r.deliver("evt_1", payload, clock)
			wantAnswer(t, got, tt.status, tt.body)
			if length := got.Header()["Content-Length"]; (length == nil) != (tt.body == "") {
				t.Errorf("Content-Length is %q", length)
			}
			if said := r.last(t).Verdict.Detail != ""; said == (tt.status < 300) {
				t.Errorf("the record says %q", r.last(t).Verdict.Detail)
			}
		})
	}
}

func TestHandlerAnswers500ForAnUnusableStatusOfTheApp(t *testing.T) {
	for _, status := range []int{-1, 0, 1, 99, 100, 101, 103, 199, 1000} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) {
				c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
					return webhook.Response{Status: status}
				}
			})
			for range 2 { // the second is a new try
				wantAnswer(t, r.deliver("evt_1", payload, clock), 500, `{"error":"Internal Server Error"}`)
			}
			record := r.last(t)
			if record.Verdict.Outcome != webhook.Failed || !strings.Contains(record.Error, fmt.Sprint("status ", status, ",")) {
				t.Errorf("recorded as %+v, %q", record.Verdict, record.Error)
			}
			wantCalls(t, r, 2)
		})
	}
}

func TestFailFirstFailsTheFirstTriesOfEachDelivery(t *testing.T) {
	type step struct {
		id, body string
		status   int
	}
	tests := []struct {
		name     string
		n, limit int
		steps    []step
	}{
		{"each id for itself", 2, 10, []step{
			{"a", "1", 503}, {"b", "1", 503}, {"a", "1", 503}, {"a", "1", 202}, {"b", "1", 503}, {"b", "1", 202}, {"a", "1", 202},
		}},
		{"an id is known whatever its body", 1, 10, []step{{"a", "1", 503}, {"a", "2", 202}}},
		{"without an id by the body", 1, 10, []step{{"", "1", 503}, {"", "2", 503}, {"", "1", 202}, {"", "2", 202}}},
		{"none", 0, 10, []step{{"a", "1", 202}}},
		{"past the limit the oldest is forgotten", 1, 2, []step{
			{"a", "1", 503}, {"b", "1", 503}, {"c", "1", 503}, {"b", "1", 202}, {"c", "1", 202}, {"a", "1", 503}, {"c", "1", 202}, {"b", "1", 503},
		}},
		{"a limit of none is one", 1, 0, []step{{"a", "1", 503}, {"a", "1", 202}, {"b", "1", 503}, {"a", "1", 503}}},
		{"long ids that differ at their end", 1, 10, []step{
			{strings.Repeat("x", 5000) + "1", "", 503}, {strings.Repeat("x", 5000) + "2", "", 503}, {strings.Repeat("x", 5000) + "1", "", 202},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := receive.FailFirst(tt.n, tt.limit, receive.Always(202))
			for i, s := range tt.steps {
				got, record := try(t.Context(), app, s.id, s.body)
				if got != s.status || (got == 503) != (record.Verdict.Detail == "failed on purpose") {
					t.Errorf("step %d: %d %q, want %d", i, got, record.Verdict.Detail, s.status)
				}
			}
		})
	}
}

func TestFailFirstRemembersNoMoreThanItsLimit(t *testing.T) {
	for _, limit := range []int{0, 1, 100} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			app := receive.FailFirst(1, limit, receive.Always(200))
			before := webhooktest.Heap(true)
			for i := range 20_000 {
				try(t.Context(), app, fmt.Sprintf("%0100d", i), "")
			}
			if grown := webhooktest.Heap(true) - before; grown > 1<<20 {
				t.Errorf("20,000 ids later the heap is larger by %d KiB", grown>>10)
			}
			try(t.Context(), app, "", "") // so that it was not collected before
		})
	}
}

func TestAppsWithoutNext(t *testing.T) {
	for name, app := range map[string]receive.App{"FailFirst": receive.FailFirst(0, 1, nil), "Delay": receive.Delay(0, nil)} {
		if got := app(t.Context(), nil, &webhook.Record{Verdict: &webhook.Verdict{}}); got.Status != 200 {
			t.Errorf("%s answers %d", name, got.Status)
		}
	}
}

func TestDelayWaits(t *testing.T) {
	for _, d := range []time.Duration{0, time.Millisecond, time.Minute, time.Hour} {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				if status, _ := try(t.Context(), receive.Delay(d, receive.Always(202)), "a", ""); status != 202 {
					t.Errorf("answered %d", status)
				}
				if took := time.Since(began); took != d {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestDelayEndsWhenTheSenderGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c *receive.Config) { c.Now, c.App = time.Now, receive.Delay(time.Minute, receive.Always(200)) })
		began := time.Now()
		ctx, leave := context.WithTimeout(t.Context(), 5*time.Second)
		defer leave()
		w := httptest.NewRecorder()
		r.ServeHTTP(w, post(header("evt_1", payload, began), payload).WithContext(ctx))
		wantAnswer(t, w, 503, `{"error":"Service Unavailable"}`)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("given up after %s", took)
		}
		if v := r.last(t).Verdict; v.Outcome != webhook.Failed || !strings.Contains(v.Detail, "went away") {
			t.Errorf("recorded as %+v", v)
		}
		wantAnswer(t, r.deliver("evt_1", payload, began), 200, taken) // its id is free again
	})
}
