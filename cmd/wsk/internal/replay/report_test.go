package replay_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
)

// exact is the quantile by sorting.
func exact(sorted []time.Duration, q float64) time.Duration {
	return sorted[max(int(math.Ceil(q*float64(len(sorted)))), 1)-1]
}

func TestHistogramQuantile(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() time.Duration{
		"even":          func() time.Duration { return time.Duration(random.Int64N(int64(time.Second))) },
		"exponential":   func() time.Duration { return time.Duration(random.ExpFloat64() * float64(time.Millisecond)) },
		"over decades":  func() time.Duration { return time.Duration(math.Pow(10, random.Float64()*13)) },
		"two humps":     func() time.Duration { return time.Duration(1+random.IntN(2)*999) * time.Millisecond },
		"nanoseconds":   func() time.Duration { return time.Duration(random.IntN(200)) },
		"all the same":  func() time.Duration { return 1234567 },
		"up to the end": func() time.Duration { return time.Duration(random.Int64()) },
	} {
		for _, size := range []int{1, 2, 99, 5000} {
			var h replay.Histogram
			var all []time.Duration
			for range size {
				d := draw()
				h.Add(d)
				all = append(all, d)
			}
			slices.Sort(all)
			for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1} {
				got, want := h.Quantile(q), exact(all, q)
				if math.Abs(float64(got-want)) > 0.01*float64(want) {
					t.Errorf("%s, %d values: the quantile %g is %d, sorted %d", name, size, q, got, want)
				}
			}
			if h.Min() != all[0] || h.Max() != all[size-1] || h.Count() != size {
				t.Errorf("%s: from %d to %d of %d, want %d to %d of %d", name, h.Min(), h.Max(), h.Count(), all[0], all[size-1], size)
			}
			total, bars := 0, h.Bars()
			for i, bar := range bars {
				total += bar.Count
				if i > 0 && bar.LE <= bars[i-1].LE {
					t.Errorf("%s: the bars do not grow: %v", name, bars)
				}
			}
			if total != size {
				t.Errorf("%s: the bars hold %d of %d", name, total, size)
			}
		}
	}
}

func TestHistogramEmpty(t *testing.T) {
	t.Parallel()
	var h replay.Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 || h.Max() != 0 || len(h.Bars()) != 0 {
		t.Errorf("it says %v, %v, %v, %v", h.Quantile(0.5), h.Mean(), h.Max(), h.Bars())
	}
	h.Add(-time.Second)
	if h.Count() != 1 || h.Quantile(1) != 0 {
		t.Errorf("below zero is %v", h.Quantile(1))
	}
}

func TestHistogramBars(t *testing.T) {
	t.Parallel()
	var h replay.Histogram
	for _, d := range []time.Duration{900 * time.Microsecond, 990 * time.Microsecond, 1400 * time.Microsecond, 4 * time.Millisecond} {
		h.Add(d)
	}
	want := []replay.Bar{
		{LE: time.Millisecond, Count: 2}, {LE: 1500 * time.Microsecond, Count: 1}, {LE: 2200 * time.Microsecond},
		{LE: 3300 * time.Microsecond}, {LE: 4700 * time.Microsecond, Count: 1},
	}
	if got := h.Bars(); !slices.Equal(got, want) {
		t.Errorf("the bars are %v, want %v", got, want)
	}
}
