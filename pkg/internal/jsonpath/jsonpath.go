// Package jsonpath splits the paths that people type to name a place in a
// payload: data.contacts.0.email. It is internal because pkg/webhook and
// pkg/payload share it and offer it in their own terms; it imports nothing of
// wsk.
package jsonpath

import "strings"

// Split splits a path at its dots and brackets: data.contacts[0].email and
// data.contacts.0.email are the same. "[]" is a separate step. A dot or a
// bracket that belongs to a name is written \. or \[.
func Split(path string) []string {
	var steps []string
	var step strings.Builder
	flush := func() {
		if step.Len() > 0 {
			steps = append(steps, step.String())
			step.Reset()
		}
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && i+1 < len(path):
			i++
			step.WriteByte(path[i])
		case strings.HasPrefix(path[i:], "[]"):
			flush()
			steps = append(steps, "[]")
			i++
		case c == '.' || c == '[' || c == ']':
			flush()
		default:
			step.WriteByte(c)
		}
	}
	flush()
	return steps
}

// Escape writes a step so that [Split] reads it back as one step.
func Escape(step string) string {
	return strings.NewReplacer(`\`, `\\`, ".", `\.`, "[", `\[`, "]", `\]`).Replace(step)
}

// IsIndex reports whether a step is an index into a list: digits without a
// leading zero.
func IsIndex(step string) bool {
	return step != "" && strings.Trim(step, "0123456789") == "" && (len(step) == 1 || step[0] != '0') && len(step) <= 18
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// EscapePointer writes a name as a step of a JSON Pointer (RFC 6901, section 3).
func EscapePointer(name string) string { return pointerEscaper.Replace(name) }
