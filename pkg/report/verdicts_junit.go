package report

import (
	"io"
	"strconv"
	"time"
)

// Case is one thing that was tried, as JUnit XML and TAP show it.
type Case struct {
	Class   string // what the case belongs to
	Name    string
	Took    time.Duration
	Type    string // of the failure; "" when it passed
	Message string // of the failure, one line
	Warning string // what deserves a look in one that passed; one line
	Skipped string // why it was not tried; one line
}

// WriteCases writes a JUnit XML document with one suite. The layout is that of
// https://github.com/testmoapp/junitxml; times are in seconds.
func WriteCases(w io.Writer, suite string, cases []Case) error {
	var took time.Duration
	failures, skipped := 0, 0
	for _, c := range cases {
		took += c.Took
		if c.Skipped != "" {
			skipped++
		}
		if c.Type != "" {
			failures++
		}
	}
	b := []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite")
	b = appendAttribute(b, "name", suite)
	b = appendAttribute(b, "tests", strconv.Itoa(len(cases)))
	b = appendAttribute(b, "failures", strconv.Itoa(failures))
	b = append(b, ` errors="0"`...)
	b = appendAttribute(b, "skipped", strconv.Itoa(skipped))
	b = appendAttribute(b, "time", seconds(took))
	b = append(b, ">\n"...)
	for _, c := range cases {
		b = append(b, "    <testcase"...)
		b = appendAttribute(b, "classname", c.Class)
		b = appendAttribute(b, "name", c.Name)
		b = appendAttribute(b, "time", seconds(c.Took))
		switch {
		case c.Type != "":
			b = append(b, ">\n      <failure"...)
			b = appendAttribute(b, "type", c.Type)
			b = appendAttribute(b, "message", c.Message)
			b = append(b, "/>\n    </testcase>\n"...)
		case c.Skipped != "":
			b = append(b, ">\n      <skipped"...)
			b = appendAttribute(b, "message", c.Skipped)
			b = append(b, "/>\n    </testcase>\n"...)
		case c.Warning != "":
			b = append(b, ">\n      <properties>\n        <property name=\"warning\""...)
			b = appendAttribute(b, "value", c.Warning)
			b = append(b, "/>\n      </properties>\n    </testcase>\n"...)
		default:
			b = append(b, "/>\n"...)
		}
	}
	out := output{w: w}
	return out.write(append(b, "  </testsuite>\n</testsuites>\n"...))
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }
