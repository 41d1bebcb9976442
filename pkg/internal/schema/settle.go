package schema

import (
	"slices"
	"strings"
)

// settle finishes the schemas once each has its parts: it refuses those that
// refer to themselves about the same value, and settles what depends on the
// parts.
func (c *compiler) settle() error {
	state := map[*node]int{} // 1: on the way, 2: done
	for _, n := range c.order {
		if err := c.acyclic(n, state); err != nil {
			return err
		}
	}
	for _, n := range c.order {
		n.settleNames()
		n.alternatives = n.describeAnyOf()
	}
	return nil
}

// acyclic refuses a schema that comes back to itself without going into the
// payload: no check against it would end.
func (c *compiler) acyclic(n *node, state map[*node]int) error {
	switch state[n] {
	case 1:
		at := c.where[n]
		return at.error("this schema refers back to itself about the same value")
	case 2:
		return nil
	}
	state[n] = 1
	for _, list := range [][]*node{n.allOf, n.anyOf, n.oneOf, n.not} {
		for _, sub := range list {
			if err := c.acyclic(sub, state); err != nil {
				return err
			}
		}
	}
	state[n] = 2
	return nil
}

// settleNames decides whether a name beyond properties is unknown, and joins
// the names that other schemas for the same value list: those are known.
func (n *node) settleNames() {
	lists := slices.ContainsFunc(n.parts(true), func(part *node) bool {
		return slices.ContainsFunc(part.properties, func(p property) bool { return p.node != nil })
	})
	all := n.parts(false)
	saysOthers := slices.ContainsFunc(all, func(part *node) bool { return part.additional != nil || part.closed })
	if n.open = lists && !saysOthers; !n.open {
		return
	}
	for _, part := range all[1:] {
		for _, p := range part.properties {
			n.placeOf(p.name)
		}
	}
	n.words = (len(n.properties) + 63) / 64
}

// parts lists the schemas for the same value, this one first: those of allOf,
// which hold for certain, or those of anyOf and oneOf as well.
func (n *node) parts(certain bool) []*node {
	list := []*node{n}
	for i := 0; i < len(list); i++ {
		next := list[i].allOf
		if !certain {
			next = slices.Concat(next, list[i].anyOf, list[i].oneOf)
		}
		for _, sub := range next {
			if !slices.Contains(list, sub) {
				list = append(list, sub)
			}
		}
	}
	return list
}

// describeAnyOf puts an anyOf into words.
func (n *node) describeAnyOf() string {
	var words []string
	for _, list := range n.anyRequired {
		words = append(words, n.namesAt(list))
	}
	for _, option := range n.anyOf {
		words = append(words, option.describe())
	}
	return strings.Join(words, "; or ")
}

func (n *node) namesAt(places []int) string {
	var names []string
	for _, i := range places {
		names = append(names, n.properties[i].name)
	}
	return strings.Join(names, " and ")
}

// describe says what a schema asks for, as far as a few words can.
func (n *node) describe() string {
	switch {
	case n.constant != nil:
		return n.wantConst
	case n.enum != nil:
		return n.wantEnum
	case n.format != nil:
		return n.format.words
	case n.required != nil:
		return n.namesAt(n.required)
	case n.types != isAnything:
		return article(n.wantTypes)
	}
	return "another shape"
}
