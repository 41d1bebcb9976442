package events

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Timestamp is a moment in RFC 3339, as written: 2026-03-02T15:20:04Z.
type Timestamp string

// Time parses the timestamp. It fails for text that is not in RFC 3339, which
// decoding accepts, and for a leap second, which package time does not have.
func (t Timestamp) Time() (time.Time, error) {
	return time.Parse(time.RFC3339, strings.ToUpper(string(t)))
}

// TimestampOf returns the timestamp of a moment, in UTC and with as many digits
// of the second as it needs.
func TimestampOf(t time.Time) Timestamp { return Timestamp(t.UTC().Format(time.RFC3339Nano)) }

// Date is a day, as written: 2026-03-02.
type Date string

// Time returns the start of the day in a time zone. It fails for text that is
// not a date, which decoding accepts.
func (d Date) Time(zone *time.Location) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, string(d), zone)
}

// DateOf returns the day of a moment in the moment's time zone.
func DateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// Value is any JSON value, as written. [json.Unmarshal] reads it into a Go value.
type Value []byte

// ValueOf returns a string, boolean or integer as a Value. For others, convert
// what [json.Marshal] returns.
func ValueOf[T ~string | ~bool | ~int | ~int64](value T) Value {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // these types have no value that does not encode
	}
	return raw
}

// String returns the text of a string, and the JSON of any other value.
func (v Value) String() string {
	if value := gjson.ParseBytes(v); value.Type == gjson.String {
		return value.Str
	}
	return string(v)
}

// MarshalJSON returns the value; a Value of no bytes is null.
func (v Value) MarshalJSON() ([]byte, error) {
	if len(v) == 0 {
		return []byte("null"), nil
	}
	return v, nil
}

// UnmarshalJSON is [Decode].
func (v *Value) UnmarshalJSON(raw []byte) error { return Decode(raw, v) }

func (v *Value) decode(_ *decoder, raw gjson.Result) error {
	*v = Value(raw.Raw)
	return nil
}

// StringOrNumber is a member that may be a string or a number: the rate of a
// contract, or "4 days, 8 hours per day". The zero StringOrNumber is the empty
// string.
type StringOrNumber struct {
	text   string // the string, or the number as written
	number bool
}

// Text returns a StringOrNumber that is a string.
func Text(s string) StringOrNumber { return StringOrNumber{text: s} }

// Number returns a StringOrNumber that is a number.
func Number(f float64) StringOrNumber {
	return StringOrNumber{strconv.FormatFloat(f, 'g', -1, 64), true}
}

// String returns the string, or the number as written.
func (v StringOrNumber) String() string { return v.text }

// IsNumber reports whether it is a number. A string such as "86" is not.
func (v StringOrNumber) IsNumber() bool { return v.number }

// Float64 returns the number, also that of a string such as "86".
func (v StringOrNumber) Float64() (float64, error) { return strconv.ParseFloat(v.text, 64) }

// MarshalJSON returns a JSON string or number.
func (v StringOrNumber) MarshalJSON() ([]byte, error) {
	if v.number {
		return []byte(v.text), nil
	}
	return json.Marshal(v.text)
}

// UnmarshalJSON is [Decode].
func (v *StringOrNumber) UnmarshalJSON(raw []byte) error { return Decode(raw, v) }

func (v *StringOrNumber) decode(d *decoder, raw gjson.Result) error {
	switch raw.Type {
	case gjson.String:
		*v = Text(raw.Str)
	case gjson.Number:
		*v = StringOrNumber{raw.Raw, true}
	default:
		return d.wrongType(raw, "a string or a number")
	}
	return nil
}

// StringOrList is a member that may be a list of strings, or one string with
// commas between them. The zero StringOrList is the empty string.
type StringOrList struct {
	text   string
	list   []string
	isList bool
}

// Joined returns a StringOrList that is one string with commas in it.
func Joined(s string) StringOrList { return StringOrList{text: s} }

// List returns a StringOrList that is a list.
func List(items ...string) StringOrList {
	return StringOrList{list: append([]string{}, items...), isList: true} // no items: [], not null
}

// List returns the items of the list, or the parts of the string between its
// commas without the space around them.
func (v StringOrList) List() []string {
	if v.isList || strings.TrimSpace(v.text) == "" {
		return v.list
	}
	parts := strings.Split(v.text, ",")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	return parts
}

// String returns the string, or the items of the list joined by commas.
func (v StringOrList) String() string {
	if v.isList {
		return strings.Join(v.list, ", ")
	}
	return v.text
}

// IsList reports whether it is a list.
func (v StringOrList) IsList() bool { return v.isList }

// MarshalJSON returns a JSON string or list.
func (v StringOrList) MarshalJSON() ([]byte, error) {
	if v.isList {
		return json.Marshal(v.list)
	}
	return json.Marshal(v.text)
}

// UnmarshalJSON is [Decode].
func (v *StringOrList) UnmarshalJSON(raw []byte) error { return Decode(raw, v) }

func (v *StringOrList) decode(d *decoder, raw gjson.Result) error {
	switch {
	case raw.Type == gjson.String:
		*v = Joined(raw.Str)
		return nil
	case raw.IsArray():
		*v = List()
		return d.list(raw, reflect.ValueOf(&v.list).Elem())
	}
	return d.wrongType(raw, "a string or a list")
}
