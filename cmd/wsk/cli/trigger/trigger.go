// Package trigger implements wsk trigger, which plays the platform: it delivers an
// event to a receiver with the platform's signature and retry schedule.
package trigger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/wskdev/wsk/cmd/wsk/ui"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

type options struct {
	settings *command.Settings
	output   command.Output
	payload  command.Payload
	journal  command.Journal

	to        string
	form      string
	platform  string
	notifyURL string
	retries   string
	speed     string
	count     int
	id        string
	headers   []string
	noLint    bool
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "trigger EVENT --to URL --secret VALUE [-f FILE|-]",
		Short: "Play the platform: deliver an event to your receiver",
		Long: `Sign an event as the platform does and deliver it to your receiver. After 5xx
and after no answer it is delivered again by the platform's schedule, until it
is accepted. 3xx and 4xx are final, and redirects are not followed.

  workskedge   pauses of 1m, 5m, 15m, 1h and 6h, X-Webhook-Retry 0 to 5
  worksome     pauses of 10s, 100s, 1000s and 10000s

A sample gets a new event_id and timestamp; an envelope in FILE is sent byte for
byte. Exit code: 0 if every delivery was accepted, 1 if one is dead, 3 if there
was no answer at all.`,
		Example: `  wsk trigger work_order.created --to http://localhost:3000 --secret s3cret
  wsk trigger workorder.created --to $URL --secret s3cret
  wsk trigger hireUpdated --to $URL --secret s3cret --speed 60x
  wsk trigger project.closed -f project.json --to $URL --secret s3cret --json`,
		Args: command.ExactArgs(1, "EVENT"),
	}
	o.flags(cmd)
	cmd.ValidArgsFunction = o.settings.CompleteEvents(env, webhook.WorkSkedge, webhook.Outbound)
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		if o.id == "" && cmd.Flags().Changed("id") {
			return errors.New("--id is empty: leave it out for a new one")
		}
		return trigger(ctx, env, cfg, o, args[0])
	})
	return cmd
}

func (o *options) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.to, "to", "", "deliver to the receiver at `URL`")
	o.payload.Add(cmd)
	f.StringVar(&o.form, "form", "", "the form of the envelope, a `NAME`: outbound or compact (default: the one that has EVENT; of several, that of FILE, else outbound)")
	f.StringVar(&o.platform, "platform", "", "play `NAME`: workskedge or worksome (default: the one that has the event)")
	o.settings = command.NewSettings(cmd)
	o.settings.Schemas()
	o.settings.Secret()
	o.settings.Scheme("sign by scheme `NAME` (default: the platform's)")
	f.StringVar(&o.notifyURL, "notification-url", "", "the `URL` that scheme square signs over (default: --to)")
	o.settings.Duration("timeout", "the time limit of one attempt, a `DURATION` (default 30s)")
	f.StringVar(&o.retries, "retries", "platform", "retry `HOW`: platform, none, or N times with the platform's pauses")
	f.StringVar(&o.speed, "speed", "1x", "shorten the pauses by `FACTOR`, 60x or 2.5x, or max for none")
	f.IntVar(&o.count, "count", 1, "make `N` deliveries, one after another, each with its own id")
	f.StringVar(&o.id, "id", "", "the webhook `ID`, to repeat a delivery (default: a new one)")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "send the header `'Name: value'`; it replaces one of that name, and an empty value removes it. Repeatable")
	f.BoolVar(&o.noLint, "no-lint", false, "deliver even what contradicts the catalog")
	o.journal.AddWrite(cmd)
	o.output.Add(cmd, "text", "json", "ndjson")
	command.CompleteFlag(cmd, "form", "outbound", "compact")
	command.CompleteFlag(cmd, "platform", "workskedge", "worksome")
	command.CompleteFlag(cmd, "retries", "platform", "none")
	command.CompleteFlag(cmd, "speed", "60x", "max")
}

// trigger plans the delivery, delivers as often as asked, and shows each attempt.
func trigger(ctx context.Context, env *command.Env, cfg *config.Config, o *options, eventType string) error {
	plan, err := o.plan(ctx, env, cfg, eventType)
	if err != nil {
		return err
	}
	recorder, err := o.journal.Recorder(ctx, env)
	if err != nil {
		return err
	}
	defer recorder.Close()
	if plan.Factor > 1 && len(plan.Schedule) > 0 {
		fmt.Fprintln(env.Err, "wsk: "+compressed(plan.Schedule, plan.Factor))
	}
	v := &command.DeliveryView{Env: env, P: o.output.Palette, Format: o.output.Format, Plan: plan, Chosen: o.retries != "platform"}
	defer v.Close()
	client := env.Client()
	for n := range o.count {
		if err := ctx.Err(); err != nil {
			return err
		}
		delivery := plan.Delivery
		if n > 0 {
			setID(env, &delivery, "")
			if delivery.Event, err = o.payload.Event(env, plan.Definition, plan.Given, ""); err != nil {
				return err
			}
		}
		v.Begin(delivery)
		id := ""
		record, err := client.Deliver(ctx, delivery, plan.Schedule.Faster(plan.Factor), func(s deliver.Step) {
			id = recorder.Store(ctx, &s.Record)
			v.Step(s)
		})
		if err := command.Unrecorded(ctx, err); err != nil {
			return err
		}
		v.End(record, id)
	}
	return v.Result()
}

// delivery returns the delivery without its payload.
func (o *options) delivery(env *command.Env, cfg *config.Config, definition webhook.Definition) (deliver.Delivery, error) {
	d := deliver.Delivery{URL: o.to, NotifyURL: o.notifyURL, Header: deliver.Outbound(definition.Platform, definition.Type)}
	if d.URL == "" {
		return deliver.Delivery{}, errors.New("no receiver to deliver to: give --to URL; wsk listen is one, at http://127.0.0.1:3000")
	}
	var err error
	if d.URL, err = command.ParseURL("--to", o.to); err != nil {
		return deliver.Delivery{}, err
	}
	command.WarnPlainHTTP(env, d.URL)
	if d.Scheme, err = command.SchemeOf(cfg, definition.Platform); err != nil {
		return deliver.Delivery{}, err
	}
	switch {
	case o.count < 1:
		return deliver.Delivery{}, fmt.Errorf("--count %d: make 1 delivery or more", o.count)
	case o.id != "" && o.count > 1:
		return deliver.Delivery{}, errors.New("--id and --count contradict each other: each delivery has its own id")
	case o.id != "" && d.Scheme.IDHeader() == "":
		return deliver.Delivery{}, fmt.Errorf("--id: no header carries a webhook id on %s by scheme %s", definition.Platform, d.Scheme.Name())
	}
	setID(env, &d, o.id)
	secrets, _, err := o.settings.Keys(env, cfg)
	if err != nil {
		return deliver.Delivery{}, err
	}
	if len(secrets) == 0 {
		return deliver.Delivery{}, command.ErrNoSecret
	}
	d.Secret = secrets[0] // the first signs; the others are for verifying
	if d.Override, err = command.ParseHeaders(o.headers); err != nil {
		return deliver.Delivery{}, err
	}
	d.Timeout, err = command.ParseDuration(cfg.Timeout, "timeout")
	return d, err
}

// setID sets the webhook id of a delivery, a new one for "", if the scheme has one.
func setID(env *command.Env, d *deliver.Delivery, id string) {
	if id == "" {
		id = "whk_" + env.NewID()
	}
	if d.Scheme.IDHeader() != "" {
		d.WebhookID = id
	}
}

// plan reads the flags and the payload. Errors in the flags and the payload are
// found here, before anything is sent.
func (o *options) plan(ctx context.Context, env *command.Env, cfg *config.Config, eventType string) (*command.DeliveryPlan, error) {
	t := &command.DeliveryPlan{}
	catalog, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return nil, err
	}
	if t.Given, err = o.payload.Read(ctx, env); err != nil {
		return nil, err
	}
	if t.Definition, err = o.find(env, catalog, eventType, t.Given.Bytes()); err != nil {
		return nil, err
	}
	if t.Schedule, t.Factor, err = o.schedule(t.Definition.Platform); err != nil {
		return nil, err
	}
	if t.Delivery, err = o.delivery(env, cfg, t.Definition); err != nil {
		return nil, err
	}
	if t.Given.IsZero() {
		if t.Given, err = o.payload.Sample(env, t.Definition); err != nil {
			return nil, err
		}
	}
	if t.Delivery.Event, err = o.payload.Event(env, t.Definition, t.Given, ""); err != nil {
		return nil, err
	}
	if _, err = t.Delivery.Request(env.Now()); err != nil || o.noLint {
		return t, err
	}
	return t, command.LintBeforeSending(env, catalog, &t.Delivery.Event)
}

// sent are the forms that platforms send, the default first.
var sent = []webhook.Form{webhook.Outbound, webhook.Compact, webhook.WorksomeForm}

// find looks up the event under --platform and --form, or else by its name and the
// envelope raw, see [payload.Find]. It says which form was taken if there are several.
func (o *options) find(env *command.Env, catalog *webhook.Catalog, name string, raw []byte) (webhook.Definition, error) {
	forms := sent
	switch form := webhook.Form(o.form); {
	case o.platform != "" && o.platform != string(webhook.WorkSkedge) && o.platform != string(webhook.Worksome):
		return webhook.Definition{}, webhook.Unknown("platform", o.platform, []string{string(webhook.WorkSkedge), string(webhook.Worksome)})
	case form != "" && form != webhook.Outbound && form != webhook.Compact:
		return webhook.Definition{}, webhook.Unknown("form", o.form, []string{string(webhook.Outbound), string(webhook.Compact)})
	case o.platform == string(webhook.Worksome) && form != "":
		return webhook.Definition{}, errors.New("--form is for workskedge: worksome has one form")
	case o.platform == string(webhook.Worksome):
		forms = sent[2:]
	case form != "":
		forms = []webhook.Form{form}
	case o.platform == string(webhook.WorkSkedge):
		forms = sent[:2]
	}
	d, err := payload.Find(catalog, name, raw, forms...)
	if err != nil {
		return d, command.SuggestForm(catalog, name, err, sent...)
	}
	command.SayForm(env, catalog, d, forms)
	return d, nil
}

// schedule reads --retries and --speed. The pauses are those without speed.
func (o *options) schedule(p webhook.Platform) (s deliver.Schedule, factor float64, err error) {
	s = deliver.PlatformSchedule(p)
	switch o.retries {
	case "platform":
	case "none":
		s = nil
	default:
		n, err := strconv.ParseUint(o.retries, 10, 16)
		if err != nil {
			return nil, 0, fmt.Errorf("--retries %q: write platform, none or a number", o.retries)
		}
		last := s[len(s)-1]
		for len(s) < int(n) {
			s = append(s, last)
		}
		s = s[:n]
	}
	factor, err = command.ParseSpeed(o.speed)
	return s, factor, err
}

// compressed describes the pauses at a speed.
func compressed(s deliver.Schedule, factor float64) string {
	if math.IsInf(factor, 0) {
		return fmt.Sprintf("the schedule is compressed: no pauses instead of up to %s", ui.Duration(s.Total()))
	}
	return fmt.Sprintf("the schedule is compressed %g times: up to %s of pauses become %s", factor, ui.Duration(s.Total()), ui.Duration(s.Faster(factor).Total()))
}
