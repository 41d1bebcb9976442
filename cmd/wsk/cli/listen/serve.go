package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/expect"
)

// serve runs the server until one thing ends it: Ctrl-C, the command's end, all
// that was expected, the timeout, or a disk that fails.
func (o *options) serve(ctx context.Context, env *command.Env, h http.Handler, l net.Listener, t *expect.Tally, show *listenView, kept *storage, argv []string) error {
	server := command.NewServer(h)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	fault := o.wait(ctx, env, failed, kept.broken, l.Addr().String(), t, argv)
	server.Stop(ctx)
	show.done(ctx)
	if err := kept.close(ctx); fault == nil {
		fault = err
	}
	if missing := t.Missing(); missing != "" && fault == nil {
		fault = command.No(errors.New(missing))
	}
	return fault
}

// wait runs the command, if there is one, and returns when one thing has ended
// the receiver, with what is wrong about that.
func (o *options) wait(ctx context.Context, env *command.Env, failed, broken <-chan error, address string, t *expect.Tally, argv []string) error {
	var timeout <-chan time.Time
	if o.timeout > 0 {
		timer := time.NewTimer(o.timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	met := t.Met()
	running, stop := context.WithCancel(ctx)
	defer stop()
	var ended <-chan error
	if len(argv) > 0 {
		_, port, _ := net.SplitHostPort(address) // of a listener, so it has one
		ended = command.StartCommand(running, env, argv, []string{"WSK_LISTEN_URL=http://" + address, "WSK_LISTEN_ADDR=" + address, "WSK_LISTEN_PORT=" + port})
		met = nil // the command has the say; what was expected is looked at after it
	}
	var fault error
	for waiting := true; waiting; {
		waiting = false
		select {
		case <-ctx.Done():
			if ended != nil {
				fault = <-ended // it was interrupted as well, and ends first
			}
		case <-met:
		case <-timeout:
			if ended != nil {
				stop()
				if err := <-ended; err != nil {
					fault = command.No(fmt.Errorf("%s was still running after %s", argv[0], o.timeout))
				}
			}
		case fault = <-failed:
			command.StopCommand(stop, ended)
		case fault = <-broken:
			command.StopCommand(stop, ended)
		case fault = <-ended:
			if fault == nil && timeout != nil && t.Missing() != "" {
				ended, met, waiting = nil, t.Met(), true // what it set off may still come
			}
		}
	}
	return fault
}
