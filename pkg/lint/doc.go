// Package lint holds payloads against the event catalog: bytes come in,
// findings with line, column and JSON Pointer come out.
//
//	linter := lint.New(lint.Config{})
//	checker := linter.NewChecker() // one for each goroutine
//	result := checker.Payload(payload)
//	for _, f := range result.Findings {
//		fmt.Printf("%d:%d: %s: %s (%s)\n", f.Line, f.Column, f.Severity, f.Message, f.Rule)
//	}
//
// First the payload's event is found by its envelope, and its schema checks
// the bytes in one pass ([schema.Checker]); then come the rules that no schema
// can say: dates in the wrong order, hours and totals that do not add up.
// [Rules] lists them all. An error is what contradicts the documents, a
// warning what deserves a look, a note what could be said better.
package lint
