package ui

import (
	"testing"
	"time"
)

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 5000: "5,000", 1234567: "1,234,567"} {
		if got := Thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 400 * time.Microsecond: "0s", 1500 * time.Microsecond: "2ms", 999 * time.Millisecond: "999ms",
		time.Second: "1s", 10 * time.Second: "10s", 1234 * time.Millisecond: "1.2s", time.Minute: "1m", 10 * time.Minute: "10m",
		time.Hour: "1h", 10 * time.Hour: "10h", 441 * time.Minute: "7h21m", 10000 * time.Second: "2h46m40s", time.Hour + time.Second: "1h0m1s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}
