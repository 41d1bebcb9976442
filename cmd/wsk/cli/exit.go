package cli

import (
	"context"
	"errors"

	"github.com/wskdev/wsk/cmd/wsk/command"
)

// The exit codes, the same for every command.
const (
	exitYes         = 0
	exitNo          = 1   // the answer is no
	exitUsage       = 2   // usage, configuration, or a file that can't be read
	exitUnreachable = 3   // the endpoint could not be reached
	exitInterrupted = 130 // Ctrl-C
)

// exitCode returns the exit code for an error. It is the only place that does.
// An error of no other kind is a usage error.
func exitCode(err error) int {
	var no *command.AnswerNo
	var unreachable *command.Unreachable
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
