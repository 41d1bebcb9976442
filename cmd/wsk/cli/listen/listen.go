// Package listen implements wsk listen, a verifying webhook receiver.
package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/internal/expect"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
)

type options struct {
	settings *command.Settings
	output   command.Output
	journal  command.Journal

	keepRefused string // see refusedBody

	host string
	port uint16

	maxConnections int

	// What a request must prove.
	platform      string
	notifyURL     string
	skipVerify    bool
	requireHeader []string
	requireQuery  []string
	strict        bool
	maxBody       int64
	dedupWindow   time.Duration

	// What handles it.
	events             []string
	forwardTo          string
	forwardRetries     int
	forwardConcurrency int
	forwardOrder       bool
	respond            int
	failFirst          int
	delay              time.Duration

	// What ends the receiver.
	expect    []string
	exitAfter int
	timeout   time.Duration
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "listen --secret VALUE [--port N] [--forward-to URL] [-- CMD…]",
		Short: "Receive webhooks and verify them",
		Long: `Receive webhooks on this machine, verify each one, and show it. A valid request
is answered with 200 {"received":true}, an id that was seen before with 200 as a
duplicate (it is not forwarded), a wrong signature with 401, and a timestamp
outside the window with 400.

Requests are stored in the journal before they are answered (see wsk journal
list). An answer of 200 means that the record is on disk; if it cannot be
written, the answer is 503. Ids are remembered over restarts, unless
--no-journal is given. With --forward-retries, an event that the app did not
accept in the end is forward_failed: wsk replay --failed sends it again.

Worksome's deliveries have neither an id nor a timestamp: the same body again is
a duplicate within --dedup-window, and later a new event.

Of a request that is refused before its signature is accepted, the journal keeps
the headers, the reason and the beginning of the body, and of those requests the
newest 10,000, or 64 MiB. They are stored when there is time for it.

Work Market does not sign: with --platform workmarket, every method, path and
body is accepted, and --require-header and --require-query name what proves the
sender.

For tests: --expect ends with exit code 0 as soon as everything has arrived, and
with 1 and a list of what is missing after --timeout. A command after -- runs
while the receiver is up, with its address in $WSK_LISTEN_URL, $WSK_LISTEN_ADDR
and $WSK_LISTEN_PORT. When it ends, the receiver stops, with 1 if it failed; if
something is missing, it waits for that until --timeout. --expect and --events
take the names of known events; custom ones come from --schemas.`,
		Example: `  wsk listen --secret s3cret
  wsk listen --secret --forward-to http://localhost:8080/hooks
  wsk listen --secret s3cret --expect work_order.created=2 --timeout 30s
  wsk listen --secret s3cret --fail-first 2 --events 'work_order.*'
  wsk listen --platform workmarket --require-header 'Authorization: Bearer t0k'
  wsk listen --secret s3cret --port 0 -- npm test`,
		Args: func(cmd *cobra.Command, args []string) error {
			if before := cmd.ArgsLenAtDash(); before > 0 || before < 0 && len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: put a command to run after --", args[0])
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.host, "host", "127.0.0.1", "the `ADDRESS` to listen on; any but a loopback address lets other machines send")
	f.Uint16Var(&o.port, "port", 3000, "the port `N` to listen on; 0 picks a free one")
	command.MaxConnections(cmd, &o.maxConnections)
	o.settings = command.NewSettings(cmd)
	o.settings.Secret()
	command.Scheme(cmd, o.settings, &o.platform, &o.notifyURL, "workmarket")
	f.StringArrayVar(&o.requireHeader, "require-header", nil, "with --platform workmarket: accept only requests with the header `'Name: value'`; repeatable")
	f.StringArrayVar(&o.requireQuery, "require-query", nil, "with --platform workmarket: accept only requests with the parameter `NAME=VALUE` in the URL; repeatable")
	o.settings.Duration("tolerance", "how far a timestamp may be from now, a `DURATION`, or off (default 300s)")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "accept every request unverified")
	f.BoolVar(&o.strict, "strict", false, "answer 422 to an event that contradicts the catalog")
	o.settings.Schemas()
	f.Int64Var(&o.maxBody, "max-body", receive.DefaultMaxBody, "the largest accepted body, in `BYTES`")
	command.DurationVar(f, &o.dedupWindow, "dedup-window", receive.DefaultDedupWindow, "where a delivery has neither id nor timestamp, as those of Worksome: how long the same body again is a duplicate, a `DURATION`")
	f.StringVar(&o.forwardTo, "forward-to", "", "forward verified events to `URL`, byte for byte, and answer with its answer")
	f.IntVar(&o.forwardRetries, "forward-retries", 0, "answer as soon as the event is journaled, and forward it in the background, with up to `N` retries if the app fails; a restart continues")
	f.IntVar(&o.forwardConcurrency, "forward-concurrency", receive.DefaultConcurrency, "with --forward-retries: forward up to `N` events at a time; 1 forwards them in the order of their receipt")
	f.BoolVar(&o.forwardOrder, "forward-order", false, "with --forward-retries: forward events about the same record one after another, in the order of their receipt; a retry holds back the next")
	f.StringArrayVar(&o.events, "events", nil, "show and forward only events that match `GLOB`, such as 'work_order.*'; repeatable")
	f.IntVar(&o.respond, "respond", 0, "answer valid requests with `STATUS` instead of 200")
	f.IntVar(&o.failFirst, "fail-first", 0, "answer the first `N` attempts of each delivery with 503")
	command.DurationVar(f, &o.delay, "delay", 0, "wait for a `DURATION` before answering a valid request")
	f.StringArrayVar(&o.expect, "expect", nil, "expect `EVENT=N`, or EVENT for one; a glob counts all that match; repeatable")
	command.DurationVar(f, &o.timeout, "timeout", 0, "stop after a `DURATION`, with exit code 1 if something expected is missing")
	f.IntVar(&o.exitAfter, "exit-after", 0, "stop after `N` accepted events")
	o.journal.AddWrite(cmd)
	f.StringVar(&o.keepRefused, "keep-refused", strconv.Itoa(journal.DefaultRefusedBody), "how much of the body of a request that is refused unverified the journal keeps, in `BYTES`, or all")
	command.Exclusive(cmd, "keep-refused", "no-journal")
	command.CompleteFlag(cmd, "keep-refused", "0", "all")
	o.output.AddStream(cmd)
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		return run(ctx, env, cfg, o, args)
	})
	return cmd
}

// heapGrowth is how much the heap may grow between two collections, in percent, unless
// GOGC says it. With 32 connections it saves 3 to 7 % of the CPU time of a request, and
// takes 28 to 43 % more memory.
const heapGrowth = 200

// run receives until Ctrl-C, until what is expected has arrived, until the disk
// fails, or until the command argv ends.
func run(ctx context.Context, env *command.Env, cfg *config.Config, o *options, argv []string) error {
	if _, isSet := env.Lookup("GOGC"); !isSet {
		defer debug.SetGCPercent(debug.SetGCPercent(heapGrowth))
	}
	c, err := o.receiver(env, cfg)
	if err != nil {
		return err
	}
	tally, err := expect.New(o.expect, o.exitAfter)
	if err != nil {
		return fmt.Errorf("--expect %w", err)
	}
	if err := o.checkEvents(env, cfg, c, tally.Globs()); err != nil {
		return err
	}
	p := o.output.Palette
	outcomes := &command.OutcomeCounts{}
	s, err := o.openStorage(ctx, env, c.Verifier.Secrets, outcomes)
	if err != nil {
		return err
	}
	env, flush := command.ServerOutput(env)
	defer flush()
	c.Store = s.store()
	c.Diagnose = diagnosis(c.Verifier)
	v := &view{env: env, p: p, text: o.output.Text(), config: c, tally: tally, outcomes: outcomes}
	c.Sink = v.record
	err = errors.Join(o.serve(ctx, env, c, v, s, argv), s.close(ctx))
	if missing := tally.Missing(); missing != "" && err == nil {
		return command.No(errors.New(missing))
	}
	return err
}

// serve runs the server.
func (o *options) serve(ctx context.Context, env *command.Env, c receive.Config, v *view, s *storage, argv []string) error {
	handler, err := receive.New(c)
	if err != nil {
		return err
	}
	listener, err := command.Listen(ctx, env, o.host, o.port)
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	if err := v.ready(address); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := command.StartServer(listener, handler, o.maxConnections)
	err = o.wait(ctx, env, server, v.tally, s.broken, address, argv)
	server.Stop(ctx)
	s.stopForwarder(ctx)
	v.summary(ctx)
	return err
}

// wait runs the command argv, if there is one, until something ends the receiver, and
// returns what went wrong.
func (o *options) wait(ctx context.Context, env *command.Env, server *command.Server, tally *expect.Tally, broken <-chan error, address string, argv []string) error {
	var timeout <-chan time.Time
	if o.timeout > 0 {
		timer := time.NewTimer(o.timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	met := tally.Met()
	var beside *command.Process
	if len(argv) > 0 {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
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
				return command.No(fmt.Errorf("%s was still running after %s", argv[0], ui.Duration(o.timeout)))
			}
			return nil
		case err := <-server.Failed():
			return err
		case err := <-broken:
			return err
		case <-ended:
			if err := beside.Result(ctx); err != nil || timeout == nil || tally.Missing() == "" {
				return err
			}
			ended, met = nil, tally.Met() // what the command triggered may still arrive
			fmt.Fprintf(env.Err, "wsk: the command has ended; waiting for %s, until --timeout %s\n", tally.Waiting(), ui.Duration(o.timeout))
		}
	}
}
