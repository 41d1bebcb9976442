package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// StartCommand starts a command beside a server, with variables added to its
// environment. Its output goes to stderr, since stdout carries the server's result.
// The channel receives nil when the command succeeds, an [*AnswerNo] when it fails,
// and another error when it cannot be started or ctx ends.
func StartCommand(ctx context.Context, env *Env, command, variables []string) <-chan error {
	done := make(chan error, 1)
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 5 * time.Second
	c.Dir = env.Dir
	c.Env = append(env.Environ(), variables...)
	c.Stdin, c.Stdout, c.Stderr = env.In, env.Err, env.Err
	if err := c.Start(); err != nil {
		done <- fmt.Errorf("starting %s: %w", command[0], err)
		return done
	}
	go func() {
		err := c.Wait()
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			done <- ctx.Err()
		case errors.As(err, &exit):
			done <- No(fmt.Errorf("%s ended with %w", command[0], exit))
		case err != nil:
			done <- No(fmt.Errorf("running %s: %w", command[0], err))
		default:
			done <- nil
		}
	}()
	return done
}

// StopCommand calls stop and waits for the command to end; ended is nil when there
// is no command.
func StopCommand(stop func(), ended <-chan error) {
	if stop(); ended != nil {
		<-ended //nolint:errcheck // its error is that it was stopped
	}
}
