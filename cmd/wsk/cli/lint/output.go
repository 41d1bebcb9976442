package lint

import (
	"fmt"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/report"
)

// output writes findings: on a terminal with their source line, otherwise in the
// format that was chosen.
type output struct {
	*report.Writer
	env     *command.Env
	palette ui.Palette
	pretty  bool
	text    bool
}

func newOutput(env *command.Env, o *options) (*output, error) {
	tool := report.Tool{Name: "wsk", Version: command.ReadBuild().Version, Rules: allRules()}
	w, err := report.New(o.output.Format, env.Out, tool)
	return &output{Writer: w, env: env, palette: o.output.Palette, pretty: o.output.Text() && env.OutTTY, text: o.output.Text()}, err
}

// finding writes one finding.
func (o *output) finding(f report.Finding) error {
	if o.pretty {
		return o.show(f)
	}
	f.File = command.SourceName(f.File)
	return o.Finding(f)
}

// show writes a finding for a person: the place, the message, the line and a
// caret below it.
func (o *output) show(f report.Finding) error {
	p := o.palette
	paint := p.Quiet
	switch f.Severity {
	case report.Error:
		paint = p.Bad
	case report.Warning:
		paint = p.Warn
	}
	before := ui.Clean(f.Excerpt[:min(f.Caret, len(f.Excerpt))])
	_, err := fmt.Fprintf(o.env.Out, "%s  %s  %s %s\n", p.Name(fmt.Sprintf("%s:%d:%d", ui.Clean(command.SourceName(f.File)), f.Line, f.Column)),
		paint(f.Severity.String()), ui.Clean(f.Message), p.Quiet("("+f.Rule+")"))
	if err != nil || f.Excerpt == "" {
		return err
	}
	_, err = fmt.Fprintf(o.env.Out, "  %s\n  %s%s\n", p.Quiet(before+ui.Clean(f.Excerpt[min(f.Caret, len(f.Excerpt)):])), strings.Repeat(" ", len([]rune(before))), paint("^"))
	return err
}

// close writes the counts, in the document or for people on stderr.
func (o *output) close(s report.Summary) error {
	if o.text {
		fmt.Fprintf(o.env.Err, "%s, %s: %s, %s, %s\n", ui.Plural(s.Files, "file"), ui.Plural(s.Events, "event"),
			ui.Plural(s.Errors, "error"), ui.Plural(s.Warnings, "warning"), ui.Plural(s.Notes, "note"))
	}
	return o.Close(s)
}
