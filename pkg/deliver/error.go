package deliver

import (
	"net/http"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Error is the error for a delivery that was not accepted: the last attempt got
// another response than 2xx, or none, or the context ended before it was accepted.
type Error struct {
	// Record is the record of the last attempt.
	Record webhook.Record

	// Err is why there was no response, such as a [*net.OpError] or an error of
	// crypto/x509, or the error of the context; nil after a response.
	Err error

	// RetryAfter is the pause that the response asks for in its Retry-After header,
	// also where that is longer than [MaxRetryAfter]; 0 if it asks for none.
	RetryAfter time.Duration
}

// newError returns the error of a delivery whose last attempt is r, or nil if that was
// accepted.
func newError(r webhook.Record, cause error, now time.Time) error {
	if r.Verdict.Outcome == webhook.Accepted {
		return nil
	}
	e := &Error{Record: r, Err: cause}
	if r.Response != nil {
		e.RetryAfter = askedPause(r.Response.Header.Get("Retry-After"), now)
	}
	return e
}

// Error names the target, without credentials, and what happened.
func (e *Error) Error() string {
	target := webhook.RedactURL(e.Record.Request.URL)
	if status := e.Status(); status != 0 {
		return target + ": the endpoint answered " + strconv.Itoa(status) + " " + http.StatusText(status)
	}
	return target + ": " + webhook.RedactURLs(e.Record.Error)
}

// Unwrap returns Err, so that errors.Is(err, syscall.ECONNREFUSED) works.
func (e *Error) Unwrap() error { return e.Err }

// Status returns the status of the response, or 0 if there was none.
func (e *Error) Status() int { return e.Record.Status() }

// Unknown reports whether the receiver may have handled the delivery all the same:
// the request was sent, and there was no response. To send it again may do it twice.
func (e *Error) Unknown() bool { return e.Record.Verdict.Outcome == webhook.OutcomeUnknown }
