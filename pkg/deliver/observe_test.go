package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/webhook"
)

// inTurn is a transport that answers with the statuses in turn, each after a second. 0
// is a connection that is refused.
func inTurn(statuses ...int) http.RoundTripper {
	return webhooktest.RoundTrip(func(*http.Request) (*http.Response, error) {
		time.Sleep(time.Second) // of a bubble's clock
		status := statuses[0]
		statuses = statuses[1:]
		if status == 0 {
			return nil, errors.New("connection refused")
		}
		return &http.Response{StatusCode: status, Body: http.NoBody}, nil
	})
}

// sent is what an Observer gets for an attempt to send delivery's event.
func sent(outcome webhook.Outcome, reason string, status, attempt int) observe.Attempt {
	return observe.Attempt{
		Platform: webhook.WorkSkedge, Scheme: webhook.TimestampBody, Event: "work_order.created",
		Outcome: outcome, Reason: reason, Status: status, Attempt: attempt, Duration: time.Second,
	}
}

func again(a observe.Attempt, pause time.Duration) observe.Retry {
	return observe.Retry{
		Platform: a.Platform, Event: a.Event, Outcome: a.Outcome, Reason: a.Reason, Status: a.Status, Attempt: a.Attempt, Pause: pause,
	}
}

func TestObserver(t *testing.T) {
	t.Parallel()
	policy := deliver.Policy{Retries: 2, Backoff: func(failures int) time.Duration { return time.Duration(failures+1) * time.Minute }}
	busy, unreachable := sent(webhook.Refused, "status", 503, 0), sent(webhook.Failed, "unreachable", 0, 1)
	for name, test := range map[string]struct {
		send func(ctx context.Context, c deliver.Client, d deliver.Delivery) error
		over http.RoundTripper
		want []any
	}{
		"accepted": {func(ctx context.Context, c deliver.Client, d deliver.Delivery) error {
			_, err := c.Send(ctx, d, policy, nil)
			return err
		}, inTurn(202), []any{sent(webhook.Accepted, "", 202, 0)}},
		"accepted at last": {func(ctx context.Context, c deliver.Client, d deliver.Delivery) error {
			_, err := c.Send(ctx, d, policy, nil)
			return err
		}, inTurn(503, 0, 200), []any{
			busy, again(busy, time.Minute), unreachable, again(unreachable, 2*time.Minute), sent(webhook.Accepted, "", 200, 2),
		}},
		"refused": {func(ctx context.Context, c deliver.Client, d deliver.Delivery) error {
			_, err := c.Send(ctx, d, policy, nil)
			return err
		}, inTurn(307), []any{sent(webhook.Refused, "redirect", 307, 0)}},
		"as a platform": {func(ctx context.Context, c deliver.Client, d deliver.Delivery) error {
			_, err := c.Deliver(ctx, d, deliver.PlatformSchedule(webhook.WorkSkedge), nil)
			return err
		}, inTurn(503, 404), []any{busy, again(busy, time.Minute), sent(webhook.Refused, "status", 404, 1)}},
		"one attempt": {func(ctx context.Context, c deliver.Client, d deliver.Delivery) error {
			_, err := c.Attempt(ctx, d, 3)
			return err
		}, inTurn(503), []any{sent(webhook.Refused, "status", 503, 3)}},
		"unsigned, of another catalog": {func(ctx context.Context, c deliver.Client, d deliver.Delivery) error {
			d.Unsigned, d.Secret, d.Event.Type = true, webhook.Secret{}, "acme.exploded"
			_, err := c.Attempt(ctx, d, 0)
			return err
		}, inTurn(200), []any{observe.Attempt{
			Platform: webhook.WorkSkedge, Event: observe.Other, Outcome: webhook.Accepted, Status: 200, Duration: time.Second,
		}}},
		"no request can be made": {func(ctx context.Context, c deliver.Client, d deliver.Delivery) error {
			d.Secret = webhook.Secret{}
			_, err := c.Send(ctx, d, policy, nil)
			return err
		}, unused(t), nil},
		"the limiter refuses": {func(ctx context.Context, c deliver.Client, d deliver.Delivery) error {
			c.Before = func(context.Context, deliver.Delivery, int) error { return errors.New("no room") }
			_, err := c.Send(ctx, d, policy, nil)
			return err
		}, unused(t), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var o webhooktest.Observer
				_ = test.send(t.Context(), deliver.Client{Transport: test.over, Observer: &o}, delivery(t, "http://app.example/hooks"))
				o.Want(t, test.want...)
			})
		})
	}
}

// What an Observer gets is printed, and has no credential, nor anything else of the
// delivery that a stranger or a customer chose.
func TestObserver_gets_no_credential(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var o webhooktest.Observer
		d := delivery(t, "http://user:hunter2@app.example/hooks?token=hunter2")
		d.Header = deliver.Inbound("hunter2", "custom")
		d.Secret, d.WebhookID = webhooktest.Secret(t, "hunter2"), "hunter2"
		d.Event = event(t, `{"event_type":"work_order.hunter2","timestamp":"2026-01-15T14:30:00Z","source":"hunter2","data":{"hunter2":1}}`)
		_, err := deliver.Client{Transport: inTurn(500, 500), Observer: &o}.Send(t.Context(), d, deliver.Policy{Retries: 1}, nil)
		if text := fmt.Sprintf("%#v", o.Values()); err == nil || len(o.Values()) != 3 || strings.Contains(text, "hunter2") {
			t.Errorf("%v, observed %s", err, text)
		}
	})
}

func TestObserver_that_panics_breaks_no_delivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := deliver.Client{
			Transport: inTurn(503, 200),
			Observer:  &webhooktest.Observer{Then: func(value any) { panic(fmt.Sprintf("no room for %T", value)) }},
		}
		var warnings []string
		record, err := c.Send(t.Context(), delivery(t, "http://app.example/hooks"), deliver.Policy{Retries: 1}, func(s deliver.Step) {
			warnings = append(warnings, strings.Join(s.Record.Verdict.Warnings, ", "))
		})
		if err != nil || record.Status() != 200 {
			t.Errorf("sent: %d, %v", record.Status(), err)
		}
		const attempt, retry = "the observer panicked: no room for observe.Attempt", "the observer panicked: no room for observe.Retry"
		if len(warnings) != 2 || warnings[0] != attempt+", "+retry || warnings[1] != attempt {
			t.Errorf("the warnings are %q", warnings)
		}
	})
}

// An Observer that blocks holds up its own delivery, whose attempt was made, and no other.
func TestObserver_that_blocks_delays_no_other_delivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release, calls := make(chan struct{}), 0
		c := deliver.Client{Transport: inTurn(200, 200), Observer: &webhooktest.Observer{Then: func(any) {
			if calls++; calls == 1 {
				<-release
			}
		}}}
		d := delivery(t, "http://app.example/hooks")
		first := make(chan error, 1)
		go func() {
			_, err := c.Attempt(t.Context(), d, 0)
			first <- err
		}()
		time.Sleep(time.Minute) // of the bubble's clock
		synctest.Wait()
		if _, err := c.Attempt(t.Context(), d, 0); err != nil || len(first) != 0 {
			t.Errorf("the second delivery: %v", err)
		}
		close(release)
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkClient_Attempt shows that a client without an Observer does nothing for one.
func BenchmarkClient_Attempt(b *testing.B) {
	over := webhooktest.RoundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	for name, o := range map[string]observe.Observer{"without an Observer": nil, "with one": observe.Nop{}} {
		b.Run(name, func(b *testing.B) {
			c, d := client(over), delivery(b, "http://app.example/hooks")
			c.Observer = o
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Attempt(b.Context(), d, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
