package journal

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// newJournal opens a journal in a folder of the test.
func newJournal(t testing.TB, o Options) *Journal {
	t.Helper()
	return reopen(t, filepath.Join(t.TempDir(), "journal.db"), o)
}

func reopen(t testing.TB, path string, o Options) *Journal {
	t.Helper()
	j, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// loggerOf returns a logger that passes the text of warnings to a function.
func loggerOf(warn func(text string)) *slog.Logger { return slog.New(warnings(warn)) }

type warnings func(text string)

func (warnings) Enabled(_ context.Context, l slog.Level) bool { return l == slog.LevelWarn }
func (w warnings) WithAttrs([]slog.Attr) slog.Handler         { return w }
func (w warnings) WithGroup(string) slog.Handler              { return w }

func (w warnings) Handle(_ context.Context, r slog.Record) error {
	w(r.Message)
	return nil
}

// clock is when the tests' first record came.
func clock() time.Time { return time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC) }

// sample is the nth record of a test: received a second after the one before,
// and answered with 200.
func sample(n int) webhook.Record {
	return webhook.Record{
		ID: fmt.Sprintf("rec_%06d", n), Time: clock().Add(time.Duration(n) * time.Second), Direction: webhook.Received,
		Platform: webhook.WorkSkedge, Form: webhook.Outbound, Event: "work_order.created", WebhookID: fmt.Sprintf("whk_%d", n), Scheme: "timestamp.body",
		Request: webhook.Request{
			Method: "POST", URL: "/hooks", Body: fmt.Appendf(nil, `{"n":%d}`, n),
			Header: webhook.Header{{Name: "Content-Type", Value: "application/json"}, {Name: webhook.HeaderSignature, Value: "5f"}},
		},
		Verdict:  &webhook.Verdict{Outcome: webhook.Accepted, Verified: true},
		Response: &webhook.Response{Status: 200, Body: []byte(`{"received":true}`)}, Duration: 3 * time.Millisecond,
	}
}

func put(t testing.TB, j *Journal, records ...webhook.Record) {
	t.Helper()
	for _, r := range records {
		if err := j.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// queue opens the queue of a target.
func queue(t testing.TB, j *Journal, target string) *Queue {
	t.Helper()
	q, err := j.Queue(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// ids lists what a filter selects, without "rec_" and zeros.
func ids(t testing.TB, j *Journal, f Filter) string {
	t.Helper()
	var b bytes.Buffer
	for r, err := range j.Records(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscanf(r.ID, "rec_%d", &n); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d ", n)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// line is a record as NDJSON has it.
func line(t testing.TB, r webhook.Record) string {
	t.Helper()
	text, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
