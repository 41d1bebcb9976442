package report

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"strconv"
	"time"
)

// The layout of JUnit XML is that of https://github.com/testmoapp/junitxml,
// which has collected what Jenkins, GitLab and others read.

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr,omitempty"` // in seconds
	Cases    []junitCase `xml:"testcase"`
	Out      *junitText  `xml:"system-out"`
}

type junitCase struct {
	Class      string           `xml:"classname,attr"`
	File       string           `xml:"file,attr,omitempty"`
	Name       string           `xml:"name,attr"`
	Line       int              `xml:"line,attr,omitempty"`
	Time       string           `xml:"time,attr,omitempty"` // in seconds
	Properties *junitProperties `xml:"properties"`
	Failure    *junitFailure    `xml:"failure"`
	Skipped    *junitSkipped    `xml:"skipped"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitProperties struct {
	Property junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

// junitString returns s as XML 1.0 can hold it (section 2.2), on several lines
// where it has them.
func junitString(s string) string { return visible(s, "\r\n") }

func junitSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

// xml returns the suite as an element within the root.
func (s *junitSuite) xml() ([]byte, error) {
	text, err := xml.MarshalIndent(s, "  ", "  ")
	return append(text, '\n'), err
}

const junitEnd = "</testsuites>\n"

// junitStart returns the start of a document. The name is left out if empty.
func junitStart(name string) ([]byte, error) {
	text, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr,omitempty"`
	}{Name: junitString(name)})
	text = bytes.TrimSuffix(text, []byte("</testsuites>"))
	return append([]byte(xml.Header), append(text, '\n')...), err
}

// writeJUnit returns a document with one suite.
func writeJUnit(name string, cases []Case) ([]byte, error) {
	suite := junitSuite{Name: junitString(name), Tests: len(cases)}
	var took time.Duration
	for _, c := range cases {
		took += c.Took
		shown := junitCase{Class: junitString(c.Class), Name: junitString(c.Name), Time: junitSeconds(c.Took)}
		detail := junitString(c.Detail)
		switch c.Verdict {
		case Fail:
			suite.Failures++
			shown.Failure = &junitFailure{Type: junitString(cmp.Or(c.Type, c.Verdict.String())), Message: detail}
		case Skip:
			suite.Skipped++
			shown.Skipped = &junitSkipped{detail}
		case Warn: // JUnit has no such verdict, so the case passes
			shown.Properties = &junitProperties{junitProperty{"warning", detail}}
		}
		suite.Cases = append(suite.Cases, shown)
	}
	suite.Time = junitSeconds(took)
	start, err := junitStart("")
	if err != nil {
		return nil, err
	}
	text, err := suite.xml()
	return append(append(start, text...), junitEnd...), err
}

// maxSuite is how many bytes a suite may reach before it is written.
const maxSuite = 1 << 20

// junitFormat writes a suite per file, with a failed case per error. Warnings
// and notes are the output of the suite.
type junitFormat struct {
	tool  string
	begun bool // the root element is open

	open  bool // there is a suite
	file  string
	part  int // of the file, from 1
	size  int // of the suite, roughly, in bytes
	suite junitSuite
	out   bytes.Buffer
}

func (j *junitFormat) source(name string) ([]byte, error) {
	text, err := j.endFile()
	j.open, j.file, j.part = true, name, 1
	return text, err
}

func (j *junitFormat) finding(f Finding) (text []byte, err error) {
	if !j.open || f.File != j.file {
		if text, err = j.source(f.File); err != nil {
			return nil, err
		}
	}
	if f.Severity == Error {
		j.suite.Failures++
		name := visible(cmp.Or(f.Rule, f.Severity.String()), "")
		if f.Line > 0 {
			name += " at " + f.place()
		}
		if f.Pointer != "" {
			name += " " + visible(f.Pointer, "")
		}
		failure := junitFailure{Type: junitString(f.Rule), Message: junitString(f.Message), Text: f.String()}
		j.addCase(junitCase{Name: name, Line: max(f.Line, 0), Failure: &failure})
		j.size += 150 + len(name) + len(failure.Type) + len(failure.Message) + len(failure.Text) + 2*len(j.file)
	} else {
		line := f.String() + "\n"
		j.out.WriteString(line)
		j.size += len(line)
	}
	if j.size < maxSuite {
		return text, nil
	}
	part, err := j.endPart(false)
	return append(text, part...), err
}

func (j *junitFormat) addCase(c junitCase) {
	c.Class, c.File = junitString(j.file), junitString(j.file)
	j.suite.Cases = append(j.suite.Cases, c)
}

func (j *junitFormat) end(Summary) ([]byte, error) {
	text, err := j.endFile()
	if err != nil {
		return nil, err
	}
	if !j.begun {
		text, err = junitStart(j.tool)
	}
	return append(text, junitEnd...), err
}

// endFile returns what is left of a file.
func (j *junitFormat) endFile() ([]byte, error) {
	if !j.open || j.part > 1 && j.size == 0 {
		return nil, nil
	}
	return j.endPart(true)
}

// endPart returns the suite and begins an empty one with the same name. Jenkins
// joins suites with the same name and drops a suite without cases, so a suite
// without errors gets a case that passes.
func (j *junitFormat) endPart(last bool) ([]byte, error) {
	if j.suite.Failures == 0 {
		name := "no errors"
		if j.part > 1 || !last {
			name += fmt.Sprintf(" in part %d", j.part)
		}
		j.addCase(junitCase{Name: name})
	}
	j.suite.Name, j.suite.Tests = junitString(j.file), len(j.suite.Cases)
	if j.out.Len() > 0 {
		j.suite.Out = &junitText{j.out.String()}
	}
	var text []byte
	var err error
	if !j.begun {
		j.begun = true
		text, err = junitStart(j.tool)
	}
	suite, err2 := j.suite.xml()
	if err == nil {
		err = err2
	}
	j.part++
	j.size, j.suite = 0, junitSuite{Cases: j.suite.Cases[:0]}
	j.out.Reset()
	return append(text, suite...), err
}
