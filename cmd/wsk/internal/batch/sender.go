package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// When a run gives up.
const (
	maxThrottled    = 2 * time.Hour    // of waiting after 429 for one line
	maxSilent       = 3                // lines in a row that were sent and got no answer
	maxUnauthorized = 10               // answers 401 or 403 before any other
	throttlePause   = 30 * time.Second // after a 429 that does not say how long
)

// Pauses before a line is tried again, as [deliver.Client.Send] makes them.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
)

// Sender sends the lines of a file that have no answer yet, one after another.
// All but Jitter and Each are required.
type Sender struct {
	File   *File
	Source io.ReadSeeker // the file itself
	Ledger *journal.Batch
	Pacer  *Pacer
	Client deliver.Client

	// Make makes the delivery of a line, when its turn has come.
	Make func(Line) (deliver.Delivery, error)

	Retries      int  // attempts after the first, after 5xx and where no connection was had
	RetryUnknown bool // send again what was sent and got no answer

	Jitter func() float64 // in [0,1); default: 0.5
	Each   func(Step)     // is told of each attempt, when it is in the ledger
}

// Step is one attempt.
type Step struct {
	Line   int
	Record webhook.Record
	Again  bool          // the line is tried again
	Pause  time.Duration // after this
}

// Run sends until each line has an answer. The error is a [*StopError] when
// the endpoint gives no reason to go on, [ErrChanged], the journal's, or ctx's.
// When ctx ends, the request that is under way is still waited for. After any
// error Run can be called again, in this process or another.
func (s *Sender) Run(ctx context.Context) error {
	if err := s.File.Load(ctx, s.Ledger); err != nil {
		return err
	}
	r := run{Sender: s}
	return s.File.again(ctx, s.Source, func(e *entry, l Line) error {
		if e.state == pending || e.state == sending && s.RetryUnknown {
			return r.line(ctx, e, l)
		}
		return nil
	})
}

// run is what one run remembers from line to line.
type run struct {
	*Sender
	silent       int      // lines in a row without an answer
	unauthorized []*entry // while there was no other answer
	welcome      bool     // there was one
}

// line sends one line until it has an answer, or none can be had.
func (r *run) line(ctx context.Context, e *entry, l Line) error {
	l.Raw = bytes.Clone(l.Raw) // net/http may read a body after its answer has come
	var made *deliver.Delivery
	var throttled time.Duration
	for attempt, failures := 0, 0; ; attempt++ {
		slot, err := r.Pacer.Take(ctx)
		if err != nil {
			return err
		}
		if made == nil {
			d, err := r.Make(l)
			if err != nil {
				return fmt.Errorf("line %d: %w", l.N, err)
			}
			made = &d
		}
		record, err := r.attempt(ctx, e, l.N, made, attempt, slot)
		if err != nil {
			return err
		}
		step := Step{Line: l.N, Record: record}
		switch {
		case statusOf(&record) == http.StatusTooManyRequests:
			step.Pause = deliver.RetryAfter(record.Response.Header.Get("Retry-After"), r.Pacer.Now())
			if step.Pause == 0 {
				step.Pause = throttlePause
			}
			throttled += step.Pause
			step.Again = throttled <= maxThrottled
		case r.again(&record) && failures < r.Retries:
			step.Again, step.Pause = true, r.pause(&record, failures)
			failures++
		}
		if r.Each != nil {
			r.Each(step)
		}
		if !step.Again {
			return r.judge(ctx, e, step)
		}
		if err := r.Pacer.Wait(ctx, step.Pause); err != nil {
			return err
		}
	}
}

// attempt sends a line once: claimed before, settled after. Neither these
// writes nor the request are broken off when ctx ends, for then nobody would
// know what became of the line.
func (r *run) attempt(ctx context.Context, e *entry, n int, d *deliver.Delivery, attempt int, slot journal.Slot) (webhook.Record, error) {
	ctx = context.WithoutCancel(ctx)
	taken, err := r.Ledger.Claim(ctx, n, e.state.ledger())
	switch {
	case err != nil:
		return webhook.Record{}, err
	case !taken:
		return webhook.Record{}, fmt.Errorf("line %d: another process has sent it meanwhile", n)
	}
	before := e.state
	e.state = sending
	record, err := r.Client.Attempt(ctx, *d, attempt)
	if err != nil { // no request could be made of it
		e.state = before
		return record, errors.Join(fmt.Errorf("line %d: %w", n, err), r.Ledger.Settle(ctx, journal.Line{N: n, State: e.state.ledger()}, nil))
	}
	if err := r.settle(ctx, e, outcome(&record), &record); err != nil {
		said := "got no answer"
		if record.Response != nil {
			said = "was answered " + strconv.Itoa(record.Response.Status)
		}
		return record, fmt.Errorf("line %d %s, which could not be noted, so it counts as unknown: %w", n, said, err)
	}
	return record, r.Pacer.Answered(ctx, slot)
}

// outcome is the state of a line after an attempt.
func outcome(record *webhook.Record) state {
	switch {
	case record.Verdict.Outcome == webhook.Accepted:
		return accepted
	case record.Verdict.Outcome == webhook.OutcomeUnknown:
		return sending
	case record.Response == nil, statusOf(record) == http.StatusTooManyRequests:
		return pending // it was not taken
	}
	return refused
}

func (r *run) settle(ctx context.Context, e *entry, to state, record *webhook.Record) error {
	l := journal.Line{N: int(e.n), State: to.ledger()}
	if record != nil {
		l.Status = statusOf(record)
	}
	if err := r.Ledger.Settle(ctx, l, record); err != nil {
		return err
	}
	e.state, e.status = to, uint16(l.Status) //nolint:gosec // an HTTP status has three digits
	return nil
}

// statusOf returns the status of the answer, or 0 where there was none.
func statusOf(r *webhook.Record) int {
	if r.Response == nil {
		return 0
	}
	return r.Response.Status
}

// again reports whether it is worth trying a line again.
func (r *run) again(record *webhook.Record) bool {
	switch record.Verdict.Outcome {
	case webhook.OutcomeUnknown:
		return r.RetryUnknown
	case webhook.Failed:
		return true
	}
	return statusOf(record) >= http.StatusInternalServerError
}

// pause doubles, and leaves half of itself to chance.
func (r *run) pause(record *webhook.Record, failures int) time.Duration {
	d := min(firstPause<<min(failures, 16), longestPause)
	jitter := 0.5
	if r.Jitter != nil {
		jitter = r.Jitter()
	}
	d = d/2 + time.Duration(jitter*float64(d/2))
	if record.Response != nil {
		d = max(d, deliver.RetryAfter(record.Response.Header.Get("Retry-After"), r.Pacer.Now()))
	}
	return d
}
