package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
)

func TestLoadProgress(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{true, false} {
		f := commandtest.New(t)
		f.ErrTTY = terminal
		now := time.Unix(1764000000, 0)
		f.Now = func() time.Time { return now }
		p, answered := newLoadProgress(f.Env, &replay.Load{Duration: 10 * time.Second})
		answered(64)
		now = now.Add(4 * time.Second)
		answered(400)
		p.Done()
		want := ""
		if line := "4s  400 requests  100/s  6s left"; terminal {
			want = "\r" + line + "\r" + strings.Repeat(" ", len(line)) + "\r"
		}
		if got := f.Stderr.String(); got != want {
			t.Errorf("terminal %v: it shows %q, want %q", terminal, got, want)
		}
	}
}
