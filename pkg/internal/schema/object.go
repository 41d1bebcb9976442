package schema

import "github.com/wskdev/wsk/pkg/internal/nearest"

// openObject is an object whose end was not reached yet.
type openObject struct {
	start int
	bits  int // where its bits begin in Checker.bits
	names int // where its names begin in Checker.names
	next  int // the property that is likely to come next: payloads follow their schema's order
}

// object checks an object: each name once, each value against its property,
// and at the end what is required.
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
			c.mistyped(n, o.start, "object")
		} else {
			c.complete(n, &o)
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
		value = c.listed(n, o, i, at)
	} else {
		if c.data[at] != '"' {
			c.broken(at, "a name in double quotes is missing here")
			return false
		}
		escaped, ok := c.quoted()
		if !ok {
			return false
		}
		key := c.between(at, escaped)
		c.path = append(c.path, ^at)
		if i = n.find(key); i >= 0 {
			value = c.listed(n, o, i, at)
		} else {
			value = c.unlisted(n, o, at, key)
		}
	}
	if c.space(); c.pos >= len(c.data) {
		c.broken(c.pos, cutOff)
		return false
	}
	if c.data[c.pos] != ':' {
		c.broken(c.pos, "a colon is missing before this place")
		return false
	}
	c.pos++
	if c.value(value); c.stop {
		return false
	}
	c.path = c.path[:len(c.path)-1]
	return true
}

// guess tries the next few properties, in the schema's order, and goes behind
// the name when one stands here. It spares most names a search.
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

// find returns the place of a property, or -1.
func (n *node) find(key []byte) int {
	if n != nil {
		if i, ok := n.index[string(key)]; ok {
			return i
		}
	}
	return -1
}

// listed notes that the object has this property, and returns the schema of
// its value.
func (c *Checker) listed(n *node, o *openObject, i, at int) *node {
	o.next = i + 1
	p := &n.properties[i]
	word, bit := &c.bits[o.bits+i/64], uint64(1)<<(i%64)
	if *word&bit != 0 && c.again == 0 {
		c.duplicate(at, p.name)
	}
	*word |= bit
	if p.remark != nil {
		c.named(p.remark.kind, at, p.name, p.remark.text)
	}
	if p.node == nil {
		if n.closed {
			c.named(AdditionalProperties, at, p.name, "")
		}
		return n.additional
	}
	return p.node
}

// unlisted is for a name that the schema does not know.
func (c *Checker) unlisted(n *node, o *openObject, at int, key []byte) *node {
	if c.again == 0 && !c.names.add(c, o.names, at, key) {
		c.duplicate(at, string(key))
	}
	if n == nil {
		return nil
	}
	if n.open && c.again == 0 && c.notes(UnknownProperty) {
		c.add(Finding{Kind: UnknownProperty, Offset: at, End: c.pos, Name: string(key), Want: n.nearest(key)})
	}
	if n.closed && c.notes(AdditionalProperties) {
		c.add(Finding{Kind: AdditionalProperties, Offset: at, End: c.pos, Name: string(key)})
	}
	return n.additional
}

// nearest returns the listed name most like the one that is not.
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

func (c *Checker) duplicate(at int, name string) { c.named(DuplicateKey, at, name, "") }

// named reports what there is to say about a name, at the name's place.
func (c *Checker) named(kind Kind, at int, name, want string) {
	if c.notes(kind) {
		c.add(Finding{Kind: kind, Offset: at, End: c.pos, Name: name, Want: want})
	}
}

// complete looks for what is required once the object has ended.
func (c *Checker) complete(n *node, o *openObject) {
	if n.sets {
		c.checkSets(n, isObject, nil, o.start)
	}
	seen := c.bits[o.bits:]
	for _, i := range n.required {
		if seen[i/64]&(1<<(i%64)) == 0 && c.notes(Required) {
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
	if c.notes(AnyOf) {
		c.add(Finding{Kind: AnyOf, Offset: o.start, End: o.start + 1, Want: n.alternatives})
	}
}
