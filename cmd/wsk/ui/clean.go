package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes untrusted text safe to show on one line of a terminal: control
// characters (C0, DEL, C1), bidirectional overrides, line separators, other
// invisible format characters and bytes that are not UTF-8 are written as
// escapes, \x1b or \u202e.
func Clean(s string) string { return clean(s, false) }

// CleanLines is Clean for text of several lines: line feeds and tabs stay.
func CleanLines(s string) string { return clean(s, true) }

func clean(s string, lines bool) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case lines && (r == '\n' || r == '\t'), !isHidden(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

// isHidden reports whether a terminal obeys or does not show r: control (Cc),
// format (Cf: bidi, zero width, tags), surrogate and private-use characters,
// and the line and paragraph separators.
func isHidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co, unicode.Zl, unicode.Zp)
}

func isClean(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Short cuts s to n characters and marks the cut.
func Short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return string(runes[:n-1]) + "…"
}

// Wrap breaks text at spaces into lines of at most width characters, each
// after the first behind indent. A width of 0 leaves it whole.
func Wrap(text, indent string, width int) string {
	if width <= 0 {
		return text
	}
	var b strings.Builder
	column := utf8.RuneCountInString(indent) // where the first line begins
	for i, word := range strings.Split(text, " ") {
		size := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+size > width:
			b.WriteString("\n" + indent)
			column = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += size
	}
	return b.String()
}
