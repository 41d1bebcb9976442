package lint

import (
	"slices"
	"strings"
	"testing"
)

// FuzzEnvelope checks of any bytes that reading the members of data with the
// envelope makes no difference: data ends where skipping it ends, and has the
// members that it has by itself.
func FuzzEnvelope(f *testing.F) {
	for _, text := range []string{
		"", "{}", `{"data":{}}`, `{"data":{"a":1,"b":[{}],"c":{"a":"}"}},"event":"x"}`, `{"data":{"a":1},"data":{"b":2}}`, `{"data":[1,{"a":2}],"event_type":5}`,
		`{"data":{"a":1,}}`, `{"data":{"a":}}`, `{"data":{"a"}}`, `{"data":{"a":1 2}}`, `{"data":{"a":]}`, `{"data":{"a":[}]}}`, `{"data":{"a":[} }`, `{"data":{`, `{"data":`,
		`{"data":{"a":"\`, `{"data":{"a":0},"data":}`, `{"type":"record","request":{}}`, "{\"data\":{\"é\\\"\":\"\xff\x00\"}}",
		`{"data":{` + strings.Repeat(`"a":1,`, maxFields) + `"b":[2],"c":3},"event":"x"}`,
	} {
		f.Add([]byte(text))
	}
	old := envelope{}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e := envelopeOf(raw, old)
		old = e
		if again := envelopeOf(raw, envelope{}); !slices.Equal(again.fields, e.fields) || again.data != e.data || again.members != e.members {
			t.Fatalf("%q in another's place: %+v\n%+v", raw, again, e)
		}
		if !e.data.exists() {
			return
		}
		if end := skipValue(raw, e.data.at); end != e.data.end {
			t.Fatalf("%q: data ends at %d, not at %d", raw, e.data.end, end)
		}
		if got, want := all(e.walkData(raw)), all(partsOf(raw, e.data)); !slices.Equal(got, want) {
			t.Fatalf("%q: members %v, want %v", raw, got, want)
		}
	})
}

func all(walk parts) (list []part) {
	for {
		found, ok := walk.next()
		if !ok {
			return list
		}
		list = append(list, found)
	}
}
