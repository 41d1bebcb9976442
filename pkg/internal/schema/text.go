package schema

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// skipString skips a string and reports whether it has escapes.
func (c *Checker) skipString() (escaped, ok bool) {
	data, i := c.data, c.pos+1
	for {
		if i = PlainRun(data, i); i >= len(data) {
			c.syntaxError(len(data), cutOffString)
			return false, false
		}
		switch b := data[i]; {
		case b == '"':
			c.pos = i + 1
			return escaped, true
		case b == '\\':
			escaped = true
			size := c.escape(i)
			if size == 0 {
				return false, false
			}
			i += size
		case b < ' ':
			c.syntaxError(i, "a raw control character in a string: write it as an escape such as \\n or \\u001b")
			return false, false
		default:
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				c.syntaxError(i, "a byte that is not UTF-8")
				return false, false
			}
			i += size
		}
	}
}

// PlainRun returns the index of the next byte that ends a run of printable
// ASCII: a quote, a backslash, a control character or a byte above 0x7f. It
// checks eight bytes at a time. In each difference the top bit of a byte is set
// if that byte ends the run; a borrow can set it wrongly only in the bytes after
// the first such byte.
func PlainRun(data []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		quotes := w ^ ones*'"'
		slashes := w ^ ones*'\\'
		if stop := ((w - ones*' ') | (quotes - ones) | (slashes - ones) | w) & tops; stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	for ; i < len(data); i++ {
		if b := data[i]; b == '"' || b == '\\' || b < ' ' || b >= 0x80 {
			break
		}
	}
	return i
}

// escape checks the escape at i and returns its length, where a surrogate pair
// is one escape; 0 if it is invalid.
func (c *Checker) escape(i int) int {
	if endsWithin(c.data[i:]) {
		c.syntaxError(len(c.data), cutOffString)
		return 0
	}
	switch c.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
	default:
		c.syntaxError(i, "not a JSON escape: a backslash is followed by one of \"\\/bfnrtu")
		return 0
	}
	r, ok := hex4(c.data, i+2)
	switch {
	case !ok:
		c.syntaxError(i, "\\u needs four hex digits")
		return 0
	case r < 0xd800 || r > 0xdfff:
		return 6
	case r < 0xdc00 && endsWithin(c.data[i+6:]):
		c.syntaxError(len(c.data), cutOffString)
		return 0
	case r < 0xdc00 && c.data[i+6] == '\\' && c.data[i+7] == 'u':
		if low, ok := hex4(c.data, i+8); ok && low >= 0xdc00 && low <= 0xdfff {
			return 12
		}
	}
	c.syntaxError(i, "half a surrogate pair: not a character, and receivers differ in how they read it")
	return 0
}

// endsWithin reports whether the text ends in the \u escape that it starts with,
// and is valid up to there.
func endsWithin(text []byte) bool {
	for i := range 6 {
		switch {
		case i == len(text):
			return true
		case i == 0 && text[i] != '\\', i == 1 && text[i] != 'u', i > 1 && !isHex(text[i]):
			return false
		}
	}
	return false
}

func hex4(data []byte, i int) (rune, bool) {
	if i+4 > len(data) {
		return 0, false
	}
	var r rune
	for _, b := range data[i : i+4] {
		switch {
		case '0' <= b && b <= '9':
			r = r<<4 | rune(b-'0')
		case 'a' <= b|0x20 && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// appendPlain appends the characters of a valid string without its quotes.
func appendPlain(out, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		i++
		switch text[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(text, i+1)
			i += 4
			if r >= 0xd800 && r <= 0xdbff {
				low, _ := hex4(text, i+3)
				r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
				i += 6
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, text[i])
		}
	}
	return out
}

// text checks a string.
func (c *Checker) text(n *node) {
	start := c.pos
	escaped, ok := c.skipString()
	if !ok || n == nil {
		return
	}
	if n.types&isString == 0 {
		c.wrongType(n, start, "string")
		return
	}
	if n.checksText {
		c.characters(n, c.unquoted(start, escaped), start)
	}
}

// characters checks the characters of a string.
func (c *Checker) characters(n *node, value []byte, start int) {
	if n.hasEnum {
		c.checkEnum(n, isString, value, start)
	}
	if n.minLength > 0 || n.maxLength >= 0 {
		size := utf8.RuneCount(value)
		if size < n.minLength {
			c.wrongCount(MinLength, start, n.minLength, size)
		}
		if n.maxLength >= 0 && size > n.maxLength {
			c.wrongCount(MaxLength, start, n.maxLength, size)
		}
	}
	if n.pattern != nil && !n.pattern.Match(value) && c.wants(Pattern) {
		c.add(Finding{Kind: Pattern, Offset: start, End: c.pos, Want: n.pattern.String(), Got: quote(value)})
	}
	if n.format != nil && !n.format.fits(value) && c.wants(Format) {
		c.add(Finding{Kind: Format, Offset: start, End: c.pos, Want: n.format.words, Got: quote(value)})
	}
	if n.shown != nil && len(value) > 0 && !n.shown.fits(value) && c.wants(UndocumentedFormat) {
		c.add(Finding{Kind: UndocumentedFormat, Offset: start, End: c.pos, Want: n.shown.words, Got: quote(value)})
	}
	if n.isURI && len(value) > 5 && strings.EqualFold(string(value[:5]), "http:") && c.wants(PlainHTTP) {
		c.add(Finding{Kind: PlainHTTP, Offset: start, End: c.pos, Got: quote(value)})
	}
	if n.values != nil && !slices.ContainsFunc(n.values, func(v string) bool { return v == string(value) }) && c.wants(UndocumentedSet) {
		c.add(Finding{Kind: UndocumentedSet, Offset: start, End: c.pos, Want: strings.Join(n.values, ", "), Got: quote(value)})
	}
}

// unquoted returns the characters of the string between start and the current
// position. They are valid until the next call.
func (c *Checker) unquoted(start int, escaped bool) []byte {
	text := c.data[start+1 : c.pos-1]
	if escaped {
		c.scratch = appendPlain(c.scratch[:0], text)
		return c.scratch
	}
	return text
}

// quote returns a string as findings show it, shortened.
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
