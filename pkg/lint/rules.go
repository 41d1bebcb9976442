package lint

import (
	"fmt"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Severity is how much a finding weighs.
type Severity string

// The severities. Off drops a rule's findings.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
	Off     Severity = "off"
)

// Rule is one thing that lint looks for.
type Rule struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"` // unless told otherwise
	Help     string   `json:"help"`     // one line
}

// Rules lists every rule: errors, then warnings, then notes.
func Rules() []Rule {
	return []Rule{
		{"syntax", Error, "the payload is one JSON text in UTF-8, of printable strings and whole surrogate pairs"},
		{"depth", Error, "no more than 512 brackets are open at once"},
		{"duplicate-key", Error, "an object has each name once: receivers differ in which they take"},
		{"envelope", Error, "the payload is an object with event_type, or with event"},
		{"unknown-event", Error, "the event is one that the platform documents in this form"},
		{"required", Error, "what the documents call required is there"},
		{"type", Error, "a value is of the documented type"},
		{"closed-set", Error, "a value is one of the documented options, where they are all"},
		{"format", Error, "dates, times, e-mail addresses and URLs are written as documented"},
		{"range", Error, "a number lies within the documented bounds"},
		{"length", Error, "a text or a list is as long as documented"},
		{"shape", Error, "a value fits a schema of your own"},
		{"entry-date", Error, "the entries of a timesheet are of its own day"},
		{"unknown-field", Warning, "a field is documented for the event"},
		{"undocumented-value", Warning, "a value of an open set is one that the documents show"},
		{"end-before-start", Warning, "what ends does so after its start"},
		{"hours-sum", Warning, "the hours of the entries add up to the total"},
		{"totals-sum", Warning, "quantities, prices, taxes and counts add up to their totals"},
		{"plain-http", Warning, "a URL is https, which the platforms ask for"},
		{"masked-email", Warning, "an e-mail address was not masked by a web page it was copied from"},
		{"rewritten-number", Warning, "a number survives receivers that parse and write the JSON again, and then verify that"},
		{"alias", Note, "a field has its canonical name"},
		{"deprecated", Note, "a name is not deprecated"},
		{"undocumented-payload", Note, "the documents show a payload for the event: without one only the envelope is checked"},
	}
}

// RuleNamed returns the rule of that id, or an [*webhook.UnknownError] with
// the nearest.
func RuleNamed(id string) (Rule, error) {
	var known []string
	for _, r := range Rules() {
		if r.ID == id {
			return r, nil
		}
		known = append(known, r.ID)
	}
	return Rule{}, webhook.Unknown("rule", id, known)
}

// SeverityNamed reads a severity as --rule takes it.
func SeverityNamed(name string) (Severity, error) {
	known := []string{"off", "note", "warning", "error"}
	for _, k := range known {
		if k == name {
			return Severity(k), nil
		}
	}
	return "", webhook.Unknown("severity", name, known)
}

// ruleOf names the rule that a finding of the engine falls under.
func ruleOf(k schema.Kind) string {
	switch k {
	case schema.Syntax:
		return "syntax"
	case schema.Depth:
		return "depth"
	case schema.DuplicateKey:
		return "duplicate-key"
	case schema.Required, schema.AnyOf:
		return "required"
	case schema.Type:
		return "type"
	case schema.Enum, schema.Const:
		return "closed-set"
	case schema.Format:
		return "format"
	case schema.Minimum, schema.Maximum, schema.ExclusiveMinimum, schema.ExclusiveMaximum:
		return "range"
	case schema.MinLength, schema.MaxLength, schema.MinItems, schema.MaxItems:
		return "length"
	case schema.UnknownProperty:
		return "unknown-field"
	case schema.UndocumentedSet:
		return "undocumented-value"
	case schema.Alias:
		return "alias"
	case schema.DeprecatedName:
		return "deprecated"
	case schema.PlainHTTP:
		return "plain-http"
	case schema.RewrittenNumber:
		return "rewritten-number"
	}
	return "shape" // what only schemas of one's own say
}

// Finding is one thing that lint says about a payload.
type Finding struct {
	File     string           `json:"file"`
	Line     int              `json:"line"`    // from 1; in NDJSON the line of the file
	Column   int              `json:"column"`  // from 1, in characters
	Pointer  string           `json:"pointer"` // JSON Pointer in the payload; "" is its root
	Severity Severity         `json:"severity"`
	Rule     string           `json:"rule"`
	Message  string           `json:"message"` // lower case, without its place
	Event    string           `json:"event"`
	Form     webhook.Form     `json:"form"`
	Platform webhook.Platform `json:"-"`
	Excerpt  string           `json:"-"` // the line that it is in, shortened, when asked for
	Caret    int              `json:"-"` // where in the excerpt it begins, in bytes
	Offset   int              `json:"-"` // bytes from the start of the payload
	End      int              `json:"-"` // of the byte behind it
}

// String writes the finding as compilers do: file:line:column: severity:
// message (rule).
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s (%s)", f.File, f.Line, f.Column, f.Severity, f.Message, f.Rule)
}
