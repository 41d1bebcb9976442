package lint

import (
	"fmt"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
)

// lintOutput writes findings: on a terminal with their source line, else in
// the format that was asked for.
type lintOutput struct {
	report.Writer
	env     *command.Env
	palette ui.Palette
	pretty  bool
	text    bool
}

func newLintOutput(env *command.Env, cfg *config.Config, o *options) (*lintOutput, error) {
	p, err := command.Palette(env, cfg, env.OutTTY)
	if err != nil {
		return nil, err
	}
	tool := report.Tool{Name: "wsk", Version: command.ReadBuild().Version}
	for _, r := range lintRules() {
		tool.Rules = append(tool.Rules, report.Rule{ID: r.ID, Severity: string(r.Severity), Help: r.Help})
	}
	w, err := report.New(o.output.Format, env.Out, tool)
	return &lintOutput{Writer: w, env: env, palette: p, pretty: o.output.Text() && env.OutTTY, text: o.output.Text()}, err
}

// finding writes one finding.
func (o *lintOutput) finding(f lint.Finding) error {
	if o.pretty {
		return o.show(f)
	}
	return o.Finding(report.Finding{
		File: command.SourceName(f.File), Line: f.Line, Column: f.Column, Pointer: f.Pointer, Severity: string(f.Severity),
		Rule: f.Rule, Message: f.Message, Event: f.Event, Form: string(f.Form),
	})
}

// show writes a finding for a person: the place, the message, the line and a
// caret beneath it.
func (o *lintOutput) show(f lint.Finding) error {
	p := o.palette
	paint := p.Quiet
	switch f.Severity {
	case lint.Error:
		paint = p.Bad
	case lint.Warning:
		paint = p.Warn
	}
	before := ui.Clean(f.Excerpt[:min(f.Caret, len(f.Excerpt))])
	_, err := fmt.Fprintf(o.env.Out, "%s  %s  %s %s\n", p.Name(fmt.Sprintf("%s:%d:%d", ui.Clean(command.SourceName(f.File)), f.Line, f.Column)),
		paint(string(f.Severity)), ui.Clean(f.Message), p.Quiet("("+f.Rule+")"))
	if err != nil || f.Excerpt == "" {
		return err
	}
	_, err = fmt.Fprintf(o.env.Out, "  %s\n  %s%s\n", p.Quiet(before+ui.Clean(f.Excerpt[min(f.Caret, len(f.Excerpt)):])), strings.Repeat(" ", len([]rune(before))), paint("^"))
	return err
}

// close writes the counts: in the document, or for people on stderr.
func (o *lintOutput) close(files int, c lint.Counts) error {
	if o.text {
		fmt.Fprintf(o.env.Err, "%s, %s: %s, %s, %s\n", ui.Plural(files, "file"), ui.Plural(c.Events, "event"),
			ui.Plural(c.Errors, "error"), ui.Plural(c.Warnings, "warning"), ui.Plural(c.Notes, "note"))
	}
	return o.Close(report.Summary{Files: files, Events: c.Events, Errors: c.Errors, Warnings: c.Warnings, Notes: c.Notes})
}

// rulesTable lists the rules for people.
func rulesTable(p ui.Palette) *ui.Table {
	t := &ui.Table{}
	for _, r := range lintRules() {
		t.Row(ui.Cell{Text: r.ID, Paint: p.Name}, ui.Cell{Text: string(r.Severity)}, ui.Cell{Text: r.Help, Paint: p.Quiet})
	}
	return t
}
