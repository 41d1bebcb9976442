package report

import (
	"io"

	"github.com/wskdev/wsk/pkg/webhook"
)

// The severities of findings and rules.
const (
	Error   = "error"
	Warning = "warning"
	Note    = "note"
)

// Finding is one thing that is said about a place in a file.
type Finding struct {
	File      string // a path, a URL, or "stdin"
	Line      int    // from 1; 0 when the finding is about the whole file
	Column    int    // from 1, in characters; 0 when it is about the whole line
	EndColumn int    // of the character behind the last one, on the same line; 0 when not known
	Pointer   string // JSON Pointer (RFC 6901) in the payload; "" is its root
	Severity  string // Error, Warning or Note
	Rule      string // the rule's ID
	Message   string // without its place
	Event     string // the event's name, where there is one
	Form      string // the envelope's shape, where there is one
}

// Rule is one thing that the tool looks for.
type Rule struct {
	ID       string
	Severity string // of its findings, unless told otherwise
	Help     string // one line
}

// Tool is who found it.
type Tool struct {
	Name    string
	Version string // may be empty
	URL     string // where to read about it; absolute, or empty
	Rules   []Rule // the first of an ID counts
}

// Summary holds the totals of a run.
type Summary struct {
	Files, Events, Errors, Warnings, Notes int
}

// Writer writes one report. An error of the output below is returned by the
// call that met it, wrapped, and by every later one.
type Writer interface {
	// Source begins a file. JUnit needs it to show files without findings; a
	// finding in another file begins that file by itself.
	Source(name string) error
	// Finding writes one finding. A severity that is none of the three is an
	// [*webhook.UnknownError], and nothing is written.
	Finding(f Finding) error
	// Close ends the document, and is the last call. It leaves the output
	// open.
	Close(s Summary) error
}

// Formats lists the names that [New] takes; text, the first, is for people.
func Formats() []string {
	return []string{"text", "json", "ndjson", "sarif", "junit", "github"}
}

// New returns the writer of a format. An unknown format, and an unknown
// severity among the tool's rules, are an [*webhook.UnknownError].
func New(format string, w io.Writer, tool Tool) (Writer, error) {
	for _, r := range tool.Rules {
		if err := checkSeverity(r.Severity); err != nil {
			return nil, err
		}
	}
	out := output{w: w}
	switch format {
	case "text":
		return checked{&textWriter{out: out}}, nil
	case "json":
		return checked{&jsonWriter{out: out}}, nil
	case "ndjson":
		return checked{&ndjsonWriter{out: out}}, nil
	case "sarif":
		return checked{newSARIF(out, tool)}, nil
	case "junit":
		return checked{&junitWriter{out: out, name: tool.Name}}, nil
	case "github":
		return checked{&githubWriter{out: out}}, nil
	}
	return nil, webhook.Unknown("format", format, Formats())
}

// checked keeps severities out that a format has no word for.
type checked struct{ Writer }

func (c checked) Finding(f Finding) error {
	if err := checkSeverity(f.Severity); err != nil {
		return err
	}
	return c.Writer.Finding(f)
}

func checkSeverity(s string) error {
	switch s {
	case Error, Warning, Note:
		return nil
	}
	return webhook.Unknown("severity", s, []string{Error, Warning, Note})
}
