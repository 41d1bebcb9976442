package replay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	inbound  = `{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":{}}`
	outbound = `{"event_id":"e","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{}}`
	compact  = `{"event":"workorder.created","timestamp":"2026-01-15T14:30:00Z","data":{}}`
	hire     = `{"event":"hireUpdated","data":{}}`
)

var clock = time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC)

func secret(t testing.TB) webhook.Secret {
	t.Helper()
	s, err := webhook.NewSecret("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// recordOf is a received record that was answered with a status.
func recordOf(id string, status int, at time.Time) webhook.Record {
	r := webhook.Record{
		ID: id, Time: at, Direction: webhook.Received, Platform: webhook.WorkSkedge, Form: webhook.Inbound,
		Event: "work_order.created", WebhookID: "whk_" + id, Scheme: webhook.TimestampBody,
		Request: webhook.Request{Method: "POST", URL: "/", Body: []byte(inbound), Header: webhook.Header{
			{Name: "Host", Value: "old.example"}, {Name: "User-Agent", Value: "platform/1"},
			{Name: "X-Webhook-ID", Value: "whk_" + id}, {Name: "X-Webhook-Timestamp", Value: "1"},
			{Name: "X-Webhook-Signature", Value: "00"}, {Name: "X-Custom", Value: "kept"},
		}},
		Verdict: &webhook.Verdict{Outcome: webhook.Accepted},
	}
	if status > 0 {
		r.Response = &webhook.Response{Status: status}
	}
	return r
}

func planFor(t testing.TB) replay.Plan {
	t.Helper()
	return replay.Plan{URL: "http://127.0.0.1:1/hook", Secret: secret(t), NewID: func() string { return "whk_fresh" }}
}

func jobsOf(t testing.TB, p replay.Plan, items ...replay.Item) []replay.Job {
	t.Helper()
	jobs, err := p.Jobs(items, clock)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// payload reads one payload.
func payload(t testing.TB, body string) replay.Item {
	t.Helper()
	items, err := replay.Read("p.json", []byte(body))
	if err != nil || len(items) != 1 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	return items[0]
}

func clientOver(transport http.RoundTripper) deliver.Client {
	return deliver.Client{Transport: transport, Now: time.Now, NewID: func() string { return "rec_new" }, UserAgent: "wsk-test"}
}

// roundTrip is a transport in memory.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok"))}
}

// log keeps requests in the order in which they came.
type log struct {
	mu   sync.Mutex
	seen []*http.Request
	at   []time.Time
}

func (l *log) note(r *http.Request) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen, l.at = append(l.seen, r), append(l.at, time.Now())
	return len(l.seen)
}

// pause waits for d or the end of the request.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("in the transport: %w", ctx.Err())
	case <-timer.C:
		return nil
	}
}
