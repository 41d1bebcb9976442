package deliver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Policy says when a sender tries again: after 429, after 5xx and after a
// connection that was refused or broke before the request was out.
type Policy struct {
	Retries      int  // attempts after the first
	RetryUnknown bool // also after a request that was sent and got no answer
}

const (
	firstPause    = 500 * time.Millisecond
	longestPause  = 30 * time.Second
	maxRetryAfter = 5 * time.Minute // what a Retry-After may ask for
)

// Step is told to the caller of Send and Deliver after each attempt.
type Step struct {
	Record webhook.Record
	Again  bool          // another attempt follows
	Pause  time.Duration // after this
}

// Send attempts d until it is accepted, or refused for good, or the policy is
// used up, and returns the last record. each, if not nil, is called after every
// attempt, one that ctx ended included. The error is that of [Client.Attempt].
func (c Client) Send(ctx context.Context, d Delivery, p Policy, each func(Step)) (webhook.Record, error) {
	return c.attempts(ctx, &d, each, func(r *webhook.Record) (time.Duration, bool) {
		if r.Attempt >= p.Retries || !p.again(r) {
			return 0, false
		}
		return c.pause(r, r.Attempt), true
	})
}

// attempts makes one attempt after another until next, asked for the pause
// before the next one, says that there is none.
func (c *Client) attempts(ctx context.Context, d *Delivery, each func(Step), next func(*webhook.Record) (time.Duration, bool)) (webhook.Record, error) {
	for attempt := 0; ; attempt++ {
		record, err := c.attempt(ctx, d, attempt)
		if record.Verdict == nil { // nothing was attempted
			return record, err
		}
		step := Step{Record: record}
		if err == nil {
			step.Pause, step.Again = next(&record)
		}
		if each != nil {
			each(step)
		}
		if !step.Again {
			return record, err
		}
		if err := c.wait(ctx, step.Pause); err != nil {
			return record, err
		}
	}
}

func (p Policy) again(r *webhook.Record) bool {
	switch {
	case r.Verdict.Outcome == webhook.OutcomeUnknown:
		return p.RetryUnknown
	case r.Response == nil:
		return true
	}
	return r.Response.Status == http.StatusTooManyRequests || r.Response.Status >= 500
}

// pause doubles from half a second to thirty, and takes between half and the
// whole of that by chance, so that senders that failed together do not come
// back together. A Retry-After that asks for more is honoured up to a limit.
func (c *Client) pause(r *webhook.Record, attempt int) time.Duration {
	d := min(firstPause<<min(attempt, 16), longestPause)
	jitter := 0.5
	if c.Jitter != nil {
		jitter = c.Jitter()
	}
	d = d/2 + time.Duration(jitter*float64(d/2))
	if r.Response != nil {
		d = max(d, RetryAfter(r.Response.Header.Get("Retry-After"), c.Now()))
	}
	return d
}

// RetryAfter reads a Retry-After header, seconds or an HTTP date, and caps it
// at five minutes. It is 0 for anything else and for the past.
func RetryAfter(value string, now time.Time) time.Duration {
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // past the range it is the nearest number
		return time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

func (c *Client) wait(ctx context.Context, d time.Duration) error {
	if c.Wait != nil {
		return c.Wait(ctx, d)
	}
	return Wait(ctx, d)
}

// Wait waits by a timer, or returns the error of ctx when that ends first.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err() // without a pause, both may be ready
	}
}
