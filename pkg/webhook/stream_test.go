package webhook_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wskdev/wsk/pkg/webhook"
)

// readAll decodes until the end and goes on after a bad line, as lint does.
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

func TestAStreamIsReadLineByLine(t *testing.T) {
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
		"a bad line among good ones":      {line1 + "\n\n{\"type\":\n" + line2 + "\n", "1 2", []string{"line 3: unexpected end"}},
		"a line of another type":          {"{\"type\":\"event\"}\n" + line2, "2", []string{`line 1: type is "event", want "record"`}},
		"a payload where a record should": {`{"event_type":"work_order.created"}` + "\n", "", []string{`line 1: type is "", want "record"`}},
		"a list":                          {"[1]\n" + line1, "1", []string{"line 1: json: cannot unmarshal array"}},
		"null":                            {"null\n" + line1, "1", []string{`line 1: type is ""`}},
		"two records on a line":           {line1 + line2 + "\n" + line1, "1", []string{"line 1: invalid character '{'"}},
		"a body that is no base64":        {`{"type":"record","request":{"body_base64":"*"}}` + "\n" + line1, "1", []string{"line 1: body_base64: illegal base64"}},
		"headers that are no list":        {`{"type":"record","request":{"headers":{"A":"b"}}}` + "\n" + line1, "1", []string{"line 1: headers:"}},
		"an answer's headers as well":     {`{"type":"record","response":{"headers":7}}` + "\n" + line1, "1", []string{"line 1: headers:"}},
		"members of a wrong type":         {`{"type":"record","attempt":"one"}` + "\n" + line1, "1", []string{"line 1: json: cannot unmarshal string"}},
		"a time that is none":             {`{"type":"record","time":"yesterday"}` + "\n" + line1, "1", []string{"line 1: parsing time"}},
		"a type that is no string":        {`{"type":7}` + "\n" + line1, "1", []string{"line 1: json: cannot unmarshal number"}},
		"deep nesting":                    {strings.Repeat("[", 100_000) + "\n" + line1, "1", []string{"line 1: "}},
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

func TestAReadErrorIsNotTheEnd(t *testing.T) {
	t.Parallel()
	ids, faults := readAll(io.MultiReader(strings.NewReader(line1+"\n"), iotest.ErrReader(errBroken)))
	if !reflect.DeepEqual(ids, []string{"1"}) || !reflect.DeepEqual(faults, []string{errBroken.Error()}) {
		t.Errorf("records %q, faults %q", ids, faults)
	}
}

// endless is a line without an end, made as it is read.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p) // zeros hold no line end
	return len(p), nil
}

// TestALineWithoutEndIsAnError holds row 54 on the side of records: a bounded
// part of the line is read, and the error names it.
func TestALineWithoutEndIsAnError(t *testing.T) {
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

func TestTheEncoderWritesALineAtOnce(t *testing.T) {
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

func TestKindOf(t *testing.T) {
	t.Parallel()
	full := `{"type":"record","request":{}}`
	for text, want := range map[string]webhook.Kind{
		full:               webhook.KindRecord,
		full + "\n" + full: webhook.KindRecord,
		"\n \r\n\t" + full: webhook.KindRecord,
		"{\"type\":\n\"record\",\n\"request\":{}}":     webhook.KindRecord,
		`{"request":{},"id":"r1","type":"record"}`:     webhook.KindRecord,
		`{"type":"ready","address":"x"}` + "\n" + full: webhook.KindFrame,
		`{"type":"summary"}`:                           webhook.KindFrame,
		`{"type":"ready","event_type":"a.b"}`:          webhook.KindPayload,
		`{"event":"a.b","type":"summary"}`:             webhook.KindPayload,
		`{"type":"record"}`:                            webhook.KindPayload,
		`{"type":"record","request":"please"}`:         webhook.KindPayload,
		`{"event_type":"work_order.created"}`:          webhook.KindPayload,
		`{"data":{"type":"record","request":{}}}`:      webhook.KindPayload,
		`{"type":"invoice","request":{},"x":"record"}`: webhook.KindPayload,
		full[:20]:                        webhook.KindPayload,
		"":                               webhook.KindPayload,
		"[" + full + "]":                 webhook.KindPayload,
		`"record"`:                       webhook.KindPayload,
		"POST / HTTP/1.1\r\n\r\n" + full: webhook.KindRequest,
		"POST / HTTP/1.1\r\n":            webhook.KindRequest,
		"GET / HTTP/1.0":                 webhook.KindRequest,
		"POST /\n":                       webhook.KindPayload,
		"HTTP/1.1 200 OK\r\n":            webhook.KindPayload,
		"POST / HTTP/2\r\n":              webhook.KindPayload,
		strings.Repeat("x", 1<<20) + " / HTTP/1.1\n": webhook.KindPayload,
	} {
		if got := webhook.KindOf([]byte(text)); got != want {
			t.Errorf("KindOf(%.60q) = %s, want %s", text, got, want)
		}
	}
}
