// Package listen implements wsk listen, a verifying receiver.
package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/internal/expect"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

type options struct {
	settings *command.Settings
	output   command.Output
	journal  command.Journal

	host       string
	port       uint16
	platform   string
	notifyURL  string
	skipVerify bool
	strict     bool
	maxBody    int64
	forwardTo  string
	events     []string
	respond    int
	failFirst  int
	delay      time.Duration
	expect     []string
	timeout    time.Duration
	exitAfter  int

	forwardRetries int
	requireHeader  []string
	requireQuery   []string
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "listen --secret VALUE [--port N] [--forward-to URL] [-- CMD…]",
		Short: "Receive webhooks and verify them",
		Long: `Receive webhooks on this machine, verify each one, and show what came. A good
request is answered with 200 {"received":true}, an id that was seen before with
200 as a duplicate and not forwarded, a wrong signature with 401, a timestamp
out of the window with 400.

What comes is journaled before it is answered (wsk journal list shows it), and
an answer of 200 means that it is on disk: 503 where it cannot be written. Ids
are known again after a restart; --no-journal forgets them.

Work Market signs nothing: with --platform workmarket any method, path and body
is taken, and --require-header and --require-query say what proves the sender.

For tests: --expect ends with exit code 0 as soon as all has come, and with 1
and a list of what is missing at --timeout. After -- stands a command that runs
while the receiver is up, with its address in $WSK_LISTEN_URL, _ADDR and _PORT;
when it ends, the receiver ends, with 1 if it failed.`,
		Example: `  wsk listen --secret s3cret
  wsk listen --secret --forward-to http://localhost:8080/hooks
  wsk listen --secret s3cret --expect work_order.created=2 --timeout 30s
  wsk listen --secret s3cret --fail-first 2 --events 'work_order.*'
  wsk listen --platform workmarket --require-header 'Authorization: Bearer t0k'
  wsk listen --secret s3cret --port 0 -- npm test`,
		Args: func(cmd *cobra.Command, args []string) error {
			if before := cmd.ArgsLenAtDash(); before > 0 || before < 0 && len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: a command to run stands after --", args[0])
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.host, "host", "127.0.0.1", "the `ADDRESS` to listen on; another than this machine's lets others in")
	f.Uint16Var(&o.port, "port", 3000, "the port `N` to listen on; 0 picks a free one")
	o.settings = command.NewSettings(cmd)
	o.settings.Secret()
	command.Scheme(cmd, o.settings, &o.platform, &o.notifyURL, "workmarket")
	f.StringArrayVar(&o.requireHeader, "require-header", nil, "with --platform workmarket: take requests that carry the header `'Name: value'`; repeatable")
	f.StringArrayVar(&o.requireQuery, "require-query", nil, "with --platform workmarket: take requests whose URL has the parameter `NAME=VALUE`; repeatable")
	o.settings.String("tolerance", "how far a timestamp may lie from now, a `DURATION`, or off (default 300s)")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "take every request unverified")
	f.BoolVar(&o.strict, "strict", false, "answer 422 to an event that contradicts the catalog")
	o.settings.Schemas()
	f.Int64Var(&o.maxBody, "max-body", receive.DefaultMaxBody, "the largest body that is taken, in `BYTES`")
	f.StringVar(&o.forwardTo, "forward-to", "", "pass verified events on to `URL`, byte for byte, and answer with its answer")
	f.IntVar(&o.forwardRetries, "forward-retries", 0, "answer as soon as the event is journaled, and forward it in the background, up to `N` times more where the app fails; a restart goes on")
	f.StringArrayVar(&o.events, "events", nil, "show and forward only events that match `GLOB`, 'work_order.*'; repeatable")
	f.IntVar(&o.respond, "respond", 0, "answer good requests with `STATUS` in place of 200")
	f.IntVar(&o.failFirst, "fail-first", 0, "answer the first `N` tries of each delivery with 503")
	f.DurationVar(&o.delay, "delay", 0, "wait for a `DURATION` before answering a good request")
	f.StringArrayVar(&o.expect, "expect", nil, "expect `EVENT=N` (or EVENT for one; a glob counts all that match); repeatable")
	f.DurationVar(&o.timeout, "timeout", 0, "stop after a `DURATION`, with exit code 1 when something expected is missing")
	f.IntVar(&o.exitAfter, "exit-after", 0, "stop after `N` accepted events")
	o.journal.AddWrite(cmd)
	o.output.Add(cmd, "text", "json", "ndjson")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := o.settings.Begin(env, &o.output)
		if err != nil {
			return err
		}
		return listen(cmd.Context(), env, cfg, o, args)
	}
	return cmd
}

// listen receives until it is stopped, or has what it waits for.
func listen(ctx context.Context, env *command.Env, cfg *config.Config, o *options, argv []string) error {
	platform, err := command.ParsePlatform(o.platform)
	if err != nil {
		return err
	}
	unsigned, err := o.unsigned(env, platform)
	if err != nil {
		return err
	}
	var verifier webhook.Verifier
	if unsigned == nil {
		verifier, err = o.verifier(env, cfg, platform)
	}
	if err != nil {
		return err
	}
	app, err := o.app(env)
	if err != nil {
		return err
	}
	catalog, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return err
	}
	if unsigned == nil {
		linter, err := lint.New(lint.Config{Catalog: catalog})
		if err != nil {
			return err
		}
		app = linting(linter, o.strict, app)
	}
	tally, err := expect.New(o.expect, o.exitAfter)
	if err != nil {
		return fmt.Errorf("--expect %w", err)
	}
	p, err := command.Palette(env, cfg, env.OutTTY)
	if err != nil {
		return err
	}
	kept, err := o.openStorage(ctx, env)
	if err != nil {
		return err
	}
	env, end := command.TolerateStalls(env)
	defer end()
	show := &listenView{env: env, palette: p, text: o.output.Text(), verifier: verifier, unsigned: unsigned, skip: o.skipVerify, tally: tally, wants: o.wants}
	setup := receive.Config{
		Verifier: verifier, Platform: platform, Unsigned: unsigned, SkipVerify: o.skipVerify, MaxBody: o.maxBody,
		App: app, Wants: func(e webhook.Event) bool { return o.wants(e.Type) }, Sink: show.record,
		Keep: kept.keep(), KeepFirst: o.forwardTo != "" && o.forwardRetries == 0,
		Now: env.Now, NewID: env.RecordID,
	}
	listener, err := o.bind(ctx, env, kept, &setup, show)
	if err != nil {
		return errors.Join(err, kept.close(ctx))
	}
	handler, err := receive.New(setup)
	if err != nil {
		return errors.Join(err, listener.Close(), kept.close(ctx))
	}
	return o.serve(ctx, env, handler, listener, tally, show, kept, argv)
}

// bind brings back what was seen before, and says that the receiver is ready.
func (o *options) bind(ctx context.Context, env *command.Env, kept *storage, setup *receive.Config, show *listenView) (net.Listener, error) {
	var err error
	if setup.Memory, err = kept.memory(ctx); err != nil {
		return nil, err
	}
	listener, err := command.Listen(ctx, env, o.host, o.port)
	if err != nil {
		return nil, err
	}
	if err := show.ready(listener.Addr().String()); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// verifier settles what is checked; to check nothing takes --skip-verify.
func (o *options) verifier(env *command.Env, cfg *config.Config, platform webhook.Platform) (webhook.Verifier, error) {
	v := webhook.Verifier{URL: o.notifyURL}
	var err error
	if v.Scheme, err = command.SchemeOf(cfg, platform); err != nil {
		return v, err
	}
	if v.Tolerance, err = command.Tolerance(cfg); err != nil {
		return v, err
	}
	if v.Secrets, _, err = o.settings.Keys(env, cfg); err != nil {
		return v, err
	}
	switch {
	case o.skipVerify:
		v.Secrets = nil
		fmt.Fprintln(env.Err, "wsk: warning: --skip-verify takes every request, whoever sent it")
		return v, nil
	case len(v.Secrets) == 0:
		return v, fmt.Errorf("%w; --skip-verify takes requests unverified", command.ErrNoSecret)
	}
	// A secret that the scheme cannot use, or a URL that it lacks, shows now
	// and not at the first request.
	for _, s := range v.Secrets {
		if _, err := v.Scheme.Digest(webhook.Message{URL: v.URL}, s); err != nil {
			return v, err
		}
	}
	return v, nil
}

// app is what stands behind the receiver.
func (o *options) app(env *command.Env) (receive.App, error) {
	if o.maxBody <= 0 || o.failFirst < 0 || o.delay < 0 || o.exitAfter < 0 || o.timeout < 0 {
		return nil, errors.New("--max-body must be more than 0; --fail-first, --delay, --exit-after and --timeout may not be less")
	}
	for _, glob := range o.events {
		if _, err := path.Match(glob, ""); err != nil {
			return nil, fmt.Errorf("--events %q: %w", glob, err)
		}
	}
	var app receive.App
	switch {
	case o.respond != 0 && o.forwardTo != "":
		return nil, errors.New("--respond and --forward-to contradict each other: the answer is one or the other's")
	case o.respond != 0 && (o.respond < 200 || o.respond > 599):
		return nil, fmt.Errorf("--respond %d is no status that ends a request: 200 to 599", o.respond)
	case o.respond != 0:
		app = receive.Always(o.respond)
	case o.forwardTo != "":
		if err := deliver.CheckURL(o.forwardTo); err != nil {
			return nil, fmt.Errorf("--forward-to: %w", err)
		}
		if app = receive.Always(http.StatusOK); o.forwardRetries == 0 { // else the journal's forwarder does it
			app = receive.Forward(env.Transport, o.forwardTo)
		}
	default:
		app = receive.Always(http.StatusOK)
	}
	if o.failFirst > 0 {
		app = receive.FailFirst(o.failFirst, receive.DefaultMemory, app)
	}
	if o.delay > 0 {
		app = receive.Delay(o.delay, app)
	}
	return app, nil
}

// wants reports whether --events lets an event through.
func (o *options) wants(eventType string) bool {
	for _, glob := range o.events {
		if ok, _ := path.Match(glob, eventType); ok { // the pattern was checked at the start
			return true
		}
	}
	return len(o.events) == 0
}
