package schema

import (
	"math"
	"strings"

	"github.com/tidwall/gjson"
)

// typesOf reads a type, or a list of them.
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
