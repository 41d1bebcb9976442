package check

import (
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// checkedCase is a case in JSON. What stands behind detail is there where the
// case does not hold.
type checkedCase struct {
	ID       string         `json:"id"`
	Severity check.Severity `json:"severity"`
	Verdict  check.Verdict  `json:"verdict"`
	Status   int            `json:"status"` // 0: there was no answer
	Detail   string         `json:"detail"`
	Title    string         `json:"title"`
	Took     float64        `json:"duration_ms"`

	Why      string            `json:"why,omitempty"`
	Mend     *check.Mend       `json:"mend,omitempty"`
	Request  *webhook.Request  `json:"request,omitempty"`
	Response *webhook.Response `json:"response,omitempty"`
}

// checkedReport is the result in JSON.
type checkedReport struct {
	Type     string         `json:"type,omitempty"`
	URL      string         `json:"url"`
	Passed   int            `json:"passed"`
	Failed   int            `json:"failed"`
	Warnings int            `json:"warnings"`
	Skipped  int            `json:"skipped"`
	Cases    *[]checkedCase `json:"cases,omitempty"`
}

func caseOf(r *check.Result) checkedCase {
	c := checkedCase{
		ID: r.Case.ID, Severity: r.Case.Severity, Verdict: r.Verdict, Status: r.Status, Detail: r.Detail,
		Title: r.Case.Title, Took: float64(r.Took) / float64(time.Millisecond),
	}
	if r.Verdict == check.Fail || r.Verdict == check.Warn {
		c.Why, c.Mend = r.Case.Why, &r.Case.Mend
		if r.Request != nil {
			masked := webhook.Record{Request: *r.Request, Response: r.Response}.Redacted()
			c.Request, c.Response = &masked.Request, masked.Response
		}
	}
	return c
}

func summaryOf(r *check.Report, url string) checkedReport {
	return checkedReport{Type: "summary", URL: url, Passed: r.Passed, Failed: r.Failed, Warnings: r.Warnings, Skipped: r.Skipped}
}

// document writes the whole result in a format that is not a stream.
func (v *checkView) document(r *check.Report) error {
	switch v.format {
	case "json":
		cases := make([]checkedCase, len(r.Results))
		for i := range r.Results {
			cases[i] = caseOf(&r.Results[i])
		}
		all := summaryOf(r, v.url)
		all.Type, all.Cases = "", &cases
		return command.WriteJSON(v.env.Out, all)
	case "junit":
		return report.WriteCases(v.env.Out, "wsk check "+v.url, reported(r))
	case "tap":
		return report.WriteTAP(v.env.Out, reported(r))
	}
	return v.findings(r)
}

// reported are the results as JUnit and TAP show them.
func reported(r *check.Report) []report.Case {
	cases := make([]report.Case, len(r.Results))
	for i := range r.Results {
		result := &r.Results[i]
		c := report.Case{Class: "wsk.check", Name: result.Case.ID, Took: result.Took}
		switch result.Verdict {
		case check.Fail:
			c.Type, c.Message = "fail", result.Detail
		case check.Warn:
			c.Warning = result.Detail
		case check.Skip:
			c.Skipped = result.Detail
		}
		cases[i] = c
	}
	return cases
}

// findings writes what does not hold in the formats that lint has as well. The
// place of each is the receiver.
func (v *checkView) findings(r *check.Report) error {
	tool := report.Tool{Name: "wsk check", Version: command.ReadBuild().Version}
	for i := range r.Results {
		result := &r.Results[i]
		tool.Rules = append(tool.Rules, report.Rule{ID: result.Case.ID, Severity: string(result.Case.Severity), Help: result.Case.Title})
	}
	w, err := report.New(v.format, v.env.Out, tool)
	if err != nil {
		return err
	}
	if err := w.Source(v.url); err != nil {
		return err
	}
	for i := range r.Results {
		result := &r.Results[i]
		severity := report.Error
		switch result.Verdict {
		case check.Warn:
			severity = report.Warning
		case check.Fail:
		default:
			continue
		}
		if err := w.Finding(report.Finding{File: v.url, Severity: severity, Rule: result.Case.ID, Message: result.Detail}); err != nil {
			return err
		}
	}
	return w.Close(report.Summary{Files: 1, Events: len(r.Results), Errors: r.Failed, Warnings: r.Warnings})
}
