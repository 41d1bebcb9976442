// Package replay implements wsk replay, which sends files and stored records again.
package replay

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

type options struct {
	settings *command.Settings
	output   command.Output
	journal  command.Journal
	query    query
	load     load

	to          string
	platform    string
	notifyURL   string
	verbatim    bool
	newID       bool
	order       string
	concurrency int
	speed       string
	expect      string
	headers     []string
	edit        bool
	yes         bool

	given func(flag string) bool // on the command line
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "replay [PATH…] --to URL --secret VALUE",
		Short: "Send recorded deliveries and payload files again",
		Long: `Send again what failed, until your handler is right. PATH is a payload, a file
of records, NDJSON of either, a folder, a glob, - for stdin, or the id of a
record or a delivery in the journal. Without PATH, --failed, --since, --event
and similar flags pick records of the journal, the last one of each delivery.
What was fixed by an earlier replay has not failed. A request that a receiver
refused, because it was not genuine, is not signed without --include-refused.

The body is sent byte for byte, with a new signature and the same webhook id.
A credential that was masked when it was recorded is not sent: give it with -H.
Exit code: 0 when all pass now, 1 when one does not, 3 when nothing answered.

With --rate or --duration it is a load test: requests are sent on time whatever
the answers do, and latency counts from the time when they were due.`,
		Example: `  wsk replay --failed --since 2h --to http://localhost:3000 --secret s3cret
  wsk replay rec_4xk2 --to http://localhost:3000 --secret s3cret --edit
  wsk replay fixtures/ --to $URL --secret s3cret --format junit > replay.xml
  wsk replay day.ndjson --to $URL --verbatim --speed 10x
  wsk replay order.json --to $URL --secret s --rate 500/s --duration 30s`,
	}
	o.flags(cmd)
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		o.given = func(flag string) bool { return cmd.Flags().Changed(flag) }
		return replayAll(ctx, env, cfg, o, args)
	})
	return cmd
}

func (o *options) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.to, "to", "", "send to the receiver at `URL`; another machine needs --yes or an answer at the terminal")
	o.query.add(cmd)
	o.settings = command.NewSettings(cmd)
	o.settings.Secret()
	o.settings.Scheme("sign by scheme `NAME` (default: the record's, else the platform's)")
	f.StringVar(&o.platform, "platform", "", "send payloads as `NAME` does: workskedge or worksome (default: the event's)")
	f.StringVar(&o.notifyURL, "notification-url", "", "the `URL` that scheme square signs over (default: --to)")
	f.BoolVar(&o.verbatim, "verbatim", false, "send the recorded signature and timestamp unchanged; records only, no secret needed")
	f.BoolVar(&o.newID, "new-id", false, "give each delivery a new webhook id; payload files always get one")
	f.StringVar(&o.order, "order", "preserved", "send in `ORDER`: preserved, one at a time, or any")
	f.IntVar(&o.concurrency, "concurrency", 0, "send up to `N` at a time; more than 1 means --order any")
	f.StringVar(&o.speed, "speed", "max", "keep the recorded gaps, divided by `FACTOR`: 1x, 10x, or max for none")
	o.load.add(cmd)
	o.settings.Duration("timeout", "the time limit of one request, a `DURATION` (default 30s)")
	f.StringVar(&o.expect, "expect-status", "2xx", "what passes: `N`, or a class of statuses such as 2xx")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "send the header `'Name: value'`; it replaces one of that name, and an empty value removes it. Repeatable")
	f.BoolVar(&o.edit, "edit", false, "open the payload in $VISUAL or $EDITOR first")
	f.BoolVar(&o.yes, "yes", false, "send to another machine without asking")
	o.journal.AddWrite(cmd)
	o.output.Add(cmd, "text", "json", "ndjson", "junit")
	command.CompleteFlag(cmd, "platform", "workskedge", "worksome")
	command.CompleteFlag(cmd, "order", "preserved", "any")
	command.CompleteFlag(cmd, "speed", "1x", "10x", "max")
}

// replayAll finds what to send, sends it, and writes the results.
func replayAll(ctx context.Context, env *command.Env, cfg *config.Config, o *options, args []string) error {
	plan, err := o.plan(env, cfg)
	if err != nil {
		return err
	}
	runner, err := o.runner(env)
	if err != nil {
		return err
	}
	test, err := o.load.parse(o)
	if err != nil {
		return err
	}
	src := source{env: env, options: o}
	defer src.close()
	items, err := src.items(ctx, cfg, args)
	if err != nil {
		return err
	}
	if o.edit && len(items) > 0 {
		if err := editItem(ctx, env, items); err != nil {
			return err
		}
	}
	jobs, err := plan.Jobs(items, env.Now())
	if err != nil {
		return err
	}
	if err := checkSpeed(runner.Speed, items); err != nil {
		return err
	}
	if len(jobs) == 0 { // none failed
		return newReplayView(env, o, nil).end(replay.Summary{})
	}
	if err := o.confirm(ctx, env, test, len(jobs)); err != nil {
		return err
	}
	if o.output.Text() {
		command.PrintTarget(env, "", o.to)
	}
	if test != nil {
		return o.loadTest(ctx, env, &src, test, jobs)
	}
	recorder, err := src.recorder(ctx)
	if err != nil {
		return err
	}
	view := newReplayView(env, o, items)
	runner.Keep = func(r webhook.Record) { recorder.Store(ctx, &r) }
	runner.Each = view.result
	summary, err := runner.Run(ctx, jobs)
	return errors.Join(view.end(summary), err, o.judge(summary, view))
}

// plan decides how items are sent.
func (o *options) plan(env *command.Env, cfg *config.Config) (*replay.Plan, error) {
	p := &replay.Plan{
		Verbatim: o.verbatim, FreshIDs: o.newID, NotifyURL: o.notifyURL,
		Refused: o.query.refused,
		NewID:   func() string { return "whk_" + env.NewID() },
	}
	if o.to == "" {
		return nil, errors.New("no receiver to send to: give --to URL; wsk listen is one, at http://127.0.0.1:3000")
	}
	var err error
	if o.to, err = command.ParseURL("--to", o.to); err != nil {
		return nil, err
	}
	p.URL = o.to
	command.WarnPlainHTTP(env, p.URL)
	if p.Override, err = command.ParseHeaders(o.headers); err != nil {
		return nil, err
	}
	if p.Timeout, err = command.ParseDuration(cfg.Timeout, "timeout"); err != nil {
		return nil, err
	}
	if o.verbatim {
		for _, flag := range []string{"secret", "secret-file", "scheme", "new-id", "edit", "notification-url"} {
			if o.given(flag) {
				return nil, fmt.Errorf("--verbatim and --%s contradict each other: what was recorded is sent unchanged", flag)
			}
		}
		return p, nil
	}
	if o.platform != "" {
		if p.Platform, err = command.ParsePlatform(o.platform); err != nil {
			return nil, err
		}
	}
	name, err := command.SchemeName(cfg)
	if err != nil {
		return nil, err
	}
	if name != "" {
		if p.Scheme, err = webhook.SchemeNamed(name); err != nil {
			return nil, err
		}
	}
	secrets, _, err := o.settings.Keys(env, cfg)
	switch {
	case err != nil:
		return nil, err
	case len(secrets) == 0:
		return nil, fmt.Errorf("%w; --verbatim sends records as they were signed", command.ErrNoSecret)
	}
	p.Secret = secrets[0] // the first signs; the others are for verifying
	return p, nil
}

// anyOrder is how many deliveries are sent at a time with --order any and
// without --concurrency.
const anyOrder = 8

// runner decides on order and speed.
func (o *options) runner(env *command.Env) (replay.Runner, error) {
	r := replay.Runner{Client: env.Client(), Concurrency: max(o.concurrency, 1)}
	if o.order != "preserved" && o.order != "any" {
		return r, webhook.Unknown("order", o.order, []string{"preserved", "any"})
	}
	switch {
	case o.concurrency < 0 || o.concurrency == 0 && o.given("concurrency"):
		return r, fmt.Errorf("--concurrency %d: send 1 at a time or more", o.concurrency)
	case o.concurrency > 1 && o.given("order") && o.order == "preserved" && !o.load.isSet(o):
		return r, fmt.Errorf("--order preserved and --concurrency %d contradict each other: in order, one is sent after another", o.concurrency)
	case o.order == "any" && o.concurrency == 0:
		r.Concurrency = anyOrder
	}
	var err error
	if r.Expect, err = replay.ParseExpect(o.expect); err != nil {
		return r, fmt.Errorf("--expect-status %w", err)
	}
	r.Speed, err = command.ParseSpeed(o.speed)
	return r, err
}

// checkSpeed refuses to keep the recorded gaps where none were recorded.
func checkSpeed(speed float64, items []replay.Item) error {
	for _, i := range items {
		if !math.IsInf(speed, 0) && i.Record == nil {
			return fmt.Errorf("%s: it is a payload, not a record: it has no recorded time that --speed could keep", i.Name())
		}
	}
	return nil
}

// confirm asks before anything is sent to another machine.
func (o *options) confirm(ctx context.Context, env *command.Env, test *replay.Load, n int) error {
	if o.yes || deliver.IsLoopback(o.to) {
		return nil
	}
	what := "deliveries"
	if n == 1 {
		what = "delivery"
	}
	text := fmt.Sprintf("%d %s", n, what)
	if test != nil {
		text += " as a load test"
	}
	return command.ConfirmRemote(ctx, env, "replay", o.to, text, false)
}

// judgeReplay decides the exit code.
func (o *options) judge(s replay.Summary, v *replayView) error {
	switch {
	case s.Total > 0 && s.Answered == 0:
		return command.Unanswered(o.to, v.fault, o.output.Text())
	case s.Bad() > 0:
		return command.No(command.ErrReported)
	}
	return nil
}
