package deliver

import (
	"context"
	"slices"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// SlowAfter is how long a receiver may take before its answer gets a warning:
// WorkSkedge's page asks for one within 10 seconds, and calls a delivery
// failed after [DefaultTimeout].
const SlowAfter = 10 * time.Second

// Schedule lists the pauses of a platform that delivers an event: one after
// each attempt that failed, counted from its end. There is one attempt more
// than there are pauses.
type Schedule []time.Duration

// PlatformSchedule returns the pauses that a platform documents: WorkSkedge 1
// and 5 and 15 minutes, 1 and 6 hours, six attempts in all; Worksome 10, 100,
// 1,000 and 10,000 seconds, five attempts. Work Market documents one retry and
// no pause before it: the minute is chosen here.
func PlatformSchedule(p webhook.Platform) Schedule {
	switch p {
	case webhook.Worksome:
		return Schedule{10 * time.Second, 100 * time.Second, 1000 * time.Second, 10000 * time.Second}
	case webhook.WorkMarket:
		return Schedule{time.Minute}
	}
	return Schedule{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour}
}

// Faster returns the schedule with each pause divided by a factor; an infinite
// one leaves no pauses. A factor that is not more than 1 changes nothing.
func (s Schedule) Faster(factor float64) Schedule {
	out := slices.Clone(s)
	if factor > 1 {
		for i, pause := range out {
			out[i] = time.Duration(float64(pause) / factor)
		}
	}
	return out
}

// Total is the sum of the pauses.
func (s Schedule) Total() time.Duration {
	var sum time.Duration
	for _, pause := range s {
		sum += pause
	}
	return sum
}

// Outbound returns the header of a request that a platform sends, beside the
// signature's lines: the content type, and for WorkSkedge the event and the
// number of the retry, which [Client.Attempt] sets.
func Outbound(p webhook.Platform, event string) webhook.Header {
	h := webhook.Header{{Name: "Content-Type", Value: "application/json"}}
	if p != webhook.WorkSkedge {
		return h
	}
	return append(h, webhook.Pair{Name: webhook.HeaderEvent, Value: event}, webhook.Pair{Name: webhook.HeaderRetry, Value: "0"})
}

// Deliver plays the platform: it attempts d until it is accepted, and returns
// the last record. After 5xx and after no answer, a time-out included, it goes
// on by the schedule. 3xx and 4xx are final, 429 too: unless the last record
// is accepted, the delivery is dead. each and the error are those of
// [Client.Send].
func (c Client) Deliver(ctx context.Context, d Delivery, s Schedule, each func(Step)) (webhook.Record, error) {
	return c.attempts(ctx, &d, each, func(r *webhook.Record) (time.Duration, bool) {
		if r.Attempt >= len(s) || r.Response != nil && r.Response.Status < 500 {
			return 0, false
		}
		return s[r.Attempt], true
	})
}
