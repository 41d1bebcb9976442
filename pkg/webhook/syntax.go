package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// SyntaxError describes where and why a payload is not valid JSON.
type SyntaxError struct {
	Offset int // in bytes
	Line   int // from 1
	Column int // from 1, in characters
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// syntaxAt makes a [*SyntaxError] for a place in raw.
func syntaxAt(raw []byte, offset int, reason string) *SyntaxError {
	line, column := position(raw, offset)
	return &SyntaxError{Offset: offset, Line: line, Column: column, Reason: reason}
}

// position returns the line and the column of a byte offset, both from 1. The
// column counts characters, as editors do.
func position(raw []byte, offset int) (line, column int) {
	before := raw[:min(max(offset, 0), len(raw))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte{'\n'}), 1 + utf8.RuneCount(before[start:])
}

// CheckJSON returns nil when raw is one JSON value in UTF-8, and otherwise a
// [*SyntaxError]. The depth of nesting does not matter.
func CheckJSON(raw []byte) error {
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		return syntaxAt(raw, 0, "this is empty: a JSON value is expected")
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		return syntaxAt(raw, 0, "a byte order mark before the JSON; save it as UTF-8 without BOM")
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("\xfe\xff")):
		return syntaxAt(raw, 0, "this is UTF-16; JSON is UTF-8")
	}
	if !quicklyValid(raw) && !json.Valid(raw) {
		return locate(raw)
	}
	if !utf8.Valid(raw) {
		return syntaxAt(raw, invalidUTF8(raw), "a byte that is not UTF-8")
	}
	return nil
}

// quicklyValid reports whether gjson finds raw valid, which is several times
// faster than encoding/json. gjson recurses, so text that could be nested deeper
// than encoding/json allows is left to that.
func quicklyValid(raw []byte) bool {
	const deep = 10_000
	return bytes.Count(raw, []byte{'{'})+bytes.Count(raw, []byte{'['}) < deep && gjson.ValidBytes(raw)
}

func locate(raw []byte) *SyntaxError {
	var sink json.RawMessage
	err := json.Unmarshal(raw, &sink)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return syntaxAt(raw, 0, "this is not JSON")
	}
	offset, reason := int(syntax.Offset)-1, syntax.Error()
	switch {
	case strings.Contains(reason, "unexpected end"),
		strings.Contains(reason, "character ' '") && !bytes.HasSuffix(raw, []byte(" ")) && offset == len(raw)-1: // a space that the scanner adds
		offset, reason = len(raw), "the JSON is cut off here"
	case strings.Contains(reason, "max depth"):
		reason = "nested too deep"
	case offset < 0 || offset >= len(raw): // no character to look at
		reason = "this is not JSON"
	case raw[offset] == 0:
		reason = "a NUL byte: this looks like a binary file"
	case (raw[offset] == '}' || raw[offset] == ']') && bytes.HasSuffix(bytes.TrimSpace(raw[:offset]), []byte(",")):
		reason = "a trailing comma before this bracket"
	default:
		reason = plainReason(reason)
	}
	return syntaxAt(raw, offset, reason)
}

// plainReason translates what encoding/json says of a character: "invalid
// character 'x' in numeric literal".
func plainReason(text string) string {
	text = strings.TrimPrefix(text, "invalid character ")
	for _, known := range []struct{ context, words string }{
		{" looking for beginning of value", " where a value is expected"},
		{" looking for beginning of object key string", " where a name in double quotes is expected"},
		{" after object key:value pair", " where a comma or } is expected"},
		{" after object key", " where a colon is expected"},
		{" after array element", " where a comma or ] is expected"},
		{" after top-level value", " after the end of the JSON"},
		{" in literal", " in a word: only true, false and null are written without quotes"},
		{" in numeric literal", " in a number"},
		{" in string escape code", " after a backslash, which is not an escape of JSON"},
		{` in \u hexadecimal character escape`, ` in an escape: four hex digits follow \u`},
		{" in string literal", " in a string, where it must be escaped"},
	} {
		if character, _, found := strings.Cut(text, known.context); found {
			return character + known.words
		}
	}
	return "this is not JSON"
}

func invalidUTF8(raw []byte) int {
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(raw)
}
