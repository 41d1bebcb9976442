package cli

import (
	"context"
	"errors"
)

// The exit codes, the same for every command.
const (
	exitYes         = 0
	exitNo          = 1   // the answer is no
	exitUsage       = 2   // usage, configuration, or a file that can't be read
	exitUnreachable = 3   // the endpoint could not be reached
	exitInterrupted = 130 // Ctrl-C
)

// noError says that the answer is no. Its text may be empty, when the result
// on stdout has said it all.
type noError struct{ err error }

func (e *noError) Error() string { return e.err.Error() }
func (e *noError) Unwrap() error { return e.err }

// unreachableError says that no answer came.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

// joined is [errors.Join] as a call: every command ends in one, and nothing is
// won by a copy of it in each.
//
//go:noinline
func joined(errs ...error) error { return errors.Join(errs...) }

// errSaid stands for an error that the output has told already.
var errSaid = errors.New("")

// exitCode maps an error to the exit code. It is the only place that does:
// every error that is of no other kind is one of usage.
func exitCode(err error) int {
	var no *noError
	var unreachable *unreachableError
	switch {
	case err == nil:
		return exitYes
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &no):
		return exitNo
	case errors.As(err, &unreachable):
		return exitUnreachable
	}
	return exitUsage
}
