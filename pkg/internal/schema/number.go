package schema

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
)

// number checks a number: its syntax, then its type, enum and bounds as the exact
// decimal that is written, not as a rounded float.
func (c *Checker) number(n *node) {
	start := c.pos
	shape, ok := c.skipNumber()
	if !ok {
		return
	}
	token := c.data[start:c.pos]
	if c.rechecking == 0 && !roundTrips(token, shape) {
		c.checkRoundTrip(token, start)
	}
	if n == nil {
		return
	}
	if n.types&(isNumber|isInteger) != isNumber|isInteger {
		kind, name := isNumber, "number"
		if shape == integral || parseDecimal(token).isWhole() {
			kind, name = isInteger, "integer"
		}
		if n.types&kind == 0 {
			c.wrongType(n, start, name)
			return
		}
	}
	if n.hasEnum {
		c.checkEnum(n, isNumber, token, start)
	}
	if n.bounds != nil {
		c.checkBounds(n, token, start)
	}
}

func (c *Checker) checkBounds(n *node, token []byte, start int) {
	value := parseDecimal(token)
	for i := range n.bounds {
		b := &n.bounds[i]
		order := value.compare(b.limit)
		if b.kind == Minimum && order < 0 || b.kind == Maximum && order > 0 ||
			b.kind == ExclusiveMinimum && order <= 0 || b.kind == ExclusiveMaximum && order >= 0 {
			if c.wants(b.kind) {
				c.add(Finding{Kind: b.kind, Offset: start, End: c.pos, Want: b.words, Got: shorten(token)})
			}
		}
	}
}

// numberShape is how a number is written.
type numberShape uint8

const (
	integral   numberShape = iota // 12
	fractional                    // 1.5
	scientific                    // 1e3
)

// skipNumber skips a number.
func (c *Checker) skipNumber() (shape numberShape, ok bool) {
	data, i := c.data, c.pos
	if data[i] == '-' {
		i++
	}
	first := i
	switch i = digitRun(data, i); {
	case i == first:
		c.syntaxError(i, "a digit is missing after the sign")
		return 0, false
	case data[first] == '0' && i > first+1:
		c.syntaxError(first, "a JSON number has no leading zero")
		return 0, false
	}
	if i < len(data) && data[i] == '.' {
		shape, first = fractional, i+1
		if i = digitRun(data, first); i == first {
			c.syntaxError(i, "a digit is missing after the decimal point")
			return 0, false
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		if i++; i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		shape, first = scientific, i
		if i = digitRun(data, first); i == first {
			c.syntaxError(i, "a digit is missing in the exponent")
			return 0, false
		}
	}
	c.pos = i
	return shape, true
}

func digitRun(data []byte, i int) int {
	for i < len(data) && '0' <= data[i] && data[i] <= '9' {
		i++
	}
	return i
}

// roundTrips reports whether a number is certain to stay the same when a receiver
// parses it as a float and writes it again: up to 15 digits do, unless they end
// in a redundant zero or are small enough for an exponent.
func roundTrips(token []byte, shape numberShape) bool {
	if token[0] == '-' {
		if token = token[1:]; string(token) == "0" {
			return false
		}
	}
	switch shape {
	case integral:
		return len(token) <= 15
	case fractional:
		return len(token) <= 16 && token[len(token)-1] != '0' && !bytes.HasPrefix(token, []byte("0.000000"))
	}
	return false
}

// checkRoundTrip counts a number that changes when a receiver parses the JSON
// and writes it again with floats, as JavaScript does. The first is reported.
func (c *Checker) checkRoundTrip(token []byte, start int) {
	f, err := strconv.ParseFloat(string(token), 64)
	var buffer [32]byte
	again := appendFloat(buffer[:0], f)
	if err == nil && string(again) == string(token) {
		return
	}
	if c.rewritten++; c.rewritten > 1 || !c.wants(RewrittenNumber) {
		return
	}
	want := string(again)
	if err != nil {
		want = "null"
	}
	c.add(Finding{Kind: RewrittenNumber, Offset: start, End: c.pos, Want: want, Got: shorten(token)})
}

// countRewritten completes the finding about the first number that changes,
// unless errors took its place.
func (c *Checker) countRewritten() {
	if c.rewritten < 2 {
		return
	}
	for i := range c.findings {
		if c.findings[i].Kind == RewrittenNumber {
			c.findings[i].More = c.rewritten - 1
		}
	}
}

// shorten returns a number as findings show it.
func shorten(token []byte) string {
	const most = 60
	if len(token) > most {
		return string(token[:most]) + "…"
	}
	return string(token)
}

// appendFloat appends a float as ECMAScript writes it.
func appendFloat(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, '0')
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); n >= 4 && b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') { // e-09 is e-9
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// decimal is a number as its significant digits. Zero has no digits and no sign.
type decimal struct {
	negative bool
	digits   []byte // from the first that is not 0 to the last; may contain the decimal point
	power    int64  // power of ten of the first digit: 2 for 123, -3 for 0.001
}

// parseDecimal returns a JSON number as a decimal, which refers to token.
func parseDecimal(token []byte) decimal {
	var d decimal
	if token[0] == '-' {
		d.negative, token = true, token[1:]
	}
	exponent := int64(0)
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
	d.digits, d.power = token[first:end], int64(whole-first)+exponent
	if first < whole {
		d.power--
	}
	return d
}

// parseExponent returns at most 2^56: far more than the digits of any payload,
// and far from the limits of int64.
func parseExponent(text []byte) int64 {
	const most = 1 << 56
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	e := int64(0)
	for _, b := range text {
		e = min(10*e+int64(b-'0'), most)
	}
	if negative {
		return -e
	}
	return e
}

// compare returns -1, 0 or 1 if d is less than, equal to or greater than other.
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

// compareSize compares the absolute values.
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

// isWhole reports whether a number has no fraction, like 5.0 and 1e3.
func (d decimal) isWhole() bool {
	count := len(d.digits)
	if bytes.IndexByte(d.digits, '.') >= 0 {
		count--
	}
	return d.power >= int64(count)-1
}
