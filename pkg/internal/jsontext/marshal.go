// Package jsontext writes JSON that is safe to show on a terminal. It is
// internal because it is a detail of how wsk encodes its output: the packages
// under pkg share it, and it imports none of them.
package jsontext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Marshal is json.Marshal without the escapes that HTML needs, and with those
// that a terminal needs: control and format characters that JSON allows
// unescaped (C1, bidi overrides, zero width) are written as \u escapes. They
// decode to the same characters.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return escapeHidden(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// escapeHidden works on JSON, where hidden characters occur in strings only.
func escapeHidden(raw []byte) []byte {
	at := indexHidden(raw)
	if at == len(raw) {
		return raw
	}
	out := bytes.NewBuffer(make([]byte, 0, len(raw)+64))
	out.Write(raw[:at])
	for rest := raw[at:]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch high, low := utf16.EncodeRune(r); {
		case !IsHidden(r):
			out.Write(rest[:size])
		case r > 0xffff:
			fmt.Fprintf(out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(out, `\u%04x`, r)
		}
		rest = rest[size:]
	}
	return out.Bytes()
}

// indexHidden returns the index of the first hidden character, or the length of
// raw. Most of a record is ASCII, and calls no function for a character.
func indexHidden(raw []byte) int {
	for i := 0; i < len(raw); {
		if b := raw[i]; b >= ' ' && b < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(raw[i:])
		if IsHidden(r) {
			return i
		}
		i += size
	}
	return len(raw)
}

// IsHidden reports whether a terminal obeys or does not show r: control (Cc),
// format (Cf: bidi, zero width, tags), surrogate and private-use characters,
// and the line and paragraph separators.
func IsHidden(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co, unicode.Zl, unicode.Zp)
}
