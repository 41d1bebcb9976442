package receive_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	sharedSecret = "a shared secret"
	payload      = `{"event_id":"evt_1","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"co_1","data":{"id":"wo_1"}}`

	taken            = `{"received":true}`
	takenBefore      = `{"received":true,"duplicate":true}`
	takenSuspect     = `{"received":true,"replay_suspect":true}`
	invalidSignature = `{"error":"Invalid signature"}`
)

// clock is the receiver's time in tests that do not run in a bubble.
var clock = time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC)

// header signs a body by timestamp.body. An empty id is left out.
func header(id, body string, at time.Time) http.Header {
	return signedWith(id, body, strconv.FormatInt(at.Unix(), 10))
}

// signedWith signs a body under any text for a timestamp.
func signedWith(id, body, timestamp string) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set(webhook.HeaderTimestamp, timestamp)
	h.Set(webhook.HeaderSignature, webhooktest.HexHMAC(sharedSecret, timestamp+"."+body))
	if id != "" {
		h.Set(webhook.HeaderID, id)
	}
	return h
}

func post(h http.Header, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
	r.Header = h
	return r
}

// receiver is a handler that keeps what its App and its Sink were given.
type receiver struct {
	*receive.Handler

	mu      sync.Mutex
	calls   []string // the bodies that the App got
	records []webhook.Record
}

// newReceiver makes a receiver with one secret and a clock that does not move.
func newReceiver(t testing.TB, edit func(*receive.Config)) *receiver {
	t.Helper()
	r := &receiver{}
	c := receive.Config{
		Verifier: webhook.Verifier{Secrets: []webhook.Secret{webhooktest.Secret(t, sharedSecret)}},
		Now:      func() time.Time { return clock },
		NewID:    func() string { return "rec_1" },
	}
	if edit != nil {
		edit(&c)
	}
	// count counts the calls of an App, or of a Check without one.
	count := &c.App
	if c.Check != nil {
		count = &c.Check
	}
	app := *count
	*count = func(ctx context.Context, e *webhook.Event, record *webhook.Record) webhook.Response {
		r.mu.Lock()
		r.calls = append(r.calls, string(record.Request.Body))
		r.mu.Unlock()
		if app == nil {
			return receive.OK()
		}
		return app(ctx, e, record)
	}
	c.Sink = func(record webhook.Record) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.records = append(r.records, record)
	}
	handler, err := receive.New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Handler = handler
	return r
}

// answerTo serves one request.
func (r *receiver) answerTo(request *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, request)
	return w
}

// deliver serves a request that is signed as it should be.
func (r *receiver) deliver(id, body string, at time.Time) *httptest.ResponseRecorder {
	return r.answerTo(post(header(id, body, at), body))
}

func (r *receiver) appCalls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls)
}

// last returns the newest record.
func (r *receiver) last(t testing.TB) webhook.Record {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) == 0 {
		t.Fatal("no record reached the sink")
	}
	return r.records[len(r.records)-1]
}

// wantAnswer compares status and exact body.
func wantAnswer(t testing.TB, got *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if got.Code != status || got.Body.String() != body {
		t.Errorf("answered %d %s, want %d %s", got.Code, got.Body, status, body)
	}
}

func wantCalls(t testing.TB, r *receiver, want int) {
	t.Helper()
	if got := r.appCalls(); got != want {
		t.Errorf("the App was called %d times, want %d", got, want)
	}
}
