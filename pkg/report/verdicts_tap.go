package report

import (
	"io"
	"strconv"
	"strings"
)

// WriteTAP writes a document of the Test Anything Protocol, version 14: one
// line a case, and beneath one that failed, or that deserves a look, a block
// of YAML with its message.
func WriteTAP(w io.Writer, cases []Case) error {
	b := []byte("TAP version 14\n1.." + strconv.Itoa(len(cases)) + "\n")
	for i, c := range cases {
		word, message := "ok ", c.Warning
		if c.Type != "" {
			word, message = "not ok ", c.Message
		}
		b = append(b, word...)
		b = strconv.AppendInt(b, int64(i+1), 10)
		b = append(b, " - "...)
		b = append(b, tapText(c.Name)...)
		if c.Skipped != "" {
			b = append(b, " # SKIP "...)
			b = append(b, tapText(c.Skipped)...)
		}
		b = append(b, '\n')
		if message != "" {
			severity := "fail"
			if c.Type == "" {
				severity = "warn"
			}
			b = append(b, "  ---\n  severity: "+severity+"\n  message: "...)
			b = appendString(b, message) // which YAML reads as it is
			b = append(b, "\n  duration_ms: "...)
			b = strconv.AppendFloat(b, float64(c.Took.Microseconds())/1000, 'f', 3, 64)
			b = append(b, "\n  ...\n"...)
		}
	}
	out := output{w: w}
	return out.write(b)
}

// tapText is a text on a line of TAP: what the protocol reads as its own is
// escaped, and what a terminal obeys is made visible.
func tapText(text string) string {
	shown := string(escape(nil, text, spellText))
	return strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(shown)
}
