package payload

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/webhook"
)

// maxSteps bounds the length of a path: lint refuses deeper nesting as well.
const maxSteps = 512

var (
	errEmptyPath = errors.New("the path is empty")
	errPathUTF8  = errors.New("the path is not UTF-8")
	errNoMember  = errors.New("the payload has no such member")
)

// Set returns a copy of raw in which the value at path is value, which must be
// JSON. Objects that lead to a new member are added, and an index one past the
// end of a list adds an element. Every other byte stays as it is.
//
// The steps of a path are joined by dots, and an index is a number:
// data.contacts.0.email, or data.contacts[0].email. A dot or a bracket in a
// member's name is written \. or \[. The error is a [*webhook.SyntaxError] when
// raw or value is not JSON; other errors name the step that cannot be taken.
func Set(raw []byte, path string, value []byte) ([]byte, error) {
	steps, err := split(raw, path)
	if err != nil {
		return nil, err
	}
	if err := webhook.CheckJSON(value); err != nil {
		return nil, fmt.Errorf("the value is not JSON: %w", err)
	}
	at := gjson.ParseBytes(raw)
	for i, step := range steps {
		m, err := find(at, step)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s is %w", place(steps[:i]), err)
		case !m.exists:
			nested, err := nest(steps[i+1:], value)
			if err != nil {
				return nil, fmt.Errorf("%s is %w", place(steps[:i+1]), err)
			}
			return checked(insert(raw, m, step, nested))
		}
		at = m.value
	}
	return checked(splice(raw, at.Index, at.Index+len(at.Raw), value))
}

// checked refuses a payload that an edit has nested too deep.
func checked(raw []byte) ([]byte, error) {
	if err := webhook.CheckJSON(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// Delete returns a copy of raw without the member or list element at path. See
// [Set] for how a path is written. Every other byte stays, except the comma
// that separated the member from the next one.
func Delete(raw []byte, path string) ([]byte, error) {
	steps, err := split(raw, path)
	if err != nil {
		return nil, err
	}
	at := gjson.ParseBytes(raw)
	var m member
	for _, step := range steps {
		if m, err = find(at, step); err != nil || !m.exists {
			return nil, errNoMember
		}
		at = m.value
	}
	switch {
	case m.before >= 0:
		return splice(raw, m.before, m.end(), nil), nil
	case m.next >= 0:
		return splice(raw, m.start, m.next, nil), nil
	}
	return splice(raw, m.start, m.end(), nil), nil
}

// split returns the steps of a path into raw, which must be JSON.
func split(raw []byte, path string) ([]string, error) {
	steps := jsonpath.Split(path)
	switch {
	case len(steps) == 0:
		return nil, errEmptyPath
	case !utf8.ValidString(path):
		return nil, errPathUTF8
	case len(steps) > maxSteps:
		return nil, fmt.Errorf("the path has more than %d steps", maxSteps)
	}
	return steps, webhook.CheckJSON(raw)
}

// String returns text as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func String(text string) []byte { return gjson.AppendJSONString(nil, text) }

// Value returns text as the JSON that a place in a schema takes: as it is when
// it is JSON of one of the types that p allows, and otherwise as a JSON string.
// Text that is JSON of another type stays JSON where p does not allow strings.
// The zero Property takes any JSON.
func Value(p webhook.Property, text string) []byte {
	if webhook.CheckJSON([]byte(text)) != nil {
		return String(text)
	}
	types := typesOf(gjson.Parse(text))
	allowed := slices.ContainsFunc(types, func(t string) bool { return slices.Contains(p.Types, t) })
	if len(p.Types) == 0 || allowed || !slices.Contains(p.Types, "string") {
		return []byte(text)
	}
	return String(text)
}

// typesOf lists JSON Schema's names for the type of a value.
func typesOf(v gjson.Result) []string {
	switch {
	case v.IsObject():
		return []string{"object"}
	case v.IsArray():
		return []string{"array"}
	case v.IsBool():
		return []string{"boolean"}
	case v.Type == gjson.Null:
		return []string{"null"}
	case v.Type == gjson.String:
		return []string{"string"}
	}
	return []string{"number", "integer"}
}

// member is a member of an object or an element of a list, with its place in
// the payload. Offsets that do not apply are -1.
type member struct {
	exists bool
	value  gjson.Result
	inList bool
	start  int // of the name, or of an element's value
	before int // the end of the value before
	next   int // the start of the name or the value after
	closed int // the bracket that closes the object or the list
}

func (m member) end() int { return m.value.Index + len(m.value.Raw) }

// find looks for a step in an object or a list. When it does not exist, the
// offsets say where it can be added. gjson is asked for the members alone, not
// for paths: names may contain characters that are syntax in its paths.
func find(in gjson.Result, step string) (member, error) {
	m := member{start: -1, before: -1, next: -1, inList: in.IsArray()}
	if !in.IsObject() && !in.IsArray() {
		return m, errors.New("neither an object nor a list, and contains nothing")
	}
	m.closed = in.Index + len(strings.TrimRight(in.Raw, " \t\r\n")) - 1
	size := 0
	in.ForEach(func(name, value gjson.Result) bool {
		start, is := value.Index, m.inList && jsonpath.IsIndex(step) && strconv.Itoa(size) == step
		if !m.inList {
			start, is = name.Index, name.String() == step
		}
		size++
		switch {
		case m.exists:
			m.next = start
			return false
		case is:
			m.exists, m.value, m.start = true, value, start
		default:
			m.before = value.Index + len(value.Raw)
		}
		return true
	})
	if m.inList && !m.exists && step != strconv.Itoa(size) {
		return m, fmt.Errorf("a list of %d: the index goes from 0 to %d, which adds one", size, size)
	}
	return m, nil
}

// insert adds a value at the end of an object or a list.
func insert(raw []byte, m member, step string, value []byte) []byte {
	var text []byte
	at := m.closed
	if m.before >= 0 {
		text, at = append(text, ','), m.before
	}
	if !m.inList {
		text = append(gjson.AppendJSONString(text, step), ':')
	}
	return splice(raw, at, at, append(text, value...))
}

// nest wraps a value in the objects that lead to it, and in a list where the
// step is the index 0.
func nest(steps []string, value []byte) ([]byte, error) {
	for _, step := range slices.Backward(steps) {
		switch {
		case step == "0":
			value = slices.Concat([]byte("["), value, []byte("]"))
		case jsonpath.IsIndex(step):
			return nil, errors.New("not in the payload yet: the first index of a new list is 0")
		default:
			value = slices.Concat([]byte("{"), String(step), []byte(":"), value, []byte("}"))
		}
	}
	return value, nil
}

func splice(raw []byte, from, to int, text []byte) []byte {
	return slices.Concat(raw[:from], text, raw[to:])
}

// place names the steps that were taken.
func place(steps []string) string {
	if len(steps) == 0 {
		return "the payload"
	}
	return strings.Join(steps, ".")
}
