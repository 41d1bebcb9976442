package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// runSandbox is the platform until it is stopped, or its command has ended.
func runSandbox(ctx context.Context, env *command.Env, cfg *config.Config, o *options, argv []string) (err error) {
	p, err := command.Palette(env, cfg, env.OutTTY)
	if err != nil {
		return err
	}
	setup, err := o.setup(ctx, env, cfg)
	if err != nil {
		return err
	}
	given := setup.Companies[0].Keys
	env, end := command.TolerateStalls(env)
	defer end()
	v := &sandboxView{env: env, p: p, text: o.output.Text(), data: o.data, runs: len(argv) > 0, begun: make(chan struct{})}
	broken := make(chan error, 2) // the store and the deliveries may both say so
	setup.Received, setup.Delivered = v.received, v.delivered
	setup.Broken = func(err error) {
		select {
		case broken <- fmt.Errorf("%w; what was answered with 200 before is safe, and what comes now cannot be", err):
		default: // said before
		}
	}
	listener, err := env.Listen(ctx, net.JoinHostPort(o.host, strconv.Itoa(int(o.port))))
	if err != nil {
		return command.ListenError(err, o.host, o.port)
	}
	box, err := sandbox.New(ctx, setup)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	ready, err := v.ready(listener.Addr().String(), box, given)
	close(v.begun) // what was due already is told of behind the ready line
	if err != nil {
		return errors.Join(err, listener.Close(), box.Close())
	}
	fault := serveSandbox(ctx, env, box, listener, broken, ready, argv)
	fault = errors.Join(fault, v.done(ctx, box))
	return errors.Join(fault, box.Close())
}

// serveSandbox serves until one thing ends it: Ctrl-C, the command's end, or a
// disk that fails.
func serveSandbox(ctx context.Context, env *command.Env, box *sandbox.Sandbox, l net.Listener, broken <-chan error, ready sandboxReady, argv []string) error {
	server := command.NewServer(box)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	defer server.Stop(ctx)
	running, stop := context.WithCancel(ctx)
	defer stop()
	var ended <-chan error
	if len(argv) > 0 {
		ended = command.StartCommand(running, env, argv, []string{
			"WSK_SANDBOX_URL=" + ready.Base, "WSK_URL=" + ready.URL, "WSK_API_KEY=" + ready.APIKey, "WSK_SECRET=" + ready.Secret,
		})
	}
	var fault error
	select {
	case <-ctx.Done():
		if ended != nil {
			fault = <-ended // it was interrupted as well, and ends first
		}
		return fault
	case fault = <-failed:
	case fault = <-broken:
	case fault = <-ended:
		return fault
	}
	command.StopCommand(stop, ended)
	return fault
}

// received shows an event that came, and what was answered.
func (v *sandboxView) received(r webhook.Record) {
	v.came.Add(r.Verdict.Outcome)
	v.show(r, nil)
}

// delivered shows an attempt, and what becomes of its delivery.
func (v *sandboxView) delivered(d sandbox.Delivery, r webhook.Record) {
	<-v.begun
	v.show(r, &d)
}
