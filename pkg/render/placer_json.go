package render

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

// jsonPlacer follows JSON as far as its strings.
type jsonPlacer struct {
	quoted  bool // within a string
	escaped bool // behind a backslash
}

func (p *jsonPlacer) literal(text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case p.escaped:
			p.escaped = false
		case p.quoted && c == '\\':
			p.escaped = true
		case c == '"':
			p.quoted = !p.quoted
		}
	}
}

func (p *jsonPlacer) value(v any, text string) written {
	switch {
	case p.escaped:
		return misplaced("a backslash stands before the variable, and would be joined with its value")
	case !utf8.ValidString(text):
		return unfit("the value is not UTF-8 text, which JSON must be: file_data_base64 is")
	case p.quoted:
		w := written{text: jsonEscape(text)}
		if w.text != text {
			w.risk = "would break this JSON"
		}
		return w
	}
	switch v.(type) {
	case nil:
		return written{text: "null"}
	case json.Number, bool:
		return written{text: text}
	default:
		if isBare(text) {
			return written{text: text}
		}
	}
	if text == "" {
		return unfit("the value is empty, and no JSON stands there then: write quotes around the variable")
	}
	return unfit("the value is a text: write quotes around the variable")
}

// isBare reports whether a text is a number, a boolean or null of JSON.
func isBare(text string) bool {
	if text == "" || strings.ContainsAny(text[:1], "\"[{ \t\r\n") || strings.TrimSpace(text) != text {
		return false
	}
	return webhook.CheckJSON([]byte(text)) == nil
}

// jsonEscape writes a text for the inside of a JSON string.
func jsonEscape(text string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b.WriteString(text[from:i])
		from = i + 1
		b.WriteByte('\\')
		switch c {
		case '"', '\\':
			b.WriteByte(c)
		case '\n':
			b.WriteByte('n')
		case '\r':
			b.WriteByte('r')
		case '\t':
			b.WriteByte('t')
		default:
			b.WriteString("u00")
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	if from == 0 {
		return text
	}
	b.WriteString(text[from:])
	return b.String()
}
