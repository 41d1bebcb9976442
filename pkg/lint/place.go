package lint

import (
	"bytes"
	"unicode/utf8"
)

// lineCounter gives lines and columns for offsets that grow; for one that does
// not it begins anew.
type lineCounter struct{ offset, line, column int }

func (c *lineCounter) place(raw []byte, offset int) (line, column int) {
	offset = min(offset, len(raw))
	if offset < c.offset {
		*c = lineCounter{}
	}
	span := raw[c.offset:offset]
	if n := bytes.Count(span, []byte{'\n'}); n > 0 {
		c.line += n
		c.column = 0
		span = span[bytes.LastIndexByte(span, '\n')+1:]
	}
	c.column += utf8.RuneCount(span)
	c.offset = offset
	return c.line + 1, c.column + 1
}

// excerpt returns the line around a place, at most 160 bytes of it, and where
// the place is in that.
func excerpt(raw []byte, offset int) (text string, caret int) {
	const before, after = 60, 100
	offset = min(offset, len(raw))
	start := bytes.LastIndexByte(raw[:offset], '\n') + 1
	end := len(raw)
	if i := bytes.IndexByte(raw[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	start, end = max(start, offset-before), min(end, offset+after)
	for start < offset && raw[start]&0xc0 == 0x80 { // not within a character
		start++
	}
	for end < len(raw) && end > offset && raw[end]&0xc0 == 0x80 {
		end--
	}
	line := bytes.TrimRight(raw[start:end], "\r")
	return string(line), min(offset-start, len(line))
}
