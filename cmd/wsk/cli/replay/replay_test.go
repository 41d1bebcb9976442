package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
)

func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"500/s": 500, "90/m": 1.5, "1800/h": 0.5, "0.5/s": 0.5, "max": 0} {
		if got, err := parseRate(text, true); err != nil || got != want {
			t.Errorf("%q is %g, %v, want %g", text, got, err, want)
		}
	}
	for _, text := range []string{"", "500", "500/d", "0/s", "-1/s", "NaN/s", "inf/s", "1e9/s", "/s"} {
		if got, err := parseRate(text, true); err == nil {
			t.Errorf("%q is %g", text, got)
		}
	}
}

func TestLoadProgress(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{true, false} {
		f := commandtest.New(t)
		f.ErrTTY = terminal
		now := time.Unix(1764000000, 0)
		f.Now = func() time.Time { return now }
		p := newLoadProgress(f.Env, &replay.Load{Duration: 10 * time.Second})
		p.show(64)
		now = now.Add(4 * time.Second)
		p.show(400)
		p.done()
		want := ""
		if line := "4s  400 requests  100/s  6s left"; terminal {
			want = "\r" + line + "\r" + strings.Repeat(" ", len(line)) + "\r"
		}
		if got := f.Stderr.String(); got != want {
			t.Errorf("terminal %v: it shows %q, want %q", terminal, got, want)
		}
	}
}
