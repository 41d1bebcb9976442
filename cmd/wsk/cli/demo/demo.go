// Package demo implements wsk demo: an event makes the whole round trip through a
// sandbox and two receivers on loopback.
package demo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
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
		Long: `Start a sandbox and two receivers on free ports of this machine. One system
sends the platform a project; the other receives the events and verifies them;
the first receives nothing, since it caused them. Then see what happens to a
tampered copy, and to the same request a second time.`,
		Example: "  wsk demo",
		Args:    command.ExactArgs(0, ""),
	}
	settings := command.NewSettings(cmd)
	o.Add(cmd, "text", "json", "ndjson")
	cmd.RunE = settings.RunE(env, o, func(ctx context.Context, _ *config.Config, _ []string) error {
		stage, err := newStage(ctx, env)
		if err != nil {
			return err
		}
		d := &demo{stage: stage, p: o.Palette, text: o.Text(), records: command.NewRecordWriter(env.Out, o.Format)}
		err = d.story(ctx)
		if !d.text {
			err = errors.Join(err, d.records.Close(nil))
		}
		return errors.Join(err, stage.close())
	})
	return cmd
}

// demo shows the story, and fails when a step has another outcome than it shows.
type demo struct {
	*stage
	p       ui.Palette
	text    bool
	records *command.RecordWriter // in a format for programs
}

func (d *demo) story(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.send, d.receive, d.tamper} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.printText(d.p.Name("Next:") + `
  wsk sandbox                                    a platform to send to
  wsk listen --secret s3cret                     your own receiver
  wsk send work_order.created --secret s3cret --explain
  wsk check http://localhost:8080/hooks --secret s3cret
`)
	return nil
}

// send sends a project from the ERP to the platform.
func (d *demo) send(ctx context.Context) error {
	d.printText("1. Your ERP sends WorkSkedge a project. Records that it names are created too.\n")
	delivery, err := d.project()
	if err != nil {
		return err
	}
	sent, err := d.attempt(ctx, delivery)
	if err != nil {
		return err
	}
	d.printRecord(sent)
	d.request(sent)
	d.answer(sent)
	if sent.Verdict.Outcome != webhook.Accepted {
		return command.No(errors.New("the platform did not accept the project"))
	}
	var kept []string
	for _, kind := range []string{"project", "customer", "location", "contact"} {
		list, err := d.box.Records(ctx, sandbox.RecordQuery{Kind: kind})
		if err != nil {
			return err
		}
		kept = append(kept, ui.Plural(len(list), kind))
	}
	d.printText("  " + d.p.Quiet("kept  ") + strings.Join(kept, ", ") + "\n")
	return nil
}

// receive shows what the other system receives, and that the ERP receives nothing.
func (d *demo) receive(ctx context.Context) error {
	if err := d.box.Idle(ctx); err != nil {
		return err
	}
	deliveries, err := d.box.Deliveries(ctx, sandbox.DeliveryQuery{})
	if err != nil {
		return err
	}
	d.printText("2. WorkSkedge notifies your accounting, whose receiver verifies each event.\n")
	for range deliveries {
		got, err := d.received(ctx)
		if err != nil {
			return err
		}
		d.printRecord(got.Record)
		d.printText(fmt.Sprintf("  %s %s%s", d.p.Mark(got.Verdict.Verified), ui.Pad(got.Event, 20), d.p.Quiet(verdictLine(got.Record))))
		if got.by != accounting || got.Verdict.Outcome != webhook.Accepted {
			return command.No(fmt.Errorf("%s was %s by %s", got.Event, got.Verdict.Outcome, got.by))
		}
		d.captured = got.Record
	}
	d.printText("\n3. The ERP is subscribed too and receives nothing: it caused the events.\n")
	d.printText("  " + d.p.Mark(true) + " no echo\n")
	if len(deliveries) == 0 {
		return command.No(errors.New("nothing was delivered"))
	}
	return nil
}

// tamper sends a changed copy of a delivery, then the delivery itself again.
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
		{"4. One of them again, with a newline added to its body.\n", tampered, webhook.Refused},
		{"5. The same request again, as from a platform that missed the response.\n", again, webhook.Duplicate},
	} {
		d.printText(step.title)
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
		d.printRecord(sent)
		d.printRecord(got.Record)
		d.printText(fmt.Sprintf("  %s %s", d.p.Mark(got.Verdict.Verified), verdictLine(got.Record)))
		d.answer(sent)
		if found := got.Verdict.Diagnosis; found != nil && d.text {
			if err := command.WriteDiagnosis(d.env.Out, d.p, d.env.Columns, found); err != nil {
				return err
			}
		}
		d.printText("")
		if got.Verdict.Outcome != step.want {
			return command.No(fmt.Errorf("the receiver's verdict is %s, want %s", got.Verdict.Outcome, step.want))
		}
	}
	return nil
}

// request shows a request with its headers.
func (d *demo) request(r webhook.Record) {
	p, body := d.p, string(r.Request.Body)
	d.printText("  " + p.Name("POST "+r.Request.URL))
	for _, h := range r.Request.Header.Redacted() {
		d.printText("  " + p.Quiet(h.Name+":") + " " + ui.Short(ui.Clean(h.Value), 74-len(h.Name)))
	}
	d.printText("\n  " + ui.Short(ui.Clean(body), 76) + "\n  " + p.Quiet(ui.Plural(len(body), "byte")) + "\n")
}

func (d *demo) answer(r webhook.Record) {
	status := strconv.Itoa(r.Response.Status)
	d.printText("  " + d.p.Quiet("got   ") + d.p.Status(r.Response.Status, status) + " " + ui.Short(ui.Clean(strings.TrimSpace(string(r.Response.Body))), 68))
}

func verdictLine(r webhook.Record) string {
	switch r.Verdict.Outcome {
	case webhook.Accepted:
		return "verified and passed to the app"
	case webhook.Duplicate:
		return "verified, a duplicate, not passed on again"
	}
	return ui.Clean(r.Verdict.Detail)
}

// printText writes a line for people.
func (d *demo) printText(text string) {
	if d.text {
		fmt.Fprintln(d.env.Out, text)
	}
}

// printRecord writes a line for programs.
func (d *demo) printRecord(r webhook.Record) {
	if !d.text {
		_ = d.records.Write(r) // Out keeps its error for Main
	}
}
