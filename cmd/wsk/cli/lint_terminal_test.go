package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
)

func TestLint_shows_the_line_and_a_caret_on_a_terminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.OutTTY, f.Columns = true, 80
	f.Vars["NO_COLOR"] = "1"
	payload := "{\"event_type\": \"work_order.deleted\", \"timestamp\": \"2026-01-15T14:30:00Z\", \"source\": \"é\",\n \"data\": {\"work_order_number\": 7}}\n"
	if err := os.WriteFile(filepath.Join(f.Dir, "order.json"), []byte(payload), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := f.run(t, "lint", "order.json"); code != exitNo {
		t.Fatalf("exit code %d: %s", code, &f.Stderr)
	}
	want := "order.json:2:32  error  work_order_number must be a string, is an integer (type)\n" +
		"   \"data\": {\"work_order_number\": 7}}\n" +
		strings.Repeat(" ", 33) + "^\n"
	if got := f.Stdout.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestProgress_on_a_terminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	now := time.Unix(1764000000, 0)
	f.Now = func() time.Time { return now }
	f.ErrTTY = true
	p := command.NewReadProgress(f.Env, "big.ndjson", 4<<20)
	p.Add(1 << 20)
	if f.Stderr.Len() > 0 {
		t.Errorf("showed %q at once", &f.Stderr)
	}
	now = now.Add(2 * time.Second)
	p.Add(1 << 20)
	if got := f.Stderr.String(); got != "\rbig.ndjson  2.0 MiB  1.0 MiB/s  50 %  2s left" {
		t.Errorf("showed %q", got)
	}
	f.Stderr.Reset()
	p.Done()
	if got := f.Stderr.String(); strings.TrimSpace(got) != "" || !strings.HasSuffix(got, "\r") {
		t.Errorf("left %q behind", got)
	}
}

func TestProgress_into_a_pipe(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	now := time.Unix(1764000000, 0)
	f.Now = func() time.Time { return now }
	p := command.NewReadProgress(f.Env, "-", -1)
	now = now.Add(time.Hour)
	p.Add(1 << 30)
	p.Done()
	if f.Stderr.Len() > 0 {
		t.Errorf("showed %q", &f.Stderr)
	}
}
