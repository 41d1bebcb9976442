package report

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
)

// speller appends one character as a format has it. A byte that is not UTF-8
// comes to it as that byte's value below zero.
type speller func(b []byte, r rune) []byte

// escape appends s, and leaves to spell what is not plain in every format.
func escape(b []byte, s string, spell speller) []byte {
	plain := 0 // s up to i is written to here
	for i := 0; i < len(s); {
		if isPlain(s[i]) {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			r = -rune(s[i])
		}
		b = append(b, s[plain:i]...)
		b = spell(b, r)
		i += size
		plain = i
	}
	return append(b, s[plain:]...)
}

// isPlain reports a byte that no format changes.
func isPlain(c byte) bool {
	switch c {
	case '"', '%', '&', ',', ':', '<', '>', '\\':
		return false
	}
	return ' ' <= c && c <= '~'
}

// spellText makes hidden characters visible, as \x1b, \u202e or \U000e0001.
func spellText(b []byte, r rune) []byte {
	switch {
	case r < 0:
		return fmt.Appendf(b, `\x%02x`, -r)
	case !jsontext.IsHidden(r):
		return utf8.AppendRune(b, r)
	case r < utf8.RuneSelf:
		return fmt.Appendf(b, `\x%02x`, r)
	case r > 0xffff:
		return fmt.Appendf(b, `\U%08x`, r)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// spellJSON writes a character of a JSON string. Bytes that are not UTF-8
// become U+FFFD.
func spellJSON(b []byte, r rune) []byte {
	switch {
	case r < 0:
		return append(b, "\ufffd"...)
	case r == '"' || r == '\\':
		return append(b, '\\', byte(r))
	case r == '\n':
		return append(b, `\n`...)
	case r == '\r':
		return append(b, `\r`...)
	case r == '\t':
		return append(b, `\t`...)
	case !jsontext.IsHidden(r):
		return utf8.AppendRune(b, r)
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// appendString appends a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	b = escape(b, s, spellJSON)
	return append(b, '"')
}

// spellXML writes a character of XML text or of an attribute. What XML 1.0
// cannot hold even as a reference (section 2.2) is shown as \u001b, and a byte
// that is not UTF-8 as \xff.
func spellXML(b []byte, r rune) []byte {
	switch {
	case r < 0:
		return spellText(b, r)
	case r < ' ' && r != '\t' && r != '\n' && r != '\r':
		return fmt.Appendf(b, `\u%04x`, r)
	case jsontext.IsHidden(r):
		return fmt.Appendf(b, `&#x%X;`, r)
	}
	return spellXMLLine(b, r)
}

// spellXMLLine writes a character of a line for people within XML.
func spellXMLLine(b []byte, r rune) []byte {
	switch r {
	case '<':
		return append(b, "&lt;"...)
	case '>':
		return append(b, "&gt;"...)
	case '&':
		return append(b, "&amp;"...)
	case '"':
		return append(b, "&quot;"...)
	case 0xfffe, 0xffff:
		return fmt.Appendf(b, `\u%04x`, r)
	}
	return spellText(b, r)
}
