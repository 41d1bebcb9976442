package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"

	"github.com/wskdev/wsk/pkg/internal/classify"
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
		Duration: time.Duration(a.Int64N(int64(24 * time.Hour))), Error: a.text(), ReplayOf: a.text(),
	}
}

func TestRecord_round_trip(t *testing.T) {
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
		if !classify.IsRecord(stream.Bytes()) {
			t.Fatalf("does not look like a record: %s", stream.String())
		}
		got, err := webhook.NewDecoder(&stream).Decode()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("read back\n%+v, %v; want\n%+v", got, err, want)
		}
	}
}

func TestRecord_keeps_every_body(t *testing.T) {
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

func TestRecordMarshalJSON(t *testing.T) {
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
		"bytes that are not UTF-8 become base64": {
			webhook.Record{ID: "r1", Time: at, Direction: webhook.Received, Duration: 1500 * time.Microsecond, Request: webhook.Request{Method: "POST", URL: "/", Body: []byte("\xff<")}},
			`{"type":"record","id":"r1","time":"2026-03-02T15:20:00.123Z","direction":"received","attempt":0,"request":{"method":"POST","url":"/","headers":[],"body_base64":"/zw="},"duration_ms":1.5}`,
		},
		"an answer that was cut": {
			webhook.Record{ID: "r1", Time: at, Direction: webhook.Sent, Response: &webhook.Response{Status: 200, Body: []byte("<ok>"), Truncated: true}},
			`{"type":"record","id":"r1","time":"2026-03-02T15:20:00.123Z","direction":"sent","attempt":0,"request":{"method":"","url":"","headers":[],"body":""},"response":{"status":200,"headers":[],"body":"<ok>","truncated":true},"duration_ms":0}`,
		},
		"a request whose body was cut": {
			webhook.Record{ID: "r1", Time: at, Direction: webhook.Received, Request: webhook.Request{Method: "POST", URL: "/", Body: []byte("four")}.Truncate(2)},
			`{"type":"record","id":"r1","time":"2026-03-02T15:20:00.123Z","direction":"received","attempt":0,"request":{"method":"POST","url":"/","headers":[],"body":"fo","truncated":true,"size":4},"duration_ms":0}`,
		},
	} {
		if got, err := test.record.MarshalJSON(); err != nil || string(got) != test.want {
			t.Errorf("%s:\n%s, %v; want\n%s", name, got, err, test.want)
		}
	}
}

func TestRequestTruncate(t *testing.T) {
	t.Parallel()
	whole := webhook.Request{Body: []byte("12345678")}
	for name, test := range map[string]struct {
		request webhook.Request
		body    string
		says    string // the error of CheckWhole
	}{
		"a longer body":                       {whole.Truncate(5), "12345", "the record has only the first 5 of 8 bytes of the body"},
		"to nothing":                          {whole.Truncate(0), "", "the record has only the first 0 of 8 bytes of the body"},
		"below nothing":                       {whole.Truncate(-1), "", "the record has only the first 0 of 8 bytes of the body"},
		"a body of that length":               {whole.Truncate(8), "12345678", ""},
		"a shorter body":                      {whole.Truncate(9), "12345678", ""},
		"once more, and the size is the same": {whole.Truncate(5).Truncate(2), "12", "the record has only the first 2 of 8 bytes of the body"},
		"of an unknown size":                  {webhook.Request{Body: []byte("123"), Truncated: true}, "123", "the record has only the first 3 bytes of the body"},
	} {
		says := ""
		if err := test.request.CheckWhole(); err != nil {
			says = err.Error()
		}
		if string(test.request.Body) != test.body || says != test.says {
			t.Errorf("%s: %q, %q; want %q, %q", name, test.request.Body, says, test.body, test.says)
		}
		text, err := json.Marshal(webhook.Record{Request: test.request})
		var back webhook.Record
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || back.Request.Truncated != test.request.Truncated || back.Request.Size != test.request.Size {
			t.Errorf("%s: it came back as %+v, %v", name, back.Request, err)
		}
	}
	if string(whole.Body) != "12345678" {
		t.Errorf("the original is now %q", whole.Body)
	}
}

func TestRecordRefusedUnverified(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		record webhook.Record
		want   bool
	}{
		"refused by its signature": {webhook.Record{Direction: webhook.Received, Verdict: &webhook.Verdict{Outcome: webhook.Refused}}, true},
		"verified, then refused":   {webhook.Record{Direction: webhook.Received, Verdict: &webhook.Verdict{Outcome: webhook.Refused, Verified: true}}, false},
		"accepted unverified":      {webhook.Record{Direction: webhook.Received, Verdict: &webhook.Verdict{Outcome: webhook.Accepted}}, false},
		"sent, and refused":        {webhook.Record{Direction: webhook.Sent, Verdict: &webhook.Verdict{Outcome: webhook.Refused}}, false},
		"without a verdict":        {webhook.Record{Direction: webhook.Received}, false},
	} {
		if got := test.record.RefusedUnverified(); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestRecord_keeps_nanoseconds(t *testing.T) {
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

func TestEncoder_of_a_record_that_has_no_JSON(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	err := webhook.NewEncoder(&stream).Encode(webhook.Record{ID: "r7", Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err == nil || !strings.Contains(err.Error(), "r7") || stream.Len() != 0 {
		t.Errorf("error %v, %d bytes written; want an error that names the record, and none", err, stream.Len())
	}
}

func TestEncoder_escapes_what_a_terminal_obeys(t *testing.T) {
	t.Parallel()
	nasty := "\x1b]52;c;x\a \u009b31m \u202e\u2066 \u200b\ufeff \u2028 \U000e0041 \x7f é 東 🔧"
	r := webhook.Record{ID: nasty, Event: nasty, Request: webhook.Request{URL: nasty, Header: webhook.Header{{Name: "X-A", Value: nasty}}, Body: []byte(nasty)}}
	var line bytes.Buffer
	if err := webhook.NewEncoder(&line).Encode(r); err != nil {
		t.Fatal(err)
	}
	for _, c := range bytes.TrimSuffix(line.Bytes(), []byte("\n")) {
		if c < ' ' || c == 0x7f {
			t.Errorf("byte %#x is in %q", c, line.String())
		}
	}
	for _, c := range bytes.Runes(bytes.TrimSpace(line.Bytes())) {
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl) {
			t.Errorf("character %U is in the line", c)
		}
	}
	var back webhook.Record
	if err := json.Unmarshal(line.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.ID != nasty || string(back.Request.Body) != nasty || back.Request.Header[0].Value != nasty {
		t.Errorf("came back as %q", back.ID)
	}
	if !bytes.Contains(line.Bytes(), []byte("é 東 🔧")) {
		t.Error("harmless characters were escaped")
	}
}

// readAll decodes until the end and continues after a bad line, as lint does.
func readAll(r io.Reader) (ids, faults []string) {
	d := webhook.NewDecoder(r)
	for {
		record, err := d.Decode()
		switch {
		case errors.Is(err, io.EOF):
			return ids, faults
		case errors.Is(err, webhook.ErrLineTooLong), errors.Is(err, errBroken):
			return ids, append(faults, err.Error())
		case err != nil:
			faults = append(faults, err.Error())
		default:
			ids = append(ids, record.ID)
		}
	}
}

var errBroken = errors.New("the disk is gone")

const line1, line2 = `{"type":"record","id":"1"}`, `{"type":"record","id":"2"}`

func TestDecoder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stream string
		ids    string
		faults []string // how each begins
	}{
		"nothing":                         {"", "", nil},
		"blank lines only":                {"\n\r\n \t\n\n", "", nil},
		"two records":                     {line1 + "\n" + line2 + "\n", "1 2", nil},
		"no line end after the last":      {line1 + "\n" + line2, "1 2", nil},
		"CRLF":                            {line1 + "\r\n" + line2 + "\r\n", "1 2", nil},
		"blank lines between":             {"\n\n" + line1 + "\n\n\n" + line2 + "\n\n", "1 2", nil},
		"a listener's ready and summary":  {`{"type":"ready","address":"127.0.0.1:3000"}` + "\n" + line1 + "\n" + `{"type":"summary","received":1}` + "\n", "1", nil},
		"space around a line":             {"  " + line1 + " \t\n", "1", nil},
		"unknown members":                 {`{"type":"record","id":"1","from":"a later wsk","request":{"headers":[],"trailer":{}},"verdict":{"new":[1]}}` + "\n" + line2, "1 2", nil},
		"a bad line among good ones":      {line1 + "\n\n{\"type\":\n" + line2 + "\n", "1 2", []string{"line 3, column 9: the JSON is cut off here"}},
		"a line of another type":          {"{\"type\":\"event\"}\n" + line2, "2", []string{`line 1: type is "event", want "record"`}},
		"a payload where a record should": {`{"event_type":"work_order.created"}` + "\n", "", []string{`line 1: type is "", want "record"`}},
		"a list":                          {"[1]\n" + line1, "1", []string{"line 1: a record is an object, but this is a list"}},
		"null":                            {"null\n" + line1, "1", []string{`line 1: type is ""`}},
		"two records on a line":           {line1 + line2 + "\n" + line1, "1", []string{"line 1, column 27: '{' after the end of the JSON"}},
		"a body that is not base64":       {`{"type":"record","request":{"body_base64":"*"}}` + "\n" + line1, "1", []string{"line 1: body_base64 is not base64"}},
		"headers that are not a list":     {`{"type":"record","request":{"headers":{"A":"b"}}}` + "\n" + line1, "1", []string{"line 1: headers must be a list"}},
		"an answer's headers as well":     {`{"type":"record","response":{"headers":7}}` + "\n" + line1, "1", []string{"line 1: headers must be a list"}},
		"members of a wrong type":         {`{"type":"record","attempt":"one"}` + "\n" + line1, "1", []string{"line 1: attempt may not be a string"}},
		"a time that is none":             {`{"type":"record","time":"yesterday"}` + "\n" + line1, "1", []string{"line 1: time must be written as"}},
		"a type that is not a string":     {`{"type":7}` + "\n" + line1, "1", []string{"line 1: type may not be a number"}},
		"deep nesting":                    {strings.Repeat("[", 100_000) + "\n" + line1, "1", []string{"line 1, column 10001: nested too deep"}},
		"a time that is a number":         {`{"type":"record","time":5}` + "\n" + line1, "1", []string{"line 1: time must be written as"}},
		"a request that is a list":        {`{"type":"record","request":[]}` + "\n" + line1, "1", []string{"line 1: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, r := range map[string]io.Reader{
				"at once":      strings.NewReader(test.stream),
				"in bytes":     iotest.OneByteReader(strings.NewReader(test.stream)),
				"with the end": iotest.DataErrReader(strings.NewReader(test.stream)),
			} {
				ids, faults := readAll(r)
				if got := strings.Join(ids, " "); got != test.ids || len(faults) != len(test.faults) {
					t.Fatalf("%s: records %q, faults %q; want %q, %q", how, got, faults, test.ids, test.faults)
				}
				for i, want := range test.faults {
					if !strings.HasPrefix(faults[i], want) {
						t.Errorf("%s: fault %q, want it to begin %q", how, faults[i], want)
					}
				}
			}
		})
	}
}

func TestDecoder_after_a_failed_read(t *testing.T) {
	t.Parallel()
	ids, faults := readAll(io.MultiReader(strings.NewReader(line1+"\n"), iotest.ErrReader(errBroken)))
	if !reflect.DeepEqual(ids, []string{"1"}) || !reflect.DeepEqual(faults, []string{errBroken.Error()}) {
		t.Errorf("records %q, faults %q", ids, faults)
	}
}

// endless is a line without an end, made as it is read.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p) // zeros contain no line end
	return len(p), nil
}

// A bounded part of the line is read, and the error names the line.
func TestDecoder_of_a_line_without_end(t *testing.T) {
	t.Parallel()
	d := webhook.NewDecoder(io.MultiReader(strings.NewReader(line1+"\n"), endless{}))
	if _, err := d.Decode(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and it stays an error
		_, err := d.Decode()
		if !errors.Is(err, webhook.ErrLineTooLong) || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Fatalf("error %v, want line 2 to be too long", err)
		}
	}
}

// writes counts calls of Write.
type writes struct {
	bytes.Buffer
	n int
}

func (w *writes) Write(p []byte) (int, error) { w.n++; return w.Buffer.Write(p) }

func TestEncoder_writes_a_line_at_once(t *testing.T) {
	t.Parallel()
	var w writes
	e := webhook.NewEncoder(&w)
	for i := 1; i <= 3; i++ {
		if err := e.Encode(webhook.Record{ID: strings.Repeat("x", i), Request: webhook.Request{Body: []byte("a\nb\r\n")}}); err != nil {
			t.Fatal(err)
		}
		if w.n != i || bytes.Count(w.Bytes(), []byte("\n")) != i {
			t.Fatalf("%d writes and %d lines after %d records", w.n, bytes.Count(w.Bytes(), []byte("\n")), i)
		}
	}
	broken := webhook.NewEncoder(brokenWriter{})
	if err := broken.Encode(webhook.Record{}); !errors.Is(err, errBroken) {
		t.Errorf("error %v, want the writer's", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }
