package schema

import (
	"hash/maphash"

	"github.com/wskdev/wsk/pkg/internal/nearest"
)

// openObject is an object whose end is not reached yet.
type openObject struct {
	start int
	bits  int // index of its first bits in Checker.bits
	names int // index of its first name in Checker.names
	next  int // the property that probably comes next: payloads follow the order of their schema
}

// object checks an object: that each name is unique, each value against its
// property, and at the end what is required.
func (c *Checker) object(n *node) {
	o := openObject{start: c.pos, bits: len(c.bits), names: len(c.names.list)}
	if !c.enter() {
		return
	}
	if n != nil {
		for range n.words {
			c.bits = append(c.bits, 0)
		}
	}
	for first := true; c.more('}', first); first = false {
		if !c.member(n, &o) {
			return
		}
	}
	if c.depth--; c.stop {
		return
	}
	if len(c.names.list) > o.names {
		c.names.release(o.names)
	}
	if n != nil {
		if n.types&isObject == 0 {
			c.wrongType(n, o.start, "object")
		} else {
			c.checkRequired(n, &o)
		}
		c.bits = c.bits[:o.bits]
	}
}

// member checks one name and its value.
func (c *Checker) member(n *node, o *openObject) bool {
	at := c.pos
	i := c.guess(n, o.next)
	var value *node
	if i >= 0 {
		c.path = append(c.path, ^at)
		value = c.known(n, o, i, at)
	} else {
		if c.data[at] != '"' {
			c.syntaxError(at, "a name in double quotes is missing here")
			return false
		}
		escaped, ok := c.skipString()
		if !ok {
			return false
		}
		key := c.unquoted(at, escaped)
		c.path = append(c.path, ^at)
		if i = n.find(key); i >= 0 {
			value = c.known(n, o, i, at)
		} else {
			value = c.unknown(n, o, at, key)
		}
	}
	if c.space(); c.pos >= len(c.data) {
		c.syntaxError(c.pos, cutOff)
		return false
	}
	if c.data[c.pos] != ':' {
		c.syntaxError(c.pos, "a colon is missing before this place")
		return false
	}
	c.pos++
	if c.value(value); c.stop {
		return false
	}
	c.path = c.path[:len(c.path)-1]
	return true
}

// guess returns the index of the property whose name comes next and skips the
// name, or returns -1. It tries the next few properties in the order of the
// schema, which saves most names a search.
func (c *Checker) guess(n *node, next int) int {
	if n == nil {
		return -1
	}
	rest := c.data[c.pos:]
	for i := next; i < min(next+4, len(n.properties)); i++ {
		token := n.properties[i].token
		if len(token) > 0 && len(token) <= len(rest) && rest[len(token)-1] == '"' && string(rest[:len(token)]) == token {
			c.pos += len(token)
			return i
		}
	}
	return -1
}

// find returns the index of a property, or -1.
func (n *node) find(key []byte) int {
	if n != nil {
		if i, ok := n.index[string(key)]; ok {
			return i
		}
	}
	return -1
}

// known records that the object has property i, and returns the schema of its
// value.
func (c *Checker) known(n *node, o *openObject, i, at int) *node {
	o.next = i + 1
	p := &n.properties[i]
	word, bit := &c.bits[o.bits+i/64], uint64(1)<<(i%64)
	if *word&bit != 0 && c.rechecking == 0 {
		c.duplicate(at, p.name)
	}
	*word |= bit
	if p.remark != nil {
		c.addName(p.remark.kind, at, p.name, p.remark.text)
	}
	if p.node == nil {
		if n.closed {
			c.addName(AdditionalProperties, at, p.name, "")
		}
		return n.additional
	}
	return p.node
}

// unknown handles a name that the schema does not list, and returns the schema
// of its value.
func (c *Checker) unknown(n *node, o *openObject, at int, key []byte) *node {
	if c.rechecking == 0 && !c.names.add(c, o.names, at, key) {
		c.duplicate(at, string(key))
	}
	if n == nil {
		return nil
	}
	if n.reportsUnknown && c.rechecking == 0 && c.wants(UnknownProperty) {
		c.add(Finding{Kind: UnknownProperty, Offset: at, End: c.pos, Name: string(key), Want: n.nearest(key)})
	}
	if n.closed && c.wants(AdditionalProperties) {
		c.add(Finding{Kind: AdditionalProperties, Offset: at, End: c.pos, Name: string(key)})
	}
	return n.additional
}

// nearest returns the listed name most like key, or "".
func (n *node) nearest(key []byte) string {
	if len(key) > 200 {
		return ""
	}
	names := make([]string, len(n.properties))
	for i, p := range n.properties {
		names[i] = p.name
	}
	return nearest.Name(string(key), names)
}

func (c *Checker) duplicate(at int, name string) { c.addName(DuplicateKey, at, name, "") }

// addName adds a finding about the name at an offset.
func (c *Checker) addName(kind Kind, at int, name, want string) {
	if c.wants(kind) {
		c.add(Finding{Kind: kind, Offset: at, End: c.pos, Name: name, Want: want})
	}
}

// checkRequired checks what is required once the object has ended.
func (c *Checker) checkRequired(n *node, o *openObject) {
	if n.hasEnum {
		c.checkEnum(n, isObject, nil, o.start)
	}
	seen := c.bits[o.bits:]
	for _, i := range n.required {
		if seen[i/64]&(1<<(i%64)) == 0 && c.wants(Required) {
			c.add(Finding{Kind: Required, Offset: o.start, End: o.start + 1, Name: n.properties[i].name})
		}
	}
	if n.anyRequired == nil {
		return
	}
	for _, list := range n.anyRequired {
		all := true
		for _, i := range list {
			all = all && seen[i/64]&(1<<(i%64)) != 0
		}
		if all {
			return
		}
	}
	if c.wants(AnyOf) {
		c.add(Finding{Kind: AnyOf, Offset: o.start, End: o.start + 1, Want: n.alternatives})
	}
}

// nameSet finds duplicate names among those that the schema does not list. One
// table serves all open objects: the names of an object leave it when the object
// ends. That is the reverse of the order in which they came, so the slot of no
// other name depends on them.
type nameSet struct {
	seed  maphash.Seed
	list  []name   // of the open objects, those of the innermost last
	table []uint32 // index in list plus one, by hash; a power of two, at most half full
}

type name struct {
	hash uint64
	at   int    // offset of the quote before it
	slot uint32 // in the table
}

// add adds a name of the innermost object, whose names start at index first of
// the list, and reports whether it is new there. The hash is seeded, so that
// nobody can choose names that all get the same slot.
func (s *nameSet) add(c *Checker, first, at int, key []byte) bool {
	if 2*(len(s.list)+1) > len(s.table) {
		s.grow()
	}
	hash := maphash.Bytes(s.seed, key) ^ uint64(c.depth)*0x9e3779b97f4a7c15
	slot := uint32(hash) & uint32(len(s.table)-1)
	for s.table[slot] != 0 {
		if i := int(s.table[slot]) - 1; i >= first && s.list[i].hash == hash && c.nameAt(s.list[i].at) == string(key) {
			return false
		}
		slot = (slot + 1) & uint32(len(s.table)-1)
	}
	s.list = append(s.list, name{hash, at, slot})
	s.table[slot] = uint32(len(s.list))
	return true
}

// release removes the names from index first of the list on.
func (s *nameSet) release(first int) {
	for _, n := range s.list[first:] {
		s.table[n.slot] = 0
	}
	s.list = s.list[:first]
}

func (s *nameSet) grow() {
	if s.table == nil {
		s.seed = maphash.MakeSeed()
	}
	s.table = make([]uint32, max(64, 2*len(s.table)))
	for i := range s.list {
		slot := uint32(s.list[i].hash) & uint32(len(s.table)-1)
		for s.table[slot] != 0 {
			slot = (slot + 1) & uint32(len(s.table)-1)
		}
		s.list[i].slot, s.table[slot] = slot, uint32(i+1)
	}
}
