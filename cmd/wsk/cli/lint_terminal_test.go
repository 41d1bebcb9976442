package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLintShowsTheLineAndACaretOnATerminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.OutTTY, f.Columns = true, 80
	f.vars["NO_COLOR"] = "1"
	payload := "{\"event_type\": \"work_order.deleted\", \"timestamp\": \"2026-01-15T14:30:00Z\", \"source\": \"é\",\n \"data\": {\"work_order_number\": 7}}\n"
	if err := os.WriteFile(filepath.Join(f.Dir, "order.json"), []byte(payload), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := f.run(t, "lint", "order.json"); code != exitNo {
		t.Fatalf("exit code %d: %s", code, &f.err)
	}
	want := "order.json:2:32  error  work_order_number must be a string, is an integer (type)\n" +
		"   \"data\": {\"work_order_number\": 7}}\n" +
		strings.Repeat(" ", 33) + "^\n"
	if got := f.out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestProgressShowsHowFarAndHowLongOnATerminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	now := time.Unix(1764000000, 0)
	f.Now = func() time.Time { return now }
	f.ErrTTY = true
	p := newProgress(f.Env, "big.ndjson", 4<<20)
	p.add(1 << 20)
	if f.err.Len() > 0 {
		t.Errorf("showed %q at once", &f.err)
	}
	now = now.Add(2 * time.Second)
	p.add(1 << 20)
	if got := f.err.String(); got != "\rbig.ndjson  2.0 MiB  1.0 MiB/s  50 %  2s left" {
		t.Errorf("showed %q", got)
	}
	f.err.Reset()
	p.done()
	if got := f.err.String(); strings.TrimSpace(got) != "" || !strings.HasSuffix(got, "\r") {
		t.Errorf("left %q behind", got)
	}
}

func TestProgressIsSilentWhenPiped(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	now := time.Unix(1764000000, 0)
	f.Now = func() time.Time { return now }
	p := newProgress(f.Env, "-", -1)
	now = now.Add(time.Hour)
	p.add(1 << 30)
	p.done()
	if f.err.Len() > 0 {
		t.Errorf("showed %q", &f.err)
	}
}
