package diagnose

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// replaced gives what stands in the place of the body by accident: a word, a
// wrapping, another character encoding.
func (raw original) replaced(yield func(body) bool) {
	if len(raw) > maxPairBody {
		return
	}
	text := string(raw)
	list := []variant{
		{id: "body.python_bytes", text: pythonBytes(text)},
		{id: "body.string_missing", text: quoted(text)},
		{id: "body.base64_missing", text: base64.StdEncoding.EncodeToString(raw)},
	}
	for _, word := range []string{"", "[object Object]", "Array", "undefined", "null", "None", "{}"} {
		list = append(list, variant{id: "body.absent", detail: fmt.Sprintf("%q", word), text: word})
	}
	if inner, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
		list = append(list, variant{id: "body.base64_added", text: string(inner)})
	}
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		list = append(list, variant{id: "body.string_added", text: inner})
	}
	for _, v := range append(list, charsets(text)...) {
		if !yield(body{mistake: mistake{because(v.id, v.detail), true}, text: []byte(v.text)}) {
			return
		}
	}
}

// quoted is JSON.stringify of a text.
func quoted(text string) string {
	w := writer{out: []byte{'"'}}
	for _, r := range text {
		w.rune(r)
	}
	return string(append(w.out, '"'))
}

// pythonBytes is what Python prints for bytes.
func pythonBytes(text string) string {
	quote := byte('\'')
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = '"'
	}
	out := []byte{'b', quote}
	for i := range len(text) {
		switch c := text[i]; {
		case c == quote || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c < ' ' || c > '~':
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return string(append(out, quote))
}

// charsets gives the text as it comes out of a wrong character encoding.
func charsets(text string) []variant {
	var twice, latin1, marks []byte
	narrow := utf8.ValidString(text)
	for i := range len(text) {
		twice = utf8.AppendRune(twice, rune(text[i]))
	}
	for _, r := range text {
		narrow = narrow && r <= 0xff
		latin1 = append(latin1, byte(r)) // right while narrow holds
		if r < utf8.RuneSelf {
			marks = append(marks, byte(r))
		} else {
			marks = append(marks, '?')
		}
	}
	list := []variant{
		{id: "body.charset", detail: "UTF-8 taken for Latin-1 and written as UTF-8 again", text: string(twice)},
		{id: "body.charset", detail: "a question mark for each character past ASCII", text: string(marks)},
	}
	if narrow {
		list = append(list, variant{id: "body.charset", detail: "Latin-1", text: string(latin1)})
		if utf8.Valid(latin1) {
			list = append(list, variant{id: "body.charset", detail: "UTF-8, and the body here is UTF-8 twice over", text: string(latin1)})
		}
	}
	return list
}
