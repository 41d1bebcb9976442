package schema

import (
	"fmt"
	"regexp"

	"github.com/tidwall/gjson"
)

// Loader returns the bytes of the schema file of that slash-separated name.
type Loader func(name string) ([]byte, error)

// Schema is a compiled schema. It is read-only: any number of checkers may
// use it at once.
type Schema struct{ root *node }

// Kinds of values, as bits of node.types.
const (
	isNull uint8 = 1 << iota
	isBoolean
	isInteger // a number without a fraction is both
	isNumber
	isString
	isArray
	isObject
	isAnything = 1<<7 - 1
)

// node is one schema. References are followed when it is compiled, so a
// recursive schema is a graph with a cycle. What every value asks for stands
// together at the beginning, for the processor's cache.
type node struct {
	types    uint8 // allowed kinds; isAnything without a type keyword
	never    bool  // the schema false
	textual  bool  // a string is to be looked at
	sets     bool  // there is an enum or a const
	combined bool  // there is an allOf, anyOf, oneOf or not, or never
	closed   bool  // additionalProperties: false
	open     bool  // lists properties and says nothing of others: those are unknown
	isURI    bool  // the format is that

	minLength int
	maxLength int // -1: no limit
	format    *format
	constant  *scalar
	pattern   *regexp.Regexp
	enum      []scalar // nil: none
	values    []string // x-values

	properties  []property
	index       map[string]int
	words       int     // of bits, one for each property
	required    []int   // places in properties
	anyRequired [][]int // anyOf, when its options are nothing but required lists
	additional  *node   // nil: nothing is said, or closed

	items    *node
	minItems int
	maxItems int // -1: no limit
	bounds   []bound

	anyOf, allOf, oneOf []*node
	not                 []*node // one, if any

	wantTypes, wantEnum, wantConst string // for findings
	alternatives                   string // what anyOf asks for
}

type property struct {
	token  string // how the name most likely stands in a payload, with its quotes
	node   *node  // nil: required, and not described
	remark *remark
	name   string
}

// remark is what there is to say about a property that is there.
type remark struct {
	kind Kind // Alias or DeprecatedName
	text string
}

type scalar struct {
	kind   uint8
	text   string // a string's characters; of others the JSON
	number decimal
}

type bound struct {
	kind  Kind
	limit decimal
	words string
}

// Error says what in a schema cannot be compiled.
type Error struct {
	File    string
	Pointer string
	Reason  string
}

func (e *Error) Error() string { return fmt.Sprintf("schema %s#%s: %s", e.File, e.Pointer, e.Reason) }

// Compile reads the schema file of that name and those that it refers to. The
// error is an [*Error] that names the place, or holds that of the loader.
func Compile(load Loader, name string) (*Schema, error) {
	c := &compiler{
		load: load, files: map[string]gjson.Result{}, parts: map[place]map[string]gjson.Result{},
		done: map[place]*node{}, where: map[*node]place{},
	}
	root, err := c.refer(place{name, ""})
	if err != nil {
		return nil, err
	}
	if err := c.settle(); err != nil {
		return nil, err
	}
	return &Schema{root}, nil
}

type compiler struct {
	load  Loader
	files map[string]gjson.Result
	parts map[place]map[string]gjson.Result // of objects and lists on the way to what was referred to
	done  map[place]*node                   // what was referred to; entered before its parts are compiled
	where map[*node]place                   // of every schema
	order []*node                           // the same, as they came
}

// place is a place in a schema file.
type place struct{ file, pointer string }

func (p place) at(step string) place { return place{p.file, p.pointer + "/" + escapePointer(step)} }

func (p place) error(reason string) error { return &Error{p.file, p.pointer, reason} }

// sub compiles a schema inside another. One that only refers is what it
// refers to.
func (c *compiler) sub(raw gjson.Result, at place) (*node, error) {
	if onlyRefers(raw) {
		return c.stand(raw, at)
	}
	n := &node{}
	return n, c.fill(n, raw, at)
}

// fill compiles raw into n.
func (c *compiler) fill(n *node, raw gjson.Result, at place) error {
	*n = node{types: isAnything, maxItems: -1, maxLength: -1}
	c.where[n] = at
	c.order = append(c.order, n)
	switch {
	case raw.IsBool():
		n.never = !raw.Bool()
		n.combined = n.never
		return nil
	case !raw.IsObject():
		return at.error("a schema is an object or a boolean")
	}
	var fault error
	raw.ForEach(func(key, value gjson.Result) bool {
		fault = c.keyword(n, key.String(), value, at.at(key.String()))
		return fault == nil
	})
	if fault != nil {
		return fault
	}
	n.finish(raw)
	return nil
}

// finish settles what depends on several keywords of one schema.
func (n *node) finish(raw gjson.Result) {
	if len(n.properties) > 0 {
		n.index = make(map[string]int, len(n.properties))
	}
	for i, p := range n.properties {
		n.index[p.name] = i
	}
	n.required = n.placesOf(raw.Get("required"))
	if options := raw.Get("anyOf").Array(); onlyRequire(options) {
		n.anyOf = nil
		for _, option := range options {
			n.anyRequired = append(n.anyRequired, n.placesOf(option.Get("required")))
		}
	}
	n.words = (len(n.properties) + 63) / 64
	n.sets = n.enum != nil || n.constant != nil
	n.textual = n.sets || n.values != nil || n.format != nil || n.pattern != nil || n.minLength > 0 || n.maxLength >= 0
	n.combined = n.anyOf != nil || n.allOf != nil || n.oneOf != nil || n.not != nil
}

// placesOf turns a list of names into places in properties.
func (n *node) placesOf(list gjson.Result) []int {
	var places []int
	for _, name := range list.Array() {
		places = append(places, n.placeOf(name.String()))
	}
	return places
}

// placeOf returns the place of a name in properties. One that is not described
// joins them.
func (n *node) placeOf(name string) int {
	i, known := n.index[name]
	if n.index == nil {
		n.index = map[string]int{}
	}
	if !known {
		i = len(n.properties)
		n.properties = append(n.properties, newProperty(name))
		n.index[name] = i
	}
	return i
}

// onlyRequire reports whether the options of an anyOf are nothing but required
// lists: those need no second look at the object.
func onlyRequire(options []gjson.Result) bool {
	for _, option := range options {
		if keys := assertions(option); len(keys) != 1 || keys[0] != "required" {
			return false
		}
	}
	return len(options) > 0
}

func onlyRefers(raw gjson.Result) bool {
	keys := assertions(raw)
	return len(keys) == 1 && keys[0] == "$ref"
}

// assertions lists the keywords of a schema that are no annotations.
func assertions(raw gjson.Result) []string {
	if !raw.IsObject() {
		return nil
	}
	var keys []string
	raw.ForEach(func(key, _ gjson.Result) bool {
		if annotationShape(key.String()) == "" || key.String() == "x-values" {
			keys = append(keys, key.String())
		}
		return true
	})
	return keys
}
