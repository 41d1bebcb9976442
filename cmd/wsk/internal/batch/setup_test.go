package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

const target = "https://api.example.com/inbound"

// world is a clock that advances only while the sender waits, and an endpoint that
// notes when requests arrive.
type world struct {
	t       *testing.T
	elapsed time.Duration
	offset  time.Duration // of the wall clock, when somebody sets it
	waits   []time.Duration

	answer   func(n int, body string) reply // n from 0; default: 200
	arrivals []time.Duration                // by elapsed
	bodies   []string
	records  int
}

// reply is an answer, or none: before or after the request was written.
type reply struct {
	status     int
	retryAfter string
	refuse     bool // no connection
	hang       bool // no answer
}

func newWorld(t *testing.T) *world { return &world{t: t} }

func (w *world) now() time.Time {
	return time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC).Add(w.elapsed + w.offset)
}

func (w *world) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		w.t.Errorf("a wait of %s", d)
	}
	w.waits = append(w.waits, d)
	w.elapsed += d
	return ctx.Err()
}

// RoundTrip is the endpoint.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	a := reply{status: 200}
	if w.answer != nil {
		a = w.answer(len(w.arrivals), string(body))
	}
	if a.refuse {
		return nil, errors.New("connection refused")
	}
	w.arrivals, w.bodies = append(w.arrivals, w.elapsed), append(w.bodies, string(body))
	if a.hang {
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
			trace.WroteRequest(httptrace.WroteRequestInfo{})
		}
		return nil, io.ErrUnexpectedEOF
	}
	h := http.Header{}
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	return &http.Response{StatusCode: a.status, Header: h, Body: http.NoBody}, nil
}

func openJournal(t *testing.T, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func newJournal(t *testing.T) *journal.Journal {
	return openJournal(t, filepath.Join(t.TempDir(), "journal.db"))
}

// events is a file of n lines.
func events(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"event_type":"employee.created","timestamp":"2026-01-15T14:30:00Z","source":"hr","data":{"n":%d}}`+"\n", i+1)
	}
	return b.String()
}

// sender is ready to send text as the file.
func (w *world) sender(j *journal.Journal, text string) *batch.Sender {
	w.t.Helper()
	s := &batch.Sender{
		Pacer: &batch.Pacer{
			Journal: j, Key: "key", Limits: deliver.WorkSkedgeLimits(), Within: 30 * time.Second,
			Now: w.now, Elapsed: func() time.Duration { return w.elapsed }, Wait: w.wait,
		},
		Client: deliver.Client{Transport: w, Now: w.now, NewID: func() string {
			w.records++
			return fmt.Sprint("rec_", w.records)
		}},
		Make:   makeEvent,
		Policy: deliver.Policy{Jitter: func() float64 { return 0.5 }},
	}
	prepare(w.t, s, j, text)
	return s
}

func makeEvent(l batch.Line) (deliver.Delivery, error) {
	e, err := webhook.ParseEvent(l.Text())
	return deliver.Delivery{URL: target, Event: e, Unsigned: true}, err
}

// prepare reads the file, and continues its ledger or begins one.
func prepare(t *testing.T, s *batch.Sender, j *journal.Journal, text string) {
	t.Helper()
	source := strings.NewReader(text)
	file, err := batch.Read(t.Context(), source, nil)
	if err != nil {
		t.Fatal(err)
	}
	ledger, _, err := file.Open(t.Context(), j, batch.Begin{URL: target, Name: file.Digest, Resume: true, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	s.File, s.Source, s.Ledger = file, source, ledger
}

func mustRun(t *testing.T, s *batch.Sender) {
	t.Helper()
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantSummary(t *testing.T, f *batch.File, want batch.Summary) {
	t.Helper()
	if got := f.Summary(); got != want {
		t.Errorf("the summary is %+v, want %+v", got, want)
	}
}

// wantStop runs and wants it to stop for a reason.
func wantStop(t *testing.T, s *batch.Sender, why batch.Reason) *batch.StopError {
	t.Helper()
	var stop *batch.StopError
	if err := s.Run(t.Context()); !errors.As(err, &stop) || stop.Reason != why {
		t.Fatalf("the run ended with %v, want %s", err, why)
	}
	return stop
}

// wantWithin checks that no stretch of time of that length holds more than
// count arrivals.
func wantWithin(t *testing.T, at []time.Duration, count int, per time.Duration) {
	t.Helper()
	for i := range at {
		if i+count < len(at) && at[i+count]-at[i] < per {
			t.Fatalf("%d requests within %s, from request %d on", count+1, at[i+count]-at[i], i+1)
		}
	}
}
