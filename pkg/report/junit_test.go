package report_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/report"
)

// junit is a JUnit report as programs read it.
type junit struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	Suites  []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			File    string `xml:"file,attr"`
			Line    int    `xml:"line,attr"`
			Failure *struct {
				Type    string `xml:"type,attr"`
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
		} `xml:"testcase"`
		Out string `xml:"system-out"`
	} `xml:"testsuite"`
}

// readJUnit reads a report twice: token by token, which is strict up to the end,
// and as a whole.
func readJUnit(t testing.TB, text string) (doc junit) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	if err := xml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return doc
}

// xmlOf returns a text with all hidden characters but line ends made visible.
func xmlOf(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\r', r == '\n', !jsontext.IsHidden(r) && r != 0xfffe && r != 0xffff:
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

func checkJUnit(t testing.TB, text string, r run, tool report.Tool) {
	t.Helper()
	doc := readJUnit(t, text)
	if doc.Name != xmlOf(tool.Name) {
		t.Errorf("name %q of %q", doc.Name, tool.Name)
	}
	var failures, others []report.Finding
	for _, f := range r.findings {
		if f.Severity == report.Error {
			failures = append(failures, f)
		} else {
			others = append(others, f)
		}
	}
	out := ""
	for _, s := range doc.Suites {
		out += s.Out
		failed := 0
		for _, c := range s.Cases {
			if c.Class != s.Name || c.File != s.Name {
				t.Errorf("case %q of %q in suite %q", c.Name, c.Class, s.Name)
			}
			if c.Failure == nil {
				continue
			}
			failed++
			if len(failures) == 0 {
				t.Fatalf("too many failures: %s", text)
			}
			f := failures[0]
			failures = failures[1:]
			if c.Class != xmlOf(f.File) || c.Failure.Type != xmlOf(f.Rule) || c.Failure.Message != xmlOf(f.Message) || c.Line != max(f.Line, 0) {
				t.Errorf("%+v of %+v", c, f)
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != failed || s.Errors != 0 || s.Skipped != 0 || len(s.Cases) == 0 {
			t.Errorf("suite %s has %d cases, %d failed: %+v", s.Name, len(s.Cases), failed, s)
		}
	}
	if len(failures) > 0 || strings.Count(out, "\n") != len(others) {
		t.Errorf("missing %+v, or one of %+v:\n%s", failures, others, text)
	}
}

func TestWriterJUnitShowsFilesAsSuites(t *testing.T) {
	t.Parallel()
	doc := readJUnit(t, nasty().write(t, "junit", tool()))
	var names []string
	for _, s := range doc.Suites {
		names = append(names, fmt.Sprintf("%s %d/%d", s.Name, s.Failures, s.Tests))
	}
	want := []string{
		"order.json 2/2", "clean.json 0/1", "a b/ü,100%:x.ndjson 2/2", "./notes.json 0/1", "/abs/ä b.json 1/1",
		"stdin 1/1", "- 1/1", "http://127.0.0.1:3000/hook?a=b c 1/1", " 1/1",
	}
	if strings.Join(names, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q\nnot\n%q", names, want)
	}
	if c := doc.Suites[0].Cases[0]; c.Name != "type at 14:5 /data/priority" {
		t.Errorf("case %q", c.Name)
	}
	if c := doc.Suites[1].Cases[0]; c.Name != "no errors" || c.Failure != nil {
		t.Errorf("the clean file: %+v", c)
	}
}

func TestWriterJUnitSplitsALargeSuite(t *testing.T) {
	t.Parallel()
	for name, severity := range map[string]report.Severity{"errors": report.Error, "warnings": report.Warning} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run{sources: []string{"big.ndjson", "after.json"}}
			for i := range 20_000 {
				r.findings = append(r.findings, report.Finding{File: "big.ndjson", Line: i + 1, Column: 1, Severity: severity, Rule: "type", Message: "a message of a common length, about a field", Pointer: "/data/field"})
			}
			text := r.write(t, "junit", tool())
			checkJUnit(t, text, r, tool())
			doc := readJUnit(t, text)
			if n := len(doc.Suites); n < 3 || n > len(text)>>20+3 {
				t.Errorf("%d suites in %d bytes", n, len(text))
			}
			for i, s := range doc.Suites {
				last := i == len(doc.Suites)-1
				if want := map[bool]string{false: "big.ndjson", true: "after.json"}[last]; s.Name != want {
					t.Errorf("suite %d is %s", i, s.Name)
				}
				want := fmt.Sprintf("no errors in part %d", i+1)
				if last {
					want = "no errors"
				}
				if s.Failures == 0 && s.Cases[0].Name != want {
					t.Errorf("case %q, want %q", s.Cases[0].Name, want)
				}
			}
		})
	}
}
