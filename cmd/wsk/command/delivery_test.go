package command

import (
	"math"
	"testing"
)

func TestParseSpeed(t *testing.T) {
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

func FuzzParseSpeed(f *testing.F) {
	for _, seed := range []string{"60x", "max", "2.5", "NaN", "-1x", "1e308x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if factor, err := ParseSpeed(text); err == nil && (math.IsNaN(factor) || factor < 1 || math.IsInf(factor, 0) && text != "max") {
			t.Errorf("%q was read as %g", text, factor)
		}
	})
}
