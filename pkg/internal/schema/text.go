package schema

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// text checks a string.
func (c *Checker) text(n *node) {
	start := c.pos
	escaped, ok := c.quoted()
	if !ok || n == nil {
		return
	}
	if n.types&isString == 0 {
		c.mistyped(n, start, "string")
		return
	}
	if n.textual {
		c.characters(n, c.between(start, escaped), start)
	}
}

// characters checks what a string spells.
func (c *Checker) characters(n *node, value []byte, start int) {
	if n.sets {
		c.checkSets(n, isString, value, start)
	}
	if n.minLength > 0 || n.maxLength >= 0 {
		size := utf8.RuneCount(value)
		if size < n.minLength {
			c.miscounted(MinLength, start, n.minLength, size)
		}
		if n.maxLength >= 0 && size > n.maxLength {
			c.miscounted(MaxLength, start, n.maxLength, size)
		}
	}
	if n.pattern != nil && !n.pattern.Match(value) && c.notes(Pattern) {
		c.add(Finding{Kind: Pattern, Offset: start, End: c.pos, Want: n.pattern.String(), Got: quote(value)})
	}
	if n.format != nil && !n.format.fits(value) && c.notes(Format) {
		c.add(Finding{Kind: Format, Offset: start, End: c.pos, Want: n.format.words, Got: quote(value)})
	}
	if n.isURI && len(value) > 5 && strings.EqualFold(string(value[:5]), "http:") && c.notes(PlainHTTP) {
		c.add(Finding{Kind: PlainHTTP, Offset: start, End: c.pos, Got: quote(value)})
	}
	if n.values != nil && !slices.ContainsFunc(n.values, func(v string) bool { return v == string(value) }) && c.notes(UndocumentedSet) {
		c.add(Finding{Kind: UndocumentedSet, Offset: start, End: c.pos, Want: strings.Join(n.values, ", "), Got: quote(value)})
	}
}

// between returns a string's characters, where its quotes stand at start and
// before the place at hand. They are good until the next call.
func (c *Checker) between(start int, escaped bool) []byte {
	text := c.data[start+1 : c.pos-1]
	if escaped {
		c.scratch = appendPlain(c.scratch[:0], text)
		return c.scratch
	}
	return text
}

// quote shows a string's characters in a finding, shortened.
func quote(value []byte) string {
	const most = 60
	if len(value) > 4*most {
		value = value[:4*most]
	}
	if runes := []rune(string(value)); len(runes) > most {
		value = []byte(string(runes[:most]) + "…")
	}
	return strconv.Quote(string(value))
}
