package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/render"
)

// showMatrix shows which events a template is right for.
func (o *options) showMatrix(env *command.Env, p ui.Palette, name string, t render.Template, now time.Time) error {
	fits := t.Matrix(now)
	if !o.output.Text() {
		return command.WriteJSON(env.Out, fits)
	}
	table := &ui.Table{Width: env.Columns}
	right := 0
	for _, fit := range fits {
		ok := fit.OK
		cells := []ui.Cell{
			{Text: map[bool]string{true: "✓", false: "✗"}[ok], Paint: func(string) string { return p.Mark(ok) }},
			{Text: fit.Title, Paint: p.Name},
		}
		if ok {
			right++
		} else {
			f := fit.Problems[0]
			text := strings.TrimPrefix(f.Message, "the event "+fit.Title+" ")
			if f.Rule == "variable-event" { // the table shows which events have it
				text, _, _ = strings.Cut(text, ":")
			}
			cells = append(cells, ui.Cell{Text: fmt.Sprintf("%d:%d %s", f.Line, f.Column, text), Paint: p.Quiet})
		}
		table.Row(cells...)
	}
	if err := table.Write(env.Out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(env.Out, "\n%s is right for %d of %d events\n", ui.Clean(command.SourceName(name)), right, len(fits))
	return err
}
