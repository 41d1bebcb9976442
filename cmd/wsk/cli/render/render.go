// Package render implements wsk render, which renders Work Market templates.
package render

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/report"
)

type options struct {
	settings *command.Settings
	output   command.Output
	journal  command.Journal
	values   valueFlags

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
		Long: `Render a Work Market webhook: replace the variables in the template's URL,
headers and body with values, each escaped for its place, and check the template
and the request. A finding names the line in the template. TEMPLATE is a YAML or
JSON file; wsk render init writes one.

The values are samples for the event, unless --vars, --attach, --var or --empty
set others. The request is printed to stdout as it goes over the wire, with
credentials masked; findings are printed to stderr.

Exit code: 0 without errors, 1 with errors or if the receiver refused the
request, 2 if a file cannot be read, 3 if the receiver cannot be reached.`,
		Example: `  wsk render init Accepted > worker.yaml
  wsk render worker.yaml --var resource_first_name='Ann "Nan"'
  wsk render worker.yaml --matrix
  wsk render file.yaml --attach photo.png --send --to http://localhost:3000
  wsk render note.yaml --curl`,
		Args: command.ExactArgs(1, "TEMPLATE"),
	}
	o.flags(cmd)
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		return renderTemplate(ctx, env, cfg, o, args[0])
	})
	cmd.AddCommand(newInit(env))
	return cmd
}

func (o *options) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	o.settings = command.NewSettings(cmd)
	f.StringVar(&o.event, "event", "", "render for `EVENT`, \"Check In\" or check_in (default: the template's)")
	o.values.add(cmd)
	f.StringVar(&o.now, "now", "", "the value of ${now}, a `TIME` such as 2026-01-15T14:30:00Z, or Unix seconds (default: now)")
	f.BoolVar(&o.matrix, "matrix", false, "show for which events the template is valid")
	f.BoolVar(&o.strict, "strict", false, "count warnings as errors")
	f.BoolVar(&o.curl, "curl", false, "short for --format curl")
	f.BoolVar(&o.http, "http", false, "short for --format http, a file for editors and REST clients")
	f.BoolVar(&o.send, "send", false, "send the request, with one retry if it fails, as Work Market does; the pause of a minute is wsk's choice")
	f.StringVar(&o.to, "to", "", "with --send, send to the scheme and host of `URL`, such as a local receiver")
	f.StringVar(&o.speed, "speed", "1x", "divide the pause before the retry by `FACTOR`, such as 60x; max for no pause")
	f.BoolVar(&o.yes, "yes", false, "send to another machine without asking")
	o.settings.Duration("timeout", "the time limit of one attempt, a `DURATION` (default 30s)")
	o.journal.AddWrite(cmd)
	o.output.Add(cmd, "text", "json", "curl", "http")
	var events []string
	for _, d := range render.Events() {
		events = append(events, d.Type)
	}
	command.CompleteFlag(cmd, "event", events...)
	command.CompleteFlag(cmd, "speed", "60x", "max")
}

// choose decides the format, and rejects flags that contradict each other.
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
		return errors.New("--to needs --send: give --send as well")
	case o.send && (o.matrix || o.output.Format == "curl" || o.output.Format == "http"):
		return errors.New("--send prints the result, as text or json: leave out --matrix, --curl and --http")
	case o.matrix && o.output.Format != "text" && o.output.Format != "json":
		return errors.New("--matrix prints text or json")
	}
	return nil
}

// renderTemplate renders the template and prints or sends the request.
func renderTemplate(ctx context.Context, env *command.Env, cfg *config.Config, o *options, name string) error {
	if err := o.choose(); err != nil {
		return err
	}
	sending, err := o.sending(cfg)
	if err != nil {
		return err
	}
	now, err := o.renderTime(env)
	if err != nil {
		return err
	}
	raw, err := env.ReadSettings(ctx, name)
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
		findings = slices.DeleteFunc(findings, func(f report.Finding) bool { return f.Rule == "template-event" })
	}
	if report.Count(findings).Errors > 0 {
		return o.printFindings(env, cfg, name, findings)
	}
	if o.matrix {
		return o.printMatrix(env, name, template, now)
	}
	values, err := o.values.read(ctx, env, name, template.Event)
	if err != nil {
		return err
	}
	request, more := template.Render(values, now)
	findings = append(findings, more...)
	if o.send && o.verdict(findings) == nil {
		_ = o.printFindings(env, cfg, name, findings) // only warnings
		if !o.values.given() {
			fmt.Fprintf(env.Err, "wsk: the values are samples of %s; --vars FILE or --var NAME=VALUE gives others\n", template.Event)
		}
		return o.deliver(ctx, env, sending, template.Event, request)
	}
	if !o.send {
		if err := o.printRequest(env, template, request); err != nil {
			return err
		}
	}
	return o.printFindings(env, cfg, name, findings)
}

// renderTime returns the time of --now.
func (o *options) renderTime(env *command.Env) (time.Time, error) {
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

// verdict returns an error for exit code 1 if the findings say that the
// template is wrong.
func (o *options) verdict(findings []report.Finding) error {
	count := report.Count(findings)
	if count.Errors > 0 || o.strict && count.Warnings > 0 {
		return command.No(command.ErrReported)
	}
	return nil
}
