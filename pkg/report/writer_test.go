package report_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func tool() report.Tool {
	return report.Tool{
		Name: "wsk", Version: "1.2.3", URL: "https://wsk.dev/lint",
		Rules: []report.Rule{
			{ID: "type", Severity: report.Error, Help: "a value is of the documented type"},
			{ID: "unknown-field", Severity: report.Warning, Help: "a field is documented for the event"},
			{ID: "alias", Severity: report.Note, Help: "a field has its canonical name"},
		},
	}
}

// run is one run of a tool: its files, its findings and the totals.
type run struct {
	sources  []string // files begun before their findings
	findings []report.Finding
	summary  report.Summary
}

// write writes the run, the findings of each file after its beginning.
func (r run) write(t testing.TB, format string, tool report.Tool) string {
	t.Helper()
	var b bytes.Buffer
	w, err := report.New(format, &b, tool)
	if err == nil {
		err = r.feed(w)
	}
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

func (r run) feed(w *report.Writer) error {
	var errs []error
	findings := r.findings
	for _, source := range r.sources {
		errs = append(errs, w.Source(source))
		for len(findings) > 0 && findings[0].File == source {
			errs = append(errs, w.Finding(findings[0]))
			findings = findings[1:]
		}
	}
	for _, f := range findings {
		errs = append(errs, w.Finding(f))
	}
	errs = append(errs, w.Close(r.summary))
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// nasty returns a run with all that a payload, a file name or a custom schema
// can do to a report.
func nasty() run {
	return run{
		sources: []string{"order.json", "clean.json", "a b/ü,100%:x.ndjson", "./notes.json"},
		findings: []report.Finding{
			{File: "order.json", Line: 14, Column: 5, Pointer: "/data/priority", Severity: report.Error, Rule: "type", Message: "priority must be a string, is an object", Event: "work_order.created", Form: "inbound"},
			{File: "order.json", Line: 15, Column: 5, Pointer: "/data/a~1b", Severity: report.Warning, Rule: "unknown-field", Message: `unknown field "a/b"`, Event: "work_order.created", Form: "inbound"},
			{File: "order.json", Line: 15, Severity: report.Note, Rule: "alias", Message: "required_headcount is an alias of people_required"},
			{File: "order.json", Severity: report.Error, Rule: "made-up", Message: "the file is empty"},
			{File: "a b/ü,100%:x.ndjson", Line: 100000, Column: 1, Pointer: "/data/\x1b[31m", Severity: report.Error, Rule: "type", Message: "an escape \x1b]0;title\x07, a C1 \u009b2J, a NUL \x00, DEL \x7f"},
			{File: "a b/ü,100%:x.ndjson", Line: 100001, Column: 7, Pointer: "/data/\u202egnp.exe", Severity: report.Warning, Rule: "type", Message: "a bidi override \u202e, a zero width\u200b, a tag \U000e0041, a line separator \u2028, a byte order mark \ufeff"},
			{File: "a b/ü,100%:x.ndjson", Line: 100002, Column: 7, Severity: report.Error, Rule: "type", Message: "two\r\nlines, a tab\t, bytes \xff\xc3(, U+FFFE \ufffe, U+FFFD \ufffd"},
			{File: "a b/ü,100%:x.ndjson", Line: 100003, Column: 2, Severity: report.Note, Rule: "type", Message: "::error::no, 100%0A & <b>]]></failure> \"quoted\" 'single' \\ back"},
			{File: "./notes.json", Line: 1, Column: 1, Severity: report.Warning, Rule: "type", Message: "[a link](https://evil.example), {0} and }{"},
			{File: "/abs/ä b.json", Line: 1, Column: 1, Severity: report.Error, Rule: "type,:%", Message: "日本語 🙂"},
			{File: "stdin", Line: 2, Column: 3, Severity: report.Error, Rule: "type", Message: ""},
			{File: "-", Line: 2, Column: 3, Severity: report.Error, Rule: "type", Message: "on stdin"},
			{File: "http://127.0.0.1:3000/hook?a=b c", Severity: report.Error, Rule: "", Message: "answers 500"},
			{File: "", Line: -1, Column: -1, Severity: report.Error, Rule: "type", Message: "in no file"},
		},
		summary: report.Summary{Files: 8, Events: 9, Errors: 9, Warnings: 3, Notes: 2},
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	runs := map[string]run{
		"nasty": nasty(),
		"empty": {},
		"clean": {sources: []string{"order.json"}, summary: report.Summary{Files: 1, Events: 1}},
	}
	for _, format := range report.Formats() {
		for name, r := range runs {
			t.Run(name+"_as_"+format, func(t *testing.T) {
				t.Parallel()
				got := r.write(t, format, tool())
				checkFormat(t, format, got, r, tool())
				golden := filepath.Join("testdata", name+"."+format+".golden")
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("got\n%s\n%s is\n%s", got, golden, want)
				}
			})
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	var unknown *webhook.UnknownError
	_, err := report.New("sarf", io.Discard, tool())
	if !errors.As(err, &unknown) || unknown.Nearest != "sarif" {
		t.Errorf("format sarf: %v", err)
	}
	for _, severity := range []report.Severity{0, report.Off, report.Error + 1} {
		_, err = report.New("text", io.Discard, report.Tool{Rules: []report.Rule{{ID: "x", Severity: severity}}})
		if !errors.As(err, &unknown) || unknown.Name != severity.String() {
			t.Errorf("a rule with severity %v: %v", severity, err)
		}
	}
}

func TestWriterRefusesInvalidSeverities(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		var b bytes.Buffer
		w, err := report.New(format, &b, tool())
		if err != nil {
			t.Fatal(err)
		}
		for _, severity := range []report.Severity{0, report.Off, report.Error + 1} {
			err := w.Finding(report.Finding{Severity: severity})
			var unknown *webhook.UnknownError
			if !errors.As(err, &unknown) || unknown.Kind != "severity" {
				t.Errorf("%s, severity %v: %v", format, severity, err)
			}
		}
		if b.Len() > 0 {
			t.Errorf("%s wrote %q", format, b.String())
		}
	}
}

func TestWriterWritesEachFindingAtOnce(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json", "ndjson", "sarif", "github"} {
		writes := &recorder{}
		w, err := report.New(format, writes, tool())
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range nasty().findings {
			if err := w.Finding(f); err != nil || len(writes.pieces) != i+1 {
				t.Fatalf("%s: %d writes after %d findings, %v", format, len(writes.pieces), i+1, err)
			}
			isLine := strings.HasSuffix(writes.pieces[i], "\n")
			if lines := []string{"text", "ndjson", "github"}; slices.Contains(lines, format) && !isLine {
				t.Errorf("%s: not a whole line: %q", format, writes.pieces[i])
			}
		}
	}
}

// recorder keeps the argument of each call of Write.
type recorder struct{ pieces []string }

func (r *recorder) Write(b []byte) (int, error) {
	r.pieces = append(r.pieces, string(b))
	return len(b), nil
}
