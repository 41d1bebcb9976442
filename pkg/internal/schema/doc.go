// Package schema checks JSON payloads against JSON Schemas in one pass over
// the bytes: bytes come in, findings with pointer and offset go out, and no
// tree is built. On a payload without findings nothing is allocated.
//
//	s, err := schema.Compile(loader, "order.json")
//	checker := schema.NewChecker()
//	for _, f := range checker.Check(s, payload) {
//		fmt.Println(f.Offset, f.Pointer, f.Message())
//	}
//
// The same pass holds the payload to strict JSON: one text in UTF-8, without
// a byte order mark, lone surrogates, duplicate keys, raw control characters
// or a depth past [MaxDepth]. It reports the findings in document order. Of
// more than [MaxFindings] it keeps those that it came upon first, violations
// before observations.
//
// # Keywords
//
// Of JSON Schema's draft 2020-12 it knows $ref, $defs, type, enum and const
// (of scalars), properties, required, additionalProperties, items, minItems,
// maxItems, minLength, maxLength, pattern, minimum, maximum,
// exclusiveMinimum, exclusiveMaximum, anyOf, allOf, oneOf, not and format,
// beside the annotations. A schema that uses another keyword, or a format that
// is not in [Formats], does not compile. Neither does one that refers to
// itself without going into the payload.
//
// A pattern is a regular expression of package regexp, searched for in the
// string. A $ref names a file, relative to its own, and a JSON Pointer in it.
//
// Numbers are compared as the decimals that are written, whatever their size.
//
// # Observations
//
// Findings that are no violations: see [Kind]. A number is observed wherever
// it stands. Names and values are observed by the schemas that hold for
// certain: not by the alternatives of anyOf, oneOf and not. A name counts as
// unknown when properties lists others, nothing is said of additional ones,
// and no schema for the same object lists it.
package schema
