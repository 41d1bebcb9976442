package webhook_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// bodies are what a body can be made of.
var bodies = []string{
	"", "{}", `{"a":"b"}`, "\x00", "a\x00b", "\ufeff{}", "{}\r\n", "\u2028\u2029", "<script>&amp;</script>", "\ufffd",
	"\xff", "\xed\xa0\x80", "Caf\xe9", "\xf0\x9f\x94", "🔧", "\\u0000\\/\"", "\x1b]52;c;aGk=\x07", "\u202egnp", strings.Repeat("x", 1<<12),
}

// arbitrary makes records of every shape from a source of numbers.
type arbitrary struct{ *rand.Rand }

func (a arbitrary) text() string {
	return []string{"", "work_order.created", "Café \u2028", "a\x00b\"\\", "<&>"}[a.IntN(5)]
}

func (a arbitrary) body() []byte {
	if text := bodies[a.IntN(len(bodies))]; text != "" {
		return []byte(text)
	}
	return nil
}

func (a arbitrary) header() (h webhook.Header) {
	values := []string{"", "1", "a, b", "Caf\xe9", "Café", "\x00", "[redacted]", "base64", "https://h/?a=b"}
	names := []string{"X-Webhook-ID", "x-webhook-id", "Accept", "Location", "Authorization"}
	for range a.IntN(6) {
		p := webhook.Pair{Name: names[a.IntN(len(names))], Value: values[a.IntN(len(values))]}
		if p.IsSensitive() {
			p.Value = "[redacted]" // as every stored record has it
		}
		h = append(h, p)
	}
	return h
}

func (a arbitrary) response() *webhook.Response {
	if a.IntN(2) == 0 {
		return nil
	}
	return &webhook.Response{Status: a.IntN(600), Header: a.header(), Body: a.body(), Truncated: a.IntN(2) == 0}
}

func (a arbitrary) verdict() *webhook.Verdict {
	if a.IntN(2) == 0 {
		return nil
	}
	v := &webhook.Verdict{Outcome: webhook.Refused, Verified: a.IntN(2) == 0, Reason: a.text(), Detail: a.text()}
	if a.IntN(2) == 0 {
		v.Warnings = []string{a.text(), ""}
	}
	if a.IntN(2) == 0 {
		v.Diagnosis = &webhook.Diagnosis{ID: a.text(), Summary: a.text(), Fix: a.text(), Certain: a.IntN(2) == 0}
	}
	return v
}

func (a arbitrary) record() webhook.Record {
	at := time.Unix(a.Int64N(1<<32), a.Int64N(1e9)).UTC()
	return webhook.Record{
		ID: a.text(), Time: at, Direction: webhook.Direction(a.text()), Platform: webhook.Platform(a.text()), Form: webhook.Form(a.text()),
		Event: a.text(), WebhookID: a.text(), Attempt: a.IntN(6), Scheme: a.text(),
		Request: webhook.Request{Method: a.text(), URL: a.text(), Header: a.header(), Body: a.body()},
		Verdict: a.verdict(), Response: a.response(), Forward: a.response(),
		Duration: time.Duration(a.Int64N(int64(24 * time.Hour))), Error: a.text(),
	}
}

func TestARecordComesBackAsItWent(t *testing.T) {
	t.Parallel()
	a := arbitrary{rand.New(rand.NewPCG(4, 0))}
	for range 200 {
		want := a.record()
		var stream bytes.Buffer
		if err := webhook.NewEncoder(&stream).Encode(want); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(stream.Bytes(), []byte("\n")); n != 1 || !bytes.HasSuffix(stream.Bytes(), []byte("\n")) {
			t.Fatalf("%d line ends in %q", n, stream.String())
		}
		if webhook.KindOf(stream.Bytes()) != webhook.KindRecord {
			t.Fatalf("does not look like a record: %s", stream.String())
		}
		got, err := webhook.NewDecoder(&stream).Decode()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("read back\n%+v, %v; want\n%+v", got, err, want)
		}
	}
}

func TestEveryBodyComesBackByteForByte(t *testing.T) {
	t.Parallel()
	for _, body := range bodies {
		text, err := json.Marshal(webhook.Record{Request: webhook.Request{Body: []byte(body)}, Response: &webhook.Response{Body: []byte(body)}})
		if err != nil {
			t.Fatal(err)
		}
		var back webhook.Record
		if err := json.Unmarshal(text, &back); err != nil || string(back.Request.Body) != body || string(back.Response.Body) != body {
			t.Errorf("%.40q came back as %.40q and %.40q, %v", body, back.Request.Body, back.Response.Body, err)
		}
	}
}

func TestARecordOnTheWire(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 15, 20, 0, 123e6, time.UTC)
	for name, test := range map[string]struct {
		record webhook.Record
		want   string
	}{
		"the least": {
			webhook.Record{ID: "r1", Time: at, Direction: webhook.Sent},
			`{"type":"record","id":"r1","time":"2026-03-02T15:20:00.123Z","direction":"sent","attempt":0,"request":{"method":"","url":"","headers":[],"body":""},"duration_ms":0}`,
		},
		"bytes that are no text go as base64": {
			webhook.Record{ID: "r1", Time: at, Direction: webhook.Received, Duration: 1500 * time.Microsecond, Request: webhook.Request{Method: "POST", URL: "/", Body: []byte("\xff<")}},
			`{"type":"record","id":"r1","time":"2026-03-02T15:20:00.123Z","direction":"received","attempt":0,"request":{"method":"POST","url":"/","headers":[],"body_base64":"/zw="},"duration_ms":1.5}`,
		},
		"an answer that was cut": {
			webhook.Record{ID: "r1", Time: at, Direction: webhook.Sent, Response: &webhook.Response{Status: 200, Body: []byte("<ok>"), Truncated: true}},
			`{"type":"record","id":"r1","time":"2026-03-02T15:20:00.123Z","direction":"sent","attempt":0,"request":{"method":"","url":"","headers":[],"body":""},"response":{"status":200,"headers":[],"body":"<ok>","truncated":true},"duration_ms":0}`,
		},
	} {
		if got, err := test.record.MarshalJSON(); err != nil || string(got) != test.want {
			t.Errorf("%s:\n%s, %v; want\n%s", name, got, err, test.want)
		}
	}
}

func TestDurationsKeepTheirNanoseconds(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, 1, 999, 1e6, 1e6 + 1, 123456789, time.Hour + 1, 24*time.Hour - 1, -1, -1500} {
		text, err := json.Marshal(webhook.Record{Duration: d})
		if err != nil {
			t.Fatal(err)
		}
		var back webhook.Record
		if err := json.Unmarshal(text, &back); err != nil || back.Duration != d {
			t.Errorf("%d ns came back as %d, %v", d, back.Duration, err)
		}
	}
	for ms, want := range map[string]time.Duration{"1e300": math.MaxInt64, "-1e300": math.MinInt64, "9223372036854.775807": math.MaxInt64, "0.0000001": 0} {
		var r webhook.Record
		if err := json.Unmarshal([]byte(`{"type":"record","duration_ms":`+ms+`}`), &r); err != nil || r.Duration != want {
			t.Errorf("%s ms becomes %d, %v; want %d", ms, r.Duration, err, want)
		}
	}
}

func TestARecordThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	err := webhook.NewEncoder(&stream).Encode(webhook.Record{ID: "r7", Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err == nil || !strings.Contains(err.Error(), "r7") || stream.Len() != 0 {
		t.Errorf("error %v, %d bytes written; want an error that names the record, and none", err, stream.Len())
	}
}
