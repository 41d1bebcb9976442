package schema

import "strings"

// Limits of a check.
const (
	MaxDepth    = 512 // brackets open at once
	MaxFindings = 100 // a payload
)

// Kind says what a finding is about: a keyword of the schema that the payload
// violates, a fault of its JSON, or something observed.
type Kind uint8

// Violations first, then faults of the JSON text, then observations.
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

	Syntax       // not JSON; nothing after it was looked at
	DuplicateKey // the same name twice in an object
	Depth        // deeper than MaxDepth; nothing after it was looked at

	UnknownProperty // a name that the object's schema does not list
	UndocumentedSet // a value outside x-values
	Alias           // a property that x-alias-of names another for
	DeprecatedName  // a property with x-deprecated
	PlainHTTP       // a value of format uri that begins with http:
	RewrittenNumber // a number that a receiver would change when it writes it again
	kinds           // how many there are
)

// IsViolation reports whether the payload is wrong, by the schema or as JSON;
// other findings are observations.
func (k Kind) IsViolation() bool { return k < UnknownProperty }

// String gives the kind's name: the keyword's, or words joined by dashes.
func (k Kind) String() string {
	names := [kinds]string{
		"type", "enum", "const", "required", "additionalProperties", "minItems", "maxItems", "minLength", "maxLength",
		"pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "anyOf", "oneOf", "not", "format",
		"syntax", "duplicate-key", "depth",
		"unknown-property", "undocumented-value", "alias", "deprecated", "plain-http", "rewritten-number",
	}
	return names[k]
}

// Finding is one thing that is said about a payload.
type Finding struct {
	Kind    Kind
	Offset  int    // of the value's first byte; of the name for findings about a name
	End     int    // of the byte behind it
	Pointer string // JSON Pointer of the value; of the object for a missing property
	Name    string // the property that is missing, not allowed, unknown, twice, deprecated or an alias
	Want    string // what the schema asks for: "string", "1", "pending, complete"
	Got     string // what is there: "object", "0"
}

// Message says the finding in plain words, without its place.
func (f Finding) Message() string {
	want, got := f.Want, f.Got
	if f.Kind == Type {
		want, got = article(want), article(got)
	}
	sentence := f.Kind.sentence()
	if f.Kind == UnknownProperty && want == "" {
		sentence, _, _ = strings.Cut(sentence, ":")
	}
	return strings.NewReplacer(
		"VALUE", f.subject(), "NAME", inWords(f.Name), "WANT", want, "GOT", got,
		"ITEMS", plural(want, "item"), "CHARACTERS", plural(want, "character"),
	).Replace(sentence)
}

// sentence is the message of a kind, with words in capitals to be replaced.
func (k Kind) sentence() string {
	return [kinds]string{
		Type:                 "VALUE must be WANT, is GOT",
		Enum:                 "VALUE must be one of WANT, is GOT",
		Const:                "VALUE must be WANT, is GOT",
		Required:             "NAME is required and missing",
		AdditionalProperties: "NAME is not allowed here",
		MinItems:             "VALUE must have at least WANT ITEMS, has GOT",
		MaxItems:             "VALUE must have at most WANT ITEMS, has GOT",
		MinLength:            "VALUE must have at least WANT CHARACTERS, has GOT",
		MaxLength:            "VALUE must have at most WANT CHARACTERS, has GOT",
		Pattern:              "VALUE must match WANT, is GOT",
		Minimum:              "VALUE must be at least WANT, is GOT",
		Maximum:              "VALUE must be at most WANT, is GOT",
		ExclusiveMinimum:     "VALUE must be more than WANT, is GOT",
		ExclusiveMaximum:     "VALUE must be less than WANT, is GOT",
		AnyOf:                "VALUE needs one of: WANT",
		OneOf:                "VALUE must fit exactly one alternative, fits GOT",
		Not:                  "VALUE is of a shape that is ruled out",
		Format:               "VALUE must be WANT, is GOT",
		Syntax:               "WANT",
		DuplicateKey:         "NAME is there twice in this object, and receivers differ in which they take",
		Depth:                "WANT",
		UnknownProperty:      "NAME is not documented here: did you mean WANT?",
		UndocumentedSet:      "VALUE is GOT; the documents show WANT",
		Alias:                "NAME is another name of WANT",
		DeprecatedName:       "NAME is deprecated: WANT",
		PlainHTTP:            "VALUE is a plain http URL",
		RewrittenNumber:      "VALUE is GOT; a receiver that writes the JSON again changes it to WANT",
	}[k]
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
	return inWords(step)
}

// inWords shows a name in a sentence: shortened, and the empty one with its
// quotes.
func inWords(name string) string {
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

// article puts the names of types into words.
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
