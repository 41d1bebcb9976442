package render

import "fmt"

// Severities of findings.
const (
	Error   = "error"
	Warning = "warning"
	Note    = "note"
)

// Finding is one thing that is said about a template, or about what it
// renders to.
type Finding struct {
	Line     int    `json:"line"`    // of the template's file, from 1
	Column   int    `json:"column"`  // in characters, from 1
	Pointer  string `json:"pointer"` // JSON Pointer in the template: /headers/Content-Type
	Severity string `json:"severity"`
	Rule     string `json:"rule"`
	Message  string `json:"message"`
}

// Rule is one thing that is looked for.
type Rule struct{ ID, Severity, Help string }

// Rules lists them: what the template's file shows, then its variables, then
// the request.
func Rules() []Rule {
	return []Rule{
		{"template-syntax", Error, "the file is YAML or JSON"},
		{"template-schema", Error, "the template has the members that it needs, and no others"},
		{"template-event", Error, "the event is one of Work Market's"},
		{"variable-syntax", Error, "a variable is written ${name}"},
		{"variable-unknown", Error, "the variable is one of Work Market's"},
		{"variable-event", Error, "the event has the variable"},
		{"variable-place", Error, "a variable stands where its value fits"},
		{"variable-deprecated", Warning, "the variable has no successor"},
		{"variable-escape", Warning, "no character before a variable looks like an escape"},
		{"value", Error, "the value can stand where its variable is"},
		{"value-unescaped", Warning, "the value would fit without being escaped as well"},
		{"method", Error, "the method is GET, POST, PUT, PATCH or DELETE"},
		{"method-body", Warning, "a GET or DELETE has no body"},
		{"url", Error, "the URL is absolute, http or https"},
		{"url-host", Warning, "no variable chooses the host"},
		{"url-plain", Warning, "the URL is https"},
		{"header", Error, "a header is a name and one line"},
		{"content-type", Error, "there is one Content-Type, and the body is of it"},
		{"body-syntax", Error, "the rendered body parses as its Content-Type says"},
		{"form-newline", Warning, "a form does not end in a newline"},
		{"attachment-type", Warning, "the attachment is of the type that Content-Type says"},
		{"limit", Error, "the template and its request keep within the limits"},
	}
}

func severityOf(rule string) string {
	for _, r := range Rules() {
		if r.ID == rule {
			return r.Severity
		}
	}
	return Error
}

// report gathers findings.
type report struct{ findings []Finding }

func (r *report) add(at place, rule, format string, args ...any) {
	r.findings = append(r.findings, Finding{
		Line: at.line, Column: at.column, Pointer: at.pointer, Severity: severityOf(rule), Rule: rule, Message: fmt.Sprintf(format, args...),
	})
}

// Errors counts the findings that are errors.
func Errors(findings []Finding) (n int) {
	for _, f := range findings {
		if f.Severity == Error {
			n++
		}
	}
	return n
}
