package deliver

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Limit allows Count requests in any period of the length Per. The period
// slides: it is not tied to the minutes or hours of the clock. A Count below 1
// counts as 1, and a Per of 0 or less limits nothing.
type Limit struct {
	Count int
	Per   time.Duration
}

// WorkSkedgeLimits returns the rate limits of WorkSkedge's inbound endpoint for
// one API key: 50 requests a minute and 1,000 an hour. WorkSkedge documents
// them under "Rate Limits" on its Webhooks page.
func WorkSkedgeLimits() []Limit {
	return []Limit{{Count: 50, Per: time.Minute}, {Count: 1000, Per: time.Hour}}
}

// Wait returns how long the next request has to wait under the limit, if the
// Count-th newest request was made at a time. It is 0 when there is room now.
// After fewer than Count requests the next one never waits.
func (l Limit) Wait(at, now time.Time) time.Duration {
	return max(0, at.Add(l.Per).Sub(now))
}

// Window holds the times of the requests of one key, and says when the next
// request fits under its limits. It is not safe for concurrent use; a
// [Limiter] is.
type Window struct {
	limits []Limit
	times  []time.Time // oldest first
}

// NewWindow returns an empty window. Without limits no request ever waits.
func NewWindow(limits ...Limit) *Window { return &Window{limits: effective(limits)} }

// effective returns the limits with a Count of at least 1, so that none of them
// is without effect by mistake.
func effective(limits []Limit) []Limit {
	limits = slices.Clone(limits)
	for i := range limits {
		limits[i].Count = max(limits[i].Count, 1)
	}
	return limits
}

// Add records that a request was sent at a time.
func (w *Window) Add(at time.Time) {
	i := len(w.times)
	for i > 0 && w.times[i-1].After(at) {
		i--
	}
	w.times = slices.Insert(w.times, i, at)
}

// Wait returns how long the next request has to wait: 0 when it fits now.
func (w *Window) Wait(now time.Time) time.Duration {
	w.trim(now)
	return waitFor(w.limits, w.times, now)
}

// Quota is what the limits leave to a key.
type Quota struct {
	Limit     int           // Count of the limit with the fewest requests left
	Remaining int           // requests left under that limit
	Reset     time.Time     // when Remaining next grows; now, if nothing is used
	Wait      time.Duration // how long the next request has to wait; 0: it fits now
}

// Quota returns what the limits leave at a time: the numbers of the limit with
// the fewest requests left, and the wait under all of them. Without limits it
// is the zero Quota.
func (w *Window) Quota(now time.Time) Quota {
	w.trim(now)
	var tightest Quota
	for i, l := range w.limits {
		inside := w.times[firstAfter(w.times, now.Add(-l.Per)):]
		q := Quota{Limit: l.Count, Remaining: max(l.Count-len(inside), 0), Reset: now}
		if len(inside) > 0 {
			q.Reset = inside[0].Add(l.Per)
		}
		if i == 0 || q.Remaining < tightest.Remaining {
			tightest = q
		}
	}
	tightest.Wait = waitFor(w.limits, w.times, now)
	return tightest
}

// maxForeseen is how many requests Estimate places one by one. Beyond them it
// extrapolates, so that a million requests cost no more to foresee.
const maxForeseen = 20_000

// Estimate returns how long n more requests take under the limits, sent one
// after another, when each takes the given time on its own.
func (w *Window) Estimate(n int, each time.Duration, now time.Time) time.Duration {
	times := slices.Clone(w.times)
	next := now
	for range min(n, maxForeseen) {
		next = next.Add(each)
		next = next.Add(waitFor(w.limits, times, next))
		times = append(times, next)
	}
	var rest time.Duration
	for _, l := range w.limits {
		rest = max(rest, time.Duration(float64(max(n-maxForeseen, 0))/float64(l.Count)*float64(l.Per)))
	}
	return next.Sub(now) + rest
}

// trim drops the times that no limit reaches any more. Times in the future,
// which a clock that was set back leaves behind, count as now.
func (w *Window) trim(now time.Time) {
	var longest time.Duration
	most := 0
	for _, l := range w.limits {
		longest, most = max(longest, l.Per), max(most, l.Count)
	}
	w.times = w.times[firstAfter(w.times, now.Add(-longest)):]
	w.times = w.times[max(0, len(w.times)-most):]
	for i := len(w.times) - 1; i >= 0 && w.times[i].After(now); i-- {
		w.times[i] = now
	}
}

// waitFor returns how long the next request waits under all limits.
func waitFor(limits []Limit, times []time.Time, now time.Time) time.Duration {
	var longest time.Duration
	for _, l := range limits {
		if i := len(times) - l.Count; i >= 0 && i < len(times) {
			longest = max(longest, l.Wait(times[i], now))
		}
	}
	return longest
}

// firstAfter returns the index of the first time after t.
func firstAfter(times []time.Time, t time.Time) int {
	i, _ := slices.BinarySearchFunc(times, t, func(at, t time.Time) int {
		if at.After(t) {
			return 1
		}
		return -1
	})
	return i
}

// Limiter holds a [Window] for each key, such as an API key. It is safe for
// concurrent use.
type Limiter struct {
	limits []Limit
	now    func() time.Time // for Wait

	mu      sync.Mutex
	windows map[string]*Window
	sweepAt int // how many windows there may be before the empty ones are removed
}

// minSweep is the smallest sweepAt.
const minSweep = 1024

// NewLimiter returns a limiter under which every key has the same limits.
func NewLimiter(limits ...Limit) *Limiter {
	return &Limiter{limits: effective(limits), now: time.Now, windows: map[string]*Window{}, sweepAt: minSweep}
}

// Take counts a request of a key if it fits under the limits, and returns what
// is left after it. Where [Quota.Wait] is not 0 the request did not fit; it is
// not counted.
func (l *Limiter) Take(key string, now time.Time) Quota {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[key]
	if w == nil {
		l.sweep(now)
		w = NewWindow(l.limits...)
		l.windows[key] = w
	}
	wait := w.Wait(now)
	if wait == 0 {
		w.Add(now)
	}
	q := w.Quota(now)
	q.Wait = wait
	return q
}

// Wait waits until a request of a key fits under the limits, and counts it. The
// error is that of ctx. As a [Client.Before] it limits a client:
//
//	limiter := deliver.NewLimiter(deliver.WorkSkedgeLimits()...)
//	client := deliver.Client{Before: func(ctx context.Context, _ deliver.Delivery, _ int) error {
//		return limiter.Wait(ctx, apiKey)
//	}}
func (l *Limiter) Wait(ctx context.Context, key string) error {
	for {
		q := l.Take(key, l.now())
		if q.Wait == 0 {
			return ctx.Err()
		}
		if err := Wait(ctx, q.Wait); err != nil {
			return err
		}
	}
}

// sweep removes empty windows when there are many, so that keys which are no
// longer used take no memory.
func (l *Limiter) sweep(now time.Time) {
	if len(l.windows) < l.sweepAt {
		return
	}
	for key, w := range l.windows {
		if w.trim(now); len(w.times) == 0 {
			delete(l.windows, key)
		}
	}
	l.sweepAt = max(minSweep, 2*len(l.windows))
}

// Reset forgets the requests of all keys.
func (l *Limiter) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.windows)
}
