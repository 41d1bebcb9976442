package report_test

import (
	"testing"

	"github.com/wskdev/wsk/pkg/report"
)

func FuzzFormats(f *testing.F) {
	r := nasty()
	for i, s := range r.findings {
		f.Add(s.File, s.Pointer, s.Rule, s.Message, s.Event, s.Form, r.sources[i%len(r.sources)], byte(i), s.Line, s.Column, s.EndColumn)
	}
	f.Add("%0A::error::", "](", "\"><testcase/>", "]]>", "\x00", "\ud7ff\ue000", "\r\n", byte(1), 1<<31, 1<<62, -1<<62)
	f.Fuzz(func(t *testing.T, file, pointer, rule, message, event, form, source string, kind byte, line, column, end int) {
		severity := []string{report.Error, report.Warning, report.Note}[kind%3]
		first := report.Finding{
			File: file, Line: line, Column: column, EndColumn: end, Pointer: pointer,
			Severity: severity, Rule: rule, Message: message, Event: event, Form: form,
		}
		second := first
		second.File, second.Severity, second.Rule = source, report.Error, event
		r := run{
			sources:  []string{source, file, message},
			findings: []report.Finding{first, second, first},
			summary:  report.Summary{Files: line, Events: column, Errors: end, Warnings: -line, Notes: int(kind)},
		}
		used := report.Tool{Name: form, Version: message, URL: source, Rules: []report.Rule{
			{ID: rule, Severity: severity, Help: message}, {ID: rule, Severity: severity, Help: message}, {ID: pointer, Severity: report.Note},
		}}
		for _, format := range report.Formats() {
			checkFormat(t, format, r.write(t, format, used), r, used)
		}
	})
}
