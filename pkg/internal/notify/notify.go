// Package notify calls an [observe.Observer] with what a record says, such that it
// cannot break the delivery: a panic becomes a warning of the record. It decides
// which text an Observer gets, so that every set of labels is bounded. It is internal
// because it is how the packages under pkg call an Observer, and no more.
//
// Each function does nothing for a nil Observer.
package notify

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Received tells o of a request that was answered, or refused.
func Received(ctx context.Context, o observe.Observer, r *webhook.Record) {
	if o == nil {
		return
	}
	defer recovered(r)
	if r.Verdict.Outcome == webhook.Refused {
		o.Refused(ctx, observe.Refusal{
			Platform: r.Platform, Scheme: r.Scheme, Reason: r.Verdict.Reason, Status: r.Status(),
			Bytes: len(r.Request.Body), Duration: r.Duration,
		})
		return
	}
	o.Received(ctx, observe.Receipt{
		Platform: r.Platform, Scheme: r.Scheme, Event: event(r), Outcome: r.Verdict.Outcome, Reason: r.Verdict.Reason,
		Status: r.Status(), Attempt: r.Attempt, Bytes: len(r.Request.Body), Duration: r.Duration,
	})
}

// Handled tells o of a call of the app. The record fills in what c does not say: the
// platform and the event.
func Handled(ctx context.Context, o observe.Observer, r *webhook.Record, c observe.Call) {
	if o == nil {
		return
	}
	defer recovered(r)
	c.Platform, c.Event = r.Platform, event(r)
	o.Handled(ctx, c)
}

// Sent tells o of an attempt.
func Sent(ctx context.Context, o observe.Observer, r *webhook.Record) {
	if o == nil {
		return
	}
	defer recovered(r)
	o.Sent(ctx, observe.Attempt{
		Platform: r.Platform, Scheme: r.Scheme, Event: event(r), Outcome: r.Verdict.Outcome, Reason: r.Verdict.Reason,
		Status: r.Status(), Attempt: r.Attempt, Duration: r.Duration,
	})
}

// Retried tells o of an attempt that another follows after a pause.
func Retried(ctx context.Context, o observe.Observer, r *webhook.Record, pause time.Duration) {
	if o == nil {
		return
	}
	defer recovered(r)
	o.Retried(ctx, observe.Retry{
		Platform: r.Platform, Event: event(r), Outcome: r.Verdict.Outcome, Reason: r.Verdict.Reason,
		Status: r.Status(), Attempt: r.Attempt, Pause: pause,
	})
}

// recovered turns a panic of an Observer into a warning. Who has the record already
// keeps the verdict that it had.
func recovered(r *webhook.Record) {
	value := recover()
	if value == nil {
		return
	}
	verdict := *r.Verdict
	verdict.Warnings = append(slices.Clip(verdict.Warnings), fmt.Sprintf("the observer panicked: %v", value))
	r.Verdict = &verdict
}

// event returns the type of a record's event, if the catalog has it.
func event(r *webhook.Record) string {
	if r.Event == "" || catalog()[webhook.Definition{Platform: r.Platform, Form: r.Form, Type: r.Event}] {
		return r.Event
	}
	return observe.Other
}

// catalog has every event of the default catalog.
var catalog = sync.OnceValue(func() map[webhook.Definition]bool {
	known := map[webhook.Definition]bool{}
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		known[d] = true
	}
	return known
})
