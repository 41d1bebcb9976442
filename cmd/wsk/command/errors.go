package command

import (
	"context"
	"errors"

	"github.com/wskdev/wsk/pkg/webhook"
)

// An error of a command that is neither of these two kinds is one of usage,
// configuration or input, or of ctx.

// AnswerNo is an error that means no: a bad signature, a lint error, a refusal
// by the endpoint. Its text is empty where the output has explained everything.
type AnswerNo struct{ err error }

// No returns err as an [*AnswerNo].
func No(err error) error { return &AnswerNo{err} }

// Error returns the text of the cause.
func (e *AnswerNo) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *AnswerNo) Unwrap() error { return e.err }

// ErrReported is the cause of an [AnswerNo] that the output has explained already.
var ErrReported = errors.New("")

// Unreachable is an error that means that the endpoint did not answer.
type Unreachable struct{ err error }

// NoResponse returns err as an [*Unreachable].
func NoResponse(err error) error { return &Unreachable{err} }

// Error returns the text of the cause.
func (e *Unreachable) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *Unreachable) Unwrap() error { return e.err }

// Message returns the text of an error for a terminal, with credentials in URLs
// masked. It is "" for nil.
func Message(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return webhook.RedactURLs(err.Error())
}
