//go:build unix

package command_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/command"
)

func shellEnv() *command.Env {
	return &command.Env{Err: io.Discard, Environ: func() []string { return []string{"PATH=/usr/bin:/bin"} }}
}

func TestProcessResult(t *testing.T) {
	t.Parallel()
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	isNo := func(err error) bool { var no *command.AnswerNo; return errors.As(err, &no) }
	for name, test := range map[string]struct {
		ctx    context.Context
		script string
		want   func(error) bool
	}{
		"success is nil":                            {t.Context(), `test "$MARK" = x`, func(err error) bool { return err == nil }},
		"a failure is a no":                         {t.Context(), "exit 3", isNo},
		"an interruption is not a failure":          {interrupted, "exit 3", func(err error) bool { return errors.Is(err, context.Canceled) }},
		"a command that a signal ended is a no too": {t.Context(), "kill -9 $$", isNo},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := command.StartBeside(shellEnv(), []string{"sh", "-c", test.script}, []string{"MARK=x"})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Result(test.ctx); !test.want(err) {
				t.Errorf("result: %v", err)
			}
		})
	}
}

// signalWriter is closed by the first output of a process.
type signalWriter struct {
	once  sync.Once
	ready chan struct{}
}

func (w *signalWriter) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.ready) })
	return len(b), nil
}

func TestProcessStop(t *testing.T) {
	t.Parallel()
	if signal.Ignored(os.Interrupt) {
		t.Skip("a shell cannot trap a signal that was ignored when it started")
	}
	for name, start := range map[string]func(output io.Writer) (*command.Process, error){
		"a command beside a server is interrupted": func(output io.Writer) (*command.Process, error) {
			env := shellEnv()
			env.Err = output
			return command.StartBeside(env, []string{"sh", "-c", "trap 'exit 7' INT; echo ready; while :; do sleep 0.01; done"}, nil)
		},
		"a service is terminated together with its children": func(output io.Writer) (*command.Process, error) {
			// Only its child prints ready, and keeps the output open.
			return command.StartService(shellEnv(), []string{"sh", "-c", "trap 'wait; exit 7' TERM; sh -c 'echo ready; exec sleep 60' & wait"}, output)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output := &signalWriter{ready: make(chan struct{})}
			p, err := start(output)
			if err != nil {
				t.Fatal(err)
			}
			<-output.ready
			p.Stop()
			if err := p.Err(); err == nil || err.Error() != "exit status 7" {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestProcessEnded(t *testing.T) {
	t.Parallel()
	var none *command.Process
	if none.Ended() != nil {
		t.Error("a process that was not started has ended")
	}
}
