// Package render implements wsk render, which renders Work Market templates.
package render

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/webhook"
)

type options struct {
	settings *command.Settings
	output   command.Output
	journal  command.Journal
	values   renderValues

	event  string
	now    string
	matrix bool
	strict bool
	curl   bool
	http   bool
	send   bool
	to     string
	speed  string
	yes    bool
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "render TEMPLATE|- [--var NAME=VALUE]… [--send]",
		Short: "Render a Work Market webhook offline",
		Long: `Render a Work Market webhook: put values for the variables into the template's
URL, headers and body, each escaped by its place, and say what is wrong with the
template and with what comes out, at the template's line. TEMPLATE is a file in
YAML or JSON; wsk render init writes one.

Values come from samples of the event, then --vars, --attach, --var and --empty.
The request is printed as it goes over the wire, with credentials masked; what
there is to say goes to stderr. Exit code: 0 without errors, 1 with, or when
--send was refused, 2 when a file cannot be read, 3 when nobody answered.`,
		Example: `  wsk render init Accepted > worker.yaml
  wsk render worker.yaml --var resource_first_name='Ann "Nan"'
  wsk render worker.yaml --matrix
  wsk render file.yaml --attach photo.png --send --to http://localhost:3000
  wsk render note.yaml --curl`,
		Args: command.ExactArgs(1, "TEMPLATE"),
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := o.settings.Begin(env, &o.output)
		if err != nil {
			return err
		}
		return renderTemplate(cmd.Context(), env, cfg, o, args[0])
	}
	cmd.AddCommand(newInit(env))
	return cmd
}

func (o *options) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	o.settings = command.NewSettings(cmd)
	f.StringVar(&o.event, "event", "", "render for `EVENT`, \"Check In\" or check_in (default: the template's)")
	o.values.add(cmd)
	f.StringVar(&o.now, "now", "", "what ${now} stands for, a `TIME` as 2026-01-15T14:30:00Z or Unix seconds (default: now)")
	f.BoolVar(&o.matrix, "matrix", false, "show which of the 35 events the template is right for")
	f.BoolVar(&o.strict, "strict", false, "fail on warnings as well")
	f.BoolVar(&o.curl, "curl", false, "short for --format curl")
	f.BoolVar(&o.http, "http", false, "short for --format http, a file for editors that send requests")
	f.BoolVar(&o.send, "send", false, "send it, and once more where that fails, as Work Market does")
	f.StringVar(&o.to, "to", "", "send it to the scheme and host of `URL`, such as a receiver on this machine")
	f.StringVar(&o.speed, "speed", "1x", "shorten the pause before the retry by `FACTOR`, 60x, or max for none")
	f.BoolVar(&o.yes, "yes", false, "send to another machine without asking")
	o.settings.String("timeout", "the limit of one attempt, a `DURATION` (default 30s)")
	o.journal.AddWrite(cmd)
	o.output.Add(cmd, "text", "json", "curl", "http")
	var events []string
	for _, d := range render.Events() {
		events = append(events, d.Type)
	}
	command.CompleteFlag(cmd, "event", events...)
	command.CompleteFlag(cmd, "speed", "60x", "max")
}

// choose settles what is printed.
func (o *options) choose() error {
	for flag, given := range map[string]bool{"curl": o.curl, "http": o.http} {
		if given && o.output.Format != "text" && o.output.Format != flag {
			return fmt.Errorf("--%s and --format %s contradict each other", flag, o.output.Format)
		}
		if given {
			o.output.Format = flag
		}
	}
	switch {
	case o.to != "" && !o.send:
		return errors.New("--to says where --send sends it: give --send as well")
	case o.send && (o.matrix || o.output.Format == "curl" || o.output.Format == "http"):
		return errors.New("--send shows what comes of it, as text or json: leave --matrix, --curl and --http out")
	case o.matrix && o.output.Format != "text" && o.output.Format != "json":
		return errors.New("--matrix is written as text or json")
	}
	return nil
}

// renderTemplate reads the template and the values, renders, and shows or
// sends what comes out.
func renderTemplate(ctx context.Context, env *command.Env, cfg *config.Config, o *options, name string) error {
	if err := o.choose(); err != nil {
		return err
	}
	now, err := o.moment(env)
	if err != nil {
		return err
	}
	raw, err := env.Read(ctx, name)
	if err != nil {
		return err
	}
	p, err := command.Palette(env, cfg, env.OutTTY)
	if err != nil {
		return err
	}
	template, findings := render.Parse(raw)
	if o.event != "" {
		d, err := render.EventNamed(o.event)
		if err != nil {
			return fmt.Errorf("--event: %w", err)
		}
		template.Event = d.Type
		findings = withoutRule(findings, "template-event")
	}
	if render.Errors(findings) > 0 {
		return o.told(env, cfg, name, findings)
	}
	if o.matrix {
		return o.showMatrix(env, p, name, template, now)
	}
	values, err := o.values.read(ctx, env, template.Event)
	if err != nil {
		return err
	}
	request, more := template.Render(values, now)
	findings = append(findings, more...)
	if o.send && o.verdict(findings) == nil {
		_ = o.told(env, cfg, name, findings) // warnings
		return o.deliver(ctx, env, cfg, p, template.Event, request)
	}
	if !o.send {
		if err := o.show(env, p, template, request); err != nil {
			return err
		}
	}
	return o.told(env, cfg, name, findings)
}

func withoutRule(findings []render.Finding, rule string) (rest []render.Finding) {
	for _, f := range findings {
		if f.Rule != rule {
			rest = append(rest, f)
		}
	}
	return rest
}

// moment reads --now.
func (o *options) moment(env *command.Env) (time.Time, error) {
	if o.now == "" {
		return env.Now().UTC(), nil
	}
	if seconds, err := strconv.ParseInt(o.now, 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, o.now)
	if err != nil {
		return at, fmt.Errorf("--now %q: write 2026-01-15T14:30:00Z or Unix seconds", o.now)
	}
	return at.UTC(), nil
}

// verdict is the error that decides the exit code.
func (o *options) verdict(findings []render.Finding) error {
	for _, f := range findings {
		if f.Severity == render.Error || o.strict && f.Severity == render.Warning {
			return command.No(command.ErrReported)
		}
	}
	return nil
}

// told writes what there is to say to stderr, and returns the verdict.
func (o *options) told(env *command.Env, cfg *config.Config, name string, findings []render.Finding) error {
	p, err := command.Palette(env, cfg, env.ErrTTY)
	if err != nil {
		return err
	}
	for _, f := range findings {
		paint := p.Warn
		if f.Severity == render.Error {
			paint = p.Bad
		}
		fmt.Fprintf(env.Err, "%s: %s: %s %s\n", p.Name(fmt.Sprintf("%s:%d:%d", ui.Clean(command.SourceName(name)), f.Line, f.Column)),
			paint(f.Severity), ui.Clean(f.Message), p.Quiet("("+f.Rule+")"))
	}
	return o.verdict(findings)
}

// maskedRequest is a request without its credentials.
func maskedRequest(r webhook.Request) webhook.Request {
	r.URL, r.Header = webhook.RedactURL(r.URL), r.Header.Redacted()
	return r
}

// show prints the request.
func (o *options) show(env *command.Env, p ui.Palette, t render.Template, request webhook.Request) error {
	var err error
	switch o.output.Format {
	case "json":
		return command.WriteJSON(env.Out, maskedRequest(request))
	case "curl":
		_, err = fmt.Fprintln(env.Out, ui.Curl(request))
	case "http":
		_, err = env.Out.Write(httpFile(t, request))
	default:
		_, err = env.Out.Write(wireText(env, p, maskedRequest(request)))
	}
	return err
}

// wireText is a request as it goes over the wire: to a terminal in a form that
// it does not obey, else byte for byte.
func wireText(env *command.Env, p ui.Palette, r webhook.Request) []byte {
	if env.OutTTY {
		if text := string(r.Body); ui.CleanLines(text) != text {
			r.Body = fmt.Appendf(nil, "(%s)", ui.Plural(len(r.Body), "byte"))
		}
		return []byte(ui.Wire(r, p))
	}
	var b strings.Builder
	b.WriteString(r.Method + " " + r.URL + "\n")
	for _, h := range r.Header {
		b.WriteString(h.Name + ": " + h.Value + "\n")
	}
	b.WriteString("\n" + string(r.Body))
	return []byte(b.String())
}

// httpFile is a request as editors and REST clients take it from .http files.
// A credential is a variable of that file.
func httpFile(t render.Template, r webhook.Request) []byte {
	var b strings.Builder
	name := t.Name
	if name == "" {
		name = t.Event
	}
	b.WriteString("### " + strings.Join(strings.Fields(name), " ") + "\n" + r.Method + " " + webhook.RedactURL(r.URL) + "\n")
	for _, h := range r.Header {
		value := h.Value
		if webhook.IsSensitive(h.Name) {
			value = "{{" + strings.ToLower(strings.ReplaceAll(h.Name, "-", "_")) + "}}"
		}
		b.WriteString(h.Name + ": " + value + "\n")
	}
	b.WriteString("\n" + string(r.Body))
	if !strings.HasSuffix(b.String(), "\n") {
		b.WriteByte('\n')
	}
	return []byte(b.String())
}
