package schema

import (
	"bytes"
	"math"
	"strconv"
)

// number checks a number: its JSON, then its type, sets and bounds as the
// exact decimal that is written, not as a rounded float.
func (c *Checker) number(n *node) {
	start := c.pos
	shape, ok := c.digits()
	if !ok {
		return
	}
	token := c.data[start:c.pos]
	if c.again == 0 && !survives(token, shape) {
		c.observeNumber(token, start)
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
			c.mistyped(n, start, name)
			return
		}
	}
	if n.sets {
		c.checkSets(n, isNumber, token, start)
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
			if c.notes(b.kind) {
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

// digits passes over a number.
func (c *Checker) digits() (shape numberShape, ok bool) {
	data, i := c.data, c.pos
	if data[i] == '-' {
		i++
	}
	first := i
	switch i = digitRun(data, i); {
	case i == first:
		c.broken(i, "a digit is missing after the sign")
		return 0, false
	case data[first] == '0' && i > first+1:
		c.broken(first, "a number of JSON has no leading zero")
		return 0, false
	}
	if i < len(data) && data[i] == '.' {
		shape, first = fractional, i+1
		if i = digitRun(data, first); i == first {
			c.broken(i, "a digit is missing after the point")
			return 0, false
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		if i++; i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		shape, first = scientific, i
		if i = digitRun(data, first); i == first {
			c.broken(i, "a digit is missing in the exponent")
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

// survives reports whether a number is sure to come out as it went in when a
// receiver parses it into a float and writes it again: 15 digits always do,
// unless they end in a needless zero or are small enough for an exponent.
func survives(token []byte, shape numberShape) bool {
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

// observeNumber reports a number that a receiver changes when it parses the
// JSON into floats and writes it again, as JavaScript does.
func (c *Checker) observeNumber(token []byte, start int) {
	f, err := strconv.ParseFloat(string(token), 64)
	var buffer [32]byte
	again := appendFloat(buffer[:0], f)
	if err == nil && string(again) == string(token) || !c.notes(RewrittenNumber) {
		return
	}
	want := string(again)
	if err != nil {
		want = "null"
	}
	c.add(Finding{Kind: RewrittenNumber, Offset: start, End: c.pos, Want: want, Got: shorten(token)})
}

// shorten shows a number in a finding.
func shorten(token []byte) string {
	const most = 60
	if len(token) > most {
		return string(token[:most]) + "…"
	}
	return string(token)
}

// appendFloat writes a float as ECMAScript does.
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
