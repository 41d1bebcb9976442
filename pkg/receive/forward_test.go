package receive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// plainTransport is what a caller should give: it inflates nothing.
func plainTransport(t testing.TB) *http.Transport {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// behind starts an app on loopback.
func behind(t testing.TB, app http.HandlerFunc) string {
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return server.URL
}

// forward runs Forward on a request of the given header and body.
func forward(ctx context.Context, transport http.RoundTripper, url string, h webhook.Header, body string) (webhook.Response, *webhook.Record) {
	record := &webhook.Record{Verdict: &webhook.Verdict{Outcome: webhook.Accepted}, Request: webhook.Request{Method: "POST", URL: "/", Header: h, Body: []byte(body)}}
	return receive.Forward(transport, url)(ctx, nil, record), record
}

// THREATS row 12: what the handler lets through, and what Forward would carry.
func TestForwardPassesTheBodyByteForByte(t *testing.T) {
	member := func(s string) string { return `{"event_type":"work_order.created","data":` + s + `}` }
	tests := []struct {
		name, body string
		taken      bool // as JSON, in the reading of parsers that are not strict
	}{
		{"CRLF between members", "{\r\n\"event_type\":\"work_order.created\",\r\n\"data\":{}\r\n}\r\n", true},
		{"lone CR, tabs and blank lines around", "\r\t\n\n " + payload + " \n\r\n", true},
		{"a NUL as an escape", member(`"\u0000"`), true},
		{"a byte order mark in a string", member("\"\ufeff\""), true},
		{"DEL, C1 and bidi overrides in a string", member("\"\x7f\u0080\u009b\u202e\u2066\""), true},
		{"line separators, <, > and & unescaped", member("\"\u2028\u2029<>&\""), true},
		{"a number past 2^53 and trailing zeros", member("[9007199254740993, 5000.00, 1e400, -0.0]"), true},
		{"lone surrogates as escapes", member(`"\ud800"`), true},
		{"invalid UTF-8", member("\"\xff\xc0\xaf\xed\xa0\x80\""), true},
		{"a NUL byte", member("\"\x00\""), false},
		{"a byte order mark before it", "\ufeff" + payload, true},
		{"UTF-16", "\xff\xfe{\x00}\x00", false},
		{"bare line ends in a string", member("\"\r\n\""), false},
		{"every byte", string(everyByte()), false},
		{"nothing", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			url := behind(t, func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || r.ContentLength != int64(len(tt.body)) {
					t.Errorf("the app read %d bytes of %d: %v", len(body), r.ContentLength, err)
				}
				sum := sha256.Sum256(body)
				got = append(got, fmt.Sprintf("%x", sum))
			})
			want := fmt.Sprintf("%x", sha256.Sum256([]byte(tt.body)))
			if answer, record := forward(t.Context(), plainTransport(t), url, nil, tt.body); answer.Status != 200 {
				t.Fatalf("Forward answered %d, %s", answer.Status, record.Error)
			}
			for _, skip := range []bool{false, true} {
				r := newReceiver(t, func(c *receive.Config) { c.App, c.SkipVerify = receive.Forward(plainTransport(t), url), skip })
				answer := r.deliver("evt_1", tt.body, clock)
				if tt.taken && answer.Code != 200 || !tt.taken && answer.Code != 400 {
					t.Errorf("the handler answered %d %s, with SkipVerify %t", answer.Code, answer.Body, skip)
				}
				if string(r.last(t).Request.Body) != tt.body {
					t.Error("the record holds other bytes")
				}
			}
			if n := map[bool]int{true: 3, false: 1}[tt.taken]; !slices.Equal(got, slices.Repeat([]string{want}, n)) {
				t.Errorf("the app got the digests %q, want %d times %s", got, n, want)
			}
		})
	}
}

func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func TestForwardPassesEveryEndToEndHeader(t *testing.T) {
	var got http.Header
	var host string
	url := behind(t, func(_ http.ResponseWriter, r *http.Request) { got, host = r.Header, r.Host })
	r := newReceiver(t, func(c *receive.Config) { c.App = receive.Forward(plainTransport(t), url) })
	h := header("evt_1", payload, clock)
	for name, values := range map[string][]string{
		"X-Many":            {"b", "a", "b", ""},
		"X-Bytes":           {"caf\xe9 \xc2\x9b \u202e"},
		"Cookie":            {"a=1; b=2"},
		"Authorization":     {"Bearer t"},
		"Accept-Encoding":   {"gzip, br"},
		"Content-Type":      {"application/json; charset=utf-8"},
		"X-Forwarded-For":   {"192.0.2.1"},
		"X-Webhook-Retry":   {"2"},
		"Content-Encoding":  {"identity"},
		"Connection":        {"close, X-Hop", "Keep-Alive"},
		"X-Hop":             {"1"},
		"Keep-Alive":        {"timeout=5"},
		"Proxy-Connection":  {"keep-alive"},
		"Te":                {"trailers"},
		"Trailer":           {"X-Sum"},
		"Upgrade":           {"h2c"},
		"Transfer-Encoding": {"chunked"},
		"Content-Length":    {"999"},
	} {
		h[name] = values
	}
	wantAnswer(t, r.answerTo(post(h, payload)), 200, "")
	want := h.Clone()
	for _, hop := range []string{"Connection", "X-Hop", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Upgrade", "Transfer-Encoding"} {
		want.Del(hop)
	}
	want.Set("Content-Length", fmt.Sprint(len(payload)))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the app got\n%v, want\n%v", got, want)
	}
	if host != strings.TrimPrefix(url, "http://") {
		t.Errorf("the app got the host %q, want its own", host)
	}
}

func TestForwardAnswersWithTheAppsResponse(t *testing.T) {
	tests := []struct {
		name   string
		app    http.HandlerFunc
		status int
		body   string
		header http.Header // exact, but for the Date
	}{
		{"a status, a type and a body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(201)
			_, _ = io.WriteString(w, "made")
		}, 201, "made", http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"4"}}},
		{"a body without a type, and none is guessed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "<html>")
		}, 200, "<html>", http.Header{"Content-Length": {"6"}}},
		{"no body", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, "", http.Header{}},
		{"304", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, 304, "", http.Header{}},
		{"repeated lines, and none of the connection's", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
			w.Header().Set("Connection", "X-Hop")
			w.Header().Set("X-Hop", "1")
			w.WriteHeader(422)
		}, 422, "", http.Header{"Set-Cookie": {"a=1", "b=2"}, "Content-Length": {"0"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) { c.App = receive.Forward(plainTransport(t), behind(t, tt.app)) })
			server := httptest.NewServer(r)
			defer server.Close()
			request, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(payload))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = header("evt_1", payload, clock)
			response, err := plainTransport(t).RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != tt.status || string(body) != tt.body {
				t.Errorf("got %d %q, %v; want %d %q", response.StatusCode, body, err, tt.status, tt.body)
			}
			response.Header.Del("Date")
			if !reflect.DeepEqual(response.Header, tt.header) {
				t.Errorf("got the header %v, want %v", response.Header, tt.header)
			}
			server.Close() // which waits for the sink
			if forwarded := r.last(t).Forward; forwarded == nil || forwarded.Status != tt.status || string(forwarded.Body) != tt.body {
				t.Errorf("recorded as %+v", forwarded)
			}
		})
	}
}

// THREATS row 20.
func TestForwardDecompressesNothing(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := io.CopyN(z, zeros{}, 1<<20); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	url := behind(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(zipped.Bytes())
	})
	r := newReceiver(t, func(c *receive.Config) { c.App = receive.Forward(plainTransport(t), url) })
	got := r.deliver("evt_1", payload, clock)
	if got.Code != 200 || got.Header().Get("Content-Encoding") != "gzip" || !bytes.Equal(got.Body.Bytes(), zipped.Bytes()) {
		t.Errorf("answered %d with %d bytes, want the %d that the app sent; header %v", got.Code, got.Body.Len(), zipped.Len(), got.Header())
	}
}
