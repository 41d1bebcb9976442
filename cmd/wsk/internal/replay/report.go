package replay

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is the result of a load test.
type Report struct {
	Rate     float64        // requests a second that were asked for; 0: as many as possible
	Achieved float64        // requests a second that were sent
	Duration time.Duration  // from the first request to the last answer
	Requests int            // requests that were sent
	Unsent   int            // requests that were due, but for which no slot was free in time
	Passed   int            // of Requests
	Statuses map[string]int // answers by status
	Errors   map[string]int // requests without an answer, by what happened
	Latency  *Histogram     // of answers and time-outs, counted from when they were due
}

// Success returns the share of what was due that passed, from 0 to 1.
func (r Report) Success() float64 {
	if n := r.Requests + r.Unsent; n > 0 {
		return float64(r.Passed) / float64(n)
	}
	return 0
}

// Answered returns how many requests got an answer.
func (r Report) Answered() int {
	n := 0
	for _, count := range r.Statuses {
		n += count
	}
	return n
}

// Histogram counts durations in constant memory. A quantile is within 1 % of
// the exact one; the minimum, the maximum and the mean are exact. The zero
// Histogram is empty. It is not safe for concurrent use.
type Histogram struct {
	counts   *hdrhistogram.Histogram
	sum      float64
	min, max time.Duration
}

// significantFigures is the precision of the counts: three figures are 0.1 %,
// in 430 KiB for any duration.
const significantFigures = 3

// Add counts one duration; one below zero counts as zero.
func (h *Histogram) Add(d time.Duration) {
	if h.counts == nil {
		h.counts = hdrhistogram.New(1, math.MaxInt64, significantFigures)
	}
	d = max(d, 0)
	if h.Count() == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.sum += float64(d)
	_ = h.counts.RecordValue(int64(d)) // every duration is within the range
}

// Count returns how many durations were added.
func (h *Histogram) Count() int {
	if h.counts == nil {
		return 0
	}
	return int(h.counts.TotalCount())
}

// Min returns the shortest duration, or 0 for an empty histogram.
func (h *Histogram) Min() time.Duration { return h.min }

// Max returns the longest duration, or 0 for an empty histogram.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean returns the average, or 0 for an empty histogram.
func (h *Histogram) Mean() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.Count()))
}

// Quantile returns the shortest duration that at least the share q of all
// durations do not exceed: 0.99 for the 99th percentile. It is 0 for an empty
// histogram.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := float64(h.Count())
	if n == 0 {
		return 0
	}
	rank := max(math.Ceil(q*n), 1) // the library would round to the nearest rank
	return min(max(time.Duration(h.counts.ValueAtPercentile(100*rank/n)), h.min), h.max)
}

// Bar is one bar of a drawn histogram: how many durations are at most LE, and
// longer than the LE of the bar before.
type Bar struct {
	LE    time.Duration
	Count int
}

func (h *Histogram) distribution() []hdrhistogram.Bar {
	if h.counts == nil {
		return nil
	}
	return h.counts.Distribution()
}

// Bars returns the histogram in bars whose limits grow by about a half, six to a
// power of ten. Empty bars in front of the first and after the last are left
// out.
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
	for _, b := range h.distribution() {
		if b.Count == 0 {
			continue
		}
		for time.Duration(b.From+(b.To-b.From)/2) > limit {
			flush()
		}
		count += int(b.Count)
	}
	if count > 0 {
		flush()
	}
	return bars
}
