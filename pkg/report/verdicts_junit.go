package report

import (
	"io"
	"strconv"
	"time"
)

// Case is one thing that was tried, as JUnit XML shows it.
type Case struct {
	Class   string // what the case belongs to
	Name    string
	Took    time.Duration
	Type    string // of the failure; "" when it passed
	Message string // of the failure, one line
}

// WriteCases writes a JUnit XML document with one suite. The layout is that of
// https://github.com/testmoapp/junitxml; times are in seconds.
func WriteCases(w io.Writer, suite string, cases []Case) error {
	var took time.Duration
	failures := 0
	for _, c := range cases {
		took += c.Took
		if c.Type != "" {
			failures++
		}
	}
	b := []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite")
	b = appendAttribute(b, "name", suite)
	b = appendAttribute(b, "tests", strconv.Itoa(len(cases)))
	b = appendAttribute(b, "failures", strconv.Itoa(failures))
	b = append(b, ` errors="0" skipped="0"`...)
	b = appendAttribute(b, "time", seconds(took))
	b = append(b, ">\n"...)
	for _, c := range cases {
		b = append(b, "    <testcase"...)
		b = appendAttribute(b, "classname", c.Class)
		b = appendAttribute(b, "name", c.Name)
		b = appendAttribute(b, "time", seconds(c.Took))
		if c.Type == "" {
			b = append(b, "/>\n"...)
			continue
		}
		b = append(b, ">\n      <failure"...)
		b = appendAttribute(b, "type", c.Type)
		b = appendAttribute(b, "message", c.Message)
		b = append(b, "/>\n    </testcase>\n"...)
	}
	out := output{w: w}
	return out.write(append(b, "  </testsuite>\n</testsuites>\n"...))
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }
