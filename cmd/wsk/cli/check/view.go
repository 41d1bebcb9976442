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
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// view writes results as they come, or the whole report at the end.
type view struct {
	env    *command.Env
	p      ui.Palette
	format string
	url    string // without credentials
	width  int    // of the longest ID
	err    error  // of writing

	skipped []check.Result // the last results, if they were skipped for the same reason
}

func newView(env *command.Env, p ui.Palette, format string, c *check.Config) *view {
	v := &view{env: env, p: p, format: format, url: webhook.RedactURL(c.URL)}
	for _, k := range check.Cases(c.Platform) {
		v.width = max(v.width, len(k.ID))
	}
	return v
}

// result writes one result, if the format is a stream.
func (v *view) result(r check.Result) {
	var err error
	switch v.format {
	case "text":
		err = v.line(&r)
	case "ndjson":
		err = command.WriteJSON(v.env.Out, caseJSONOf(&r))
	}
	v.err = errors.Join(v.err, err)
}

// mark returns the colored mark of a verdict.
func (v *view) mark(verdict report.Verdict) string {
	switch verdict {
	case report.Pass:
		return v.p.Good("✓")
	case report.Fail:
		return v.p.Bad("✗")
	case report.Warn:
		return v.p.Warn("!")
	}
	return v.p.Quiet("–")
}

// maxSkips is the number of cases skipped for the same reason above which they
// share a line.
const maxSkips = 3

// line writes one case. Failures are explained at the end, and cases that are
// skipped for the same reason are written together.
func (v *view) line(r *check.Result) error {
	if r.Verdict == report.Skip {
		var err error
		if len(v.skipped) > 0 && v.skipped[0].Detail != r.Detail {
			err = v.flush()
		}
		v.skipped = append(v.skipped, *r)
		return err
	}
	return errors.Join(v.flush(), v.row(r.Verdict, r.Case.ID, r.Case.Title))
}

func (v *view) row(verdict report.Verdict, id, text string) error {
	text = ui.Clean(text)
	if verdict == report.Skip {
		text = v.p.Quiet(text)
	}
	_, err := fmt.Fprintf(v.env.Out, "%s %s  %s\n", v.mark(verdict), v.p.Name(ui.Pad(ui.Clean(id), v.width)), text)
	return err
}

// flush writes the skipped cases.
func (v *view) flush() (err error) {
	if n := len(v.skipped); n > maxSkips {
		err = v.row(report.Skip, ui.Plural(n, "case"), v.skipped[0].Detail)
	} else {
		for i := range v.skipped {
			r := &v.skipped[i]
			err = errors.Join(err, v.row(report.Skip, r.Case.ID, r.Detail))
		}
	}
	v.skipped = nil
	return err
}

// end writes what follows the results.
func (v *view) end(r *check.Report, took time.Duration) error {
	var err error
	switch v.format {
	case "text":
		err = v.summary(r, took)
	case "ndjson":
		err = command.WriteJSON(v.env.Out, summaryJSON(r, v.url))
	default:
		err = v.document(r)
	}
	return errors.Join(v.err, err)
}

// summary explains failures and warnings, and counts the verdicts.
func (v *view) summary(r *check.Report, took time.Duration) error {
	err := v.flush()
	for _, verdict := range []report.Verdict{report.Fail, report.Warn} {
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
	_, writeErr := fmt.Fprintf(v.env.Out, "\n%s%s\n", strings.Join(counts, ", "), v.p.Quiet("  ("+ui.Duration(took)+")"))
	return errors.Join(err, writeErr)
}

// explain writes a failure or warning: what happened, the request, why it
// matters, and how to fix it.
func (v *view) explain(r *check.Result) error {
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
	fix := func(label, language, text string) {
		row(label, v.p.Quiet(ui.Pad(language, 6))+"  "+ui.Wrap(text, deeper, v.columns()))
	}
	fix("fix", "Node", r.Case.Fix.Node)
	fix("", "Python", r.Case.Fix.Python)
	fix("", "PHP", r.Case.Fix.PHP)
	fix("", "Go", r.Case.Fix.Go)
	_, err := io.WriteString(v.env.Out, b.String())
	return err
}

// columns returns the width of prose: 80 if there is no terminal.
func (v *view) columns() int {
	if v.env.Columns > 0 {
		return v.env.Columns
	}
	return 80
}

// longBody is the size in bytes above which a body is left out of a command line.
const longBody = 4 << 10

// curlOf returns a command that sends a request again. The receiver accepts it
// while its timestamp is within the tolerance.
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

// caseJSON is the result of a case. The members after duration_ms are present
// if the case failed.
type caseJSON struct {
	ID       string          `json:"id"`
	Severity report.Severity `json:"severity"`
	Verdict  report.Verdict  `json:"verdict"`
	Status   int             `json:"status"` // 0: there was no answer
	Detail   string          `json:"detail"`
	Title    string          `json:"title"`
	Took     float64         `json:"duration_ms"`

	Why      string            `json:"why,omitempty"`
	Fix      *check.Fix        `json:"mend,omitempty"`
	Request  *webhook.Request  `json:"request,omitempty"`
	Response *webhook.Response `json:"response,omitempty"`
}

// reportJSON is the result of a run.
type reportJSON struct {
	Type     string     `json:"type,omitempty"`
	URL      string     `json:"url"`
	Passed   int        `json:"passed"`
	Failed   int        `json:"failed"`
	Warnings int        `json:"warnings"`
	Skipped  int        `json:"skipped"`
	Cases    []caseJSON `json:"cases,omitzero"` // absent in a summary
}

func caseJSONOf(r *check.Result) caseJSON {
	c := caseJSON{
		ID: r.Case.ID, Severity: r.Case.Severity, Verdict: r.Verdict, Status: r.Status, Detail: r.Detail,
		Title: r.Case.Title, Took: float64(r.Took) / float64(time.Millisecond),
	}
	if r.Verdict == report.Fail || r.Verdict == report.Warn {
		c.Why, c.Fix = r.Case.Why, &r.Case.Fix
		if r.Request != nil {
			masked := webhook.Record{Request: *r.Request, Response: r.Response}.Redacted()
			c.Request, c.Response = &masked.Request, masked.Response
		}
	}
	return c
}

func summaryJSON(r *check.Report, url string) reportJSON {
	return reportJSON{Type: "summary", URL: url, Passed: r.Passed, Failed: r.Failed, Warnings: r.Warnings, Skipped: r.Skipped}
}

// document writes the whole result in a format that is not a stream.
func (v *view) document(r *check.Report) error {
	switch v.format {
	case "json":
		cases := make([]caseJSON, len(r.Results))
		for i := range r.Results {
			cases[i] = caseJSONOf(&r.Results[i])
		}
		document := summaryJSON(r, v.url)
		document.Type, document.Cases = "", cases
		return command.WriteJSON(v.env.Out, document)
	case "junit", "tap":
		return report.WriteCases(v.env.Out, v.format, "wsk check "+v.url, casesOf(r))
	}
	return v.findings(r)
}

// casesOf returns the results for JUnit and TAP.
func casesOf(r *check.Report) []report.Case {
	cases := make([]report.Case, len(r.Results))
	for i, result := range r.Results {
		cases[i] = report.Case{Class: "wsk.check", Name: result.Case.ID, Verdict: result.Verdict, Detail: result.Detail, Took: result.Took}
	}
	return cases
}

// findings writes failures and warnings in the formats for findings. The file of
// each is the URL of the receiver.
func (v *view) findings(r *check.Report) error {
	tool := report.Tool{Name: "wsk check", Version: command.ReadBuild().Version}
	for _, result := range r.Results {
		tool.Rules = append(tool.Rules, report.Rule{ID: result.Case.ID, Severity: result.Case.Severity, Help: result.Case.Title})
	}
	w, err := report.New(v.format, v.env.Out, tool)
	if err != nil {
		return err
	}
	if err := w.Source(v.url); err != nil {
		return err
	}
	for _, result := range r.Results {
		f := report.Finding{File: v.url, Rule: result.Case.ID, Message: result.Detail}
		switch result.Verdict {
		case report.Fail:
			f.Severity = report.Error
		case report.Warn:
			f.Severity = report.Warning
		default:
			continue
		}
		if err := w.Finding(f); err != nil {
			return err
		}
	}
	return w.Close(report.Summary{Files: 1, Events: len(r.Results), Errors: r.Failed, Warnings: r.Warnings})
}

// listedCase is a case in the output of --list.
type listedCase struct {
	ID       string          `json:"id"`
	Severity report.Severity `json:"severity"`
	Title    string          `json:"title"`
	Why      string          `json:"why"`
}

// listCases prints the cases of a platform.
func (o *options) listCases(env *command.Env) error {
	p := o.output.Palette
	platform := webhook.Platform(o.platform)
	if platform != webhook.WorkSkedge && platform != webhook.Worksome {
		return webhook.Unknown("platform to check for", o.platform, []string{string(webhook.WorkSkedge), string(webhook.Worksome)})
	}
	cases := check.Cases(platform)
	if o.output.Text() {
		t := &ui.Table{Width: env.Columns, Wrap: true}
		for _, c := range cases {
			t.Row(ui.Cell{Text: c.ID, Paint: p.Name}, ui.Cell{Text: c.Severity.String(), Paint: p.Quiet}, ui.Cell{Text: c.Title})
		}
		return t.Write(env.Out)
	}
	listed := make([]listedCase, len(cases))
	for i, c := range cases {
		listed[i] = listedCase{ID: c.ID, Severity: c.Severity, Title: c.Title, Why: c.Why}
	}
	if o.output.Format == "json" || o.output.Format == "ndjson" {
		return command.WriteList(env.Out, o.output.Format, "cases", listed)
	}
	return fmt.Errorf("--list prints text, json or ndjson, not %s", o.output.Format)
}
