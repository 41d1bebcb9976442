package check

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/webhook"
)

// checkView writes results as they come, or keeps them for a document.
type checkView struct {
	env    *command.Env
	p      ui.Palette
	format string
	url    string // masked
	width  int    // of the longest id
	err    error  // of writing

	skipped []check.Result // the last ones, for the same reason
}

func newCheckView(env *command.Env, p ui.Palette, format string, c *check.Config) *checkView {
	v := &checkView{env: env, p: p, format: format, url: webhook.RedactURL(c.URL)}
	for _, k := range check.Cases(c.Platform) {
		v.width = max(v.width, len(k.ID))
	}
	return v
}

// result takes one result.
func (v *checkView) result(r check.Result) {
	var err error
	switch v.format {
	case "text":
		err = v.line(&r)
	case "ndjson":
		err = command.WriteJSON(v.env.Out, caseOf(&r))
	}
	v.err = errors.Join(v.err, err)
}

// mark is the sign of a verdict, in its colour.
func (v *checkView) mark(verdict check.Verdict) string {
	switch verdict {
	case check.Pass:
		return v.p.Good("✓")
	case check.Fail:
		return v.p.Bad("✗")
	case check.Warn:
		return v.p.Warn("!")
	}
	return v.p.Quiet("–")
}

// fewSkips is how many cases skipped for one reason are shown one by one.
const fewSkips = 3

// line shows one case. What does not hold is told at the end, and cases that
// are skipped for one reason are told together.
func (v *checkView) line(r *check.Result) error {
	if r.Verdict == check.Skip {
		var err error
		if len(v.skipped) > 0 && v.skipped[0].Detail != r.Detail {
			err = v.flush()
		}
		v.skipped = append(v.skipped, *r)
		return err
	}
	return errors.Join(v.flush(), v.row(r.Verdict, r.Case.ID, r.Case.Title))
}

func (v *checkView) row(verdict check.Verdict, id, text string) error {
	text = ui.Clean(text)
	if verdict == check.Skip {
		text = v.p.Quiet(text)
	}
	_, err := fmt.Fprintf(v.env.Out, "%s %s  %s\n", v.mark(verdict), v.p.Name(ui.Pad(ui.Clean(id), v.width)), text)
	return err
}

// flush shows the cases that were skipped.
func (v *checkView) flush() (err error) {
	if n := len(v.skipped); n > fewSkips {
		err = v.row(check.Skip, ui.Plural(n, "case"), v.skipped[0].Detail)
	} else {
		for i := range v.skipped {
			r := &v.skipped[i]
			err = errors.Join(err, v.row(check.Skip, r.Case.ID, r.Detail))
		}
	}
	v.skipped = nil
	return err
}

// end writes what is known when all is done.
func (v *checkView) end(r *check.Report, took time.Duration) error {
	var err error
	switch v.format {
	case "text":
		err = v.told(r, took)
	case "ndjson":
		err = command.WriteJSON(v.env.Out, summaryOf(r, v.url))
	default:
		err = v.document(r)
	}
	return errors.Join(v.err, err)
}

// told explains what does not hold, failures first, and counts.
func (v *checkView) told(r *check.Report, took time.Duration) error {
	err := v.flush()
	for _, verdict := range []check.Verdict{check.Fail, check.Warn} {
		for i := range r.Results {
			if result := &r.Results[i]; result.Verdict == verdict {
				err = errors.Join(err, v.explain(result))
			}
		}
	}
	counts := []string{v.p.Good(strconv.Itoa(r.Passed) + " passed")}
	for _, count := range []struct {
		n     int
		text  string
		paint func(string) string
	}{
		{r.Failed, strconv.Itoa(r.Failed) + " failed", v.p.Bad},
		{r.Warnings, ui.Plural(r.Warnings, "warning"), v.p.Warn},
		{r.Skipped, strconv.Itoa(r.Skipped) + " skipped", v.p.Quiet},
	} {
		if count.n > 0 {
			counts = append(counts, count.paint(count.text))
		}
	}
	_, said := fmt.Fprintf(v.env.Out, "\n%s%s\n", strings.Join(counts, ", "), v.p.Quiet(fmt.Sprintf("  (%s)", took.Round(time.Millisecond))))
	return errors.Join(err, said)
}

// explain shows a case that does not hold: what happened, the request, why it
// matters, how to mend it.
func (v *checkView) explain(r *check.Result) error {
	const indent = "        "
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s %s  %s\n", v.mark(r.Verdict), v.p.Name(ui.Clean(r.Case.ID)),
		ui.Wrap(ui.Clean(r.Detail), "    ", v.columns()))
	row := func(label, text string) {
		fmt.Fprintf(&b, "  %s  %s\n", v.p.Quiet(ui.Pad(label, 4)), text)
	}
	if r.Request != nil {
		row("sent", strings.ReplaceAll(curlOf(*r.Request), "\n", "\n"+indent))
	}
	row("why", ui.Wrap(r.Case.Why, indent, v.columns()))
	const deeper = indent + "        "
	for i, m := range mends(r.Case.Mend) {
		label := ""
		if i == 0 {
			label = "mend"
		}
		row(label, v.p.Quiet(ui.Pad(m[0], 6))+"  "+ui.Wrap(m[1], deeper, v.columns()))
	}
	_, err := io.WriteString(v.env.Out, b.String())
	return err
}

// columns is how wide prose may be: 80 where there is no terminal.
func (v *checkView) columns() int {
	if v.env.Columns > 0 {
		return v.env.Columns
	}
	return 80
}

func mends(m check.Mend) [][2]string {
	return [][2]string{{"Node", m.Node}, {"Python", m.Python}, {"PHP", m.PHP}, {"Go", m.Go}}
}

// longBody is from which size a body is not written into a command line.
const longBody = 4 << 10

// curlOf writes a request that can be sent again, while its timestamp is fresh.
func curlOf(r webhook.Request) string {
	if r.Method == http.MethodGet {
		return "curl -sS " + ui.Quote(webhook.RedactURL(r.URL))
	}
	if n := len(r.Body); n > longBody {
		r.Body = nil
		line := ui.Curl(r)
		return strings.TrimSuffix(line, "''") + "@BODY   # " + ui.Plural(n, "byte") + ", see --json"
	}
	return ui.Curl(r)
}
