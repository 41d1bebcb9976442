// Package logvalue prints values that may carry credentials as they log
// themselves: their LogValue, which masks credentials, is the one place that
// decides what is shown. It is internal because it is how the packages under
// pkg implement fmt.Formatter and json.Marshaler, and no more.
package logvalue

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
)

// Format implements [fmt.Formatter] for v: every verb writes its LogValue. So
// does log/slog for a value inside another, by fmt.
func Format(f fmt.State, v slog.LogValuer) { _, _ = io.WriteString(f, v.LogValue().String()) }

// FormatFields implements [fmt.Formatter] for a struct that has such values in its
// fields: v is it, as a type without methods. Without that, fmt calls no method
// for a pointer under a verb such as %s, and shows what it points to.
func FormatFields(f fmt.State, verb rune, v any) { _, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), v) }

// MarshalJSON implements [json.Marshaler] for v: a group is an object with its
// members in order, as log/slog writes it.
func MarshalJSON(v slog.LogValuer) ([]byte, error) { return marshal(v.LogValue()) }

func marshal(v slog.Value) ([]byte, error) {
	if v.Kind() != slog.KindGroup {
		return jsontext.Marshal(v.Any())
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, attr := range v.Group() {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := jsontext.Marshal(attr.Key)
		if err != nil {
			return nil, err
		}
		value, err := marshal(attr.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
