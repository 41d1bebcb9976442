// Package demo implements wsk demo, a whole round trip on loopback.
package demo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &command.Output{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See an event make the whole round trip, in seconds and offline",
		Long: `Start the platform and two receivers on free ports of this machine. One system
sends the platform a project; the other one is told of it, and verifies what
comes; the first is not, since it did it. Then show what becomes of a tampered
copy, and of the same request again.`,
		Example: "  wsk demo",
		Args:    command.ExactArgs(0, ""),
	}
	settings := command.NewSettings(cmd)
	o.Add(cmd, "text", "ndjson", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := settings.Begin(env, o)
		if err != nil {
			return err
		}
		p, err := command.Palette(env, cfg, env.OutTTY)
		if err != nil {
			return err
		}
		stage, err := newStage(cmd.Context(), env)
		if err != nil {
			return err
		}
		d := &demo{demoStage: stage, p: p, text: o.Text()}
		return errors.Join(d.story(cmd.Context()), stage.close())
	}
	return cmd
}

// demo tells the story, and fails when it does not go as it is told.
type demo struct {
	*demoStage
	p    ui.Palette
	text bool
}

func (d *demo) story(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.send, d.hear, d.tamper} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.say(d.p.Name("Next:") + `
  wsk sandbox                                    the platform, to send to
  wsk listen --secret s3cret                     a receiver of your own
  wsk send work_order.created --secret s3cret --explain
  wsk check http://localhost:8080/hooks --secret s3cret
`)
	return nil
}

// send has the ERP send a project to the platform.
func (d *demo) send(ctx context.Context) error {
	d.say("1. Your ERP sends WorkSkedge a project. What it names is made on the way.\n")
	delivery, err := d.project()
	if err != nil {
		return err
	}
	sent, err := d.attempt(ctx, delivery)
	if err != nil {
		return err
	}
	d.record(sent)
	d.request(sent)
	d.answer(sent)
	if sent.Verdict.Outcome != webhook.Accepted {
		return command.No(errors.New("the platform did not take the project"))
	}
	var kept []string
	for _, kind := range []string{"project", "customer", "location", "contact"} {
		list, err := d.box.Records(ctx, sandbox.RecordQuery{Kind: kind})
		if err != nil {
			return err
		}
		kept = append(kept, ui.Plural(len(list), kind))
	}
	d.say("  " + d.p.Quiet("kept  ") + strings.Join(kept, ", ") + "\n")
	return nil
}

// hear shows what the other system was told, and that the ERP was not.
func (d *demo) hear(ctx context.Context) error {
	if err := d.box.Idle(ctx); err != nil {
		return err
	}
	deliveries, err := d.box.Deliveries(ctx, sandbox.DeliveryQuery{})
	if err != nil {
		return err
	}
	d.say("2. WorkSkedge tells your accounting of it. Its receiver verifies each event.\n")
	for range deliveries {
		got, err := d.received(ctx)
		if err != nil {
			return err
		}
		d.record(got.Record)
		d.say(fmt.Sprintf("  %s %s%s", d.p.Mark(got.Verdict.Verified), ui.Pad(got.Event, 20), d.p.Quiet(verdictLine(got.Record))))
		if got.by != accounting || got.Verdict.Outcome != webhook.Accepted {
			return command.No(fmt.Errorf("%s was %s by %s", got.Event, got.Verdict.Outcome, got.by))
		}
		d.captured = got.Record
	}
	d.say("\n3. The ERP is subscribed too, and hears nothing: it did it itself.\n")
	d.say("  " + d.p.Mark(true) + " no echo\n")
	if len(deliveries) == 0 {
		return command.No(errors.New("nothing was delivered"))
	}
	return nil
}

// tamper sends a changed copy of a delivery, and the delivery again.
func (d *demo) tamper(ctx context.Context) error {
	again := d.replay()
	tampered := again
	tampered.Event.Raw = append(again.Event.Raw[:len(again.Event.Raw):len(again.Event.Raw)], '\n')
	tampered.Header = again.Header.With(webhook.HeaderID, "whk_"+d.env.NewID())
	for _, step := range []struct {
		title    string
		delivery deliver.Delivery
		want     webhook.Outcome
	}{
		{"4. One of these again, with a newline more at the end of its body.\n", tampered, webhook.Refused},
		{"5. The same request again, as a platform does that missed the answer.\n", again, webhook.Duplicate},
	} {
		d.say(step.title)
		sent, err := d.attempt(ctx, step.delivery)
		if err != nil {
			return err
		}
		got, err := d.received(ctx)
		if err != nil {
			return err
		}
		if got.Verdict.Outcome == webhook.Refused {
			got.Verdict.Diagnosis = diagnose.Refusal(d.verifier, got.Request, webhook.Reason(got.Verdict.Reason))
		}
		d.record(sent)
		d.record(got.Record)
		d.say(fmt.Sprintf("  %s %s", d.p.Mark(got.Verdict.Verified), verdictLine(got.Record)))
		d.answer(sent)
		if found := got.Verdict.Diagnosis; found != nil && d.text {
			if err := command.WriteDiagnosis(d.env.Out, d.p, d.env.Columns, found); err != nil {
				return err
			}
		}
		d.say("")
		if got.Verdict.Outcome != step.want {
			return command.No(fmt.Errorf("the receiver's verdict is %s, want %s", got.Verdict.Outcome, step.want))
		}
	}
	return nil
}

// request shows a request in full.
func (d *demo) request(r webhook.Record) {
	p, body := d.p, string(r.Request.Body)
	d.say("  " + p.Name("POST "+r.Request.URL))
	for _, h := range r.Request.Header.Redacted() {
		d.say("  " + p.Quiet(h.Name+":") + " " + ui.Short(ui.Clean(h.Value), 74-len(h.Name)))
	}
	d.say("\n  " + ui.Short(ui.Clean(body), 76) + "\n  " + p.Quiet(ui.Plural(len(body), "byte")) + "\n")
}

func (d *demo) answer(r webhook.Record) {
	status := strconv.Itoa(r.Response.Status)
	d.say("  " + d.p.Quiet("got   ") + d.p.Status(r.Response.Status, status) + " " + ui.Short(ui.Clean(strings.TrimSpace(string(r.Response.Body))), 70))
}

func verdictLine(r webhook.Record) string {
	switch r.Verdict.Outcome {
	case webhook.Accepted:
		return "verified, and handed to the app"
	case webhook.Duplicate:
		return "verified, seen before, not handed on twice"
	}
	return ui.Clean(r.Verdict.Detail)
}

// say writes a line for people, record one for programs.
func (d *demo) say(text string) {
	if d.text {
		fmt.Fprintln(d.env.Out, text)
	}
}

func (d *demo) record(r webhook.Record) {
	if !d.text {
		_ = webhook.NewEncoder(d.env.Out).Encode(r) // Out keeps its error for Main
	}
}
