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
	server := command.StartServer(l, h)
	fault := o.wait(ctx, env, server.Failed(), kept.broken, l.Addr().String(), t, argv)
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
	var beside *command.Process
	if len(argv) > 0 {
		_, port, _ := net.SplitHostPort(address) // of a listener, so it has one
		var err error
		beside, err = command.StartBeside(env, argv, []string{"WSK_LISTEN_URL=http://" + address, "WSK_LISTEN_ADDR=" + address, "WSK_LISTEN_PORT=" + port})
		if err != nil {
			return err
		}
		defer beside.Stop()
		met = nil // the command decides when to end; expectations are checked after it
	}
	ended := beside.Ended()
	for {
		select {
		case <-ctx.Done():
			if ended != nil {
				return ctx.Err() // the command was interrupted; a receiver alone runs until Ctrl-C
			}
			return nil
		case <-met:
			return nil
		case <-timeout:
			if ended != nil {
				return command.No(fmt.Errorf("%s was still running after %s", argv[0], o.timeout))
			}
			return nil
		case err := <-failed:
			return err
		case err := <-broken:
			return err
		case <-ended:
			if err := beside.Result(ctx); err != nil || timeout == nil || t.Missing() == "" {
				return err
			}
			ended, met = nil, t.Met() // what the command set off may still arrive
		}
	}
}
