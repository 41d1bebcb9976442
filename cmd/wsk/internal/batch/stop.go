package batch

import (
	"context"
	"fmt"
	"net/http"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Reason says why a run stopped before its end.
type Reason string

// The reasons.
const (
	Unreachable  Reason = "unreachable"  // no connection was had; the line was not sent
	Silent       Reason = "silent"       // lines in a row were sent and got no answer
	Throttled    Reason = "throttled"    // 429 for hours; the line was not taken
	Unauthorized Reason = "unauthorized" // key or secret are wrong; the lines were not taken
)

// StopError says that a run stopped before its end. The ledger has what was
// done, and the next run goes on from there.
type StopError struct {
	Reason Reason
	Line   int            // the last that was sent
	Record webhook.Record // of its last attempt
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

// judge decides after the last attempt of a line whether the next line's turn
// comes.
func (r *run) judge(ctx context.Context, e *entry, last Step) error {
	stop := func(why Reason) error { return &StopError{Reason: why, Line: last.Line, Record: last.Record} }
	status := statusOf(&last.Record)
	if e.state == sending {
		if r.silent++; r.silent == maxSilent {
			return stop(Silent)
		}
		return nil
	}
	r.silent = 0
	switch {
	case last.Record.Response == nil:
		return stop(Unreachable)
	case status == http.StatusTooManyRequests:
		return stop(Throttled)
	case r.welcome:
		return nil
	case status != http.StatusUnauthorized && status != http.StatusForbidden:
		r.welcome, r.unauthorized = true, nil
		return nil
	}
	if r.unauthorized = append(r.unauthorized, e); len(r.unauthorized) < maxUnauthorized {
		return nil
	}
	// With the right key they are worth sending: nothing was taken of them.
	for _, e := range r.unauthorized {
		if err := r.settle(context.WithoutCancel(ctx), e, pending, nil); err != nil {
			return err
		}
	}
	return stop(Unauthorized)
}
