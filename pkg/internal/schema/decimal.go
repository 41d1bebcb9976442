package schema

import (
	"bytes"
	"cmp"
)

// decimal is a number by its significant digits. Zero has none, and no sign.
type decimal struct {
	negative bool
	digits   []byte // from the first that is not 0 to the last; the point may stand among them
	power    int    // of ten, of the first digit: 2 for 123, -3 for 0.001
}

// parseDecimal takes a JSON number apart. The digits stay where they are.
func parseDecimal(token []byte) decimal {
	var d decimal
	if token[0] == '-' {
		d.negative, token = true, token[1:]
	}
	exponent := 0
	if e := bytes.IndexByte(token, 'e'); e >= 0 {
		token, exponent = token[:e], parseExponent(token[e+1:])
	} else if e := bytes.IndexByte(token, 'E'); e >= 0 {
		token, exponent = token[:e], parseExponent(token[e+1:])
	}
	whole := bytes.IndexByte(token, '.')
	if whole < 0 {
		whole = len(token)
	}
	first := 0
	for first < len(token) && (token[first] == '0' || token[first] == '.') {
		first++
	}
	end := len(token)
	for end > first && (token[end-1] == '0' || token[end-1] == '.') {
		end--
	}
	if first == end {
		return decimal{}
	}
	d.digits, d.power = token[first:end], whole-first+exponent
	if first < whole {
		d.power--
	}
	return d
}

// parseExponent stops counting far past any number of digits that a payload
// can have, and far from the ends of int.
func parseExponent(text []byte) int {
	const most = 1 << 56
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	e := 0
	for _, b := range text {
		e = min(10*e+int(b-'0'), most)
	}
	if negative {
		return -e
	}
	return e
}

// compare gives -1, 0 or 1 as d is less than, equal to or more than other.
func (d decimal) compare(other decimal) int {
	if d.sign() != other.sign() {
		return cmp.Compare(d.sign(), other.sign())
	}
	return d.sign() * d.compareSize(other)
}

func (d decimal) sign() int {
	switch {
	case len(d.digits) == 0:
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// compareSize compares without the signs.
func (d decimal) compareSize(other decimal) int {
	if d.power != other.power {
		return cmp.Compare(d.power, other.power)
	}
	a, b := d.digits, other.digits
	for len(a) > 0 || len(b) > 0 {
		var x, y byte
		x, a = nextDigit(a)
		y, b = nextDigit(b)
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return 0
}

func nextDigit(digits []byte) (byte, []byte) {
	if len(digits) == 0 {
		return '0', nil
	}
	if digits[0] == '.' {
		digits = digits[1:]
	}
	return digits[0], digits[1:]
}

// isWhole reports whether a number has no fraction: 5.0 and 1e3 have none.
func (d decimal) isWhole() bool {
	count := len(d.digits)
	if bytes.IndexByte(d.digits, '.') >= 0 {
		count--
	}
	return d.power >= count-1
}
