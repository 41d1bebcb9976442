package deliver_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	sharedSecret = "a shared secret"
	payload      = `{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":{"id":"wo_1"}}`
)

// clock is the sender's time in tests that do not run in a bubble.
var clock = time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC)

func event(t testing.TB, body string) webhook.Event {
	t.Helper()
	e, err := webhook.ParseEvent([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// delivery is a signed one to url, as send makes it.
func delivery(t testing.TB, url string) deliver.Delivery {
	t.Helper()
	return deliver.Delivery{
		URL: url, Event: event(t, payload), Header: deliver.Inbound("the-api-key", "custom"),
		Scheme: webhook.SchemeFor(webhook.WorkSkedge), Secret: webhooktest.Secret(t, sharedSecret),
	}
}

// recorded returns the error of Send or Deliver unless it is what the record shows,
// and panics where the two do not agree.
func recorded(r webhook.Record, err error) (webhook.Record, error) {
	var failed *deliver.Error
	accepted := r.Verdict != nil && r.Verdict.Outcome == webhook.Accepted
	isFailed := errors.As(err, &failed)
	switch {
	case err == nil && !accepted, isFailed && (accepted || failed.Record.ID != r.ID):
		panic(fmt.Sprintf("the error is %v, and the record has %+v", err, r.Verdict))
	case isFailed:
		return r, nil
	}
	return r, err
}

// client has a fixed clock and numbers its records.
func client(transport http.RoundTripper) deliver.Client {
	var mu sync.Mutex
	n := 0
	return deliver.Client{
		Transport: transport,
		Now:       func() time.Time { return clock },
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprint("rec_", n)
		},
	}
}

// overTCP is the package's own transport, without the machine's proxy.
func overTCP(t testing.TB) *http.Transport {
	transport := deliver.NewTransport()
	transport.Proxy = nil
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// endpoint is a server on loopback that keeps what it was sent.
type endpoint struct {
	URL string

	mu   sync.Mutex
	seen []received
}

type received struct {
	host   string
	header http.Header
	body   []byte
}

// newEndpoint answers with answer, or 200.
func newEndpoint(t testing.TB, answer http.HandlerFunc) *endpoint {
	e := &endpoint{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the endpoint could not read the body: %v", err)
		}
		e.mu.Lock()
		e.seen = append(e.seen, received{r.Host, r.Header.Clone(), body})
		e.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	e.URL = server.URL
	return e
}

func (e *endpoint) requests() []received {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen
}

// status answers with a status and nothing else.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// attempt makes one attempt that has to come to a record.
func attempt(t testing.TB, c deliver.Client, d deliver.Delivery) webhook.Record {
	t.Helper()
	record, err := c.Attempt(t.Context(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func wantVerdict(t testing.TB, got webhook.Record, outcome webhook.Outcome, reason string) {
	t.Helper()
	if got.Verdict == nil || got.Verdict.Outcome != outcome || got.Verdict.Reason != reason {
		t.Errorf("the verdict is %+v (%s), want %s %q", got.Verdict, got.Error, outcome, reason)
	}
}

// unused is a transport that nothing may be sent over.
func unused(t testing.TB) http.RoundTripper {
	return webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		t.Errorf("sent to %s", r.URL.Redacted())
		return nil, errors.New("nothing may be sent")
	})
}

// overPipe is the package's own transport over connections in memory. Each
// connection is passed to serve in its own goroutine.
func overPipe(t testing.TB, serve func(c net.Conn)) *http.Transport {
	var serving sync.WaitGroup
	t.Cleanup(serving.Wait)
	transport := overTCP(t)
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		serving.Go(func() {
			defer func() { _ = there.Close() }()
			serve(there)
		})
		return here, nil
	}
	return transport
}

// takeRequest reads one whole request.
func takeRequest(in *bufio.Reader) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

// hold reads until the other side closes the connection.
func hold(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// answering reads one request of each connection and writes raw bytes back.
func answering(raw string) func(net.Conn) {
	return func(c net.Conn) {
		if _, _, err := takeRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, raw)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// line is a record as it is printed and stored.
func line(t testing.TB, r webhook.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := webhook.NewEncoder(&b).Encode(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
