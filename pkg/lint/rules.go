package lint

import (
	"slices"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/report"
)

// Rules returns every rule: errors, then warnings, then notes.
func Rules() []report.Rule { return slices.Clone(rules) }

var rules = []report.Rule{
	{ID: "syntax", Severity: report.Error, Help: "the payload is one JSON text in UTF-8, without raw control characters or lone surrogates"},
	{ID: "depth", Severity: report.Error, Help: "no more than 512 brackets are open at once"},
	{ID: "duplicate-key", Severity: report.Error, Help: "an object has each name once; receivers differ in which of two they use"},
	{ID: "envelope", Severity: report.Error, Help: "the payload is an object with event_type, or with event"},
	{ID: "unknown-event", Severity: report.Error, Help: "the platform documents the event in this form"},
	{ID: "required", Severity: report.Error, Help: "every field that is documented as required is present"},
	{ID: "type", Severity: report.Error, Help: "a value has the documented type"},
	{ID: "closed-set", Severity: report.Error, Help: "a value is one of the documented options, where the list of options is complete"},
	{ID: "format", Severity: report.Error, Help: "dates, times and currencies are written as documented"},
	{ID: "range", Severity: report.Error, Help: "a number lies within the documented bounds"},
	{ID: "length", Severity: report.Error, Help: "a text or a list has a documented length"},
	{ID: "shape", Severity: report.Error, Help: "a value fits a custom schema"},
	{ID: "entry-date", Severity: report.Error, Help: "the entries of a timesheet have its date"},
	{ID: "unknown-field", Severity: report.Warning, Help: "a field is documented for the event"},
	{ID: "undocumented-value", Severity: report.Warning, Help: "a value of an open set is one of those documented"},
	{ID: "undocumented-format", Severity: report.Warning, Help: "an e-mail address or a URL is valid; no document states its format, and \"\" means none"},
	{ID: "currency-case", Severity: report.Warning, Help: "a currency code is in capitals, as in ISO 4217"},
	{ID: "missing-timestamp", Severity: report.Warning, Help: "a compact event has a timestamp; WorkSkedge's test payload has none"},
	{ID: "end-before-start", Severity: report.Warning, Help: "an end date is not before its start date"},
	{ID: "hours-sum", Severity: report.Warning, Help: "the hours of the entries add up to the total"},
	{ID: "totals-sum", Severity: report.Warning, Help: "quantities, prices, taxes and counts add up to their totals"},
	{ID: "plain-http", Severity: report.Warning, Help: "a URL is https, which the platforms ask for"},
	{ID: "masked-email", Severity: report.Warning, Help: "an e-mail address is not masked by the web page that it was copied from"},
	{ID: "rewritten-number", Severity: report.Note, Help: "a number stays the same when a receiver parses the JSON and writes it again"},
	{ID: "undocumented-type", Severity: report.Note, Help: "a value has a type that the documented samples show, where no type is documented"},
	{ID: "alias", Severity: report.Note, Help: "a field has its canonical name"},
	{ID: "deprecated", Severity: report.Note, Help: "a field has a name that is not deprecated"},
	{ID: "undocumented-payload", Severity: report.Note, Help: "the event has a documented payload; without one only the envelope is checked"},
}

func ruleIDs() []string {
	var ids []string
	for _, r := range rules {
		ids = append(ids, r.ID)
	}
	return ids
}

// ruleOf returns the rule that a finding of the schema engine belongs to.
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
	case schema.UndocumentedFormat:
		return "undocumented-format"
	case schema.UndocumentedType:
		return "undocumented-type"
	case schema.Alias:
		return "alias"
	case schema.DeprecatedName:
		return "deprecated"
	case schema.PlainHTTP:
		return "plain-http"
	case schema.RewrittenNumber:
		return "rewritten-number"
	}
	return "shape" // only custom schemas use the other keywords
}
