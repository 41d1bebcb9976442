package schema

import (
	"errors"
	"regexp"
	"slices"
	"strconv"

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

func (n *node) bound(key string, value gjson.Result) error {
	if value.Type != gjson.Number {
		return errNotNumber
	}
	kind := Minimum + Kind(slices.Index([]string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}, key))
	n.bounds = append(n.bounds, bound{kind, parseDecimal([]byte(value.Raw)), value.Raw})
	return nil
}
