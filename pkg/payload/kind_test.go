package payload_test

import (
	"testing"

	"github.com/wskdev/wsk/pkg/payload"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	full := `{"type":"record","request":{}}`
	for text, want := range map[string]payload.Kind{
		full:               payload.KindRecord,
		full + "\n" + full: payload.KindRecord,
		"\n \r\n\t" + full: payload.KindRecord,
		"{\"type\":\n\"record\",\n\"request\":{}}":     payload.KindRecord,
		`{"request":{},"id":"r1","type":"record"}`:     payload.KindRecord,
		`{"type":"ready","address":"x"}` + "\n" + full: payload.KindFrame,
		`{"type":"summary"}`:                           payload.KindFrame,
		`{"type":"ready","event_type":"a.b"}`:          payload.KindPayload,
		`{"event":"a.b","type":"summary"}`:             payload.KindPayload,
		`{"type":"record"}`:                            payload.KindPayload,
		`{"type":"record","request":"please"}`:         payload.KindPayload,
		`{"event_type":"work_order.created"}`:          payload.KindPayload,
		`{"data":{"type":"record","request":{}}}`:      payload.KindPayload,
		`{"type":"invoice","request":{},"x":"record"}`: payload.KindPayload,
		full[:20]:                        payload.KindPayload,
		"":                               payload.KindPayload,
		"[" + full + "]":                 payload.KindPayload,
		`"record"`:                       payload.KindPayload,
		"POST / HTTP/1.1\r\n\r\n" + full: payload.KindPayload,
	} {
		if got := payload.KindOf([]byte(text)); got != want {
			t.Errorf("KindOf(%.60q) = %s, want %s", text, got, want)
		}
	}
}
