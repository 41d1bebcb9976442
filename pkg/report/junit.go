package report

import (
	"cmp"
	"strconv"
)

// maxSuite is how many bytes of a suite are kept before it is written.
const maxSuite = 1 << 20

// junitWriter writes JUnit XML as Jenkins, GitLab and others read it: a suite
// for each file, in it a failed case for each error. Warnings and notes are
// the suite's output. The layout is that of
// https://github.com/testmoapp/junitxml, which has collected what is common.
type junitWriter struct {
	out   output
	name  string
	begun bool // the root element is open
	suite suite
}

// suite is a file's, or a part of it, until it is written.
type suite struct {
	open     bool
	name     string
	part     int // from 1
	failures int // in this part
	cases    []byte
	lines    []byte // for system-out
}

func (j *junitWriter) Source(name string) error {
	err := j.endSuite()
	s := &j.suite
	*s = suite{open: true, name: name, part: 1, cases: s.cases, lines: s.lines}
	return err
}

func (j *junitWriter) Finding(f Finding) error {
	s := &j.suite
	if !s.open || f.File != s.name {
		if err := j.Source(f.File); err != nil {
			return err
		}
	}
	if f.Severity == Error {
		s.addFailure(f)
	} else {
		s.lines = append(appendLine(s.lines, f, spellXMLLine), '\n')
	}
	if len(s.cases)+len(s.lines) < maxSuite {
		return j.out.err
	}
	return j.endPart(false)
}

func (j *junitWriter) Close(Summary) error {
	if err := j.endSuite(); err != nil {
		return err
	}
	return j.out.write(append(j.appendRoot(j.out.buf), "</testsuites>\n"...))
}

// addFailure adds a case named by rule and place.
func (s *suite) addFailure(f Finding) {
	s.failures++
	b := s.appendCase(s.cases)
	b = escape(b, cmp.Or(f.Rule, f.Severity), spellXML)
	if f.Line > 0 {
		b = append(b, " at "...)
		b = appendPlace(b, f)
	}
	if f.Pointer != "" {
		b = append(b, ' ')
		b = escape(b, f.Pointer, spellXML)
	}
	b = append(b, '"')
	if f.Line > 0 {
		b = appendAttribute(b, "line", strconv.Itoa(f.Line))
	}
	b = append(b, ">\n      <failure"...)
	b = appendAttribute(b, "type", f.Rule)
	b = appendAttribute(b, "message", f.Message)
	b = append(b, '>')
	b = appendLine(b, f, spellXMLLine)
	s.cases = append(b, "</failure>\n    </testcase>\n"...)
}

// appendCase appends a case's tag up to its name.
func (s *suite) appendCase(b []byte) []byte {
	b = append(b, "    <testcase"...)
	b = appendAttribute(b, "classname", s.name)
	b = appendAttribute(b, "file", s.name)
	return append(b, ` name="`...)
}

// endSuite writes what is left of a file.
func (j *junitWriter) endSuite() error {
	s := &j.suite
	if !s.open || s.part > 1 && len(s.cases)+len(s.lines) == 0 {
		return j.out.err
	}
	return j.endPart(true)
}

// endPart writes the suite, and leaves an empty one of the same name. Jenkins
// joins suites of one name, and drops a suite without a case, so one without
// errors has a case that passes.
func (j *junitWriter) endPart(last bool) error {
	s := &j.suite
	tests := s.failures
	if tests == 0 {
		tests = 1
		s.cases = append(s.appendCase(s.cases), "no errors"...)
		if s.part > 1 || !last {
			s.cases = appendCount(s.cases, " in part ", s.part)
		}
		s.cases = append(s.cases, "\"/>\n"...)
	}
	b := append(j.appendRoot(j.out.buf), "  <testsuite"...)
	b = appendAttribute(b, "name", s.name)
	b = appendAttribute(b, "tests", strconv.Itoa(tests))
	b = appendAttribute(b, "failures", strconv.Itoa(s.failures))
	b = append(b, " errors=\"0\" skipped=\"0\">\n"...)
	b = append(b, s.cases...)
	if len(s.lines) > 0 {
		b = append(b, "    <system-out>"...)
		b = append(b, s.lines...)
		b = append(b, "</system-out>\n"...)
	}
	b = append(b, "  </testsuite>\n"...)
	s.part++
	s.failures, s.cases, s.lines = 0, s.cases[:0], s.lines[:0]
	return j.out.write(b)
}

// appendRoot opens the document the first time.
func (j *junitWriter) appendRoot(b []byte) []byte {
	if j.begun {
		return b
	}
	j.begun = true
	b = append(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites"...)
	b = appendAttribute(b, "name", j.name)
	return append(b, ">\n"...)
}

func appendAttribute(b []byte, name, value string) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, `="`...)
	b = escape(b, value, spellXML)
	return append(b, '"')
}
