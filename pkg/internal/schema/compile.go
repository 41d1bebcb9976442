package schema

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Schema is a compiled schema. It is read-only and safe for concurrent use.
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
// recursive schema is a graph with a cycle. The fields that every value needs
// come first, for the processor's cache.
type node struct {
	types          uint8 // the allowed kinds; isAnything without a type keyword
	never          bool  // the schema false
	checksText     bool  // a keyword concerns the characters of a string
	hasEnum        bool  // there is an enum or a const
	combines       bool  // there is an allOf, anyOf, oneOf or not, or never
	closed         bool  // additionalProperties is false
	reportsUnknown bool  // it lists properties and does not mention others: those are unknown
	isURI          bool  // format or x-format is uri

	minLength int
	maxLength int // -1: no limit
	format    *format
	shown     *format // x-format
	constant  *scalar
	pattern   *regexp.Regexp
	enum      []scalar // nil: none
	values    []string // x-values
	showTypes uint8    // x-type; 0: not given

	properties  []property
	index       map[string]int
	words       int     // how many words hold one bit per property
	required    []int   // indexes of properties
	anyRequired [][]int // anyOf, if its options are nothing but required lists
	additional  *node   // nil: not given, or closed

	items    *node
	minItems int
	maxItems int // -1: no limit
	bounds   []bound

	anyOf, allOf, oneOf []*node
	not                 []*node // one, if any

	wantTypes, wantShown, wantEnum, wantConst string // for findings
	alternatives                              string // what anyOf requires
}

type property struct {
	token  string // the name in quotes, unless it needs an escape there
	node   *node  // nil: required and not described
	remark *remark
	name   string
}

// remark is an observation about a property that is present.
type remark struct {
	kind Kind // Alias or DeprecatedName
	text string
}

type scalar struct {
	kind   uint8
	text   string // the characters of a string, or the JSON of another value
	number decimal
}

type bound struct {
	kind  Kind
	limit decimal
	words string
}

// Error is the reason why a schema does not compile.
type Error struct {
	File    string
	Pointer string // JSON Pointer in the file
	Reason  string
}

func (e *Error) Error() string { return fmt.Sprintf("schema %s#%s: %s", e.File, e.Pointer, e.Reason) }

// Compile reads the schema file with that name and those that it refers to.
// load returns the content of a file by its slash-separated name. The error is
// an [*Error] or wraps that of load.
func Compile(load func(name string) ([]byte, error), name string) (*Schema, error) {
	c := &compiler{
		load: load, files: map[string]gjson.Result{}, parts: map[location]map[string]gjson.Result{},
		done: map[location]*node{}, where: map[*node]location{},
	}
	root, err := c.refer(location{name, ""})
	if err != nil {
		return nil, err
	}
	if err := c.link(); err != nil {
		return nil, err
	}
	return &Schema{root}, nil
}

type compiler struct {
	load  func(name string) ([]byte, error)
	files map[string]gjson.Result
	parts map[location]map[string]gjson.Result // members of objects and lists that references lead through
	done  map[location]*node                   // targets of references; entered before their parts are compiled
	where map[*node]location                   // of every schema
	order []*node                              // the same schemas, in the order in which they were met
}

// location is a place in a schema file.
type location struct{ file, pointer string }

func (l location) at(step string) location {
	return location{l.file, l.pointer + "/" + jsonpath.EscapePointer(step)}
}

func (l location) error(reason string) error { return &Error{l.file, l.pointer, reason} }

// sub compiles a schema inside another. A schema that is only a reference
// becomes its target.
func (c *compiler) sub(raw gjson.Result, at location) (*node, error) {
	if isReference(raw) {
		return c.resolve(raw, at)
	}
	n := &node{}
	return n, c.fill(n, raw, at)
}

// fill compiles raw into n.
func (c *compiler) fill(n *node, raw gjson.Result, at location) error {
	*n = node{types: isAnything, maxItems: -1, maxLength: -1}
	c.where[n] = at
	c.order = append(c.order, n)
	switch {
	case raw.IsBool():
		n.never = !raw.Bool()
		n.combines = n.never
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

// finish sets what depends on several keywords of one schema.
func (n *node) finish(raw gjson.Result) {
	if len(n.properties) > 0 {
		n.index = make(map[string]int, len(n.properties))
	}
	for i, p := range n.properties {
		n.index[p.name] = i
	}
	n.required = n.indexesOf(raw.Get("required"))
	if options := raw.Get("anyOf").Array(); onlyRequire(options) {
		n.anyOf = nil
		for _, option := range options {
			n.anyRequired = append(n.anyRequired, n.indexesOf(option.Get("required")))
		}
	}
	n.words = (len(n.properties) + 63) / 64
	n.hasEnum = n.enum != nil || n.constant != nil
	n.checksText = n.hasEnum || n.values != nil || n.format != nil || n.shown != nil || n.pattern != nil || n.minLength > 0 || n.maxLength >= 0
	n.combines = n.anyOf != nil || n.allOf != nil || n.oneOf != nil || n.not != nil || n.showTypes != 0
}

// indexesOf returns the indexes in properties of a list of names.
func (n *node) indexesOf(list gjson.Result) []int {
	var indexes []int
	for _, name := range list.Array() {
		indexes = append(indexes, n.indexOf(name.String()))
	}
	return indexes
}

// indexOf returns the index of a name in properties. A name that is not
// described is added to them.
func (n *node) indexOf(name string) int {
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
// lists, which can be checked without reading the object again.
func onlyRequire(options []gjson.Result) bool {
	for _, option := range options {
		if keys := assertions(option); len(keys) != 1 || keys[0] != "required" {
			return false
		}
	}
	return len(options) > 0
}

// isReference reports whether a schema asserts nothing but $ref.
func isReference(raw gjson.Result) bool {
	keys := assertions(raw)
	return len(keys) == 1 && keys[0] == "$ref"
}

// assertions returns the keywords of a schema that are not annotations.
func assertions(raw gjson.Result) []string {
	if !raw.IsObject() {
		return nil
	}
	var keys []string
	raw.ForEach(func(key, _ gjson.Result) bool {
		if _, is := annotations[key.String()]; !is {
			keys = append(keys, key.String())
		}
		return true
	})
	return keys
}

var (
	errNotCount    = errors.New("must be a whole number of 0 or more")
	errUnknownType = errors.New("must name the types null, boolean, integer, number, string, array, object")
	errNotNumber   = errors.New("must be a number")
	errNotString   = errors.New("must be a string")
	errNotNames    = errors.New("must be a list of names")
	errNotList     = errors.New("must be a list")
	errNotSchemas  = errors.New("must be a list of schemas")
	errNotObject   = errors.New("must be an object")
	errNotScalar   = errors.New("may contain only strings, numbers, booleans and null")
)

// keyword compiles one keyword into n.
func (c *compiler) keyword(n *node, key string, value gjson.Result, at location) (err error) {
	switch key {
	case "$ref":
		var target *node
		target, err = c.follow(value, at)
		n.allOf = append(n.allOf, target)
		return err
	case "properties":
		return c.properties(n, value, at)
	case "additionalProperties":
		if n.closed = value.Type == gjson.False; !n.closed {
			n.additional, err = c.sub(value, at)
		}
		return err
	case "items":
		n.items, err = c.sub(value, at)
		return err
	case "allOf":
		list, err := c.list(value, at)
		n.allOf = append(n.allOf, list...)
		return err
	case "anyOf":
		n.anyOf, err = c.list(value, at)
		return err
	case "oneOf":
		n.oneOf, err = c.list(value, at)
		return err
	case "not":
		sub, err := c.sub(value, at)
		n.not = []*node{sub}
		return err
	case "type":
		n.types, n.wantTypes, err = typesOf(value)
	case "required":
		_, err = stringsOf(value) // finish turns it into indexes
	case "minItems":
		n.minItems, err = count(value)
	case "maxItems":
		n.maxItems, err = count(value)
	case "minLength":
		n.minLength, err = count(value)
	case "maxLength":
		n.maxLength, err = count(value)
	case "pattern":
		if err = errNotString; value.Type == gjson.String {
			n.pattern, err = regexp.Compile(value.String())
		}
	case "format":
		n.format, err = formatOf(value)
		n.isURI = n.isURI || value.String() == "uri"
	case "enum":
		n.enum, n.wantEnum, err = scalarsOf(value)
	case "const":
		n.constant, n.wantConst, err = scalarOf(value)
	case "x-values", "x-format", "x-type":
		err = n.show(key, value)
	case "minimum":
		err = n.bound(Minimum, value)
	case "maximum":
		err = n.bound(Maximum, value)
	case "exclusiveMinimum":
		err = n.bound(ExclusiveMinimum, value)
	case "exclusiveMaximum":
		err = n.bound(ExclusiveMaximum, value)
	default:
		return checkAnnotation(key, value, at)
	}
	if err != nil {
		return at.error(err.Error())
	}
	return nil
}

// show compiles a keyword for what the documents show in samples only.
func (n *node) show(key string, value gjson.Result) (err error) {
	switch key {
	case "x-values":
		n.values, err = stringsOf(value)
	case "x-format":
		n.shown, err = formatOf(value)
		n.isURI = n.isURI || value.String() == "uri"
	case "x-type":
		n.showTypes, n.wantShown, err = typesOf(value)
	}
	return err
}

// list compiles a list of schemas, which must not be empty.
func (c *compiler) list(value gjson.Result, at location) ([]*node, error) {
	if !value.IsArray() || len(value.Array()) == 0 {
		return nil, at.error(errNotSchemas.Error())
	}
	var list []*node
	for i, raw := range value.Array() {
		sub, err := c.sub(raw, at.at(strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		list = append(list, sub)
	}
	return list, nil
}

func (c *compiler) properties(n *node, value gjson.Result, at location) (err error) {
	if !value.IsObject() {
		return at.error(errNotObject.Error())
	}
	value.ForEach(func(key, raw gjson.Result) bool {
		p := newProperty(key.String())
		if p.node, err = c.sub(raw, at.at(p.name)); err != nil {
			return false
		}
		if alias := raw.Get("x-alias-of").String(); alias != "" {
			p.remark = &remark{Alias, alias}
		} else if text := raw.Get("x-deprecated").String(); text != "" {
			p.remark = &remark{DeprecatedName, text}
		}
		n.properties = append(n.properties, p)
		return true
	})
	return err
}

// newProperty returns a property with that name. It gets a token if the name
// contains nothing that JSON escapes.
func newProperty(name string) property {
	p := property{name: name}
	if quoted := `"` + name + `"`; PlainRun([]byte(quoted), 1) == len(quoted)-1 {
		p.token = quoted
	}
	return p
}

func (n *node) bound(kind Kind, value gjson.Result) error {
	if value.Type != gjson.Number {
		return errNotNumber
	}
	n.bounds = append(n.bounds, bound{kind, parseDecimal([]byte(value.Raw)), value.Raw})
	return nil
}

var typeBits = map[string]uint8{
	"null": isNull, "boolean": isBoolean, "integer": isInteger, "number": isNumber | isInteger,
	"string": isString, "array": isArray, "object": isObject,
}

// typesOf reads a type, or a list of them.
func typesOf(value gjson.Result) (types uint8, words string, err error) {
	names := []string{value.String()}
	if value.Type != gjson.String {
		if names, err = stringsOf(value); err != nil || len(names) == 0 {
			return 0, "", errUnknownType
		}
	}
	for _, name := range names {
		bits, known := typeBits[name]
		if !known {
			return 0, "", errUnknownType
		}
		types |= bits
	}
	return types, strings.Join(names, ", "), nil
}

func stringsOf(value gjson.Result) ([]string, error) {
	if !value.IsArray() {
		return nil, errNotNames
	}
	list := []string{}
	for _, item := range value.Array() {
		if item.Type != gjson.String {
			return nil, errNotNames
		}
		list = append(list, item.String())
	}
	return list, nil
}

func scalarsOf(value gjson.Result) ([]scalar, string, error) {
	if !value.IsArray() {
		return nil, "", errNotList
	}
	list, words := []scalar{}, []string{}
	for _, item := range value.Array() {
		s, word, err := scalarOf(item)
		if err != nil {
			return nil, "", err
		}
		list, words = append(list, *s), append(words, word)
	}
	if len(list) == 0 {
		words = []string{"nothing"}
	}
	return list, strings.Join(words, ", "), nil
}

// scalarOf returns a value, and how findings show it: a string is shown without
// quotes where that is unambiguous.
func scalarOf(value gjson.Result) (s *scalar, word string, err error) {
	switch {
	case value.IsBool():
		return &scalar{kind: isBoolean, text: value.Raw}, value.Raw, nil
	case value.Type == gjson.Null:
		return &scalar{kind: isNull, text: value.Raw}, value.Raw, nil
	case value.Type == gjson.Number:
		return &scalar{kind: isNumber, text: value.Raw, number: parseDecimal([]byte(value.Raw))}, value.Raw, nil
	case value.Type == gjson.String:
		word = value.String()
		if word == "" || strings.ContainsAny(word, " ,\"") || gjson.Valid(word) {
			word = value.Raw
		}
		return &scalar{kind: isString, text: value.String()}, word, nil
	}
	return nil, "", errNotScalar
}

// count reads the limit of a length: 2, or 2.0. No payload is longer than
// MaxInt32, so larger limits are equivalent.
func count(v gjson.Result) (int, error) {
	if v.Type != gjson.Number {
		return 0, errNotCount
	}
	if d := parseDecimal([]byte(v.Raw)); d.sign() < 0 || !d.isWhole() {
		return 0, errNotCount
	}
	return int(math.Min(v.Float(), math.MaxInt32)), nil
}

const draft = "https://json-schema.org/draft/2020-12/schema"

// shape is what the value of an annotation must be.
type shape struct {
	words string
	fits  func(gjson.Result) bool
}

var (
	anyShape     = shape{"any value", func(gjson.Result) bool { return true }}
	stringShape  = shape{"a string", func(v gjson.Result) bool { return v.Type == gjson.String }}
	wordShape    = shape{"a non-empty string", func(v gjson.Result) bool { return v.Type == gjson.String && v.String() != "" }}
	listShape    = shape{"a list", gjson.Result.IsArray}
	objectShape  = shape{"an object", gjson.Result.IsObject}
	booleanShape = shape{"a boolean", gjson.Result.IsBool}
)

// annotations are the keywords that assert nothing about a payload.
var annotations = map[string]shape{
	"$schema": stringShape, "$id": stringShape, "$comment": stringShape, "title": stringShape, "description": stringShape,
	"$defs": objectShape, "default": anyShape, "examples": listShape,
	"deprecated": booleanShape, "readOnly": booleanShape, "writeOnly": booleanShape,
	"x-alias-of": wordShape, "x-deprecated": wordShape,
}

// checkAnnotation returns an error for a keyword that is not an annotation, or
// whose value is not what it must be.
func checkAnnotation(key string, value gjson.Result, at location) error {
	shape, known := annotations[key]
	switch {
	case !known:
		return at.error("the keyword " + key + " is not supported")
	case !shape.fits(value):
		return at.error("must be " + shape.words)
	case key == "$schema" && strings.TrimSuffix(value.String(), "#") != draft:
		return at.error("only draft 2020-12 is supported, " + draft)
	case key == "$id" && at.pointer != "/$id":
		return at.error("the keyword $id is supported only at the top of a file")
	}
	return nil
}

// formatOf returns the format that a keyword names.
func formatOf(value gjson.Result) (*format, error) {
	if f := formatNamed(value.String()); f != nil && value.Type == gjson.String {
		return f, nil
	}
	var known []string
	for _, f := range formats {
		known = append(known, f.name)
	}
	return nil, webhook.Unknown("format", value.String(), known)
}

// link finishes the schemas once all are compiled. It refuses those that refer
// to themselves about the same value, and sets what depends on other schemas.
func (c *compiler) link() error {
	visits := map[*node]visit{}
	for _, n := range c.order {
		if err := c.checkAcyclic(n, visits); err != nil {
			return err
		}
	}
	for _, n := range c.order {
		n.linkNames()
		n.alternatives = n.describeAnyOf()
	}
	return nil
}

// visit is the state of a schema in a search for cycles.
type visit uint8

const (
	entered visit = iota + 1
	left
)

// checkAcyclic returns an error for a schema that leads back to itself without
// going into the payload: no check against it would end.
func (c *compiler) checkAcyclic(n *node, visits map[*node]visit) error {
	switch visits[n] {
	case entered:
		return c.where[n].error("this schema refers back to itself about the same value")
	case left:
		return nil
	}
	visits[n] = entered
	for _, list := range [][]*node{n.allOf, n.anyOf, n.oneOf, n.not} {
		for _, sub := range list {
			if err := c.checkAcyclic(sub, visits); err != nil {
				return err
			}
		}
	}
	visits[n] = left
	return nil
}

// linkNames decides whether names beyond properties are unknown, and adds the
// names that other schemas for the same value list, which are known.
func (n *node) linkNames() {
	lists := slices.ContainsFunc(n.parts(true), func(part *node) bool {
		return slices.ContainsFunc(part.properties, func(p property) bool { return p.node != nil })
	})
	all := n.parts(false)
	mentionsOthers := slices.ContainsFunc(all, func(part *node) bool { return part.additional != nil || part.closed })
	if n.reportsUnknown = lists && !mentionsOthers; !n.reportsUnknown {
		return
	}
	for _, part := range all[1:] {
		for _, p := range part.properties {
			n.indexOf(p.name)
		}
	}
	n.words = (len(n.properties) + 63) / 64
}

// parts returns the schemas for the same value, n first: those of allOf, which
// hold for certain, or those of anyOf and oneOf as well.
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
	for _, indexes := range n.anyRequired {
		words = append(words, n.namesAt(indexes))
	}
	for _, option := range n.anyOf {
		words = append(words, option.describe())
	}
	return strings.Join(words, "; or ")
}

func (n *node) namesAt(indexes []int) string {
	var names []string
	for _, i := range indexes {
		names = append(names, n.properties[i].name)
	}
	return strings.Join(names, " and ")
}

// describe describes in a few words what a schema requires.
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
