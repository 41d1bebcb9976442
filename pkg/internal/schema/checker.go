package schema

import "bytes"

// Checker checks payloads one after another and keeps its buffers between
// them. It is not safe for concurrent use: give each goroutine its own.
type Checker struct {
	data  []byte
	pos   int
	depth int
	dead  bool // the payload is not looked at any further
	stop  bool // dead, or in a trial: the value does not fit

	path     []int // to the value at hand: an item's index, or ^offset of a member's name
	findings []Finding
	observed int // how many of them are no violations
	trial    int // how many alternatives deep: nothing is reported there
	again    int // how many times the same bytes are being looked at anew
	rescan   int // bytes that may still be looked at anew

	bits    []uint64 // which properties of the open objects were seen
	scratch []byte   // a string without its escapes
	names   nameSet
}

// A checker lets go of buffers that outgrew these for a single payload.
const (
	keptNames = 1 << 12
	keptText  = 1 << 16
)

// NewChecker returns a checker.
func NewChecker() *Checker { return &Checker{} }

// Check looks at one payload and returns what there is to say about it, in
// the order of the document. The slice is good until the next call.
func (c *Checker) Check(s *Schema, payload []byte) []Finding {
	c.data, c.pos, c.depth, c.dead, c.stop = payload, 0, 0, false, false
	c.path, c.findings, c.bits = c.path[:0], c.findings[:0], c.bits[:0]
	c.observed, c.trial, c.again = 0, 0, 0
	c.rescan = 1<<20 + 64*len(payload)
	if c.preamble() {
		c.value(s.root)
	}
	if c.space(); !c.dead && c.pos < len(c.data) {
		c.broken(c.pos, "the JSON ends before this place: one payload, one JSON text")
	}
	c.letGo()
	return c.inOrder()
}

// letGo empties the buffers, and drops those that one payload made too big to
// keep for the next.
func (c *Checker) letGo() {
	c.data = nil
	c.names.release(0)
	if cap(c.names.list) > keptNames {
		c.names = nameSet{}
	}
	if cap(c.scratch) > keptText {
		c.scratch = nil
	}
}

// preamble refuses what is no JSON from its first bytes on.
func (c *Checker) preamble() bool {
	first := c.data[:min(len(c.data), 4)]
	switch {
	case bytes.HasPrefix(first, []byte("\xef\xbb\xbf")):
		c.broken(0, "a byte order mark stands before the JSON; save it as UTF-8 without BOM")
	case bytes.HasPrefix(first, []byte("\xff\xfe")), bytes.HasPrefix(first, []byte("\xfe\xff")),
		len(first) == 4 && (first[0] == 0) != (first[1] == 0):
		c.broken(0, "this is UTF-16 or a binary file; JSON is UTF-8")
	default:
		if c.space(); c.pos < len(c.data) {
			return true
		}
		c.broken(0, "there is no JSON here: it is empty")
	}
	return false
}

// space passes over white space.
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

// value checks the value at hand against n; a nil n takes any.
func (c *Checker) value(n *node) {
	if c.space(); c.pos >= len(c.data) {
		c.broken(c.pos, cutOff)
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
	if n != nil && n.combined && !c.stop {
		c.combine(n, start)
	}
}

// mistyped reports a value whose type is not among those allowed.
func (c *Checker) mistyped(n *node, start int, name string) {
	if c.notes(Type) {
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
		c.strange(start)
		return
	case size < len(word):
		c.broken(len(c.data), cutOff)
		return
	}
	c.pos += len(word)
	switch {
	case n == nil:
	case n.types&kind == 0:
		c.mistyped(n, start, name)
	case n.sets:
		c.checkSets(n, kind, rest[:len(word)], start)
	}
}

// array checks a list: its items, then their number.
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
		c.mistyped(n, start, "array")
		return
	}
	if n.sets {
		c.checkSets(n, isArray, nil, start)
	}
	if size < n.minItems {
		c.miscounted(MinItems, start, n.minItems, size)
	}
	if n.maxItems >= 0 && size > n.maxItems {
		c.miscounted(MaxItems, start, n.maxItems, size)
	}
}

// enter goes one bracket deeper.
func (c *Checker) enter() bool {
	if c.depth++; c.depth > MaxDepth {
		c.end(Finding{Kind: Depth, Offset: c.pos, End: c.pos + 1, Want: "nested deeper than 512 brackets"})
		return false
	}
	c.pos++
	return true
}

// more reports whether another part of an object or list follows, and goes to
// it; at the closing bracket it goes behind that.
func (c *Checker) more(closing byte, first bool) bool {
	if c.space(); c.pos >= len(c.data) {
		c.broken(c.pos, cutOff)
		return false
	}
	switch b := c.data[c.pos]; {
	case b == closing:
		c.pos++
		return false
	case first:
		return true
	case b != ',':
		c.broken(c.pos, "a comma or "+string(closing)+" is missing before this place")
		return false
	}
	c.pos++
	if c.space(); c.pos >= len(c.data) {
		c.broken(c.pos, cutOff)
		return false
	}
	if c.data[c.pos] == closing {
		c.broken(c.pos, trailingComma)
		return false
	}
	return true
}
