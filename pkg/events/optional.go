package events

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/tidwall/gjson"
)

// Optional is a member of an object that is absent, null, or has a value. The
// zero Optional is absent. In a struct its tag has the option omitzero, so that
// an absent member stays absent.
type Optional[T any] struct {
	value T
	state state
}

type state uint8

const (
	absent state = iota
	null
	present
)

// Of returns an Optional with a value.
func Of[T any](value T) Optional[T] { return Optional[T]{value, present} }

// Null returns an Optional that is null.
func Null[T any]() Optional[T] { return Optional[T]{state: null} }

// Get returns the value and whether there is one.
func (o Optional[T]) Get() (value T, ok bool) { return o.value, o.state == present }

// Value returns the value, or the zero value if the member is absent or null.
func (o Optional[T]) Value() T { return o.value }

// Or returns the value, or other if the member is absent or null.
func (o Optional[T]) Or(other T) T {
	if o.state != present {
		return other
	}
	return o.value
}

// IsNull reports whether the member is null.
func (o Optional[T]) IsNull() bool { return o.state == null }

// IsZero reports whether the member is absent, for the option omitzero of
// encoding/json.
func (o Optional[T]) IsZero() bool { return o.state == absent }

// String returns the value as fmt prints it, "null" or "".
func (o Optional[T]) String() string {
	switch o.state {
	case absent:
		return ""
	case null:
		return "null"
	}
	return fmt.Sprint(o.value)
}

// MarshalJSON returns the JSON of the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state != present {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON is [Decode].
func (o *Optional[T]) UnmarshalJSON(raw []byte) error { return Decode(raw, o) }

func (o *Optional[T]) decode(d *decoder, raw gjson.Result) error {
	*o = Null[T]()
	if raw.Type == gjson.Null {
		return nil
	}
	o.state = present
	return d.value(raw, reflect.ValueOf(&o.value).Elem())
}
