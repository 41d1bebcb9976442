package rate_test

import (
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/rate"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rate.Rate{
		"500/s": {N: 500, Per: time.Second}, "90/m": {N: 90, Per: time.Minute}, "0.5/h": {N: 0.5, Per: time.Hour},
	} {
		if got, err := rate.Parse(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "500", "500/d", "0/s", "-1/s", "NaN/s", "inf/s", "/s", "1/m/s", "5 /s", "max"} {
		if got, err := rate.Parse(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
	if got := (rate.Rate{N: 90, Per: time.Minute}).PerSecond(); got != 1.5 {
		t.Errorf("90/m are %g a second", got)
	}
}
