package report_test

import (
	"math"
	"testing"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// FuzzWriter reads every format back and compares it with what was written.
func FuzzWriter(f *testing.F) {
	r := nasty()
	for i, s := range r.findings {
		f.Add(s.File, s.Pointer, s.Rule, s.Message, s.Event, string(s.Form), r.sources[i%len(r.sources)], byte(i), s.Line, s.Column)
	}
	f.Add("%0A::error::", "](", "\"><testcase/>", "]]>", "\x00", "\ud7ff\ue000", "\r\n", byte(1), math.MaxInt32, math.MinInt32)
	f.Fuzz(func(t *testing.T, file, pointer, rule, message, event, form, source string, kind byte, line, column int) {
		severity := []report.Severity{report.Error, report.Warning, report.Note}[kind%3]
		first := report.Finding{
			File: file, Line: line, Column: column, Pointer: pointer,
			Severity: severity, Rule: rule, Message: message, Event: event, Form: webhook.Form(form),
		}
		second := first
		second.File, second.Severity, second.Rule = source, report.Error, event
		r := run{
			sources:  []string{source, file, message},
			findings: []report.Finding{first, second, first},
			summary:  report.Summary{Files: line, Events: column, Errors: -column, Warnings: -line, Notes: int(kind)},
		}
		used := report.Tool{Name: form, Version: message, URL: source, Rules: []report.Rule{
			{ID: rule, Severity: severity, Help: message}, {ID: rule, Severity: severity, Help: message}, {ID: pointer, Severity: report.Note},
		}}
		for _, format := range report.Formats() {
			checkFormat(t, format, r.write(t, format, used), r, used)
		}
	})
}
