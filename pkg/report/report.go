// Package report writes findings and verdicts in the formats that people and
// machines read. Findings go in one at a time, one document comes out.
//
//	func write(out io.Writer, format, file string, findings []report.Finding) error {
//		w, err := report.New(format, out, report.Tool{Name: "wsk", Version: "1.0.0"})
//		if err != nil {
//			return err // the format is unknown
//		}
//		if err := w.Source(file); err != nil { // shows a file without findings too
//			return err
//		}
//		for _, f := range findings {
//			if err := w.Finding(f); err != nil {
//				return err
//			}
//		}
//		return w.Close(report.Count(findings).Plus(report.Summary{Files: 1, Events: 1}))
//	}
//
// [Formats] lists the formats. Each finding is written whole, in one call of
// Write, as soon as it arrives, so memory does not grow with their number. What
// is known only at the end is written at the end: json and ndjson put the
// counts last. A JUnit suite starts with its counts, so a suite is kept until
// its file ends or it reaches 1 MiB; in the latter case it is written and the
// file continues in another suite of the same name.
//
// [WriteCases] writes the outcomes of test cases, as JUnit XML or TAP.
//
// Messages, pointers and file names contain what other people sent. No format
// lets a control character, a bidirectional override or another invisible
// character through: JSON escapes it, and all other formats show it as text
// like \x1b or \u202e.
//
// The package reads no files. A [Writer] must not be used by several goroutines
// at once.
//
// This package is stable.
package report

import (
	"fmt"
	"strconv"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Severity ranks a finding or, as Off, turns off a rule. The zero value is
// invalid. In text and JSON a severity is its name.
type Severity uint8

// The severities, in ascending order.
const (
	Off     Severity = iota + 1 // for rules only: drops their findings
	Note                        // suggests a better form
	Warning                     // deserves a look
	Error                       // contradicts the documentation
)

var severityNames = map[Severity]string{Off: "off", Note: "note", Warning: "warning", Error: "error"}

// ParseSeverity returns the severity with that name: off, note, warning or
// error. The error is an [*webhook.UnknownError].
func ParseSeverity(name string) (Severity, error) {
	for s, known := range severityNames {
		if known == name {
			return s, nil
		}
	}
	return 0, unknownSeverity(name)
}

func unknownSeverity(name string) error {
	return webhook.Unknown("severity", name, []string{"off", "note", "warning", "error"})
}

// String returns the severity's name, or "Severity(0)" for a value that is not
// one of the constants.
func (s Severity) String() string {
	if name, ok := severityNames[s]; ok {
		return name
	}
	return fmt.Sprintf("Severity(%d)", uint8(s))
}

// MarshalText returns the severity's name. A value that is not one of the
// constants is an [*webhook.UnknownError].
func (s Severity) MarshalText() ([]byte, error) {
	if _, ok := severityNames[s]; !ok {
		return nil, unknownSeverity(s.String())
	}
	return []byte(s.String()), nil
}

// UnmarshalText sets the severity to the one that text names.
func (s *Severity) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSeverity(string(text))
	return err
}

// Finding is one statement about a place in a file.
type Finding struct {
	File     string           `json:"file,omitempty"` // a path, a URL or "stdin"; "" if there is none
	Line     int              `json:"line"`           // from 1; 0 if the finding is about the whole file
	Column   int              `json:"column"`         // from 1, in characters; 0 if it is about the whole line
	Pointer  string           `json:"pointer"`        // JSON Pointer (RFC 6901) in the payload; "" is the root
	Severity Severity         `json:"severity"`       // Error, Warning or Note
	Rule     string           `json:"rule"`           // the ID of the rule
	Message  string           `json:"message"`        // one lowercase sentence, without the place
	Event    string           `json:"event,omitempty"`
	Form     webhook.Form     `json:"form,omitempty"` // of the event's envelope
	Platform webhook.Platform `json:"-"`

	Offset  int    `json:"-"` // of the place's first byte, from the start of the payload
	Excerpt string `json:"-"` // the line of the place, shortened; "" if nobody asked for it
	Caret   int    `json:"-"` // of the place's first byte in Excerpt
}

// String formats the finding as compilers do, as "file:line:column: severity:
// message (rule) at pointer", without the parts that are unknown. Control
// characters are shown as text.
func (f Finding) String() string {
	text := ""
	if f.File != "" {
		text = visible(f.File, "") + ":"
		if f.Line > 0 {
			text += f.place() + ":"
		}
		text += " "
	}
	text += f.Severity.String() + ": " + visible(f.Message, "")
	if f.Rule != "" {
		text += " (" + visible(f.Rule, "") + ")"
	}
	if f.Pointer != "" {
		text += " at " + visible(f.Pointer, "")
	}
	return text
}

// place returns "line:column", or "line".
func (f Finding) place() string {
	if f.Column > 0 {
		return fmt.Sprintf("%d:%d", f.Line, f.Column)
	}
	return strconv.Itoa(f.Line)
}

// Rule is one thing that a tool looks for.
type Rule struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"` // of its findings, by default
	Help     string   `json:"help"`     // one line that says what is right
}

// Summary holds the totals of a run.
type Summary struct {
	Files    int `json:"files"`
	Events   int `json:"events"`
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Notes    int `json:"notes"`
}

// Count returns how many of the findings are errors, warnings and notes.
func Count(findings []Finding) (s Summary) {
	for _, f := range findings {
		switch f.Severity {
		case Error:
			s.Errors++
		case Warning:
			s.Warnings++
		case Note:
			s.Notes++
		}
	}
	return s
}

// Plus returns the sum of both summaries.
func (s Summary) Plus(t Summary) Summary {
	return Summary{
		Files: s.Files + t.Files, Events: s.Events + t.Events,
		Errors: s.Errors + t.Errors, Warnings: s.Warnings + t.Warnings, Notes: s.Notes + t.Notes,
	}
}
