package schema

import "bytes"

// Checker checks payloads one after another and keeps its buffers between
// them. The zero value is ready to use. A Checker must not be used by several
// goroutines at once.
type Checker struct {
	data  []byte
	pos   int
	depth int
	ended bool // the rest of the payload is not checked
	stop  bool // ended, or in a trial and the value does not fit

	path       []int // to the current value: an item's index, or ^offset of a member's name
	findings   []Finding
	observed   int // how many of them are observations
	rewritten  int // how many numbers would be rewritten; only the first is among the findings
	trial      int // how many alternatives deep: findings there are not reported
	rechecking int // how many times the current bytes are being checked again
	budget     int // how many bytes may still be checked again

	bits    []uint64 // which properties of the open objects were seen
	scratch []byte   // a string without its escapes
	names   nameSet
}

// Buffers larger than these are not kept for the next payload.
const (
	maxKeptNames = 1 << 12
	maxKeptText  = 1 << 16
)

// Check checks one payload and returns the findings in the order of the
// document. With a nil schema it only checks that the payload is strict JSON.
// The slice is valid until the next call.
func (c *Checker) Check(s *Schema, payload []byte) []Finding {
	c.data, c.pos, c.depth, c.ended, c.stop = payload, 0, 0, false, false
	c.path, c.findings, c.bits = c.path[:0], c.findings[:0], c.bits[:0]
	c.observed, c.rewritten, c.trial, c.rechecking = 0, 0, 0, 0
	c.budget = 1<<20 + 64*len(payload)
	var root *node
	if s != nil {
		root = s.root
	}
	if c.begin() {
		c.value(root)
	}
	if c.space(); !c.ended && c.pos < len(c.data) {
		c.syntaxError(c.pos, "the JSON ends before this place: a payload is one JSON text")
	}
	c.release()
	c.countRewritten()
	return c.sorted()
}

// release empties the buffers and drops those that are too large to keep.
func (c *Checker) release() {
	c.data = nil
	c.names.release(0)
	if cap(c.names.list) > maxKeptNames {
		c.names = nameSet{}
	}
	if cap(c.scratch) > maxKeptText {
		c.scratch = nil
	}
}

// begin reports whether the payload may be JSON, judged by its first bytes.
func (c *Checker) begin() bool {
	first := c.data[:min(len(c.data), 4)]
	switch {
	case bytes.HasPrefix(first, []byte("\xef\xbb\xbf")):
		c.syntaxError(0, "a byte order mark before the JSON; save it as UTF-8 without BOM")
	case bytes.HasPrefix(first, []byte("\xff\xfe")), bytes.HasPrefix(first, []byte("\xfe\xff")),
		len(first) == 4 && (first[0] == 0) != (first[1] == 0):
		c.syntaxError(0, "this is UTF-16 or a binary file; JSON is UTF-8")
	default:
		if c.space(); c.pos < len(c.data) {
			return true
		}
		c.syntaxError(0, "this is empty: a JSON value is expected")
	}
	return false
}

// space skips white space.
func (c *Checker) space() {
	if c.pos < len(c.data) && c.data[c.pos] <= ' ' {
		c.spaces()
	}
}

func (c *Checker) spaces() {
	i := c.pos
	for i < len(c.data) && (c.data[i] == ' ' || c.data[i] == '\n' || c.data[i] == '\t' || c.data[i] == '\r') {
		i++
	}
	c.pos = i
}

// value checks the current value against n; a nil n accepts any.
func (c *Checker) value(n *node) {
	if c.space(); c.pos >= len(c.data) {
		c.syntaxError(c.pos, cutOff)
		return
	}
	start := c.pos
	switch b := c.data[c.pos]; {
	case b == '"':
		c.text(n)
	case b == '{':
		c.object(n)
	case b == '[':
		c.array(n)
	case b == '-' || '0' <= b && b <= '9':
		c.number(n)
	default:
		c.literal(n)
	}
	if n != nil && n.combines && !c.stop {
		c.combine(n, start)
	}
}

// wrongType reports a value whose type is not one of those allowed.
func (c *Checker) wrongType(n *node, start int, name string) {
	if c.wants(Type) {
		c.add(Finding{Kind: Type, Offset: start, End: c.pos, Want: n.wantTypes, Got: name})
	}
}

func (c *Checker) literal(n *node) {
	start := c.pos
	rest := c.data[c.pos:]
	word, kind, name := "null", isNull, "null"
	switch rest[0] {
	case 't':
		word, kind, name = "true", isBoolean, "boolean"
	case 'f':
		word, kind, name = "false", isBoolean, "boolean"
	}
	switch size := min(len(word), len(rest)); {
	case string(rest[:size]) != word[:size]:
		c.notValue(start)
		return
	case size < len(word):
		c.syntaxError(len(c.data), cutOff)
		return
	}
	c.pos += len(word)
	switch {
	case n == nil:
	case n.types&kind == 0:
		c.wrongType(n, start, name)
	case n.hasEnum:
		c.checkEnum(n, kind, rest[:len(word)], start)
	}
}

// array checks a list: its items, then how many there are.
func (c *Checker) array(n *node) {
	start := c.pos
	if !c.enter() {
		return
	}
	var items *node
	if n != nil {
		items = n.items
	}
	size := 0
	for ; c.more(']', size == 0); size++ {
		c.path = append(c.path, size)
		if c.value(items); c.stop {
			return
		}
		c.path = c.path[:len(c.path)-1]
	}
	if c.depth--; c.stop || n == nil {
		return
	}
	if n.types&isArray == 0 {
		c.wrongType(n, start, "array")
		return
	}
	if n.hasEnum {
		c.checkEnum(n, isArray, nil, start)
	}
	if size < n.minItems {
		c.wrongCount(MinItems, start, n.minItems, size)
	}
	if n.maxItems >= 0 && size > n.maxItems {
		c.wrongCount(MaxItems, start, n.maxItems, size)
	}
}

// enter skips an opening bracket.
func (c *Checker) enter() bool {
	if c.depth++; c.depth > MaxDepth {
		c.abort(Finding{Kind: Depth, Offset: c.pos, End: c.pos + 1, Want: "nested deeper than 512 brackets"})
		return false
	}
	c.pos++
	return true
}

// more reports whether another member or item follows, and skips to it. A
// closing bracket is skipped.
func (c *Checker) more(closing byte, first bool) bool {
	if c.space(); c.pos >= len(c.data) {
		c.syntaxError(c.pos, cutOff)
		return false
	}
	switch b := c.data[c.pos]; {
	case b == closing:
		c.pos++
		return false
	case first:
		return true
	case b != ',':
		c.syntaxError(c.pos, "a comma or "+string(closing)+" is missing before this place")
		return false
	}
	c.pos++
	if c.space(); c.pos >= len(c.data) {
		c.syntaxError(c.pos, cutOff)
		return false
	}
	if c.data[c.pos] == closing {
		c.syntaxError(c.pos, trailingComma)
		return false
	}
	return true
}

// combine checks a value against further schemas, each of which reads the same
// bytes again. Syntax errors were reported the first time.
func (c *Checker) combine(n *node, start int) {
	end := c.pos
	if n.showTypes != 0 {
		c.checkShownType(n, start, end)
	}
	if n.never && c.wants(Not) {
		c.add(Finding{Kind: Not, Offset: start, End: end})
	}
	for _, sub := range n.allOf {
		if c.recheck(sub, start, end); c.stop {
			return
		}
	}
	if n.anyOf != nil && c.fitting(n.anyOf, start, end, 1) == 0 && c.wants(AnyOf) {
		c.add(Finding{Kind: AnyOf, Offset: start, End: end, Want: n.alternatives})
	}
	if n.oneOf != nil {
		if fits := c.fitting(n.oneOf, start, end, 2); (fits == 0 || fits == 2) && c.wants(OneOf) {
			got := "none"
			if fits == 2 {
				got = "several"
			}
			c.add(Finding{Kind: OneOf, Offset: start, End: end, Got: got})
		}
	}
	if n.not != nil && c.fitting(n.not, start, end, 1) > 0 && c.wants(Not) {
		c.add(Finding{Kind: Not, Offset: start, End: end})
	}
}

// checkShownType compares a value with x-type. A number is also an integer there.
func (c *Checker) checkShownType(n *node, start, end int) {
	kind, name := isNumber|isInteger, "number"
	switch c.data[start] {
	case '"':
		kind, name = isString, "string"
	case '{':
		kind, name = isObject, "object"
	case '[':
		kind, name = isArray, "array"
	case 't', 'f':
		kind, name = isBoolean, "boolean"
	case 'n':
		kind, name = isNull, "null"
	}
	if n.showTypes&kind == 0 && c.wants(UndocumentedType) {
		c.add(Finding{Kind: UndocumentedType, Offset: start, End: end, Want: n.wantShown, Got: name})
	}
}

// recheck checks the bytes from start to end again. It leaves the checker at the
// end, wherever a trial stopped.
func (c *Checker) recheck(n *node, start, end int) {
	depth, path, bits := c.depth, len(c.path), len(c.bits)
	c.rechecking++
	c.pos = start
	c.value(n)
	c.rechecking--
	if c.budget -= max(c.pos-start, 1); c.budget < 0 && !c.ended {
		c.abort(Finding{Kind: Depth, Offset: start, End: end, Want: "the schema checks this value too many times to continue"})
	}
	if !c.ended {
		c.pos, c.depth, c.path, c.bits = end, depth, c.path[:path], c.bits[:bits]
	}
}

// fitting returns how many schemas a value fits, counting up to enough. It
// returns -1 if the rest of the payload is not checked.
func (c *Checker) fitting(options []*node, start, end, enough int) int {
	fits := 0
	for _, option := range options {
		if c.stop {
			break
		}
		c.trial++
		c.recheck(option, start, end)
		c.trial--
		if !c.stop {
			if fits++; fits == enough {
				break
			}
		}
		if c.ended {
			return -1
		}
		c.stop = false
	}
	return fits
}

// checkEnum checks a value against enum and const.
func (c *Checker) checkEnum(n *node, kind uint8, value []byte, start int) {
	if n.constant != nil && !n.constant.is(kind, value) && c.wants(Const) {
		c.add(Finding{Kind: Const, Offset: start, End: c.pos, Want: n.wantConst, Got: display(kind, value)})
	}
	if n.enum == nil {
		return
	}
	for i := range n.enum {
		if n.enum[i].is(kind, value) {
			return
		}
	}
	if c.wants(Enum) {
		c.add(Finding{Kind: Enum, Offset: start, End: c.pos, Want: n.wantEnum, Got: display(kind, value)})
	}
}

// is reports whether a value equals that of the schema. Numbers are equal
// however they are written.
func (s *scalar) is(kind uint8, value []byte) bool {
	switch {
	case s.kind != kind:
		return false
	case kind == isNumber:
		return s.text == string(value) || parseDecimal(value).compare(s.number) == 0
	}
	return s.text == string(value)
}

// display returns a value as findings show it.
func display(kind uint8, value []byte) string {
	switch kind {
	case isString:
		return quote(value)
	case isArray:
		return "a list"
	case isObject:
		return "an object"
	}
	return shorten(value)
}
