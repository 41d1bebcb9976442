package webhook_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/textproto"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

func FuzzRecordDecode(f *testing.F) {
	f.Add([]byte(line1 + "\n\n" + line2 + "\r\n"))
	f.Add([]byte(`{"type":"ready","address":"127.0.0.1:3000"}` + "\n" + `{"type":"summary"}`))
	f.Add([]byte(`{"type":"record","time":"0000-01-01T00:00:00+23:59","duration_ms":-1e300,"verdict":{"warnings":[],"diagnosis":null}}`))
	f.Add([]byte(`{"type":"record","request":{"headers":[["A","4pii","base64"],["B","/w==","base64"]],"body_base64":"YQ==","body":"b"},"forward":{}}`))
	f.Add([]byte(`{"type":"record","error":"https://a:b/c@d://e@f?token=g&h","request":{"url":"x://y:z@?%zz=1#token=2"}}`))
	var stream bytes.Buffer
	if err := webhook.NewEncoder(&stream).Encode(leaky()); err != nil {
		f.Fatal(err)
	}
	f.Add(stream.Bytes())
	f.Fuzz(func(t *testing.T, stream []byte) {
		d := webhook.NewDecoder(bytes.NewReader(stream))
		for {
			r, err := d.Decode()
			if errors.Is(err, io.EOF) || errors.Is(err, webhook.ErrLineTooLong) {
				return
			}
			if err != nil {
				continue
			}
			first := encoded(t, r)
			again, err := webhook.NewDecoder(bytes.NewReader(first)).Decode()
			if err != nil {
				t.Fatalf("%s: %v", first, err)
			}
			if second := encoded(t, again); !bytes.Equal(first, second) {
				t.Fatalf("encoded as\n%s and then as\n%s", first, second)
			}
		}
	})
}

func encoded(t *testing.T, r webhook.Record) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := webhook.NewEncoder(&b).Encode(r); err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	return b.Bytes()
}

func FuzzParsePair(f *testing.F) {
	for line := range pairs {
		f.Add(line)
	}
	for line := range badPairs {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		p, err := webhook.ParsePair(line)
		if err != nil {
			var bad *webhook.HeaderError
			if !errors.As(err, &bad) || strings.ContainsAny(err.Error(), "\r\n\x00\x1b") {
				t.Fatalf("%q: %#v", line, err)
			}
			return
		}
		if again, err := webhook.ParsePair(p.Name + ": " + p.Value); err != nil || again != p {
			t.Fatalf("%q is %q, and then %q, %v", line, p, again, err)
		}
		written := p.Name + ": " + p.Value + "\r\n\r\n"
		theirs, err := textproto.NewReader(bufio.NewReader(strings.NewReader(written))).ReadMIMEHeader()
		if want := (textproto.MIMEHeader{textproto.CanonicalMIMEHeaderKey(p.Name): {p.Value}}); err != nil || !reflect.DeepEqual(theirs, want) {
			t.Fatalf("%q: net/textproto reads %q, %v; want %q", line, theirs, err, want)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	for _, raw := range goodJSON {
		f.Add([]byte(raw))
	}
	for _, test := range badJSON {
		if len(test.raw) < 1000 {
			f.Add([]byte(test.raw))
		}
	}
	for _, test := range envelopes {
		f.Add([]byte(test.raw))
	}
	for _, test := range badEnvelopes {
		f.Add([]byte(test.raw))
	}
	f.Add([]byte(`{"event_type":"a.b","event\u005ftype":"c.d"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		agreesWithEncodingJSON(t, raw)
		before := bytes.Clone(raw)
		event, err := webhook.ParseEvent(raw)
		if !bytes.Equal(raw, before) || err == nil && !bytes.Equal(event.Raw, before) {
			t.Fatalf("%q was changed", before)
		}
		var bad *webhook.EnvelopeError
		if webhook.CheckJSON(raw) != nil {
			return // the same error, held by another test
		}
		members, good := envelopeOf(raw)
		if good != (err == nil) || err != nil && errors.As(err, &bad) && (bad.Line < 1 || bad.Column < 1) {
			t.Fatalf("%q: %v, want good to be %v", raw, err, good)
		}
		if err != nil {
			return
		}
		got := map[string]string{"timestamp": event.Timestamp, "source": event.Source, "event_id": event.ID, "company_id": event.CompanyID, "event": event.Type, "event_type": event.Type}
		for name, want := range members {
			if !strings.ContainsRune(want, utf8.RuneError) && got[name] != want {
				t.Fatalf("%q: %s is %q, want %q", raw, name, got[name], want)
			}
		}
		event.Data()
	})
}

// envelopeOf reads an envelope by encoding/json, token by token, and returns
// whether it is one.
func envelopeOf(raw []byte) (members map[string]string, good bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, _ := d.Token(); first != json.Delim('{') {
		return nil, false
	}
	members, good = map[string]string{}, true
	seen := map[string]bool{}
	for d.More() {
		key, _ := d.Token()
		name := key.(string)
		var value any
		var text json.RawMessage
		if d.Decode(&text) != nil || json.Unmarshal(text, &value) != nil && text[0] != '-' && (text[0] < '0' || text[0] > '9') {
			value = nil
		}
		switch name {
		case "event_type", "event", "event_id", "timestamp", "source", "company_id":
			s, isString := value.(string)
			good = good && isString
			members[name] = s
		case "data":
		default:
			continue
		}
		good = good && !seen[name]
		seen[name] = true
	}
	return members, good && seen["event_type"] != seen["event"]
}
