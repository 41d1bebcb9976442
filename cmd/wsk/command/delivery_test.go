package command

import (
	"math"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/ui"
)

func TestSpanLeavesOutUnitsThatAreZero(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 400 * time.Microsecond: "0s", 1500 * time.Microsecond: "2ms", 999 * time.Millisecond: "999ms",
		time.Second: "1s", 10 * time.Second: "10s", 1234 * time.Millisecond: "1.2s", time.Minute: "1m", 10 * time.Minute: "10m",
		time.Hour: "1h", 10 * time.Hour: "10h", 441 * time.Minute: "7h21m", 10000 * time.Second: "2h46m40s", time.Hour + time.Second: "1h0m1s",
	} {
		if got := ui.Duration(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func TestSpeedIsAFactorOrMax(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"1x": 1, "1": 1, "60x": 60, "60": 60, "2.5x": 2.5, "max": math.Inf(1)} {
		if got, err := ParseSpeed(text); err != nil || got != want {
			t.Errorf("%q is %g, %v; want %g", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "0", "0.5x", "-2x", "60xx", "60 x", "maxx", "Inf", "+Infx", "NaN", "1e999", "6O"} {
		if got, err := ParseSpeed(text); err == nil {
			t.Errorf("%q was read as %g", text, got)
		}
	}
}

func FuzzSpeed(f *testing.F) {
	for _, seed := range []string{"60x", "max", "2.5", "NaN", "-1x", "1e308x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if factor, err := ParseSpeed(text); err == nil && (math.IsNaN(factor) || factor < 1 || math.IsInf(factor, 0) && text != "max") {
			t.Errorf("%q was read as %g", text, factor)
		}
	})
}
