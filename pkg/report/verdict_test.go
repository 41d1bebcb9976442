package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// cases have one of each verdict.
func cases() []report.Case {
	return []report.Case{
		{Class: "c", Name: "good", Verdict: report.Pass, Took: 1500 * time.Millisecond},
		{Class: "c", Name: "bad # \x1b[31m \"&", Verdict: report.Fail, Took: time.Second, Type: "regressed", Detail: "answered\n500 \u202e"},
		{Class: "c", Name: "slow", Verdict: report.Warn, Detail: "took 11 s"},
		{Class: "c", Name: "later", Verdict: report.Skip, Detail: "needs #1"},
		{Class: "c", Name: "worse", Verdict: report.Fail, Detail: "no"},
	}
}

func TestWriteCases(t *testing.T) {
	t.Parallel()
	t.Run("junit", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		if err := report.WriteCases(&b, "junit", "a <suite>", cases()); err != nil {
			t.Fatal(err)
		}
		type message struct {
			Type  string `xml:"type,attr"`
			Text  string `xml:"message,attr"`
			Value string `xml:"value,attr"`
		}
		var got struct {
			Suite struct {
				Name     string `xml:"name,attr"`
				Tests    int    `xml:"tests,attr"`
				Failures int    `xml:"failures,attr"`
				Skipped  int    `xml:"skipped,attr"`
				Time     string `xml:"time,attr"`
				Cases    []struct {
					Name    string   `xml:"name,attr"`
					Time    string   `xml:"time,attr"`
					Failure *message `xml:"failure"`
					Skipped *message `xml:"skipped"`
					Warning *message `xml:"properties>property"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatalf("%v in\n%s", err, &b)
		}
		s := got.Suite
		if s.Name != "a <suite>" || s.Tests != 5 || s.Failures != 2 || s.Skipped != 1 || s.Time != "2.500000" || len(s.Cases) != 5 {
			t.Fatalf("the suite is %+v", s)
		}
		if c := s.Cases[0]; c.Failure != nil || c.Skipped != nil || c.Warning != nil || c.Time != "1.500000" {
			t.Errorf("the case that passes is %+v", c)
		}
		if f := s.Cases[1].Failure; f == nil || f.Type != "regressed" || f.Text != "answered\n500 \\u202e" {
			t.Errorf("the first failure is %+v", f)
		}
		if w := s.Cases[2].Warning; w == nil || w.Value != "took 11 s" {
			t.Errorf("the warning is %+v", w)
		}
		if c := s.Cases[3].Skipped; c == nil || c.Text != "needs #1" {
			t.Errorf("the skipped case is %+v", c)
		}
		if f := s.Cases[4].Failure; f == nil || f.Type != "fail" {
			t.Errorf("the second failure is %+v", f)
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Errorf("a control character came through: %q", &b)
		}
	})
	t.Run("tap", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		if err := report.WriteCases(&b, "tap", "", cases()); err != nil {
			t.Fatal(err)
		}
		want := `TAP version 14
1..5
ok 1 - good
not ok 2 - bad \# \\x1b[31m "&
  ---
  severity: fail
  message: "answered\n500 \u202e"
  duration_ms: 1000.000
  ...
ok 3 - slow
  ---
  severity: warn
  message: "took 11 s"
  duration_ms: 0.000
  ...
ok 4 - later # SKIP needs \#1
not ok 5 - worse
  ---
  severity: fail
  message: "no"
  duration_ms: 0.000
  ...
`
		if b.String() != want {
			t.Errorf("got\n%s\nwant\n%s", &b, want)
		}
	})
	t.Run("refusals", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		var unknown *webhook.UnknownError
		if err := report.WriteCases(&b, "junt", "s", nil); !errors.As(err, &unknown) || unknown.Nearest != "junit" {
			t.Errorf("format junt: %v", err)
		}
		if err := report.WriteCases(&b, "tap", "s", []report.Case{{Name: "x"}}); !errors.As(err, &unknown) || unknown.Kind != "verdict" {
			t.Errorf("a case without a verdict: %v", err)
		}
		if b.Len() > 0 {
			t.Errorf("wrote %q", &b)
		}
	})
	t.Run("an error of the output", func(t *testing.T) {
		t.Parallel()
		for _, format := range []string{"junit", "tap"} {
			for _, cause := range errFull {
				want := cause
				if want == nil {
					want = io.ErrShortWrite
				}
				if err := report.WriteCases(&full{left: 20, err: cause}, format, "s", cases()); !errors.Is(err, want) {
					t.Errorf("%s: %v", format, err)
				}
			}
		}
	})
}
