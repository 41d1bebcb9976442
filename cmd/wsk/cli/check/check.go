// Package check implements wsk check, which tests a webhook receiver.
package check

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

type options struct {
	settings *command.Settings
	output   command.Output

	platform     string
	only, skip   []string
	list         bool
	allEvents    bool
	effect       string
	insecure     bool
	strict       bool
	startTimeout time.Duration
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "check URL --secret VALUE [-- CMD…]",
		Short: "Test a webhook receiver",
		Long: `Test a webhook receiver with the requests that receivers get wrong: forged,
truncated and old signatures, bodies that change when they are parsed and
serialized again, repeated deliveries, bursts, bodies that are not JSON. A case
that fails is shown with the request as a curl command, why it matters, and how
to fix it.

To your receiver, the requests are events like any other: check one that may
change its data. --effect-cmd names a shell command that prints how much the
receiver has done (SELECT count(*) …), to detect an event that takes effect
twice.

A command after -- is the service itself: wsk starts it, checks it as soon as
the URL's port is open, and stops it.

Exit code: 0 if all cases pass, 1 if one fails (with --strict, also for a
warning), 2 if the service does not start, 3 if the receiver cannot be reached.`,
		Example: `  wsk check http://localhost:3000/webhook --secret s3cret
  wsk check $URL --secret --only 'signature_*' --only raw_body
  wsk check $URL --secret s --effect-cmd 'ls jobs | wc -l'
  wsk check http://localhost:3000 --secret s --format junit -- node server.js
  wsk check --list --platform worksome`,
	}
	f := cmd.Flags()
	f.StringVar(&o.platform, "platform", "workskedge", "send as `NAME` does: workskedge or worksome")
	o.settings = command.NewSettings(cmd)
	o.settings.Secret()
	o.settings.Schemas()
	o.settings.Duration("timeout", "the time limit of one request, a `DURATION` (default 30s)")
	f.StringArrayVar(&o.only, "only", nil, "run only the case `ID`, or those that match a glob; repeatable")
	f.StringArrayVar(&o.skip, "skip", nil, "do not run the case `ID`, or those that match a glob; repeatable")
	f.BoolVar(&o.list, "list", false, "list the cases and check nothing")
	f.BoolVar(&o.allEvents, "all-events", false, "also send a sample of every event in the catalog")
	f.StringVar(&o.effect, "effect-cmd", "", "count what the receiver has done with the shell command `CMD`, which prints a number")
	f.BoolVar(&o.insecure, "insecure", false, "accept any TLS certificate")
	f.BoolVar(&o.strict, "strict", false, "count warnings as errors")
	command.DurationVar(f, &o.startTimeout, "start-timeout", 30*time.Second, "how long the service after -- may take to open its port, a `DURATION`")
	o.output.Add(cmd, "text", "json", "ndjson", "junit", "tap", "sarif", "github")
	command.CompleteFlag(cmd, "platform", "workskedge", "worksome")
	for _, flag := range []string{"only", "skip"} {
		if err := cmd.RegisterFlagCompletionFunc(flag, o.completeCases); err != nil {
			panic(err) // the flag is declared above
		}
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		before := cmd.ArgsLenAtDash()
		if before < 0 {
			before = len(args)
		}
		switch {
		case o.list && before == 0:
			return nil
		case before == 0:
			return errors.New("URL is missing: name the receiver, such as http://localhost:3000; wsk check --list shows the cases")
		case before > 1:
			return fmt.Errorf("unexpected argument %q: put a command to run after --", args[1])
		}
		return nil
	}
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		if o.list {
			return o.listCases(env)
		}
		url, err := command.ParseURL("", args[0])
		if err != nil {
			return err
		}
		return run(ctx, env, cfg, o, url, args[1:])
	})
	return cmd
}

// completeCases completes the ID of a case.
func (o *options) completeCases(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	for _, c := range check.Cases(webhook.Platform(o.platform)) {
		ids = append(ids, c.ID+"\t"+c.Title)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// run starts the service argv, if there is one, and checks the receiver.
func run(ctx context.Context, env *command.Env, cfg *config.Config, o *options, url string, argv []string) error {
	c, err := o.config(env, cfg, url)
	if err != nil {
		return err
	}
	certificates := &certificateWatch{next: c.Transport}
	c.Transport = certificates
	p := o.output.Palette
	if len(argv) > 0 {
		service, err := startService(ctx, env, argv, url, o.startTimeout)
		if err != nil {
			return err
		}
		defer service.Stop()
	}
	v := newView(env, p, o.output.Format, c)
	began := env.Now()
	results, err := check.Run(ctx, *c, v.result)
	(&http.Client{Transport: certificates.next}).CloseIdleConnections() // a service would wait for them when it stops
	var unreachable *check.UnreachableError
	switch {
	case errors.As(err, &unreachable) && certificates.bad:
		return command.NoResponse(fmt.Errorf("%w; --insecure accepts the certificate", err))
	case errors.As(err, &unreachable):
		return command.NoResponse(fmt.Errorf("%w; start the receiver, or name it after --", err))
	case err != nil:
		return err
	}
	if err := v.end(&results, env.Now().Sub(began)); err != nil {
		return err
	}
	if results.Failed > 0 || o.strict && results.Warnings > 0 {
		return command.No(command.ErrReported)
	}
	return nil
}

// config returns what to check.
func (o *options) config(env *command.Env, cfg *config.Config, url string) (*check.Config, error) {
	c := &check.Config{
		URL: url, Platform: webhook.Platform(o.platform), Transport: env.Transport, Now: env.Now, NewID: env.NewID,
		Only: o.only, Skip: o.skip, UserAgent: command.UserAgent(),
	}
	secrets, _, err := o.settings.Keys(env, cfg)
	switch {
	case err != nil:
		return nil, err
	case len(secrets) == 0:
		return nil, command.ErrNoSecret
	}
	c.Secret = secrets[0] // the first signs; the others are for verifying
	if c.Timeout, err = command.ParseDuration(cfg.Timeout, "timeout"); err != nil {
		return nil, err
	}
	catalog, err := o.settings.Catalog(env, cfg) // which reports a --schemas that is wrong
	if err != nil {
		return nil, err
	}
	if o.allEvents {
		form := webhook.Outbound
		if c.Platform == webhook.Worksome {
			form = webhook.WorksomeForm
		}
		c.Events = catalog.Events(c.Platform, form)
	}
	if o.effect != "" {
		c.Effect = func(ctx context.Context) (int64, error) { return effectOf(ctx, env, o.effect) }
	}
	if o.insecure {
		t := deliver.NewTransport()
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // what --insecure asks for
		c.Transport = t
	}
	return c, nil
}

// certificateWatch notes whether a connection failed because of its certificate.
type certificateWatch struct {
	next http.RoundTripper
	bad  bool
}

func (w *certificateWatch) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.next.RoundTrip(r)
	var fault *tls.CertificateVerificationError
	if errors.As(err, &fault) {
		w.bad = true
	}
	return response, err
}

// effectTimeout limits the run time of --effect-cmd.
const effectTimeout = 10 * time.Second

// effectOf runs a shell command and returns the number that it prints.
func effectOf(ctx context.Context, env *command.Env, shell string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, effectTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", shell)
	c.WaitDelay = time.Second
	c.Dir, c.Env = env.Dir, env.Environ()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return 0, fmt.Errorf("--effect-cmd did not end within %s", ui.Duration(effectTimeout))
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.As(err, &exit):
		return 0, fmt.Errorf("--effect-cmd ended with %w: %s", exit, oneLine(stderr.String()))
	case err != nil:
		return 0, fmt.Errorf("running --effect-cmd: %w", err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("--effect-cmd printed %q: it must print a whole number and nothing else", oneLine(string(out)))
	}
	return n, nil
}

// oneLine shortens the output of a command for an error.
func oneLine(text string) string { return ui.Short(strings.Join(strings.Fields(text), " "), 200) }
