package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/report"
)

// checkFormat reads a report back as its readers do, and compares it with what
// was to be said.
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
		t.Errorf("nothing checks %s", format)
	}
}

// lines are the lines of a text, each with its end.
func lines(t testing.TB, text string) []string {
	t.Helper()
	if text == "" {
		return nil
	}
	if !strings.HasSuffix(text, "\n") {
		t.Errorf("no end of line: %q", text)
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
		if !strings.Contains(got[i], f.Severity+": ") {
			t.Errorf("no severity %s: %q", f.Severity, got[i])
		}
	}
}

// jsonFinding has the members that DESIGN names, and no other.
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

// utf8Of is a text as JSON can hold it: each byte that is not UTF-8 as U+FFFD.
func utf8Of(s string) string { return string([]rune(s)) }

func (f jsonFinding) says(g report.Finding) bool {
	return f == jsonFinding{
		utf8Of(g.File), g.Line, g.Column, utf8Of(g.Pointer), g.Severity,
		utf8Of(g.Rule), utf8Of(g.Message), utf8Of(g.Event), utf8Of(g.Form),
	}
}

// decode reads one JSON text that has no other members than into.
func decode(t testing.TB, text string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("more behind the end: %s", text)
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
	if !slices.EqualFunc(*got.Findings, r.findings, jsonFinding.says) {
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
		if got.Type != "finding" || !got.says(f) {
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

func TestTextReadsAsCompilersWriteIt(t *testing.T) {
	t.Parallel()
	f := report.Finding{File: "order.json", Line: 14, Column: 5, Pointer: "/data/priority", Severity: "error", Rule: "type", Message: "priority must be a string"}
	for name, test := range map[string]struct {
		change func(*report.Finding)
		want   string
	}{
		"all of it":        {func(*report.Finding) {}, "order.json:14:5: error: priority must be a string (type) at /data/priority\n"},
		"at the root":      {func(f *report.Finding) { f.Pointer = "" }, "order.json:14:5: error: priority must be a string (type)\n"},
		"of a whole line":  {func(f *report.Finding) { f.Column = 0 }, "order.json:14: error: priority must be a string (type) at /data/priority\n"},
		"of a whole file":  {func(f *report.Finding) { f.Line = 0 }, "order.json: error: priority must be a string (type) at /data/priority\n"},
		"of no file":       {func(f *report.Finding) { f.File = "" }, "error: priority must be a string (type) at /data/priority\n"},
		"of no rule":       {func(f *report.Finding) { f.Rule = "" }, "order.json:14:5: error: priority must be a string at /data/priority\n"},
		"with a new line":  {func(f *report.Finding) { f.Message = "a\nb" }, `order.json:14:5: error: a\x0ab (type) at /data/priority` + "\n"},
		"with a bad byte":  {func(f *report.Finding) { f.File = "\xff" }, `\xff:14:5: error: priority must be a string (type) at /data/priority` + "\n"},
		"in other letters": {func(f *report.Finding) { f.Message = "größer, 日本" }, "order.json:14:5: error: größer, 日本 (type) at /data/priority\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := f
			test.change(&f)
			var b bytes.Buffer
			w, err := report.New("text", &b, tool())
			if err == nil {
				err = w.Finding(f)
			}
			if err != nil || b.String() != test.want {
				t.Errorf("%q, %v, want %q", b.String(), err, test.want)
			}
		})
	}
}
