package command

import (
	"errors"
	"fmt"
	"io"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/webhook"
)

// detailIndent is where the lines beneath a record begin.
const detailIndent = 15

// WriteVerdict says what the checks found: why a request was refused, and
// what lint thinks of it.
func WriteVerdict(detail func(label, text string), v *webhook.Verdict) {
	detail("", v.Detail)
	if d := v.Diagnosis; d != nil {
		detail("why  ", d.Summary)
		detail("fix  ", d.Fix)
	}
	for _, w := range v.Warnings {
		detail("warning  ", w)
	}
	for _, f := range v.Findings {
		if f.Severity != string(lint.Note) {
			detail(f.Severity+"  ", f.Message+" at "+f.Pointer+" ("+f.Rule+")")
		}
	}
}

// WriteDiagnosis says why and how to mend it.
func WriteDiagnosis(w io.Writer, p ui.Palette, columns int, d *webhook.Diagnosis) error {
	line := func(label, text string) error {
		_, err := fmt.Fprintf(w, "  %s  %s\n", p.Quiet(Pad(label, 4)), ui.Wrap(ui.Clean(text), "        ", columns))
		return err
	}
	switch {
	case d == nil:
		return line("why", "no known mistake explains it: most likely another secret, or a changed body")
	case d.Certain:
		return errors.Join(line("why", d.Summary), line("fix", d.Fix))
	}
	return errors.Join(line("why?", d.Summary), line("fix", d.Fix))
}
