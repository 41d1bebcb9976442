package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// StartCommand runs a command beside a server, with more variables in its environment.
// The channel gives nil when it ended well, a noError when it failed, and
// another error when it could not be started. Its output goes to stderr, since
// stdout carries the server's result.
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

// End stops a command, if there is one, and waits for it.
func StopCommand(stop func(), ended <-chan error) {
	if stop(); ended != nil {
		<-ended //nolint:errcheck // it was stopped, which is all that it has to say
	}
}
