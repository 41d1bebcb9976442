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
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/ui"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
)

type options struct {
	settings *command.Settings
	output   command.Output

	platform string
	form     string
	strict   bool
	fix      bool
	rules    []string
	list     bool
	journal  command.Journal

	weights map[string]report.Severity // of the rules for templates
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "lint PATH…|RECORD-ID… [--strict] [--fix]",
		Short: "Check payloads against the event catalog",
		Long: `Check payloads against the event catalog. PATH is a file, a folder, a glob, or -
for stdin; a file holds one payload, or NDJSON with a payload or a record on
each line; RECORD-ID is a record of the journal. What contradicts the documents
is an error, what deserves a look a warning, what could be said better a note.

The event is read off the envelope: event_id or company_id make it outbound,
event_type alone inbound, event compact or Worksome's. A template of Work
Market, in YAML or JSON, is rendered with sample values as wsk render does. Exit
code: 0 without errors, 1 with, 2 when something could not be read.`,
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
	f.StringVar(&o.platform, "platform", "", "whose events these are, whatever they look like: `NAME`")
	f.StringVar(&o.form, "form", "", "the envelope's form, whatever it looks like: `NAME`: "+ui.Or(command.FormNames()))
	f.BoolVar(&o.strict, "strict", false, "count warnings as errors")
	f.BoolVar(&o.fix, "fix", false, "mend trailing commas and alias names in place, and touch no other byte; - goes to stdout")
	f.StringArrayVar(&o.rules, "rule", nil, "give a rule another weight: `ID=off|note|warning|error`; repeatable")
	f.BoolVar(&o.list, "rules", false, "list the rules")
	o.journal.AddRead(cmd)
	o.output.Add(cmd, report.Formats()...)
	command.CompleteFlag(cmd, "platform", command.PlatformNames()...)
	command.CompleteFlag(cmd, "form", command.FormNames()...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := o.settings.Begin(env, &o.output)
		if err != nil {
			return err
		}
		return lintPaths(cmd.Context(), env, cfg, o, args)
	}
	return cmd
}

// lintPaths lints every input and writes what was found.
func lintPaths(ctx context.Context, env *command.Env, cfg *config.Config, o *options, args []string) error {
	if o.list {
		return listRules(env, cfg, o)
	}
	linter, err := o.linter(env, cfg)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		if env.InTTY {
			return errors.New("nothing to lint: give a file, a folder, a glob, or - for stdin")
		}
		args = []string{"-"}
	}
	inputs, faults := expand(env, args)
	if o.fix {
		return fixInputs(ctx, env, linter, inputs, faults)
	}
	out, err := newLintOutput(env, cfg, o)
	if err != nil {
		return err
	}
	run := lintRun{env: env, linter: linter, out: out, journal: &o.journal, failed: faults, strict: o.strict, weights: o.weights}
	for _, name := range inputs {
		if err := run.input(ctx, name); err != nil {
			return err
		}
	}
	return run.end()
}

// linter settles platform, form, rules and schemas.
func (o *options) linter(env *command.Env, cfg *config.Config) (*lint.Linter, error) {
	platform, form, err := command.ScopeOf(o.platform, o.form)
	if err != nil {
		return nil, err
	}
	c := lint.Config{Platform: platform, Form: form, Strict: o.strict, Excerpts: o.output.Text() && env.OutTTY}
	if c.Rules, o.weights, err = ruleWeights(o.rules); err != nil {
		return nil, err
	}
	if c.Catalog, err = o.settings.Catalog(env, cfg); err != nil {
		return nil, err
	}
	return lint.New(c)
}

// lintRun is one run over many inputs.
type lintRun struct {
	env    *command.Env
	linter *lint.Linter
	out    *lintOutput

	journal *command.Journal
	strict  bool
	weights map[string]report.Severity // of the rules for templates

	counts report.Summary
	failed []error
}

// input lints one input. One that cannot be read does not keep the others
// from being linted.
func (r *lintRun) input(ctx context.Context, name string) error {
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
	progress := command.NewProgress(r.env, name, size)
	defer progress.Done()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var fault error
	stream := lint.Stream{
		Name: name, Lines: isLines(name), Workers: runtime.GOMAXPROCS(0), Read: progress.Add,
		Emit: func(findings []report.Finding) {
			for _, f := range findings {
				if fault == nil {
					if fault = r.out.finding(f); fault != nil {
						stop() // nobody reads what is found
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
func (r *lintRun) open(ctx context.Context, name string) (reader io.ReadCloser, size int64, err error) {
	if !isRecordID(r.env, name) {
		return command.OpenInput(r.env, name)
	}
	err = command.WithJournal(ctx, r.env, r.journal, func(j *journal.Journal) error {
		found, err := command.FindRecord(ctx, j, name)
		if err == nil && len(found.Request.Body) == 0 {
			err = fmt.Errorf("record %s has no body to lint", name)
		}
		reader, size = io.NopCloser(bytes.NewReader(found.Request.Body)), int64(len(found.Request.Body))
		return err
	})
	return reader, size, err
}

// isRecordID reports whether an argument names a record and no file.
func isRecordID(env *command.Env, arg string) bool {
	if !strings.HasPrefix(arg, "rec_") {
		return false
	}
	_, err := os.Lstat(env.Path(arg))
	return err != nil
}

// end writes the counts and decides the exit code.
func (r *lintRun) end() error {
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

func listRules(env *command.Env, cfg *config.Config, o *options) error {
	if !o.output.Text() {
		return command.WriteJSON(env.Out, lintRules())
	}
	p, err := command.Palette(env, cfg, env.OutTTY)
	if err != nil {
		return err
	}
	return rulesTable(p).Write(env.Out)
}
