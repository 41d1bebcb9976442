package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newDemo(env *Env) *cobra.Command {
	o := &outputFlags{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See an event make the round trip, in seconds and offline",
		Long: `Start a receiver on a free port of this machine, send it a signed work order,
send a tampered copy and the same request again, and show what happens.`,
		Example: "  wsk demo",
		Args:    exactly(0, ""),
	}
	settings := newSettingFlags(cmd)
	o.add(cmd, "text", "ndjson", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := settings.begin(env, o)
		if err != nil {
			return err
		}
		p, err := palette(env, cfg, env.OutTTY)
		if err != nil {
			return err
		}
		d := &demo{env: env, p: p, text: o.text(), received: make(chan webhook.Record, 1)}
		return d.run(cmd.Context())
	}
	return cmd
}

// demo is one run: a receiver, a sender, and what they say.
type demo struct {
	env      *Env
	p        ui.Palette
	text     bool
	received chan webhook.Record
	client   deliver.Client
	verifier webhook.Verifier
}

func (d *demo) run(ctx context.Context) error {
	secret, err := webhook.NewSecret("demo_" + d.env.NewID())
	if err != nil {
		return err
	}
	d.verifier = webhook.Verifier{Scheme: webhook.DefaultScheme(), Secrets: []webhook.Secret{secret}}
	handler, err := receive.New(receive.Config{
		Verifier: d.verifier, Now: d.env.Now, NewID: d.env.recordID,
		Sink: func(r webhook.Record) { d.received <- r },
	})
	if err != nil {
		return err
	}
	listener, err := d.env.Listen(ctx, net.JoinHostPort("127.0.0.1", "0"))
	if err != nil {
		return fmt.Errorf("finding a free port: %w", err)
	}
	server := receive.Server(handler)
	go func() { _ = server.Serve(listener) }() // ends with Close, below
	defer func() { _ = server.Close() }()

	definition, err := webhook.Lookup(webhook.WorkSkedge, webhook.Outbound, "work_order.created")
	if err != nil {
		return err
	}
	event, err := webhook.ParseEvent(definition.Sample())
	if err != nil {
		return err
	}
	d.client = deliver.Client{Transport: d.env.Transport, Now: d.env.Now, NewID: d.env.recordID, UserAgent: userAgent()}
	return d.story(ctx, deliver.Delivery{
		URL: "http://" + listener.Addr().String(), Event: event, Scheme: d.verifier.Scheme, Secret: secret,
		WebhookID: "whk_" + d.env.NewID(), Header: deliver.Outbound(webhook.WorkSkedge, event.Type),
	})
}

// story sends the good request, a tampered copy, and the good one again.
func (d *demo) story(ctx context.Context, good deliver.Delivery) error {
	d.say("1. The platform signs a work order and sends it.\n")
	sent, err := d.step(ctx, good, webhook.Accepted)
	if err != nil {
		return err
	}
	captured := good
	captured.Secret, captured.Header = webhook.Secret{}, sent.Request.Header
	tampered := captured
	tampered.Event.Raw = append(good.Event.Raw[:len(good.Event.Raw):len(good.Event.Raw)], '\n')
	tampered.Header = tampered.Header.With(webhook.HeaderID, "whk_"+d.env.NewID())
	d.say("2. The same request with a newline more at the end of its body.\n")
	if _, err := d.step(ctx, tampered, webhook.Refused); err != nil {
		return err
	}
	d.say("3. The first request again, as a platform does that missed the answer.\n")
	if _, err := d.step(ctx, captured, webhook.Duplicate); err != nil {
		return err
	}
	d.say(d.p.Name("Next:") + `
  wsk listen --secret s3cret                     a receiver of your own
  wsk send work_order.created --secret s3cret --url http://127.0.0.1:3000
  wsk send work_order.created --secret s3cret --explain
  wsk verify -f body.json --secret s3cret --timestamp T --signature X
`)
	return nil
}

// step sends one request, shows both sides of it, and fails when the verdict
// is not the one that the story tells.
func (d *demo) step(ctx context.Context, delivery deliver.Delivery, want webhook.Outcome) (webhook.Record, error) {
	sent, err := d.client.Attempt(ctx, delivery, 0)
	if err != nil {
		return sent, err
	}
	if sent.Response == nil {
		return sent, &unreachableError{errors.New("the demo's receiver: " + sent.Error)}
	}
	var got webhook.Record
	select {
	case got = <-d.received:
	case <-ctx.Done():
		return sent, ctx.Err()
	}
	if refusal := refusalOf(got); refusal != nil {
		got.Verdict.Diagnosis = diagnosis(d.verifier, got.Request, refusal)
	}
	if err := d.show(sent, got); err != nil {
		return sent, err
	}
	if got.Verdict.Outcome != want {
		return sent, &noError{fmt.Errorf("the receiver's verdict is %s, want %s", got.Verdict.Outcome, want)}
	}
	return sent, nil
}

// show writes both sides; the request in full only the first time.
func (d *demo) show(sent, got webhook.Record) error {
	if !d.text {
		encoder := webhook.NewEncoder(d.env.Out)
		return errors.Join(encoder.Encode(sent), encoder.Encode(got))
	}
	p, body := d.p, string(sent.Request.Body)
	if got.Verdict.Outcome == webhook.Accepted {
		fmt.Fprintf(d.env.Out, "  %s\n", p.Name("POST "+sent.Request.URL))
		for _, h := range sent.Request.Header {
			fmt.Fprintf(d.env.Out, "  %s %s\n", p.Quiet(h.Name+":"), ui.Short(ui.Clean(h.Value), 74-len(h.Name)))
		}
		fmt.Fprintf(d.env.Out, "\n  %s\n  %s\n\n", ui.Short(ui.Clean(body), 76), p.Quiet(ui.Plural(len(body), "byte")))
	}
	status := p.Status(sent.Response.Status, strconv.Itoa(sent.Response.Status))
	fmt.Fprintf(d.env.Out, "  %s %s\n  %s  %s %s\n", p.Mark(got.Verdict.Verified), verdictLine(got), p.Quiet("got "), status, ui.Clean(string(sent.Response.Body)))
	if diagnosis := got.Verdict.Diagnosis; diagnosis != nil {
		if err := writeDiagnosis(d.env.Out, p, d.env.Columns, diagnosis); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(d.env.Out)
	return err
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

func (d *demo) say(text string) {
	if d.text {
		fmt.Fprintln(d.env.Out, text)
	}
}
