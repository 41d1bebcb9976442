package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/report"
)

func TestCasesAreOneSuiteOfJUnit(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := report.WriteCases(&b, "a <suite>", []report.Case{
		{Class: "c", Name: "good", Took: 1500 * time.Millisecond},
		{Class: "c", Name: "bad \x1b[31m \"&", Took: time.Second, Type: "regressed", Message: "answered\n500 \u202e"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Suite struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Time     string `xml:"time,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Time    string `xml:"time,attr"`
				Failure *struct {
					Type    string `xml:"type,attr"`
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	s := got.Suite
	if s.Name != "a <suite>" || s.Tests != 2 || s.Failures != 1 || s.Time != "2.500000" || len(s.Cases) != 2 {
		t.Fatalf("the suite is %+v", s)
	}
	if s.Cases[0].Failure != nil || s.Cases[0].Time != "1.500000" {
		t.Errorf("the first case is %+v", s.Cases[0])
	}
	if f := s.Cases[1].Failure; f == nil || f.Type != "regressed" || f.Message != "answered\n500 \u202e" {
		t.Errorf("the second case is %+v", s.Cases[1])
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Errorf("a control character came through: %q", &b)
	}
}

func TestCasesTellOfAWriterThatFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	if err := report.WriteCases(writer(func([]byte) (int, error) { return 0, broken }), "s", nil); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
