package schema

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// quoted passes over a string and reports whether it has escapes.
func (c *Checker) quoted() (escaped, ok bool) {
	data, i := c.data, c.pos+1
	for {
		if i = plainRun(data, i); i >= len(data) {
			c.broken(len(data), cutOffString)
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
			c.broken(i, "a raw control character stands in a string: write it as an escape, \\n or \\u00..")
			return false, false
		default:
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				c.broken(i, "a byte that is not UTF-8")
				return false, false
			}
			i += size
		}
	}
}

// plainRun returns the place of the next byte that ends a run of printable
// ASCII: a quote, a backslash, a control character or a byte past 0x7f. It
// looks at eight bytes at a time. In each difference the top bit of a byte is
// set where that byte stops the run; a borrow can set it wrongly only in the
// bytes after the first such one.
func plainRun(data []byte, i int) int {
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

// escape checks the escape at i and returns its length, a surrogate pair as
// one; 0 when it is none.
func (c *Checker) escape(i int) int {
	if endsWithin(c.data[i:]) {
		c.broken(len(c.data), cutOffString)
		return 0
	}
	switch c.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
	default:
		c.broken(i, "no escape of JSON: after a backslash stands one of \"\\/bfnrtu")
		return 0
	}
	r, ok := hex4(c.data, i+2)
	switch {
	case !ok:
		c.broken(i, "\\u takes four hex digits")
		return 0
	case r < 0xd800 || r > 0xdfff:
		return 6
	case r < 0xdc00 && endsWithin(c.data[i+6:]):
		c.broken(len(c.data), cutOffString)
		return 0
	case r < 0xdc00 && c.data[i+6] == '\\' && c.data[i+7] == 'u':
		if low, ok := hex4(c.data, i+8); ok && low >= 0xdc00 && low <= 0xdfff {
			return 12
		}
	}
	c.broken(i, "half a surrogate pair: no character, and receivers differ in what they make of it")
	return 0
}

// endsWithin reports whether the text ends before or within the escape that
// begins it, and is right until there.
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

// appendPlain takes the escapes out of a string that was checked.
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
