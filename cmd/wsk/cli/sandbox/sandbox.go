// Package sandbox implements wsk sandbox, which runs WorkSkedge on this machine, and
// the subcommands that query and change a running sandbox.
package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

const defaultPort = 4000

type options struct {
	settings *command.Settings
	output   command.Output

	host           string
	port           uint16
	maxConnections int
	data           string
	companies      string // a file
	subscribe      []string
	requireScheme  string
	noLimits       bool
	speed          string
	allowTargets   bool
	lenient        bool
	rules          bool
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "sandbox [--port N] [--data FILE] [--subscribe URL]… [-- CMD…]",
		Short: "Run WorkSkedge on this machine, without an account",
		Long: `Run WorkSkedge on this machine, without an account. It accepts events at
/webhooks/inbound and handles them as WorkSkedge documents: it checks the API
key, the signature, the timestamp, the rate limits (50 requests a minute, 1,000
an hour) and the required fields, stores the record and those that it implies,
such as its customer, and names the wrong field in errors. Changes are delivered
to every subscription, signed and with the platform's retry schedule, but never
to the API key that made them.

WorkSkedge does not document every refusal. --rules lists all of them, and
--lenient turns off those that only the sandbox has.

Without --api-key and --secret, the sandbox generates a pair and prints it.
State is kept in memory. With --data it is kept in a file, and a restart
continues with it, pending deliveries included; rate limits start at zero.
--config sets up companies:

  companies:
    - id: comp_1
      api_keys: [{key: key_1, secret: s3cret, name: erp}]
      subscriptions:
        - {url: "http://127.0.0.1:3000", events: [work_order, project.closed],
           form: outbound, secret: s3cret, api_key: key_1}
      skills: [Concrete, Framing]
      employees: [{emp_number: EMP-1, name: Ann, email: a@example.com,
                   employee_type: site_lead}]
      work_types: [{code: REG, name: Regular Time, billable: true,
                    requires_work_order: true, default: true}]
      custom_fields: {work_order: [permit_number]}

A command after -- runs while the sandbox is up, with $WSK_URL, $WSK_API_KEY and
$WSK_SECRET set. When it ends, the sandbox stops, with exit code 1 if it failed.
The subcommands query and change a running sandbox.`,
		Example: `  wsk sandbox
  wsk sandbox --data box.db --subscribe http://127.0.0.1:3000
  wsk sandbox --config companies.yaml --speed 60x
  wsk sandbox --port 0 --no-limits -- npm test
  wsk sandbox advance 6h`,
		Args: func(cmd *cobra.Command, args []string) error {
			if before := cmd.ArgsLenAtDash(); before > 0 || before < 0 && len(args) > 0 {
				return command.UnknownCommand(cmd, args[0])
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.host, "host", "127.0.0.1", "the `ADDRESS` to listen on; any but a loopback address lets other machines send")
	f.Uint16Var(&o.port, "port", defaultPort, "the port `N` to listen on; 0 picks a free one")
	command.MaxConnections(cmd, &o.maxConnections)
	f.StringVar(&o.data, "data", "", "keep the state in `FILE`, over restarts and crashes")
	f.StringVar(&o.companies, "config", "", "set up the companies in `FILE`, in YAML")
	o.settings = command.NewSettings(cmd)
	o.settings.String("api_key", "the `KEY` that events are sent with (default: a generated one)")
	o.settings.Secret()
	f.StringArrayVar(&o.subscribe, "subscribe", nil, "deliver all events to `URL`, signed with the same secret; repeatable")
	f.StringVar(&o.requireScheme, "require-scheme", "", "accept only signatures by scheme `NAME`: timestamp.body or body (default: both, since the documents can be read either way)")
	o.settings.Duration("tolerance", "how far a timestamp may be from now, a `DURATION`, or off (default 300s)")
	f.BoolVar(&o.noLimits, "no-limits", false, "do not limit the rate of requests")
	f.StringVar(&o.speed, "speed", "1x", "shorten the pauses between attempts by `FACTOR`, 60x or 2.5x, or max for none")
	o.settings.Duration("timeout", "the time limit of one attempt of a delivery, a `DURATION` (default 30s)")
	f.BoolVar(&o.allowTargets, "allow-targets", false, "also deliver to public addresses; private ones are always refused")
	f.BoolVar(&o.lenient, "lenient", false, "turn off the refusals that WorkSkedge does not document; timestamps of any age are accepted, unless --tolerance limits them")
	f.BoolVar(&o.rules, "rules", false, "list the refusals, and whether WorkSkedge documents each, and exit")
	o.settings.Schemas()
	o.output.AddStream(cmd)
	command.CompleteFlag(cmd, "require-scheme", webhook.TimestampBody, webhook.BodyOnly)
	command.CompleteFlag(cmd, "speed", "60x", "max")
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		if o.rules {
			return writeRules(env, o)
		}
		return run(ctx, env, cfg, o, args)
	})
	cmd.AddCommand(newStatus(env), newRecords(env), newDeliveries(env), newResend(env),
		newAdvance(env), newReset(env), newSubscribe(env), newPayroll(env))
	return cmd
}

// run serves the platform until Ctrl-C, until the disk fails, or until the command
// argv ends.
func run(ctx context.Context, env *command.Env, cfg *config.Config, o *options, argv []string) error {
	p := o.output.Palette
	c, err := o.config(ctx, env, cfg)
	if err != nil {
		return err
	}
	env, flush := command.ServerOutput(env)
	defer flush()
	v := &view{env: env, p: p, text: o.output.Text(), data: o.data, started: make(chan struct{})}
	broken := make(chan error, 1)
	c.Received, c.Delivered = v.received, v.delivered
	c.Broken = func(err error) {
		select {
		case broken <- fmt.Errorf("%w; nothing more is stored after what was answered with 200", err):
		default: // one is enough
		}
	}
	box, err := sandbox.New(ctx, c) // it checks the rest of the configuration, so before a port is taken
	if err != nil {
		return err
	}
	listener, err := command.Listen(ctx, env, o.host, o.port)
	if err != nil {
		close(v.started)
		return errors.Join(err, box.Close())
	}
	ready, err := newReady(env, listener.Addr().String(), box.Companies())
	if err == nil {
		err = v.ready(ready, c.Companies, len(argv) > 0)
	}
	close(v.started)
	if err != nil {
		return errors.Join(err, listener.Close(), box.Close())
	}
	server := command.StartServer(listener, box, o.maxConnections)
	err = wait(ctx, env, server, broken, argv, ready.variables())
	server.Stop(ctx)
	return errors.Join(err, v.summary(ctx, box), box.Close())
}

// wait runs the command argv, if there is one, until something ends the sandbox, and
// returns what went wrong.
func wait(ctx context.Context, env *command.Env, server *command.Server, broken <-chan error, argv, variables []string) error {
	var beside *command.Process
	if len(argv) > 0 {
		var err error
		if beside, err = command.StartBeside(env, argv, variables); err != nil {
			return err
		}
		defer beside.Stop()
	}
	select {
	case <-ctx.Done():
		if beside != nil {
			return ctx.Err() // the command was interrupted; a sandbox alone runs until Ctrl-C
		}
		return nil
	case err := <-server.Failed():
		return err
	case err := <-broken:
		return err
	case <-beside.Ended():
		return beside.Result(ctx)
	}
}

// config returns the configuration that the flags and settings describe.
func (o *options) config(ctx context.Context, env *command.Env, cfg *config.Config) (sandbox.Config, error) {
	c := sandbox.Config{
		RequireScheme: o.requireScheme, AllowTargets: o.allowTargets, Lenient: o.lenient, Now: env.Now, NewID: env.NewID,
		Logger: env.Logger(),
	}
	if err := command.CheckMaxConnections(o.maxConnections); err != nil {
		return c, err
	}
	if o.data != "" {
		c.Data = env.Path(o.data)
	}
	if o.noLimits {
		c.Limits = []deliver.Limit{}
	}
	var err error
	if o.companies != "" {
		c.Companies, err = o.readCompanies(ctx, env)
	} else {
		c.Companies, err = o.oneCompany(env, cfg)
	}
	if err != nil {
		return c, err
	}
	first := &c.Companies[0]
	for _, text := range o.subscribe {
		target, err := command.ParseURL("--subscribe", text)
		if err != nil {
			return c, err
		}
		command.WarnPlainHTTP(env, target)
		first.Subscriptions = append(first.Subscriptions, sandbox.Subscription{URL: target})
	}
	if c.Tolerance, err = command.Tolerance(cfg); err != nil {
		return c, err
	}
	if o.lenient && cfg.Tolerance.From == config.FromDefault {
		c.Tolerance = webhook.AnyAge
	}
	if c.Timeout, err = command.ParseDuration(cfg.Timeout, "timeout"); err != nil {
		return c, err
	}
	if c.Speed, err = command.ParseSpeed(o.speed); err != nil {
		return c, err
	}
	catalog, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return c, err
	}
	c.Linter, err = lint.New(lint.Config{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Catalog: catalog})
	return c, err
}

// readCompanies reads the file of --config.
func (o *options) readCompanies(ctx context.Context, env *command.Env) ([]sandbox.Company, error) {
	for _, name := range []string{"api-key", "secret", "secret-file"} {
		if o.settings.Cmd.Flags().Changed(name) {
			return nil, fmt.Errorf("--config and --%s contradict each other: the file contains the keys and their secrets", name)
		}
	}
	raw, err := env.ReadSettings(ctx, o.companies)
	if err != nil {
		return nil, err
	}
	companies, err := sandbox.ReadCompanies(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", o.companies, err)
	}
	return companies, nil
}

// oneCompany returns the company of a sandbox without --config. The sandbox
// generates its key and secret if they are not configured.
func (o *options) oneCompany(env *command.Env, cfg *config.Config) ([]sandbox.Company, error) {
	key, err := cfg.Credential(cfg.APIKey)
	if err != nil {
		return nil, err
	}
	if _, err := webhook.ParsePair(webhook.HeaderAPIKey + ": " + key); err != nil {
		return nil, errors.New("the API key contains a line break or a control character")
	}
	if o.settings.Cmd.Flags().Changed("api-key") && key == "" {
		return nil, errors.New("--api-key is empty: leave it out to have one generated")
	}
	secrets, _, err := o.settings.Keys(env, cfg)
	if err != nil {
		return nil, err
	}
	k := sandbox.Key{Key: key}
	switch len(secrets) {
	case 0:
	case 1:
		k.Secret = secrets[0].Reveal()
	default:
		return nil, errors.New("there is more than one secret, and a sandbox signs and verifies with one: give --secret once")
	}
	return []sandbox.Company{{Keys: []sandbox.Key{k}}}, nil
}
