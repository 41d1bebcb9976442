package replay

import (
	"math"
	"math/bits"
	"time"
)

// Histogram counts durations in constant memory. Each power of two is cut into
// 64 buckets of equal width, so a quantile is within 1 % of the exact one. The
// zero Histogram is empty. It is not safe for concurrent use.
type Histogram struct {
	counts   [buckets]uint64
	n        uint64
	sum      float64
	min, max time.Duration
}

const (
	perPower = 6 // bits: 64 buckets
	buckets  = (64-perPower)<<perPower + 1<<perPower
)

// bucket numbers the bucket of a value: those up to 127 have one each, then
// they are twice as wide after each power of two.
func bucket(v uint64) int {
	shift := max(0, bits.Len64(v)-perPower-1)
	return shift<<perPower + int(v>>shift)
}

// middle is the value that a bucket stands for.
func middle(i int) uint64 {
	if i < 2<<perPower {
		return uint64(i)
	}
	shift := i>>perPower - 1
	low := uint64(i-shift<<perPower) << shift
	return low + 1<<shift/2
}

// Add counts one duration; one below zero counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.n++
	h.sum += float64(d)
	h.counts[bucket(uint64(d))]++
}

// Count returns how many durations were added.
func (h *Histogram) Count() int { return int(h.n) }

// Min and Max are exact; 0 for an empty histogram.
func (h *Histogram) Min() time.Duration { return h.min }

// Max returns the longest duration.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean returns the average, or 0 for an empty histogram.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.n))
}

// Quantile returns the least duration that at least the share q of all do not
// exceed: 0.99 for the 99th percentile. It is 0 for an empty histogram.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := max(uint64(math.Ceil(q*float64(h.n))), 1)
	var below uint64
	for i, count := range h.counts {
		if below += count; count > 0 && below >= rank {
			return min(max(time.Duration(middle(i)), h.min), h.max)
		}
	}
	return h.max
}

// Bar is one bar of a drawn histogram: how many durations are at most LE, and
// more than the bar before has.
type Bar struct {
	LE    time.Duration
	Count int
}

// Bars sums the buckets up into bars whose limits grow by a half or so, six to
// a power of ten. Empty bars before the first and behind the last are left out.
func (h *Histogram) Bars() []Bar {
	var bars []Bar
	decade, step := time.Microsecond, 0
	limit := decade
	count := 0
	flush := func() {
		if count > 0 || len(bars) > 0 {
			bars = append(bars, Bar{limit, count})
		}
		count = 0
		if step++; step == 6 {
			decade, step = decade*10, 0
		}
		if limit > math.MaxInt64/2 { // the next would be past the longest duration
			limit = math.MaxInt64
			return
		}
		limit = time.Duration(float64(decade) * [...]float64{1, 1.5, 2.2, 3.3, 4.7, 6.8}[step])
	}
	seen := uint64(0)
	for i, n := range h.counts {
		if seen == h.n {
			break
		}
		if n == 0 {
			continue
		}
		for time.Duration(middle(i)) > limit {
			flush()
		}
		count += int(n)
		seen += n
	}
	if count > 0 {
		flush()
	}
	return bars
}
