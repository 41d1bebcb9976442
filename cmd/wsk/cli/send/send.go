// Package send implements wsk send: one event, or a batch, signed and sent to the
// platform.
package send

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/cli/send/batch"
	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	engine "github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// platformURL is WorkSkedge's inbound endpoint (Webhooks page, "Inbound Webhooks").
const platformURL = "https://app.workskedge.com/webhooks/inbound"

// connectionTest is the event that WorkSkedge's page shows without a signature
// (Inbound Webhooks, "Test Connection").
const connectionTest = "test.connection"

type options struct {
	settings *command.Settings
	output   command.Output
	payload  command.Payload
	journal  command.Journal
	batch    batch.Flags

	headers      []string
	notifyURL    string
	unsigned     bool
	retryUnknown bool
	noLint       bool
	dryRun       bool
	curl         bool
	explain      bool
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "send EVENT [-f FILE|-] --url URL --api-key KEY --secret VALUE",
		Short: "Sign an event and send it to the platform",
		Long: `Sign an event and POST it to the platform's inbound endpoint. The status of the
answer decides the exit code: 0 for 2xx, 1 for another status, 3 for no answer.

The payload is linted first. If there is an error, nothing is sent.

Redirects are not followed. A request that was written and got no answer has an
unknown outcome: it is sent again only with --retry-unknown.

--batch sends each line of a file, in order, at 50 requests a minute and 1,000
an hour for an API key; other commands on this machine that use the key count as
well. The elements of a JSON array count as its lines. All lines are linted
before the first is sent. The journal stores the outcome of each line: after
Ctrl-C, a crash or a lost network, the same command with --resume sends exactly
the lines that have no answer yet. Exit code: 0 when all lines are accepted, 1
when some are refused, 3 when the batch stopped early or the outcome of some
lines is unknown.`,
		Example: `  wsk send work_order.created -f order.json --secret s3cret --api-key KEY
  wsk send work_order.created --set data.priority=urgent --dry-run
  jq .order erp.json | wsk send work_order.updated -f - --profile staging
  wsk send work_order.created --secret s3cret --explain
  wsk send employee.created --batch staff.ndjson --failed-to refused.ndjson
  wsk send --batch events.ndjson --resume --rate 2000/h`,
		Args: o.batch.Args,
	}
	o.payload.Add(cmd)
	o.settings = command.NewSettings(cmd)
	cmd.ValidArgsFunction = o.settings.CompleteEvents(env, webhook.WorkSkedge, webhook.Inbound)
	o.settings.Schemas()
	o.settings.String("url", "send to `URL`; the platform's is "+platformURL)
	o.settings.String("api_key", "the platform's API `KEY`, sent as X-API-Key; required unless --url is this machine")
	o.settings.Secret()
	o.settings.String("source", "X-Webhook-Source, which decides how the platform verifies: custom, square, quickbooks or dynamics365 (default custom)")
	o.settings.Scheme("sign by scheme `NAME` (default: the source's)")
	o.settings.String("origin", "the `NAME` that a new envelope has as its source (default wsk)")
	o.settings.Duration("timeout", "the time limit of one attempt, a `DURATION` (default 30s)")
	o.settings.String("retries", "try again up to `N` times after 429, 5xx and a refused connection (default 0)")
	f := cmd.Flags()
	f.StringArrayVarP(&o.headers, "header", "H", nil, "send the header `'Name: value'`; it replaces one of that name, and an empty value removes it. Repeatable")
	f.StringVar(&o.notifyURL, "notification-url", "", "the `URL` that scheme square signs over (default: --url)")
	f.BoolVar(&o.unsigned, "unsigned", false, "send no signature; only test.connection can be sent so")
	f.BoolVar(&o.retryUnknown, "retry-unknown", false, "let --retries repeat a request whose outcome is unknown, and --resume those of earlier runs")
	f.BoolVar(&o.noLint, "no-lint", false, "send even what contradicts the catalog")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the request and send nothing")
	f.BoolVar(&o.curl, "curl", false, "print the request as a curl command and send nothing")
	f.BoolVar(&o.explain, "explain", false, "print what is signed, and how openssl signs the same; send nothing")
	o.batch.Add(cmd)
	o.journal.AddWrite(cmd)
	o.output.Add(cmd, "text", "json", "ndjson")
	command.Exclusive(cmd, "dry-run", "curl", "explain")
	for _, signing := range []string{"secret", "secret-file", "scheme", "notification-url", "explain", "batch"} {
		command.Exclusive(cmd, "unsigned", signing)
	}
	command.CompleteFlag(cmd, "source", deliver.Sources()...)
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		if err := o.batch.Check(cmd); err != nil {
			return err
		}
		if o.batch.File != "" {
			return sendBatch(ctx, env, cfg, o, args)
		}
		return send(ctx, env, cfg, o, args[0])
	})
	return cmd
}

// send reads the payload, signs, sends, and writes the answer.
func send(ctx context.Context, env *command.Env, cfg *config.Config, o *options, eventType string) error {
	catalog, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return err
	}
	definition, err := catalog.Lookup(webhook.WorkSkedge, webhook.Inbound, eventType)
	if err != nil {
		return command.SuggestForm(catalog, eventType, err)
	}
	if o.unsigned && eventType != connectionTest {
		return fmt.Errorf("--unsigned is for %s alone: WorkSkedge requires a signature of %s", connectionTest, eventType)
	}
	delivery, err := o.delivery(env, cfg)
	if err != nil {
		return err
	}
	if delivery.Event, err = o.payload.Compose(ctx, env, definition, cfg.Origin.Text); err != nil {
		return err
	}
	if !o.noLint {
		if err := command.LintBeforeSending(env, catalog, &delivery.Event); err != nil {
			return err
		}
	}
	if o.dryRun || o.curl || o.explain {
		return o.preview(env, delivery)
	}
	policy, err := o.policy(env, cfg)
	if err != nil {
		return err
	}
	recorder, err := o.journal.Recorder(ctx, env)
	if err != nil {
		return err
	}
	defer recorder.Close()
	if o.output.Text() {
		command.PrintTarget(env, delivery.Method, delivery.URL)
	}
	// The requests are counted, so that a batch that runs beside this command
	// leaves room for them. A journal that fails does not stop them: the recorder
	// reports it.
	pacer := engine.Pacer{Journal: recorder.Journal(), Key: engine.Key(delivery), Within: delivery.Timeout, Now: env.Now}
	_ = pacer.Take(ctx)
	id := ""
	record, err := env.Client().Send(ctx, delivery, policy, func(s deliver.Step) {
		_ = pacer.Answered(ctx)
		id = recorder.Store(ctx, &s.Record)
		if s.Again {
			fmt.Fprintf(env.Err, "wsk: attempt %d: %s; again in %s\n", s.Record.Attempt+1, ui.Clean(command.AnswerLine(&s.Record)), ui.Duration(s.Pause))
			_ = pacer.Take(ctx)
		}
	})
	if err := command.Unrecorded(ctx, err); err != nil {
		return err
	}
	if o.output.Text() {
		err = command.WriteAnswer(env.Out, o.output.Palette, &record, id)
	} else {
		err = webhook.NewEncoder(env.Out).Encode(record)
	}
	return errors.Join(err, command.Judge(&record, o.output.Text()))
}

// sendBatch sends the lines of --batch.
func sendBatch(ctx context.Context, env *command.Env, cfg *config.Config, o *options, args []string) (err error) {
	job := &batch.Job{
		Flags: &o.batch, Source: cfg.Origin.Text, NoLint: o.noLint, Client: env.Client(), Journal: &o.journal,
		Format: o.output.Format, Palette: o.output.Palette,
	}
	if len(args) > 0 {
		job.Event = args[0]
	}
	if job.Catalog, err = o.settings.Catalog(env, cfg); err != nil {
		return err
	}
	if job.Delivery, err = o.delivery(env, cfg); err != nil {
		return err
	}
	if job.Policy, err = o.policy(env, cfg); err != nil {
		return err
	}
	if o.output.Text() {
		command.PrintTarget(env, job.Delivery.Method, job.Delivery.URL)
	}
	return batch.Run(ctx, env, job)
}

func (o *options) policy(env *command.Env, cfg *config.Config) (p deliver.Policy, err error) {
	p = deliver.Policy{RetryUnknown: o.retryUnknown, Jitter: env.Jitter}
	p.Retries, err = command.Retries(cfg)
	return p, err
}

// delivery returns the delivery without its payload.
func (o *options) delivery(env *command.Env, cfg *config.Config) (d deliver.Delivery, err error) {
	preview := o.dryRun || o.curl || o.explain
	target := cfg.URL
	if d.URL = target.Text; d.URL == "" && preview {
		d.URL = platformURL
	}
	if d.URL == "" {
		return d, errors.New("no url to send to: give --url, $WSK_URL or url: in .wsk.yaml; the platform's is " + platformURL)
	}
	if d.URL, err = command.ParseURL("the "+target.Place(), d.URL); err != nil {
		return d, err
	}
	command.WarnPlainHTTP(env, d.URL)
	source := cfg.Source.Text
	if err := deliver.CheckSource(source); err != nil {
		return d, err
	}
	name, err := command.SchemeName(cfg)
	if err != nil {
		return d, err
	}
	if name == "" {
		name = deliver.SchemeForSource(source)
	}
	if d.Scheme, err = webhook.SchemeNamed(name); err != nil {
		return d, err
	}
	var origins []config.Value
	if d.Unsigned = o.unsigned; !d.Unsigned {
		var secrets []webhook.Secret
		if secrets, origins, err = o.settings.Keys(env, cfg); err != nil {
			return d, err
		}
		if len(secrets) == 0 {
			return d, command.ErrNoSecret
		}
		d.Secret = secrets[0] // the first signs; the others are for verifying
	}
	if source == deliver.SourceZapier {
		fmt.Fprintf(env.Err, "wsk: warning: WorkSkedge does not list the source %s; its page shows it in the sample of %s alone\n", source, connectionTest)
	}
	if d.Override, err = command.ParseHeaders(o.headers); err != nil {
		return d, err
	}
	credentials := append(origins, cfg.APIKey)
	for _, h := range d.Override {
		if h.IsSensitive() {
			credentials = append(credentials, config.Value{Text: h.Value, From: config.FromFlag, Name: "-H " + h.Name})
		}
	}
	if err := cfg.CheckTarget(target, credentials...); err != nil {
		return d, err
	}
	key, err := cfg.Credential(cfg.APIKey)
	if err != nil {
		return d, err
	}
	if key == "" && !preview && !deliver.IsLoopback(d.URL) {
		return d, errors.New("no API key: give --api-key, $WSK_API_KEY or api_key: in .wsk.yaml")
	}
	if _, err := webhook.ParsePair(webhook.HeaderAPIKey + ": " + key); err != nil {
		return d, errors.New("the API key contains a line break or a control character")
	}
	d.Header, d.NotifyURL = deliver.Inbound(key, source), o.notifyURL
	d.Timeout, err = command.ParseDuration(cfg.Timeout, "timeout")
	if d.Scheme.Name() == webhook.StandardWebhooks && !o.unsigned {
		d.WebhookID = "msg_" + env.NewID()
	}
	return d, err
}

// preview shows the request that would be sent.
func (o *options) preview(env *command.Env, d deliver.Delivery) error {
	at := env.Now()
	request, err := d.Request(at)
	if err != nil {
		return err
	}
	switch {
	case o.explain && o.output.Text():
		return command.ExplainSignature(env.Out, o.output.Palette, &d.Scheme, d.Message(at), d.Secret)
	case o.curl && o.output.Text():
		_, err = fmt.Fprintln(env.Out, ui.Curl(request))
		return err
	case o.output.Text():
		_, err = io.WriteString(env.Out, ui.Wire(request, o.output.Palette))
		return err
	}
	record := webhook.Record{
		ID: env.RecordID(), Time: at, Direction: webhook.Sent, Platform: d.Event.Platform, Form: d.Event.Form,
		Event: d.Event.Type, WebhookID: d.WebhookID, Request: request,
	}
	if !o.unsigned {
		record.Scheme = d.Scheme.Name()
	}
	return webhook.NewEncoder(env.Out).Encode(record)
}
