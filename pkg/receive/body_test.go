package receive_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// THREATS row 11.
func TestReadBodyRefusesAContentEncodingUnread(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.CopyN(z, zeros{}, 2<<20); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for _, coding := range []string{"gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "gzip, identity", "identity;q=1", "*"} {
		t.Run(coding, func(t *testing.T) {
			r := newReceiver(t, nil)
			h := header("a", bomb.String(), clock)
			h.Set("Content-Encoding", coding)
			request := post(h, "")
			request.Body = untouchable{t}
			request.ContentLength = int64(bomb.Len())
			wantAnswer(t, r.answerTo(request), 415, `{"error":"Content-Encoding is not supported"}`)
			if v := r.last(t).Verdict; v.Reason != "encoding" || !strings.Contains(v.Detail, coding) {
				t.Errorf("verdict %+v", v)
			}
		})
	}
	for _, coding := range []string{"identity", "Identity"} {
		t.Run(coding+" is no encoding", func(t *testing.T) {
			h := header("a", payload, clock)
			h.Set("Content-Encoding", coding)
			wantAnswer(t, newReceiver(t, nil).answerTo(post(h, payload)), 200, taken)
		})
	}
	t.Run("two lines of Content-Encoding are read as one list", func(t *testing.T) {
		h := header("a", payload, clock)
		h["Content-Encoding"] = []string{"identity", "gzip"}
		wantAnswer(t, newReceiver(t, nil).answerTo(post(h, payload)), 415, `{"error":"Content-Encoding is not supported"}`)
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// untouchable is a body that nobody may read.
type untouchable struct{ t testing.TB }

func (u untouchable) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }

func (untouchable) Close() error { return nil }

func TestReadBodyLimitIsExact(t *testing.T) {
	body := func(n int) string { return `{"data":"` + strings.Repeat("x", n-11) + `"}` }
	for _, declared := range []bool{true, false} {
		for _, tt := range []struct{ size, status int }{{99, 200}, {100, 200}, {101, 413}, {5000, 413}} {
			t.Run(fmt.Sprintf("%d of 100 bytes, with Content-Length: %t", tt.size, declared), func(t *testing.T) {
				r := newReceiver(t, func(c *receive.Config) { c.MaxBody = 100 })
				request := post(header("a", body(tt.size), clock), body(tt.size))
				if !declared {
					request.ContentLength = -1
				}
				got := r.answerTo(request)
				if got.Code != tt.status {
					t.Errorf("answered %d %s, want %d", got.Code, got.Body, tt.status)
				}
				if tt.status == 413 {
					wantAnswer(t, got, 413, `{"error":"Body too large"}`)
				}
				if closed := got.Header().Get("Connection") == "close"; declared && closed != (tt.status == 413) {
					t.Errorf("the connection is closed: %t", closed)
				}
			})
		}
	}
	t.Run("1 MiB by default", func(t *testing.T) {
		r := newReceiver(t, nil)
		wantAnswer(t, r.deliver("a", body(1<<20), clock), 200, taken)
		wantAnswer(t, r.deliver("b", body(1<<20+1), clock), 413, `{"error":"Body too large"}`)
	})
}

// THREATS row 26.
func TestHandlerRefusesInvalidJSONAndWarnsOfOtherBodies(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	member := func(s string) string { return `{"event_type":"work_order.created","data":` + s + `}` }
	const invalid = `{"error":"Invalid JSON"}`
	tests := []struct {
		name, body string
		status     int
		answer     string
	}{
		{"10,001 deep", member(deep(10_000)), 400, invalid},
		{"10,001 deep in objects", strings.Repeat(`{"a":`, 10_001) + "1" + strings.Repeat("}", 10_001), 400, invalid},
		{"100,000 open brackets", strings.Repeat("[", 100_000), 400, invalid},
		{"100,000 open braces", strings.Repeat(`{"a":`, 100_000), 400, invalid},
		{"event_type twice", `{"event_type":"work_order.created","event_type":"work_order.deleted","data":{}}`, 400, invalid},
		{"event_type twice, once in escapes", `{"event_type":"work_order.created","\u0065vent_type":"work_order.deleted"}`, 400, invalid},
		{"event_id twice", `{"event_id":"1","event_id":"2","event_type":"work_order.created"}`, 400, invalid},
		{"data twice", `{"event_type":"work_order.created","data":{},"data":{}}`, 400, invalid},
		{"empty", "", 400, invalid},
		{"cut off", payload[:40], 400, invalid},
		{"bytes after the end", payload + "x", 400, invalid},
		{"two payloads", payload + payload, 400, invalid},
		{"NaN", member("NaN"), 400, invalid},
		{"invalid UTF-8", member("\"\xff\""), 200, taken},
		{"a BOM before it", "\ufeff" + payload, 200, taken},
		{"two BOMs before it", "\ufeff\ufeff" + payload, 400, invalid},
		{"a NUL behind it", payload + "\x00", 400, invalid},
		{"9,999 deep", member(deep(9_998)), 200, taken},
		{"a list", "[]", 200, taken},
		{"null", "null", 200, taken},
		{"an event_type that is a number", `{"event_type":1}`, 200, taken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, nil)
			wantAnswer(t, r.deliver("a", tt.body, clock), tt.status, tt.answer)
			record := r.last(t)
			if string(record.Request.Body) != tt.body {
				t.Error("the record does not contain the received body")
			}
			switch v := record.Verdict; {
			case tt.status == 400 && (v.Reason != "json" || v.Outcome != webhook.Refused || !v.Verified):
				t.Errorf("verdict %+v", v)
			case tt.status == 200 && (len(v.Warnings) == 0) != (tt.name == "9,999 deep"):
				t.Errorf("warnings %q", v.Warnings)
			}
			wantCalls(t, r, map[int]int{200: 1, 400: 0}[tt.status])
		})
	}
}

func TestReadBodyRefusesATruncatedBody(t *testing.T) {
	r := newReceiver(t, nil)
	request := post(header("a", payload, clock), "")
	request.Body = io.NopCloser(io.MultiReader(strings.NewReader(payload[:20]), failing{}))
	request.ContentLength = int64(len(payload))
	wantAnswer(t, r.answerTo(request), 400, `{"error":"The body could not be read"}`)
	if v := r.last(t).Verdict; v.Reason != "body" || !strings.Contains(v.Detail, "cable cut") {
		t.Errorf("verdict %+v", v)
	}
	wantCalls(t, r, 0)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("cable cut") }

// A sender that announces much and sends nothing costs no memory.
func TestReadBodyAllocatesForWhatArrived(t *testing.T) {
	r := newReceiver(t, nil)
	request := post(header("a", payload, clock), "")
	request.ContentLength = 1 << 20
	var grown int64
	before := webhooktest.Heap(true)
	request.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
		grown = webhooktest.Heap(false) - before
		return 0, io.ErrUnexpectedEOF
	}))
	r.ServeHTTP(httptest.NewRecorder(), request)
	if grown > 256<<10 {
		t.Errorf("%d KiB were taken before a byte of the body came", grown>>10)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
