package cli

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
)

// receiver answers each request of a fake with a status and a body, and
// advances its clock.
func (f *fake) receiver(took time.Duration, status int, body string) {
	now := time.Unix(1764000000, 0)
	f.Now = func() time.Time { return now }
	f.Transport = commandtest.RoundTrip(func(*http.Request) (*http.Response, error) {
		now = now.Add(took)
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
}

func TestTrigger_fits_the_terminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.NewID = func() string { return strings.Repeat("x", 26) }
	f.OutTTY, f.Columns = true, 80
	f.Vars["NO_COLOR"] = "1"
	f.receiver(1234*time.Millisecond, 500, strings.Repeat("word ", 200)+"\x1b]0;title\a")
	code := f.run(t, "trigger", "timesheet.created", "--to", "http://receiver.example.com:8080/hooks/workskedge", "--secret", "s", "--speed", "max", "--no-journal")
	if code != exitNo {
		t.Fatalf("exit code %d: %s", code, &f.Stderr)
	}
	for line := range strings.Lines(f.Stdout.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	if words := strings.Count(f.Stdout.String(), "word"); words != 6*80 {
		t.Errorf("%d words of the answers are shown, want 400 characters of each", words)
	}
	if !strings.HasPrefix(f.Stdout.String(), "timesheet.created  whk_xxxxxxxxxxxxxxxxxxxxxxxxxx\n  → POST http://receiver") {
		t.Errorf("the heading is not wrapped:\n%s", &f.Stdout)
	}
}

func TestTrigger_escapes_the_body_of_a_refusal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.receiver(time.Millisecond, 422, "{\n  \"error\": \"no\x1b[31m\xff\"\n}")
	if code := f.run(t, "trigger", "timesheet.created", "--to", "http://r.example", "--secret", "s", "--no-journal"); code != exitNo {
		t.Fatalf("exit code %d: %s", code, &f.Stderr)
	}
	if want := "\n     { \"error\": \"no\\x1b[31m\\xff\" }\n"; !strings.Contains(f.Stdout.String(), want) {
		t.Errorf("printed\n%s", &f.Stdout)
	}
}

func TestTrigger_warns_of_a_slow_response(t *testing.T) {
	t.Parallel()
	for _, took := range []time.Duration{10 * time.Second, 12 * time.Second} {
		f := newFake(t)
		f.receiver(took, 200, "")
		if code := f.run(t, "trigger", "timesheet.created", "--to", "http://r.example", "--secret", "s", "--no-journal", "--color", "on"); code != exitYes {
			t.Fatalf("exit code %d: %s", code, &f.Stderr)
		}
		if got := strings.Contains(f.Stdout.String(), "\x1b[33mslower than the 10 s"); got != (took > 10*time.Second) {
			t.Errorf("after %s it printed\n%s", took, &f.Stdout)
		}
		if !strings.Contains(f.Stdout.String(), "     "+took.String()) {
			t.Errorf("the time is not shown:\n%s", &f.Stdout)
		}
	}
}
