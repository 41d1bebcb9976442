package report

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Tool describes the program that makes the report.
type Tool struct {
	Name    string
	Version string // may be empty
	URL     string // its documentation: an absolute URL, or empty
	Rules   []Rule // of several with the same ID the first counts
}

// Writer writes one report. It remembers the first error of its output, which
// is returned by that call and by every later one, so that nothing is written
// after a gap.
type Writer struct {
	out    io.Writer
	format format
	err    error
}

// format turns the parts of a report into text. Each method returns what is to
// be written now, which may be nothing.
type format interface {
	source(name string) ([]byte, error)
	finding(f Finding) ([]byte, error)
	end(s Summary) ([]byte, error)
}

// formats are the formats by name; the first is for people.
var formats = []struct {
	name string
	open func(Tool) (format, error)
}{
	{"text", func(Tool) (format, error) { return textFormat{}, nil }},
	{"json", func(Tool) (format, error) { return &jsonFormat{}, nil }},
	{"ndjson", func(Tool) (format, error) { return ndjsonFormat{}, nil }},
	{"sarif", newSARIF},
	{"junit", func(t Tool) (format, error) { return &junitFormat{tool: t.Name}, nil }},
	{"github", func(Tool) (format, error) { return githubFormat{}, nil }},
}

// Formats returns the names that [New] accepts. The first, text, is for people.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// New returns a writer of a format, which is one of [Formats]. An unknown one is an
// [*webhook.UnknownError], and so is the severity of a rule that is not Error,
// Warning or Note.
func New(format string, out io.Writer, tool Tool) (*Writer, error) {
	for _, r := range tool.Rules {
		if err := checkSeverity(r.Severity); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	for _, f := range formats {
		if f.name == format {
			opened, err := f.open(tool)
			if err != nil {
				return nil, err
			}
			return &Writer{out: out, format: opened}, nil
		}
	}
	return nil, webhook.Unknown("format", format, Formats())
}

// Source begins a file. JUnit needs it to show files without findings. A
// finding in another file begins that file implicitly.
func (w *Writer) Source(name string) error {
	return w.write(w.format.source(name))
}

// Finding writes one finding. A severity that is not Error, Warning or Note is
// an [*webhook.UnknownError], and nothing is written.
func (w *Writer) Finding(f Finding) error {
	if err := checkSeverity(f.Severity); err != nil {
		return err
	}
	return w.write(w.format.finding(f))
}

// Close ends the document. It is the last call and does not close the output.
func (w *Writer) Close(s Summary) error {
	return w.write(w.format.end(s))
}

func (w *Writer) write(text []byte, err error) error {
	switch {
	case w.err != nil || err == nil && len(text) == 0:
		return w.err
	case err == nil:
		err = writeAll(w.out, text)
	}
	if err != nil {
		w.err = fmt.Errorf("writing the report: %w", err)
	}
	return w.err
}

// writeAll treats a short write without an error as an error.
func writeAll(out io.Writer, text []byte) error {
	n, err := out.Write(text)
	if err == nil && n < len(text) {
		err = io.ErrShortWrite
	}
	return err
}

func checkSeverity(s Severity) error {
	switch s {
	case Error, Warning, Note:
		return nil
	}
	return webhook.Unknown("severity", s.String(), []string{"error", "warning", "note"})
}

// plain is for formats that write nothing but findings.
type plain struct{}

func (plain) source(string) ([]byte, error) { return nil, nil }
func (plain) end(Summary) ([]byte, error)   { return nil, nil }

// textFormat writes one line per finding, as compilers do.
type textFormat struct{ plain }

func (textFormat) finding(f Finding) ([]byte, error) { return []byte(f.String() + "\n"), nil }

// jsonFormat writes one object: the findings as they arrive, then the counts.
type jsonFormat struct {
	plain
	begun bool
}

// findingJSON is a [Finding] in a document for machines, where every member is
// present.
type findingJSON struct {
	File     string       `json:"file"`
	Line     int          `json:"line"`
	Column   int          `json:"column"`
	Pointer  string       `json:"pointer"`
	Severity Severity     `json:"severity"`
	Rule     string       `json:"rule"`
	Message  string       `json:"message"`
	Event    string       `json:"event"`
	Form     webhook.Form `json:"form"`
}

func jsonOf(f Finding) findingJSON {
	return findingJSON{
		File: f.File, Line: f.Line, Column: f.Column, Pointer: f.Pointer, Severity: f.Severity,
		Rule: f.Rule, Message: f.Message, Event: f.Event, Form: f.Form,
	}
}

func (j *jsonFormat) finding(f Finding) ([]byte, error) {
	before := ",\n"
	if !j.begun {
		j.begun = true
		before = "{\"findings\":[\n"
	}
	text, err := jsontext.Marshal(jsonOf(f))
	return append([]byte(before), text...), err
}

func (j *jsonFormat) end(s Summary) ([]byte, error) {
	before := "\n],"
	if !j.begun {
		before = `{"findings":[],`
	}
	counts, err := jsontext.Marshal(s)
	counts = append(bytes.TrimPrefix(counts, []byte("{")), '\n')
	return append([]byte(before), counts...), err
}

// ndjsonFormat writes one object per line: each finding, then the summary.
type ndjsonFormat struct{ plain }

func (ndjsonFormat) finding(f Finding) ([]byte, error) {
	text, err := jsontext.Marshal(struct {
		Type string `json:"type"`
		findingJSON
	}{"finding", jsonOf(f)})
	return append(text, '\n'), err
}

func (ndjsonFormat) end(s Summary) ([]byte, error) {
	text, err := jsontext.Marshal(struct {
		Type string `json:"type"`
		Summary
	}{"summary", s})
	return append(text, '\n'), err
}

// githubFormat writes workflow commands, which GitHub Actions shows as
// annotations:
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
type githubFormat struct{ plain }

var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func (githubFormat) finding(f Finding) ([]byte, error) {
	command := f.Severity.String()
	if f.Severity == Note {
		command = "notice"
	}
	var properties []string
	add := func(name, value string) {
		properties = append(properties, name+"="+githubProperty.Replace(visible(value, "\r\n")))
	}
	if f.File != "" {
		add("file", cleanPath(f.File))
	}
	if f.Line > 0 {
		add("line", strconv.Itoa(f.Line))
		if f.Column > 0 {
			add("col", strconv.Itoa(f.Column))
		}
	}
	if f.Rule != "" {
		add("title", f.Rule)
	}
	if len(properties) > 0 {
		command += " " + strings.Join(properties, ",")
	}
	message := f.Message
	if f.Pointer != "" { // the log shows nothing but the message
		message += " at " + f.Pointer
	}
	return fmt.Appendf(nil, "::%s::%s\n", command, githubData.Replace(visible(message, "\r\n"))), nil
}

// cleanPath returns a path as CI servers compare it: with forward slashes and
// without a leading "./". URLs stay as they are.
func cleanPath(file string) string {
	if isURL(file) {
		return file
	}
	return path.Clean(filepath.ToSlash(file))
}

// visible replaces the characters that a terminal obeys or does not show, other
// than those in keep, with text such as \x1b or \u202e, and each byte that is
// not UTF-8 with text such as \xff.
func visible(s, keep string) string {
	hidden := func(r rune) bool {
		return jsontext.IsHidden(r) && !strings.ContainsRune(keep, r) || r == 0xfffe || r == 0xffff || r == utf8.RuneError
	}
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == utf8.RuneError || !hidden(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[size:]
	}
	return b.String()
}
