package exchange_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

func header(pairs ...string) webhook.Header {
	var h webhook.Header
	for i := 0; i < len(pairs); i += 2 {
		h = append(h, webhook.Pair{Name: pairs[i], Value: pairs[i+1]})
	}
	return h
}

func TestNewRequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url        string
		header     webhook.Header
		want       http.Header // without User-Agent
		host       string
		repeatable bool // net/http may send it again when a connection breaks
	}{
		"no lines": {"http://x.example/a", nil, http.Header{"User-Agent": nil}, "x.example", true},
		"the lines, in any case": {"http://x.example/a", header("x-a", "1", "X-A", "2", "User-Agent", "mine"),
			http.Header{"X-A": {"1", "2"}, "User-Agent": {"mine"}}, "x.example", true},
		"a user in the URL": {"http://u:p@x.example/a", nil, http.Header{"Authorization": {"Basic dTpw"}, "User-Agent": nil}, "x.example", true},
		"a user in the URL and Authorization": {"http://u:p@x.example/a", header("Authorization", "Bearer t"),
			http.Header{"Authorization": {"Bearer t"}, "User-Agent": nil}, "x.example", true},
		"a Host line":                {"http://x.example/a", header("Host", "y.example"), http.Header{"Host": {"y.example"}, "User-Agent": nil}, "y.example", true},
		"an Idempotency-Key":         {"http://x.example/a", header("Idempotency-Key", "k"), http.Header{"Idempotency-Key": {"k"}, "User-Agent": nil}, "x.example", false},
		"an X-Idempotency-Key":       {"http://x.example/a", header("X-Idempotency-Key", "k"), http.Header{"X-Idempotency-Key": {"k"}, "User-Agent": nil}, "x.example", false},
		"nothing is split at commas": {"http://x.example/a", header("X-A", "1, 2"), http.Header{"X-A": {"1, 2"}, "User-Agent": nil}, "x.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := exchange.NewRequest(t.Context(), webhook.Request{Method: "POST", URL: test.url, Header: test.header, Body: []byte("{}")})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(r.Header, test.want) || r.Host != test.host || (r.GetBody != nil) != test.repeatable || r.ContentLength != 2 {
				t.Errorf("header %v, host %s, repeatable %t, %d bytes", r.Header, r.Host, r.GetBody != nil, r.ContentLength)
			}
		})
	}
}

func TestDo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer    http.HandlerFunc
		status    int
		body      int
		truncated bool
		ended     bool // the body ended early
	}{
		"a body of the limit": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, exchange.MaxBody)) }, 200, exchange.MaxBody, false, false},
		"a longer body":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, exchange.MaxBody+1)) }, 200, exchange.MaxBody, true, false},
		"a redirect":          {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusSeeOther) }, 303, 0, false, false},
		"a body that ends early": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
		}, 200, 4, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { requests++; test.answer(w, r) }))
			defer server.Close()
			got, err := exchange.Do(t.Context(), server.Client().Transport, webhook.Request{Method: "POST", URL: server.URL})
			if err != nil || !got.Written || requests != 1 {
				t.Fatalf("%+v, %v after %d requests", got, err, requests)
			}
			if r := got.Response; r.Status != test.status || len(r.Body) != test.body || r.Truncated != test.truncated || (got.BodyErr != nil) != test.ended {
				t.Errorf("status %d, %d bytes, truncated %t, %v", r.Status, len(r.Body), r.Truncated, got.BodyErr)
			}
		})
	}
	t.Run("no response", func(t *testing.T) {
		t.Parallel()
		refused := errors.New("refused")
		transport := webhooktest.RoundTrip(func(*http.Request) (*http.Response, error) { return nil, refused })
		got, err := exchange.Do(t.Context(), transport, webhook.Request{Method: "POST", URL: "http://x.example"})
		if !errors.Is(err, refused) || got.Response != nil || got.Written {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestEndToEnd(t *testing.T) {
	t.Parallel()
	h := header("Host", "x", "X-A", "1", "connection", "close, X-Hop", "CONNECTION", "x-other", "X-Hop", "1", "X-Other", "1", "x-a", "2",
		"Transfer-Encoding", "chunked", "content-length", "5", "TE", "trailers", "Proxy-Authorization", "Basic dTpw", "Content-Type", "a/b")
	var names []string
	for _, p := range exchange.EndToEnd(h) {
		names = append(names, p.Name+"="+p.Value)
	}
	if got := strings.Join(names, " "); got != "X-A=1 x-a=2 Content-Type=a/b" {
		t.Errorf("kept %s", got)
	}
	// Connection does not strip what proves and describes an event.
	own := header("X-Webhook-Signature", "1", "x-webhook-timestamp", "2", "X-Webhook-Id", "3", "X-Webhook-Event", "4", "X-API-Key", "5", "Signature", "6",
		"webhook-signature", "7", "intuit-signature", "8", "X-Square-Hmacsha256-Signature", "9", "Content-Type", "a/b")
	for _, p := range own {
		if got := exchange.EndToEnd(append(header("Connection", "close, "+p.Name), own...)); len(got) != len(own) {
			t.Errorf("Connection: %s leaves %v", p.Name, got)
		}
	}
}

func TestTemporary(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{0: true, 200: false, 303: false, 400: false, 408: false, 425: false, 429: true, 499: false, 500: true, 503: true, 599: true} {
		if got := exchange.Temporary(status); got != want {
			t.Errorf("%d is temporary: %t", status, got)
		}
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 5: 32 * time.Second, 6: time.Minute, 63: time.Minute, 1 << 30: time.Minute} {
		if got := exchange.Backoff(time.Second, time.Minute, failures); got != want {
			t.Errorf("after %d failures the pause is %s, want %s", failures, got, want)
		}
	}
}
