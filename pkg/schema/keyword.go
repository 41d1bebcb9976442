package schema

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

var (
	errNotCount    = errors.New("must be a number of 0 or more, without a fraction")
	errUnknownType = errors.New("must name the types null, boolean, integer, number, string, array, object")
	errNotNumber   = errors.New("must be a number")
	errNotString   = errors.New("must be a string")
	errNotNames    = errors.New("must be a list of names")
	errNotList     = errors.New("must be a list")
	errNotSchemas  = errors.New("must be a list of schemas")
	errNotObject   = errors.New("must be an object")
	errNotScalar   = errors.New("may hold strings, numbers, booleans and null only")
)

// keyword compiles one keyword into n.
func (c *compiler) keyword(n *node, key string, value gjson.Result, at place) error {
	var err error
	switch key {
	case "$ref", "properties", "additionalProperties", "items", "anyOf", "allOf", "oneOf", "not":
		return c.applicator(n, key, value, at)
	case "type":
		n.types, n.wantTypes, err = typesOf(value)
	case "required":
		_, err = stringsOf(value)
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
		if n.format = formatNamed(value.String()); n.format == nil || value.Type != gjson.String {
			err = webhook.Unknown("format", value.String(), Formats())
		}
		n.isURI = value.String() == "uri"
	case "enum":
		n.enum, n.wantEnum, err = scalarsOf(value)
	case "const":
		n.constant, n.wantConst, err = scalarOf(value)
	case "x-values":
		n.values, err = stringsOf(value)
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
		err = n.bound(key, value)
	default:
		return checkAnnotation(key, value, at)
	}
	if err != nil {
		return at.error(err.Error())
	}
	return nil
}

// applicator compiles a keyword that holds schemas.
func (c *compiler) applicator(n *node, key string, value gjson.Result, at place) (err error) {
	switch key {
	case "$ref":
		var target *node
		target, err = c.follow(value, at)
		n.allOf = append(n.allOf, target)
	case "properties":
		err = c.properties(n, value, at)
	case "additionalProperties":
		if n.closed = value.Type == gjson.False; !n.closed {
			n.additional, err = c.sub(value, at)
		}
	case "items":
		n.items, err = c.sub(value, at)
	case "not":
		n.not, err = c.list([]gjson.Result{value}, func(int) place { return at })
	default:
		if !value.IsArray() || len(value.Array()) == 0 {
			return at.error(errNotSchemas.Error())
		}
		var list []*node
		list, err = c.list(value.Array(), func(i int) place { return at.at(strconv.Itoa(i)) })
		switch key {
		case "anyOf":
			n.anyOf = list
		case "allOf":
			n.allOf = append(n.allOf, list...)
		default:
			n.oneOf = list
		}
	}
	return err
}

func (c *compiler) list(raw []gjson.Result, at func(i int) place) ([]*node, error) {
	var list []*node
	for i, r := range raw {
		sub, err := c.sub(r, at(i))
		if err != nil {
			return nil, err
		}
		list = append(list, sub)
	}
	return list, nil
}

func (c *compiler) properties(n *node, value gjson.Result, at place) (err error) {
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

// newProperty makes a property of that name. A name that can be written in one
// way only between its quotes gets a token.
func newProperty(name string) property {
	p := property{name: name}
	if quoted := `"` + name + `"`; plainRun([]byte(quoted), 1) == len(quoted)-1 {
		p.token = quoted
	}
	return p
}

func typesOf(value gjson.Result) (types uint8, words string, err error) {
	names := []string{value.String()}
	if value.Type != gjson.String {
		if names, err = stringsOf(value); err != nil || len(names) == 0 {
			return 0, "", errUnknownType
		}
	}
	for _, name := range names {
		bit := typeBit(name)
		if bit == 0 {
			return 0, "", errUnknownType
		}
		types |= bit
	}
	return types, strings.Join(names, ", "), nil
}

func typeBit(name string) uint8 {
	switch name {
	case "null":
		return isNull
	case "boolean":
		return isBoolean
	case "integer":
		return isInteger
	case "number":
		return isNumber | isInteger
	case "string":
		return isString
	case "array":
		return isArray
	case "object":
		return isObject
	}
	return 0
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

// scalarOf returns a value and how a finding shows it: a string without its
// quotes, where that leaves no doubt.
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

// count reads the limit of a length: 2, or 2.0.
func count(v gjson.Result) (int, error) {
	if v.Type != gjson.Number {
		return 0, errNotCount
	}
	if d := parseDecimal([]byte(v.Raw)); d.sign() < 0 || !d.isWhole() {
		return 0, errNotCount
	}
	return int(math.Min(v.Float(), 1<<53)), nil
}

func (n *node) bound(key string, value gjson.Result) error {
	if value.Type != gjson.Number {
		return errNotNumber
	}
	kind := Minimum + Kind(slices.Index([]string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}, key))
	n.bounds = append(n.bounds, bound{kind, parseDecimal([]byte(value.Raw)), value.Raw})
	return nil
}
