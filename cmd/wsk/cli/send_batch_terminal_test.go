package cli

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/ui"

	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
)

// answering is a fake with an endpoint that answers with these statuses in
// turn, and then always with the last.
func answering(t *testing.T, statuses ...int) *fake {
	t.Helper()
	f := newFake(t)
	n := 0
	f.NewID = func() string { n++; return ui.Thousands(n) }
	f.Transport = commandtest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		status := statuses[0]
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}, nil
	})
	return f
}

func (f *fake) given(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// keyOf is the name under which the requests with an API key are counted.
func keyOf(apiKey string) string {
	return batch.Key(deliver.Delivery{Header: deliver.Inbound(apiKey, "custom")})
}

const staffLine = `{"event_type":"employee.created","timestamp":"2026-01-15T14:30:00Z","source":"hr","data":{"emp_number":"E1","name":"Ada","email":"ada@example.com","employee_type":"office"}}` + "\n"

func TestSendBatch_shows_progress_only_on_a_terminal(t *testing.T) {
	t.Parallel()
	for name, terminal := range map[string]bool{"on a terminal": true, "into a pipe": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := answering(t, 200, 400, 200)
			f.ErrTTY = terminal
			f.given(t, "staff.ndjson", strings.Repeat(staffLine, 3))
			if code := f.run(t, "send", "--batch", "staff.ndjson", "--url", "http://127.0.0.1:1", "--secret", "s"); code != 1 {
				t.Errorf("exit code %d\n%s", code, &f.Stderr)
			}
			for _, want := range []string{"\r1 of 3", "\r2 of 3  1 refused", "\r3 of 3  1 refused"} {
				if got := strings.Contains(f.Stderr.String(), want); got != terminal {
					t.Errorf("%q in %q: %v, want %v", want, f.Stderr.String(), got, terminal)
				}
			}
			if terminal && !strings.HasSuffix(f.Stderr.String(), "\rwsk: 1 line was refused\n") {
				t.Errorf("the progress was not removed: %q", f.Stderr.String())
			}
		})
	}
}

func TestSend_counts_under_the_limit_of_its_key(t *testing.T) {
	t.Parallel()
	f := answering(t, 503, 200)
	f.given(t, "one.json", staffLine)
	if code := f.run(t, "send", "employee.created", "-f", "one.json", "--url", "http://127.0.0.1:1", "--secret", "s", "--api-key", "k", "--retries", "1", "--journal", "j.db"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &f.Stderr)
	}
	j, err := journal.Open(t.Context(), filepath.Join(f.Dir, "j.db"), journal.Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	for _, want := range []struct {
		count int
		wait  time.Duration
	}{{2, time.Minute}, {3, 0}} { // there were two attempts
		slot, err := j.Reserve(t.Context(), keyOf("k"), []deliver.Limit{{Count: want.count, Per: time.Minute}}, f.Now, time.Second)
		if err != nil || slot.Wait != want.wait {
			t.Errorf("under a limit of %d the wait is %s (%v), want %s", want.count, slot.Wait, err, want.wait)
		}
	}
}

func TestSend_counts_under_the_key_of_its_header(t *testing.T) {
	t.Parallel()
	f := answering(t, 200)
	f.given(t, "one.json", staffLine)
	if code := f.run(t, "send", "employee.created", "-f", "one.json", "--url", "http://127.0.0.1:1", "--secret", "s", "--api-key", "k", "-H", "x-api-key: other", "--journal", "j.db"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &f.Stderr)
	}
	j, err := journal.Open(t.Context(), filepath.Join(f.Dir, "j.db"), journal.Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	slot, err := j.Reserve(t.Context(), keyOf("other"), []deliver.Limit{{Count: 1, Per: time.Minute}}, f.Now, time.Second)
	if err != nil || slot.Wait != time.Minute {
		t.Errorf("the wait is %s (%v), want a minute", slot.Wait, err)
	}
}
