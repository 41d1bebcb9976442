package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Verdict is the outcome of a test case. The zero value is invalid. In text and
// JSON a verdict is its name.
type Verdict uint8

// The verdicts.
const (
	Pass Verdict = iota + 1
	Fail
	Warn // it passes, and deserves a look
	Skip // it was not tried
)

var verdictNames = map[Verdict]string{Pass: "pass", Fail: "fail", Warn: "warn", Skip: "skip"}

// String returns the verdict's name, or "Verdict(0)" for a value that is not
// one of the constants.
func (v Verdict) String() string {
	if name, ok := verdictNames[v]; ok {
		return name
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// MarshalText returns the verdict's name. A value that is not one of the
// constants is an [*webhook.UnknownError].
func (v Verdict) MarshalText() ([]byte, error) {
	if err := checkVerdict(v); err != nil {
		return nil, err
	}
	return []byte(v.String()), nil
}

func checkVerdict(v Verdict) error {
	if _, ok := verdictNames[v]; !ok {
		return webhook.Unknown("verdict", v.String(), []string{"pass", "fail", "warn", "skip"})
	}
	return nil
}

// Case is a test case and its outcome.
type Case struct {
	Class   string // the group that the case belongs to
	Name    string
	Verdict Verdict
	Type    string // the kind of a failure; default: "fail"
	Detail  string // what failed, what deserves a look, or why the case was skipped; one sentence
	Took    time.Duration
}

// caseFormats lists the formats of [WriteCases].
var caseFormats = []string{"junit", "tap"}

// WriteCases writes a document with the cases, in the order given, in one call
// of Write. The format is "junit" for JUnit XML with one suite of that name, or
// "tap" for the Test Anything Protocol, version 14, which has no name for a
// suite. Another format, and a verdict that is not one of the constants, is an
// [*webhook.UnknownError].
func WriteCases(w io.Writer, format, suite string, cases []Case) error {
	for _, c := range cases {
		if err := checkVerdict(c.Verdict); err != nil {
			return fmt.Errorf("case %s: %w", c.Name, err)
		}
	}
	var text []byte
	var err error
	switch format {
	case "junit":
		text, err = writeJUnit(suite, cases)
	case "tap":
		text, err = writeTAP(cases)
	default:
		return webhook.Unknown("format", format, caseFormats)
	}
	if err == nil {
		err = writeAll(w, text)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// writeTAP returns one line per case, and below a failure or a warning a block
// of YAML.
func writeTAP(cases []Case) ([]byte, error) {
	b := fmt.Appendf(nil, "TAP version 14\n1..%d\n", len(cases))
	for i, c := range cases {
		result := "ok"
		if c.Verdict == Fail {
			result = "not ok"
		}
		b = fmt.Appendf(b, "%s %d - %s", result, i+1, tapText(c.Name))
		if c.Verdict == Skip {
			b = fmt.Appendf(b, " # SKIP %s", tapText(c.Detail))
		}
		b = append(b, '\n')
		if c.Verdict != Fail && c.Verdict != Warn {
			continue
		}
		message, err := jsontext.Marshal(c.Detail) // a JSON string is a YAML string
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(b, "  ---\n  severity: %s\n  message: %s\n  duration_ms: %.3f\n  ...\n",
			c.Verdict, message, float64(c.Took.Microseconds())/1000)
	}
	return b, nil
}

var tapEscapes = strings.NewReplacer(`\`, `\\`, "#", `\#`)

// tapText returns a text on a line of TAP, in which the protocol's own
// characters are escaped.
func tapText(text string) string { return tapEscapes.Replace(visible(text, "")) }
