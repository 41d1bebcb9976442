package command

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestDurationVar(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "90s": 90 * time.Second, "1.5": 1500 * time.Millisecond, "0": 0, "250ms": 250 * time.Millisecond,
		"1m30s": 90 * time.Second, "2h": 2 * time.Hour, "7d": 168 * time.Hour, "1d12h": 36 * time.Hour,
	} {
		var got time.Duration
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		DurationVar(f, &got, "wait", time.Minute, "")
		if err := f.Parse([]string{"--wait", text}); err != nil || got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "5 s", "-1", "-1s", "1.2.3", ".", "1e3", "d", "1.5d", "99999d", "7dd", "9999999h", "5mm", "+", "1d-1h"} {
		if got, err := ReadDuration(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// FuzzReadDuration checks that what is read is never negative.
func FuzzReadDuration(f *testing.F) {
	for _, text := range []string{"90", "1d2562047h", "7d", "32767d", "0.1", "1h-1m"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ReadDuration(text); d < 0 || err != nil && d != 0 {
			t.Errorf("%q is %s, %v", text, d, err)
		}
	})
}
