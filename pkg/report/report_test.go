package report_test

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// checkFormat reads a report back as programs do and compares it with what was
// written.
func checkFormat(t testing.TB, format, text string, r run, tool report.Tool) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is not UTF-8: %q", format, text)
	}
	for _, c := range text {
		if c != '\n' && unicode.In(c, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) {
			t.Errorf("%s lets %U through: %q", format, c, text)
		}
	}
	switch format {
	case "text":
		checkText(t, text, r)
	case "json":
		checkJSON(t, text, r)
	case "ndjson":
		checkNDJSON(t, text, r)
	case "sarif":
		checkSARIF(t, text, r, tool)
	case "junit":
		checkJUnit(t, text, r, tool)
	case "github":
		checkGitHub(t, text, r)
	default:
		t.Errorf("no check for %s", format)
	}
}

// lines splits a text into its lines, each of which must have an end.
func lines(t testing.TB, text string) []string {
	t.Helper()
	if text == "" {
		return nil
	}
	if !strings.HasSuffix(text, "\n") {
		t.Errorf("the last line has no end: %q", text)
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func checkText(t testing.TB, text string, r run) {
	t.Helper()
	got := lines(t, text)
	if len(got) != len(r.findings) {
		t.Fatalf("%d lines for %d findings:\n%s", len(got), len(r.findings), text)
	}
	for i, f := range r.findings {
		if !strings.Contains(got[i], f.Severity.String()+": ") {
			t.Errorf("no severity %s: %q", f.Severity, got[i])
		}
	}
}

// jsonFinding has the promised members and no others.
type jsonFinding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Pointer  string `json:"pointer"`
	Severity string `json:"severity"`
	Rule     string `json:"rule"`
	Message  string `json:"message"`
	Event    string `json:"event"`
	Form     string `json:"form"`
}

// utf8Of returns a text with U+FFFD for each byte that is not UTF-8.
func utf8Of(s string) string { return string([]rune(s)) }

func (f jsonFinding) matches(g report.Finding) bool {
	return f == jsonFinding{
		utf8Of(g.File), g.Line, g.Column, utf8Of(g.Pointer), g.Severity.String(),
		utf8Of(g.Rule), utf8Of(g.Message), utf8Of(g.Event), utf8Of(string(g.Form)),
	}
}

// decode reads one JSON text, which must not have other members than into.
func decode(t testing.TB, text string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("data after the end: %s", text)
	}
}

func checkJSON(t testing.TB, text string, r run) {
	t.Helper()
	var got struct {
		Findings *[]jsonFinding
		Files    *int
		Events   *int
		Errors   *int
		Warnings *int
		Notes    *int
	}
	decode(t, text, &got)
	if got.Findings == nil || got.Files == nil || got.Events == nil || got.Errors == nil || got.Warnings == nil || got.Notes == nil {
		t.Fatalf("a member is missing: %s", text)
	}
	if !slices.EqualFunc(*got.Findings, r.findings, jsonFinding.matches) {
		t.Errorf("%+v\nof %+v", *got.Findings, r.findings)
	}
	if s := (report.Summary{Files: *got.Files, Events: *got.Events, Errors: *got.Errors, Warnings: *got.Warnings, Notes: *got.Notes}); s != r.summary {
		t.Errorf("%+v of %+v", s, r.summary)
	}
}

func checkNDJSON(t testing.TB, text string, r run) {
	t.Helper()
	all := lines(t, text)
	if len(all) != len(r.findings)+1 {
		t.Fatalf("%d lines for %d findings:\n%s", len(all), len(r.findings), text)
	}
	for i, f := range r.findings {
		var got struct {
			Type string
			jsonFinding
		}
		decode(t, all[i], &got)
		if got.Type != "finding" || !got.matches(f) {
			t.Errorf("%+v of %+v", got, f)
		}
	}
	var last struct {
		Type string
		report.Summary
	}
	decode(t, all[len(all)-1], &last)
	if last.Type != "summary" || last.Summary != r.summary {
		t.Errorf("%+v of %+v", last, r.summary)
	}
}

func TestFindingString(t *testing.T) {
	t.Parallel()
	f := report.Finding{File: "order.json", Line: 14, Column: 5, Pointer: "/data/priority", Severity: report.Error, Rule: "type", Message: "priority must be a string"}
	for name, test := range map[string]struct {
		change func(*report.Finding)
		want   string
	}{
		"complete":         {func(*report.Finding) {}, "order.json:14:5: error: priority must be a string (type) at /data/priority"},
		"at the root":      {func(f *report.Finding) { f.Pointer = "" }, "order.json:14:5: error: priority must be a string (type)"},
		"without a column": {func(f *report.Finding) { f.Column = 0 }, "order.json:14: error: priority must be a string (type) at /data/priority"},
		"without a line":   {func(f *report.Finding) { f.Line = 0 }, "order.json: error: priority must be a string (type) at /data/priority"},
		"without a file":   {func(f *report.Finding) { f.File = "" }, "error: priority must be a string (type) at /data/priority"},
		"without a rule":   {func(f *report.Finding) { f.Rule = "" }, "order.json:14:5: error: priority must be a string at /data/priority"},
		"with a new line":  {func(f *report.Finding) { f.Message = "a\nb" }, `order.json:14:5: error: a\x0ab (type) at /data/priority`},
		"with a bad byte":  {func(f *report.Finding) { f.File = "\xff" }, `\xff:14:5: error: priority must be a string (type) at /data/priority`},
		"in other letters": {func(f *report.Finding) { f.Message = "größer, 日本" }, "order.json:14:5: error: größer, 日本 (type) at /data/priority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := f
			test.change(&f)
			if got := f.String(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestSeverity(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]report.Severity{"off": report.Off, "note": report.Note, "warning": report.Warning, "error": report.Error} {
		if got, err := report.ParseSeverity(name); got != want || err != nil || got.String() != name {
			t.Errorf("ParseSeverity(%q) = %v, %v", name, got, err)
		}
		text, err := json.Marshal(want)
		var back report.Severity
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || string(text) != `"`+name+`"` || back != want {
			t.Errorf("%s as JSON is %s, and reads back as %v: %v", name, text, back, err)
		}
	}
	var unknown *webhook.UnknownError
	if _, err := report.ParseSeverity("eror"); !errors.As(err, &unknown) || unknown.Nearest != "error" {
		t.Errorf("ParseSeverity(eror): %v", err)
	}
	for _, invalid := range []report.Severity{0, report.Error + 1} {
		if text, err := json.Marshal(invalid); !errors.As(err, &unknown) {
			t.Errorf("%v as JSON is %s, %v", invalid, text, err)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	got := report.Count(nasty().findings).Plus(report.Summary{Files: 8, Events: 9})
	if want := nasty().summary; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
