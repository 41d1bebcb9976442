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
	maxUnauthorized = 10               // answers 401 or 403 before any other answer
	throttlePause   = 30 * time.Second // after a 429 without a Retry-After
)

// Sender sends the lines of a file that have no answer yet, one after another.
// All but Client, Policy and Each are required.
type Sender struct {
	File   *File
	Source io.ReadSeeker // the file itself
	Ledger *journal.Batch
	Pacer  *Pacer
	Client deliver.Client

	// Make returns the delivery of a line whose turn has come.
	Make func(Line) (deliver.Delivery, error)

	// Policy says how often a line is sent again after 5xx and without a
	// connection, and whether that is done for an unknown outcome. A line that
	// was answered 429 is always sent again.
	Policy deliver.Policy

	// Each is called after each attempt, when the ledger has its outcome.
	Each func(Step)
}

// Step is one attempt of a line, and what follows it.
type Step struct {
	Line   int
	Record webhook.Record
	Again  bool          // the line is sent again
	Pause  time.Duration // how long after this attempt
}

// Reason is why a run stopped before the end of the file.
type Reason string

// The reasons.
const (
	Unreachable  Reason = "unreachable"  // there was no connection; the line was not sent
	Silent       Reason = "silent"       // several lines in a row were sent and got no answer
	Throttled    Reason = "throttled"    // 429 for hours; the line was not accepted
	Unauthorized Reason = "unauthorized" // the key or the secret is wrong; the lines were not accepted
)

// StopError is the error of a run that stopped before the end of the file. The
// ledger contains what was done, and the next run continues from there.
type StopError struct {
	Reason Reason
	Line   int            // the last line that was sent
	Record webhook.Record // its last attempt
}

func (e *StopError) Error() string {
	switch e.Reason {
	case Silent:
		return fmt.Sprintf("%d lines in a row got no answer, the last of them line %d: %s", maxSilent, e.Line, e.Record.Error)
	case Throttled:
		return fmt.Sprintf("line %d: the endpoint has answered 429 for %.0f hours", e.Line, maxThrottled.Hours())
	case Unauthorized:
		return fmt.Sprintf("the first %d answers were all 401 or 403", maxUnauthorized)
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Record.Error)
}

// Run sends until each line has an answer. The error is a [*StopError] when the
// endpoint gives no reason to continue, [ErrChanged], the journal's, or that of
// ctx. When ctx ends, Run still waits for the answer to the request that was
// sent. After any error Run can be called again, in this process or another.
func (s *Sender) Run(ctx context.Context) error {
	if err := s.File.Load(ctx, s.Ledger); err != nil {
		return err
	}
	r := run{sender: s}
	return s.File.eachEvent(ctx, s.Source, func(e *entry, l Line) error {
		if e.state == pending || e.state == sending && s.Policy.RetryUnknown {
			return r.line(ctx, e, l)
		}
		return nil
	})
}

// run is what one run remembers from line to line.
type run struct {
	sender       *Sender
	silent       int      // lines in a row without an answer
	unauthorized []*entry // lines that were answered 401 or 403, while no line had another answer
	authorized   bool     // a line had another answer
}

// line sends one line until it has an answer, or none can be expected.
func (r *run) line(ctx context.Context, e *entry, l Line) error {
	s := r.sender
	l.Raw = bytes.Clone(l.Raw) // net/http may still read a body after its answer has come
	var made *deliver.Delivery
	var throttled time.Duration
	for attempt, failures := 0, 0; ; attempt++ {
		if err := s.Pacer.Take(ctx); err != nil {
			return err
		}
		if made == nil {
			d, err := s.Make(l)
			if err != nil {
				return fmt.Errorf("line %d: %w", l.N, err)
			}
			made = &d
		}
		record, err := s.attempt(ctx, e, *made, attempt)
		if err != nil {
			return err
		}
		step := Step{Line: l.N, Record: record}
		if record.Status() == http.StatusTooManyRequests {
			step.Pause = deliver.RetryAfter(record.Response.Header.Get("Retry-After"), s.Pacer.Now())
			if step.Pause == 0 {
				step.Pause = throttlePause
			}
			throttled += step.Pause
			step.Again = throttled <= maxThrottled
		} else {
			step.Pause, step.Again = s.Policy.Next(record, failures, s.Pacer.Now())
			failures++
		}
		if s.Each != nil {
			s.Each(step)
		}
		if !step.Again {
			return r.judge(ctx, e, step)
		}
		if err := s.Pacer.Wait(ctx, step.Pause); err != nil {
			return err
		}
	}
}

// attempt sends a line once: it is claimed in the ledger before, and settled
// after. The end of ctx interrupts neither these writes nor the request,
// because then nobody would know the outcome of the line.
func (s *Sender) attempt(ctx context.Context, e *entry, d deliver.Delivery, attempt int) (webhook.Record, error) {
	ctx = context.WithoutCancel(ctx)
	n := int(e.n)
	claimed, err := s.Ledger.Claim(ctx, n, e.state.ledger())
	switch {
	case err != nil:
		return webhook.Record{}, err
	case !claimed:
		return webhook.Record{}, fmt.Errorf("line %d: another process has sent it meanwhile", n)
	}
	before := e.state
	e.state = sending
	record, err := s.Client.Attempt(ctx, d, attempt)
	if err != nil { // no request could be made of it
		e.state = before
		return record, errors.Join(fmt.Errorf("line %d: %w", n, err), s.Ledger.Settle(ctx, journal.Line{N: n, State: e.state.ledger()}, nil))
	}
	if err := s.settle(ctx, e, outcome(record), &record); err != nil {
		result := "got no answer"
		if record.Response != nil {
			result = "was answered " + strconv.Itoa(record.Response.Status)
		}
		return record, fmt.Errorf("line %d %s, which could not be written to the journal, so its outcome counts as unknown: %w", n, result, err)
	}
	return record, s.Pacer.Answered(ctx)
}

// settle writes the state of a line to the ledger, with the record of its
// attempt, if there is one.
func (s *Sender) settle(ctx context.Context, e *entry, to state, record *webhook.Record) error {
	l := journal.Line{N: int(e.n), State: to.ledger()}
	if record != nil {
		l.Status = record.Status()
	}
	if err := s.Ledger.Settle(ctx, l, record); err != nil {
		return err
	}
	e.state, e.status = to, uint16(l.Status) //nolint:gosec // an HTTP status has three digits
	return nil
}

// outcome is the state of a line after an attempt.
func outcome(record webhook.Record) state {
	switch {
	case record.Verdict.Outcome == webhook.Accepted:
		return accepted
	case record.Verdict.Outcome == webhook.OutcomeUnknown:
		return sending
	case record.Response == nil, record.Status() == http.StatusTooManyRequests:
		return pending // it was not accepted
	}
	return refused
}

// judge decides after the last attempt of a line whether the next line is sent.
func (r *run) judge(ctx context.Context, e *entry, last Step) error {
	stop := func(why Reason) error { return &StopError{Reason: why, Line: last.Line, Record: last.Record} }
	if e.state == sending {
		if r.silent++; r.silent == maxSilent {
			return stop(Silent)
		}
		return nil
	}
	r.silent = 0
	switch status := last.Record.Status(); {
	case status == 0:
		return stop(Unreachable)
	case status == http.StatusTooManyRequests:
		return stop(Throttled)
	case r.authorized:
		return nil
	case status != http.StatusUnauthorized && status != http.StatusForbidden:
		r.authorized, r.unauthorized = true, nil
		return nil
	}
	if r.unauthorized = append(r.unauthorized, e); len(r.unauthorized) < maxUnauthorized {
		return nil
	}
	// With the right key these lines are worth sending: none was accepted.
	for _, e := range r.unauthorized {
		if err := r.sender.settle(context.WithoutCancel(ctx), e, pending, nil); err != nil {
			return err
		}
	}
	return stop(Unauthorized)
}
