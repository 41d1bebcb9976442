package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Event is an event's type. The generated types implement it with a method that
// needs no value, so that what a function takes says which event it is for:
//
//	func On[E events.Event](handle func(context.Context, *E) error) {
//		var event E
//		definition := event.Definition()
//		…
type Event interface {
	// Definition returns which event of the catalog it is.
	Definition() webhook.Definition
}

// MemberError is the error for a member that its Go type cannot hold, that
// occurs twice, or that says that the event is of another type.
type MemberError struct {
	Pointer string // from the decoded value to the member, as a JSON Pointer: /data/equipment/0
	Reason  string
}

func (e *MemberError) Error() string {
	if e.Pointer == "" {
		return "the payload " + e.Reason
	}
	return e.Pointer + " " + e.Reason
}

// Decode reads an event, or a part of one, into the value that v points to: a
// generated type, or a struct of your own with fields of the same types, each
// with its name in a json tag. The value's content is replaced. Members that the
// type does not have are skipped; see [Unknown].
//
// The error is a [*webhook.SyntaxError] when raw is not JSON, and a
// [*MemberError] when the value does not fit the type.
func Decode(raw []byte, v any) error {
	if err := webhook.CheckJSON(raw); err != nil {
		return err
	}
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("decoding into a %T: a pointer to a value is needed", v)
	}
	target.Elem().SetZero()
	if event, ok := v.(Event); ok {
		if err := checkType(raw, event.Definition()); err != nil {
			return err
		}
	}
	return (&decoder{}).value(gjson.ParseBytes(raw), target.Elem())
}

// Unknown returns the members of raw that the type of v, a value or a pointer,
// does not have, by their JSON Pointers. The members of such a member are not
// listed. Errors are those of [Decode].
func Unknown(raw []byte, v any) (map[string]json.RawMessage, error) {
	if err := webhook.CheckJSON(raw); err != nil {
		return nil, err
	}
	t := reflect.TypeOf(v)
	if t == nil {
		return nil, errors.New("looking for unknown members: a value of an event's type is needed, have nil")
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	d := decoder{unknown: map[string]json.RawMessage{}}
	if err := d.value(gjson.ParseBytes(raw), reflect.New(t).Elem()); err != nil {
		return nil, err
	}
	return d.unknown, nil
}

// Parse reads an event of any type. create returns a pointer to a new event of a
// form and type, or nil: it is the function New of a generated package.
//
// The error is one of [webhook.ParseEvent] or [Decode], or a
// [*webhook.UnknownError] for an event without a type.
func Parse(raw []byte, create func(f webhook.Form, eventType string) Event) (Event, error) {
	envelope, err := webhook.ParseEvent(raw)
	if err != nil {
		return nil, err
	}
	event := create(envelope.Form, envelope.Type)
	if event == nil {
		if _, err := webhook.DefaultCatalog().Lookup("", envelope.Form, envelope.Type); err != nil {
			return nil, err
		}
		return nil, webhook.Unknown("event", envelope.Type, nil) // another platform's
	}
	if err := Decode(raw, event); err != nil {
		return nil, err
	}
	return event, nil
}

// checkType returns an error if an envelope names another type of event.
func checkType(raw []byte, d webhook.Definition) error {
	member := "event_type"
	if d.Form == webhook.Compact || d.Form == webhook.WorksomeForm {
		member = "event"
	}
	if found := gjson.GetBytes(raw, member); found.Type == gjson.String && found.Str != d.Type {
		return &MemberError{"/" + member, fmt.Sprintf("must be %q, is %.60q", d.Type, found.Str)}
	}
	return nil
}

// decoder decodes one payload.
type decoder struct {
	path    []string // of the value that is being decoded
	unknown map[string]json.RawMessage
}

// decodable is implemented by the types of this package that are not decoded by
// their kind.
type decodable interface {
	decode(d *decoder, raw gjson.Result) error
}

func (d *decoder) value(raw gjson.Result, v reflect.Value) error {
	if own, ok := v.Addr().Interface().(decodable); ok {
		return own.decode(d, raw)
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.object(raw, v)
	case reflect.Map:
		return d.byName(raw, v)
	case reflect.Slice:
		return d.list(raw, v)
	case reflect.String:
		if raw.Type != gjson.String {
			return d.wrongType(raw, "a string")
		}
		v.SetString(raw.Str)
	case reflect.Bool:
		if !raw.IsBool() {
			return d.wrongType(raw, "a boolean")
		}
		v.SetBool(raw.Bool())
	case reflect.Float64:
		return d.float(raw, v)
	case reflect.Int64:
		return d.integer(raw, v)
	default:
		return fmt.Errorf("decoding %s into a %s: the type is not supported", d.pointer(), v.Type())
	}
	return nil
}

// object decodes the members of an object into the fields of a struct.
func (d *decoder) object(raw gjson.Result, v reflect.Value) error {
	if !raw.IsObject() {
		return d.wrongType(raw, "an object")
	}
	names := memberNames(v.Type())
	seen := make([]bool, len(names))
	next := 0 // members are usually in the order of the fields
	var err error
	raw.ForEach(func(name, value gjson.Result) bool {
		d.path = append(d.path, name.Str)
		i := indexFrom(names, name.Str, next)
		switch {
		case i < 0:
			if d.unknown != nil {
				d.unknown[d.pointer()] = json.RawMessage(value.Raw)
			}
		case seen[i]:
			err = d.twice()
		default:
			seen[i], next = true, i+1
			err = d.value(value, v.Field(i))
		}
		d.path = d.path[:len(d.path)-1]
		return err == nil
	})
	return err
}

// memberNames returns the name of each field in JSON, which its tag has. A field
// that cannot be set has none.
func memberNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		if f := t.Field(i); f.IsExported() {
			names[i], _, _ = strings.Cut(f.Tag.Get("json"), ",")
		}
	}
	return names
}

// indexFrom returns the index of a name, or -1. It looks at the index from first.
func indexFrom(names []string, name string, from int) int {
	if name == "" {
		return -1
	}
	if from < len(names) && names[from] == name {
		return from
	}
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return -1
}

// byName decodes an object into a map.
func (d *decoder) byName(raw gjson.Result, v reflect.Value) error {
	if !raw.IsObject() {
		return d.wrongType(raw, "an object")
	}
	v.Set(reflect.MakeMap(v.Type()))
	var err error
	raw.ForEach(func(name, value gjson.Result) bool {
		d.path = append(d.path, name.Str)
		key, item := reflect.ValueOf(name.Str), reflect.New(v.Type().Elem()).Elem()
		if v.MapIndex(key).IsValid() {
			err = d.twice()
		} else {
			err = d.value(value, item)
		}
		v.SetMapIndex(key, item)
		d.path = d.path[:len(d.path)-1]
		return err == nil
	})
	return err
}

func (d *decoder) list(raw gjson.Result, v reflect.Value) error {
	if !raw.IsArray() {
		return d.wrongType(raw, "a list")
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	var err error
	raw.ForEach(func(_, value gjson.Result) bool {
		d.path = append(d.path, strconv.Itoa(v.Len()))
		item := reflect.New(v.Type().Elem()).Elem()
		err = d.value(value, item)
		v.Set(reflect.Append(v, item))
		d.path = d.path[:len(d.path)-1]
		return err == nil
	})
	return err
}

func (d *decoder) float(raw gjson.Result, v reflect.Value) error {
	if raw.Type != gjson.Number {
		return d.wrongType(raw, "a number")
	}
	f, err := strconv.ParseFloat(raw.Raw, 64)
	if err != nil {
		return d.failed(fmt.Sprintf("is %.40s, which does not fit a float64", raw.Raw))
	}
	v.SetFloat(f)
	return nil
}

// integer accepts 4.0 and 4e0 as well, which are integers to JSON Schema.
func (d *decoder) integer(raw gjson.Result, v reflect.Value) error {
	if raw.Type != gjson.Number {
		return d.wrongType(raw, "an integer")
	}
	if n, err := strconv.ParseInt(raw.Raw, 10, 64); err == nil {
		v.SetInt(n)
		return nil
	}
	const exact = 1 << 53 // up to here a float64 has every integer
	f, err := strconv.ParseFloat(raw.Raw, 64)
	switch {
	case err != nil || math.Abs(f) > exact:
		return d.failed(fmt.Sprintf("is %.40s, which does not fit an int64", raw.Raw))
	case f != math.Trunc(f):
		return d.failed(fmt.Sprintf("must be an integer, is %.40s", raw.Raw))
	}
	v.SetInt(int64(f))
	return nil
}

func (d *decoder) wrongType(raw gjson.Result, want string) error {
	have := "null"
	switch {
	case raw.IsObject():
		have = "an object"
	case raw.IsArray():
		have = "a list"
	case raw.IsBool():
		have = "a boolean"
	case raw.Type == gjson.Number:
		have = "a number"
	case raw.Type == gjson.String:
		have = "a string"
	}
	return d.failed("must be " + want + ", is " + have)
}

func (d *decoder) twice() error { return d.failed("occurs twice") }

func (d *decoder) failed(reason string) error { return &MemberError{d.pointer(), reason} }

func (d *decoder) pointer() string {
	var b strings.Builder
	for _, step := range d.path {
		b.WriteByte('/')
		b.WriteString(jsonpath.EscapePointer(step))
	}
	return b.String()
}
