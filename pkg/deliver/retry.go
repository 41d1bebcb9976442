package deliver

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/internal/notify"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Policy says how often a client repeats a delivery, and how long it waits
// before. The zero Policy makes one attempt.
//
// An attempt is repeated after 429, after 5xx, and after a connection that was
// refused or broke before the request was written. The pause doubles from half
// a second to thirty seconds; a random part of up to half of it is taken off,
// so that senders that failed together do not retry together. A Retry-After
// header that asks for a longer pause is followed, see [RetryAfter].
type Policy struct {
	Retries      int            // attempts after the first; default: none
	RetryUnknown bool           // repeat also what was sent and got no response: the receiver may handle it twice
	Jitter       func() float64 // random numbers in [0,1); default: math/rand/v2

	// Repeats, if not nil, decides what is repeated, in place of the rule above. It
	// is asked after an attempt that was not accepted.
	Repeats func(r webhook.Record) bool

	// Backoff, if not nil, returns the pause after the first failure (0), the
	// second (1) and so on, in place of the one above. A longer Retry-After is
	// still followed.
	Backoff func(failures int) time.Duration
}

// MaxRetryAfter is the longest pause that a Retry-After header can ask for.
const MaxRetryAfter = 5 * time.Minute

const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
)

// Next decides after an attempt whether another one follows, and after which
// pause. failures is how many attempts failed before this one: 0 after the
// first. now is the time that a date in Retry-After is compared with.
func (p Policy) Next(r webhook.Record, failures int, now time.Time) (pause time.Duration, again bool) {
	if failures >= p.Retries || !p.repeats(r) {
		return 0, false
	}
	if p.Backoff != nil {
		pause = p.Backoff(failures)
	} else {
		jitter := p.Jitter
		if jitter == nil {
			jitter = rand.Float64
		}
		pause = exchange.Backoff(firstPause, longestPause, failures)
		pause = pause/2 + time.Duration(jitter()*float64(pause/2))
	}
	if r.Response != nil {
		pause = max(pause, RetryAfter(r.Response.Header.Get("Retry-After"), now))
	}
	return pause, true
}

func (p Policy) repeats(r webhook.Record) bool {
	if p.Repeats != nil {
		return (r.Verdict == nil || r.Verdict.Outcome != webhook.Accepted) && p.Repeats(r)
	}
	if r.Verdict != nil && r.Verdict.Outcome == webhook.OutcomeUnknown {
		return p.RetryUnknown
	}
	return exchange.Temporary(r.Status())
}

// RetryAfter reads a Retry-After header, which holds seconds or an HTTP date
// (RFC 9110, section 10.2.3). It returns 0 for anything else and for the past,
// and never more than [MaxRetryAfter].
func RetryAfter(value string, now time.Time) time.Duration {
	return min(askedPause(value, now), MaxRetryAfter)
}

// askedPause is RetryAfter without its limit.
func askedPause(value string, now time.Time) time.Duration {
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range, ParseInt returns the nearest number
		return time.Duration(min(max(seconds, 0), int64(math.MaxInt64/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// Schedule lists the pauses of a platform that delivers an event: one after
// each attempt that failed, counted from the end of that attempt. The number
// of attempts is one more than the number of pauses.
type Schedule []time.Duration

// PlatformSchedule returns the pauses that a platform documents.
//
//   - WorkSkedge: 1, 5 and 15 minutes, 1 and 6 hours, which is six attempts
//     (Webhooks page, "Retry Logic & Error Handling").
//   - Worksome: 10, 100, 1,000 and 10,000 seconds, which is five attempts.
//   - Work Market: one retry ("Retry"). Its page states no pause; the minute
//     is this package's choice.
func PlatformSchedule(p webhook.Platform) Schedule {
	switch p {
	case webhook.Worksome:
		return Schedule{10 * time.Second, 100 * time.Second, 1000 * time.Second, 10000 * time.Second}
	case webhook.WorkMarket:
		return Schedule{time.Minute}
	}
	return Schedule{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour}
}

// Next returns the pause after an attempt that failed, counted from 0. ok is
// false after the last attempt.
func (s Schedule) Next(attempt int) (pause time.Duration, ok bool) {
	if attempt < 0 || attempt >= len(s) {
		return 0, false
	}
	return s[attempt], true
}

// IsFinal reports whether a platform makes no further attempt after a response
// with that status. Status 0 means no response, which is not final.
//
//   - WorkSkedge and Worksome: 2xx, 3xx and 4xx are final, 429 included
//     (Webhooks page, "Retry Logic & Error Handling").
//   - Work Market: 2xx alone is final, because it retries any callout that
//     failed ("Retry").
func IsFinal(p webhook.Platform, status int) bool {
	if p == webhook.WorkMarket {
		return status/100 == 2
	}
	return status != 0 && status < 500
}

// Faster returns the schedule with each pause divided by a factor. An infinite
// factor leaves no pauses; one of 1 or less changes nothing.
func (s Schedule) Faster(factor float64) Schedule {
	out := slices.Clone(s)
	if factor > 1 {
		for i, pause := range out {
			out[i] = time.Duration(float64(pause) / factor)
		}
	}
	return out
}

// Total returns the sum of the pauses.
func (s Schedule) Total() time.Duration {
	var sum time.Duration
	for _, pause := range s {
		sum += pause
	}
	return sum
}

// Step is one attempt of a delivery, and what follows it.
type Step struct {
	Record webhook.Record
	Again  bool          // another attempt follows
	Pause  time.Duration // how long after this one
}

// Send delivers as a client does: it attempts d until the response is final or
// the policy allows no more, and returns the last record. The error is nil only if
// the delivery was accepted, and otherwise an [*Error]; if no request was made, it is
// that of [Delivery.Request] or [Client.Before].
//
// each may be nil. It is called after every attempt, also after one that the
// end of ctx interrupted.
func (c Client) Send(ctx context.Context, d Delivery, p Policy, each func(Step)) (webhook.Record, error) {
	c = c.withDefaults()
	return c.attempts(ctx, d, each, func(r webhook.Record) (time.Duration, bool) {
		return p.Next(r, r.Attempt, c.Now())
	})
}

// Deliver delivers as a platform does: it attempts d until the response is
// [IsFinal] or the schedule has ended, and returns the last record. each and the
// error are as for [Client.Send]: with an [*Error], the delivery is dead.
func (c Client) Deliver(ctx context.Context, d Delivery, s Schedule, each func(Step)) (webhook.Record, error) {
	c = c.withDefaults()
	return c.attempts(ctx, d, each, func(r webhook.Record) (time.Duration, bool) {
		if IsFinal(d.Event.Platform, r.Status()) {
			return 0, false
		}
		return s.Next(r.Attempt)
	})
}

// attempts makes attempts until next returns false.
func (c Client) attempts(ctx context.Context, d Delivery, each func(Step), next func(webhook.Record) (time.Duration, bool)) (webhook.Record, error) {
	var last webhook.Record
	for attempt := 0; ; attempt++ {
		record, cause, err := c.attempt(ctx, d, attempt)
		switch {
		case record.Verdict == nil && attempt == 0: // no request was made
			return record, err
		case record.Verdict == nil: // none but those before
			return last, newError(last, err, c.Now())
		}
		last = record
		step := Step{Record: record}
		if err == nil {
			step.Pause, step.Again = next(record)
		}
		if step.Again {
			notify.Retried(ctx, c.Observer, &step.Record, step.Pause)
		}
		if each != nil {
			each(step)
		}
		if step.Again {
			err = c.Wait(ctx, step.Pause)
		}
		if !step.Again || err != nil {
			return record, newError(record, cmp.Or(err, cause), c.Now())
		}
	}
}

// Wait pauses for d, or returns the error of ctx when that ends first.
func Wait(ctx context.Context, d time.Duration) error { return exchange.Wait(ctx, d) }

// FormatDuration writes a duration for people, without units that are zero: "1m",
// "7h21m".
func FormatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
