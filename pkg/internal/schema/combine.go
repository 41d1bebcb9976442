package schema

// combine holds a value against further schemas: each looks at the same bytes
// again. Faults of the JSON were reported the first time.
func (c *Checker) combine(n *node, start int) {
	end := c.pos
	if n.never && c.notes(Not) {
		c.add(Finding{Kind: Not, Offset: start, End: end})
	}
	for _, sub := range n.allOf {
		if c.anew(sub, start, end); c.stop {
			return
		}
	}
	if n.anyOf != nil && c.fitting(n.anyOf, start, end, 1) == 0 && c.notes(AnyOf) {
		c.add(Finding{Kind: AnyOf, Offset: start, End: end, Want: n.alternatives})
	}
	if n.oneOf != nil {
		if fits := c.fitting(n.oneOf, start, end, 2); (fits == 0 || fits == 2) && c.notes(OneOf) {
			got := "none"
			if fits == 2 {
				got = "several"
			}
			c.add(Finding{Kind: OneOf, Offset: start, End: end, Got: got})
		}
	}
	if n.not != nil && c.fitting(n.not, start, end, 1) > 0 && c.notes(Not) {
		c.add(Finding{Kind: Not, Offset: start, End: end})
	}
}

// anew checks the bytes from start to end once more. It leaves the checker at
// the end, wherever a trial was broken off.
func (c *Checker) anew(n *node, start, end int) {
	depth, path, bits := c.depth, len(c.path), len(c.bits)
	c.again++
	c.pos = start
	c.value(n)
	c.again--
	if c.rescan -= max(c.pos-start, 1); c.rescan < 0 && !c.dead {
		c.end(Finding{Kind: Depth, Offset: start, End: end, Want: "the schema looks at this value too many times to go on"})
	}
	if !c.dead {
		c.pos, c.depth, c.path, c.bits = end, depth, c.path[:path], c.bits[:bits]
	}
}

// fitting counts the schemas that a value fits, up to enough of them. It gives
// -1 when the payload is not looked at any further.
func (c *Checker) fitting(options []*node, start, end, enough int) int {
	fits := 0
	for _, option := range options {
		if c.stop {
			break
		}
		c.trial++
		c.anew(option, start, end)
		c.trial--
		if !c.stop {
			if fits++; fits == enough {
				break
			}
		}
		if c.dead {
			return -1
		}
		c.stop = false
	}
	return fits
}

// checkSets holds a value against enum and const.
func (c *Checker) checkSets(n *node, kind uint8, value []byte, start int) {
	if n.constant != nil && !n.constant.is(kind, value) && c.notes(Const) {
		c.add(Finding{Kind: Const, Offset: start, End: c.pos, Want: n.wantConst, Got: show(kind, value)})
	}
	if n.enum == nil {
		return
	}
	for i := range n.enum {
		if n.enum[i].is(kind, value) {
			return
		}
	}
	if c.notes(Enum) {
		c.add(Finding{Kind: Enum, Offset: start, End: c.pos, Want: n.wantEnum, Got: show(kind, value)})
	}
}

// is reports whether a value is the one of the schema. Numbers are the same
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

// show puts a value into a finding.
func show(kind uint8, value []byte) string {
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
