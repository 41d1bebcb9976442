// Package lint implements wsk lint, which checks payloads and templates against the
// event catalog.
package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/ui"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

type options struct {
	settings *command.Settings
	output   command.Output
	journal  command.Journal

	platform string
	form     string
	strict   bool
	fix      bool
	rules    []string
	list     bool
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "lint PATH…|RECORD-ID… [--strict] [--fix]",
		Short: "Check payloads against the event catalog",
		Long: `Check payloads against the event catalog. PATH is a file, a folder, a glob, or -
for stdin; a file contains one payload, or NDJSON with a payload or a record on
each line. RECORD-ID is a record of the journal. An error contradicts the
platforms' documents, a warning deserves a look, and a note suggests a better
form.

The envelope says which event it is: with event_id or company_id it is outbound,
with event_type alone inbound, with event compact or Worksome's. A Work Market
template, in YAML or JSON, is rendered with sample values as wsk render does.
Exit code: 0 without errors, 1 with errors, 2 if something could not be read.`,
		Example: `  wsk lint order.json
  wsk lint payloads/ --strict
  wsk lint events.ndjson --format ndjson
  wsk send work_order.created --dry-run --json --secret s | wsk lint -
  wsk lint payloads/ --format sarif > lint.sarif
  wsk lint order.json --fix
  wsk lint --rules`,
	}
	o.settings = command.NewSettings(cmd)
	o.settings.Schemas()
	f := cmd.Flags()
	f.StringVar(&o.platform, "platform", "", "the platform of all events, whatever they look like: `NAME`")
	f.StringVar(&o.form, "form", "", "the form of all envelopes, whatever they look like: `NAME`: "+ui.Or(command.FormNames()))
	f.BoolVar(&o.strict, "strict", false, "count warnings as errors")
	f.BoolVar(&o.fix, "fix", false, "fix trailing commas and alias names in place, and change no other byte; - goes to stdout")
	f.StringArrayVar(&o.rules, "rule", nil, "set the severity of a rule: `ID=off|note|warning|error`; repeatable")
	f.BoolVar(&o.list, "rules", false, "list the rules")
	o.journal.AddRead(cmd)
	o.output.Add(cmd, report.Formats()...)
	command.CompleteFlag(cmd, "platform", command.PlatformNames()...)
	command.CompleteFlag(cmd, "form", command.FormNames()...)
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		return run(ctx, env, cfg, o, args)
	})
	return cmd
}

// run lints every input and writes the findings.
func run(ctx context.Context, env *command.Env, cfg *config.Config, o *options, args []string) error {
	if o.list {
		return listRules(env, o)
	}
	if o.fix && !o.output.Text() {
		return fmt.Errorf("--fix and --format %s contradict each other: --fix writes payloads, not findings", o.output.Format)
	}
	linter, templateRules, err := o.linter(env, cfg)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		if env.InTTY {
			return errors.New("nothing to lint: give a file, a folder, a glob, or - for stdin")
		}
		args = []string{"-"}
	}
	var inputs []string
	var failed []error
	for _, arg := range args {
		found, err := command.Expand(env, arg)
		if err != nil {
			failed = append(failed, err)
		}
		inputs = append(inputs, found...)
	}
	if o.fix {
		return fixInputs(ctx, env, linter, inputs, failed)
	}
	out, err := newOutput(env, o)
	if err != nil {
		return err
	}
	r := linting{env: env, options: o, linter: linter, templateRules: templateRules, out: out, failed: failed}
	for _, name := range inputs {
		if err := r.input(ctx, name); err != nil {
			return err
		}
	}
	return r.end()
}

// linter returns the linter for payloads, and the severities that --rule sets
// for the rules of templates.
func (o *options) linter(env *command.Env, cfg *config.Config) (*lint.Linter, map[string]report.Severity, error) {
	platform, form, err := command.ScopeOf(o.platform, o.form)
	if err != nil {
		return nil, nil, err
	}
	payloads, templates, err := parseRules(o.rules)
	if err != nil {
		return nil, nil, err
	}
	catalog, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return nil, nil, err
	}
	linter, err := lint.New(lint.Config{
		Platform: platform, Form: form, Strict: o.strict, Rules: payloads, Catalog: catalog,
		Excerpts: o.output.Text() && env.OutTTY,
	})
	return linter, templates, err
}

// parseRules parses the values of --rule, for payloads and for templates.
func parseRules(texts []string) (payloads, templates map[string]report.Severity, err error) {
	payloads, templates = map[string]report.Severity{}, map[string]report.Severity{}
	target := map[string]map[string]report.Severity{}
	var ids []string
	for _, r := range allRules() {
		ids = append(ids, r.ID)
		target[r.ID] = templates
	}
	for _, r := range lint.Rules() {
		target[r.ID] = payloads
	}
	for _, text := range texts {
		id, name, found := strings.Cut(text, "=")
		if !found {
			return nil, nil, fmt.Errorf("--rule %q: write ID=off, note, warning or error", text)
		}
		if target[id] == nil {
			return nil, nil, fmt.Errorf("--rule %s: %w", text, webhook.Unknown("rule", id, ids))
		}
		severity, err := report.ParseSeverity(name)
		if err != nil {
			return nil, nil, fmt.Errorf("--rule %s: %w", text, err)
		}
		target[id][id] = severity
	}
	return payloads, templates, nil
}

// allRules returns the rules for payloads, then those for templates.
func allRules() []report.Rule { return slices.Concat(lint.Rules(), render.Rules()) }

// linting is one run over many inputs.
type linting struct {
	env           *command.Env
	options       *options
	linter        *lint.Linter
	templateRules map[string]report.Severity // set by --rule
	out           *output

	counts report.Summary
	failed []error // inputs that could not be read
}

// input lints one input. If it cannot be read the others are still linted.
func (r *linting) input(ctx context.Context, name string) error {
	reader, size, err := r.open(ctx, name)
	if err != nil {
		r.failed = append(r.failed, err)
		return nil
	}
	defer func() { _ = reader.Close() }()
	if err := r.out.Source(command.SourceName(name)); err != nil {
		return err
	}
	template, rest, err := templateOf(name, reader, size)
	switch {
	case err != nil:
		r.failed = append(r.failed, command.ReadingError(name, err))
		return nil
	case template != nil:
		return r.template(ctx, name, template)
	}
	progress := command.NewReadProgress(r.env, name, size)
	defer progress.Done()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var fault error
	stream := lint.Stream{
		Name: name, Lines: lint.IsLines(name), Workers: runtime.GOMAXPROCS(0), Read: progress.Add,
		Emit: func(findings []report.Finding) {
			for _, f := range findings {
				if fault == nil {
					if fault = r.out.finding(f); fault != nil {
						stop() // the output can no longer be written
					}
				}
			}
		},
	}
	counts, err := stream.Run(reading, r.linter, rest)
	r.counts = r.counts.Plus(counts)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fault != nil:
		return fault
	case err != nil:
		r.failed = append(r.failed, fmt.Errorf("reading %s: %w", name, err))
	}
	return nil
}

// open opens a file, or the body of a record.
func (r *linting) open(ctx context.Context, name string) (reader io.ReadCloser, size int64, err error) {
	if !isRecordID(r.env, name) {
		return command.OpenInput(ctx, r.env, name)
	}
	err = command.WithJournal(ctx, r.env, &r.options.journal, func(j *journal.Journal) error {
		found, err := command.FindRecord(ctx, j, name)
		switch {
		case err != nil:
			return err
		case found.Request.Truncated:
			return fmt.Errorf("record %s: %w", name, found.Request.CheckWhole())
		case len(found.Request.Body) == 0:
			return fmt.Errorf("record %s has no body to lint", name)
		}
		reader, size = io.NopCloser(bytes.NewReader(found.Request.Body)), int64(len(found.Request.Body))
		return nil
	})
	return reader, size, err
}

// isRecordID reports whether an argument is the ID of a record and not a file.
func isRecordID(env *command.Env, arg string) bool {
	if !strings.HasPrefix(arg, "rec_") {
		return false
	}
	_, err := os.Lstat(env.Path(arg))
	return err != nil
}

// end writes the counts and returns the error that decides the exit code.
func (r *linting) end() error {
	err := r.out.close(r.counts)
	switch {
	case err != nil:
		return err
	case len(r.failed) > 0:
		return errors.Join(r.failed...)
	case r.counts.Errors > 0:
		return command.No(command.ErrReported)
	}
	return nil
}

func listRules(env *command.Env, o *options) error {
	switch o.output.Format {
	case "text":
	case "json", "ndjson":
		return command.WriteList(env.Out, o.output.Format, "rules", allRules())
	default:
		return fmt.Errorf("--rules prints text, json or ndjson, not %s", o.output.Format)
	}
	p := o.output.Palette
	table := &ui.Table{}
	for _, r := range allRules() {
		table.Row(ui.Cell{Text: r.ID, Paint: p.Name}, ui.Cell{Text: r.Severity.String()}, ui.Cell{Text: r.Help, Paint: p.Quiet})
	}
	return table.Write(env.Out)
}
