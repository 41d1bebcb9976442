// Package schema checks JSON payloads against JSON Schemas in one pass over
// the bytes: bytes go in, findings with pointer and offset come out, and no
// tree is built. Nothing is allocated for a payload without findings.
//
//	s, err := schema.Compile(load, "order.json")
//	if err != nil {
//		return err
//	}
//	var checker schema.Checker
//	for _, f := range checker.Check(s, payload) {
//		fmt.Println(f.Offset, f.Pointer, f.Message())
//	}
//
// The same pass checks that the payload is strict JSON: one text in UTF-8
// without a byte order mark, lone surrogates, duplicate keys or raw control
// characters, and no deeper than [MaxDepth]. Findings are reported in the order
// of the document. Of more than [MaxFindings] those met first are kept,
// violations before observations.
//
// # Keywords
//
// Of the draft 2020-12 of JSON Schema the package supports $ref, $defs, type,
// enum and const (of scalars), properties, required, additionalProperties,
// items, minItems, maxItems, minLength, maxLength, pattern, minimum, maximum,
// exclusiveMinimum, exclusiveMaximum, anyOf, allOf, oneOf, not, format (for its
// list of formats) and the annotations. A schema that uses another keyword or
// format does not compile, nor does one that refers to itself without going
// into the payload.
//
// A pattern is a regular expression of package regexp that matches anywhere in
// the string. A $ref names a file, relative to its own, and a JSON Pointer in
// that file.
//
// Numbers are compared as the decimals that are written, whatever their size.
//
// # Observations
//
// Some findings are observations and not violations: see [Kind]. Where the
// documents show something in samples only, a schema has x-values instead of
// enum, x-format instead of format (the empty string fits any) and x-type
// instead of type. Numbers are observed everywhere. Names and values are
// observed by the schemas that apply in any case, not by the alternatives of
// anyOf, oneOf and not. A name is unknown if properties lists others,
// additionalProperties is not given, and no schema for the same object lists
// it.
package schema
