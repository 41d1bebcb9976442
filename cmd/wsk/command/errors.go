package command

import (
	"context"
	"errors"

	"github.com/wskdev/wsk/pkg/webhook"
)

// No returns err as an [AnswerNo].
func No(err error) error { return &AnswerNo{err} }

// NoResponse returns err as an [Unreachable].
func NoResponse(err error) error { return &Unreachable{err} }

// AnswerNo says that the answer is no. Its text may be empty, when the result
// on stdout has said it all.
type AnswerNo struct{ err error }

func (e *AnswerNo) Error() string { return e.err.Error() }

func (e *AnswerNo) Unwrap() error { return e.err }

// Unreachable says that no answer came.
type Unreachable struct{ err error }

func (e *Unreachable) Error() string { return e.err.Error() }

func (e *Unreachable) Unwrap() error { return e.err }

// ErrReported stands for an error that the output has told already.
var ErrReported = errors.New("")

// Message returns the text of an error for the terminal, with credentials in
// URLs masked; "" for nil.
func Message(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return webhook.RedactURLs(err.Error())
}
