package schema

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
)

// Limits of a check.
const (
	MaxDepth    = 512 // brackets open at once
	MaxFindings = 100 // a payload
)

// Kind is what a finding is about: a keyword of the schema that the payload
// violates, an error of its JSON, or an observation.
type Kind uint8

// Violations, then errors of the JSON, then observations.
const (
	Type Kind = iota
	Enum
	Const
	Required
	AdditionalProperties
	MinItems
	MaxItems
	MinLength
	MaxLength
	Pattern
	Minimum
	Maximum
	ExclusiveMinimum
	ExclusiveMaximum
	AnyOf
	OneOf
	Not
	Format

	Syntax       // not JSON; what follows was not checked
	DuplicateKey // the same name twice in an object
	Depth        // deeper than MaxDepth; what follows was not checked

	UnknownProperty    // a name that the object's schema does not list
	UndocumentedSet    // a value outside x-values
	UndocumentedFormat // a string that does not fit x-format
	UndocumentedType   // a value of a type outside x-type
	Alias              // a property that x-alias-of names another for
	DeprecatedName     // a property with x-deprecated
	PlainHTTP          // a value of format uri that begins with http:
	RewrittenNumber    // the first number that a receiver would change when it writes the JSON again
)

// IsViolation reports whether the payload is wrong, by the schema or as JSON;
// other findings are observations.
func (k Kind) IsViolation() bool { return k < UnknownProperty }

// kindInfo describes a kind: its name, and the message of its findings with
// placeholders in capitals.
type kindInfo struct{ name, message string }

var kindInfos = [...]kindInfo{
	Type:                 {"type", "VALUE must be WANT, is GOT"},
	Enum:                 {"enum", "VALUE must be one of WANT, is GOT"},
	Const:                {"const", "VALUE must be WANT, is GOT"},
	Required:             {"required", "NAME is required and missing"},
	AdditionalProperties: {"additionalProperties", "NAME is not allowed here"},
	MinItems:             {"minItems", "VALUE must have at least WANT ITEMS, has GOT"},
	MaxItems:             {"maxItems", "VALUE must have at most WANT ITEMS, has GOT"},
	MinLength:            {"minLength", "VALUE must have at least WANT CHARACTERS, has GOT"},
	MaxLength:            {"maxLength", "VALUE must have at most WANT CHARACTERS, has GOT"},
	Pattern:              {"pattern", "VALUE must match WANT, is GOT"},
	Minimum:              {"minimum", "VALUE must be at least WANT, is GOT"},
	Maximum:              {"maximum", "VALUE must be at most WANT, is GOT"},
	ExclusiveMinimum:     {"exclusiveMinimum", "VALUE must be more than WANT, is GOT"},
	ExclusiveMaximum:     {"exclusiveMaximum", "VALUE must be less than WANT, is GOT"},
	AnyOf:                {"anyOf", "VALUE needs one of: WANT"},
	OneOf:                {"oneOf", "VALUE must fit exactly one alternative, fits GOT"},
	Not:                  {"not", "VALUE has a shape that is not allowed"},
	Format:               {"format", "VALUE must be WANT, is GOT"},
	Syntax:               {"syntax", "WANT"},
	DuplicateKey:         {"duplicate-key", "NAME appears twice in this object, and receivers differ in which one they use"},
	Depth:                {"depth", "WANT"},
	UnknownProperty:      {"unknown-property", "NAME is not documented here: did you mean WANT?"},
	UndocumentedSet:      {"undocumented-value", "VALUE is GOT; documented values are WANT"},
	UndocumentedFormat:   {"undocumented-format", "VALUE is not WANT: GOT"},
	UndocumentedType:     {"undocumented-type", "VALUE is GOT; the documented samples show WANT"},
	Alias:                {"alias", "NAME is another name of WANT"},
	DeprecatedName:       {"deprecated", "NAME is deprecated: WANT"},
	PlainHTTP:            {"plain-http", "VALUE is a plain http URL"},
	RewrittenNumber:      {"rewritten-number", "VALUE is GOT; a receiver that writes the JSON again changes it to WANT"},
}

// String returns the name of the keyword, or of what was found.
func (k Kind) String() string { return kindInfos[k].name }

// Finding is one statement about a payload.
type Finding struct {
	Kind    Kind
	Offset  int    // of the first byte of the value, or of the name in findings about a name
	End     int    // of the byte after it
	Pointer string // JSON Pointer of the value; of the object for a missing property
	Name    string // the property that is missing, not allowed, unknown, twice, deprecated or an alias
	Want    string // what the schema requires: "string", "1", "pending, complete"
	Got     string // what the payload has: "object", "0"
	More    int    // how many more numbers are like that of a RewrittenNumber
}

// Message returns the finding as a lowercase sentence, without its place.
func (f Finding) Message() string {
	want, got := f.Want, f.Got
	if f.Kind == Type || f.Kind == UndocumentedType {
		want, got = article(want), article(got)
	}
	sentence := kindInfos[f.Kind].message
	if f.Kind == UnknownProperty && want == "" {
		sentence, _, _ = strings.Cut(sentence, ":")
	}
	if f.More > 0 {
		sentence += ", and " + strconv.Itoa(f.More) + " more " + plural(strconv.Itoa(f.More), "number")
	}
	return strings.NewReplacer(
		"VALUE", f.subject(), "NAME", displayName(f.Name), "WANT", want, "GOT", got,
		"ITEMS", plural(want, "item"), "CHARACTERS", plural(want, "character"),
	).Replace(sentence)
}

// subject is what the sentence is about: the last step of the pointer.
func (f Finding) subject() string {
	if f.Pointer == "" {
		return "the payload"
	}
	step := unescapePointer(f.Pointer[strings.LastIndexByte(f.Pointer, '/')+1:])
	if step != "" && strings.Trim(step, "0123456789") == "" {
		return "item " + step
	}
	return displayName(step)
}

// displayName returns a name as messages show it: shortened, and the empty name in
// quotes.
func displayName(name string) string {
	const most = 60
	if name == "" {
		return `""`
	}
	if runes := []rune(name[:min(len(name), 4*most)]); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}

func plural(count, noun string) string {
	if count == "1" {
		return noun
	}
	return noun + "s"
}

// article returns the names of types with their articles.
func article(kinds string) string {
	words := strings.Split(kinds, ", ")
	for i, w := range words {
		switch w {
		case "null":
		case "array":
			words[i] = "a list"
		case "object", "integer":
			words[i] = "an " + w
		default:
			words[i] = "a " + w
		}
	}
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// Syntax errors that several functions report.
const (
	cutOff        = "the JSON is cut off here"
	cutOffString  = "the JSON is cut off here, in a string"
	trailingComma = "a trailing comma before this bracket"
)

// wants reports whether a finding of this kind is to be added. In a trial none is,
// and a violation ends the trial.
func (c *Checker) wants(kind Kind) bool {
	if c.trial > 0 {
		c.stop = c.stop || kind.IsViolation()
		return false
	}
	return len(c.findings) < MaxFindings || kind.IsViolation() && c.observed > 0
}

// add adds a finding about the current value. If there is no room, it replaces an
// observation, or else the last finding.
func (c *Checker) add(f Finding) {
	f.Pointer = c.pointer()
	if len(c.findings) == MaxFindings {
		i := len(c.findings) - 1
		if c.observed > 0 {
			for c.findings[i].Kind.IsViolation() {
				i--
			}
			c.observed--
		}
		c.findings = slices.Delete(c.findings, i, i+1)
	}
	if !f.Kind.IsViolation() {
		c.observed++
	}
	c.findings = append(c.findings, f)
}

func (c *Checker) wrongCount(kind Kind, start, want, got int) {
	if c.wants(kind) {
		c.add(Finding{Kind: kind, Offset: start, End: c.pos, Want: strconv.Itoa(want), Got: strconv.Itoa(got)})
	}
}

// syntaxError reports where the text stops being JSON.
func (c *Checker) syntaxError(at int, why string) {
	if !c.ended {
		c.abort(Finding{Kind: Syntax, Offset: at, End: min(at+1, len(c.data)), Want: why})
	}
}

// abort adds a finding after which nothing is checked.
func (c *Checker) abort(f Finding) {
	c.ended, c.stop = true, true
	c.add(f)
}

// notValue reports a byte that does not begin a value.
func (c *Checker) notValue(at int) {
	why := "no JSON value begins with "
	switch b := c.data[at]; {
	case b == 0:
		why = "a NUL byte: this looks like a binary file"
	case b == '}' || b == ']' || b == ',':
		why = "a value is missing here"
	case b == '\'' || b == '`':
		why = "JSON strings are in double quotes"
	case b == '/' || b == '#':
		why = "JSON has no comments"
	case b == '+' || b == '.':
		why = "a JSON number begins with a digit or -"
	case 'a' <= b|0x20 && b|0x20 <= 'z':
		why = "only true, false and null are written without quotes"
	case b < ' ' || b >= 0x7f:
		why = "no JSON value begins with this byte"
	default:
		why += string(rune(b))
	}
	c.syntaxError(at, why)
}

// pointer returns the JSON Pointer of the current value.
func (c *Checker) pointer() string {
	var b []byte
	for _, step := range c.path {
		b = append(b, '/')
		if step >= 0 {
			b = strconv.AppendInt(b, int64(step), 10)
		} else {
			b = append(b, jsonpath.EscapePointer(c.nameAt(^step))...)
		}
	}
	return string(b)
}

// nameAt returns the characters of the name whose first quote is at an offset.
func (c *Checker) nameAt(at int) string {
	end := at + 1
	for c.data[end] != '"' {
		if c.data[end] == '\\' {
			end++
		}
		end++
	}
	return string(appendPlain(nil, c.data[at+1:end]))
}

// sorted returns the findings by place, violations first, without those that two
// schemas for the same value reported.
func (c *Checker) sorted() []Finding {
	if len(c.findings) < 2 {
		return c.findings
	}
	sort.SliceStable(c.findings, func(i, j int) bool {
		a, b := &c.findings[i], &c.findings[j]
		if a.Offset != b.Offset {
			return a.Offset < b.Offset
		}
		return a.Kind.IsViolation() && !b.Kind.IsViolation()
	})
	kept := c.findings[:0]
	for _, f := range c.findings {
		if !slices.Contains(kept, f) {
			kept = append(kept, f)
		}
	}
	c.findings = kept
	return kept
}
