package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Limit allows Count requests in any stretch of time of the length Per.
type Limit struct {
	Count int
	Per   time.Duration
}

// DocumentedLimits are those of WorkSkedge's page for inbound webhooks: 1,000
// requests an hour and 50 a minute for each API key.
func DocumentedLimits() []Limit {
	return []Limit{{1000, time.Hour}, {50, time.Minute}}
}

// limiter counts requests by sliding windows. A request that is turned away
// does not count.
type limiter struct {
	limits []Limit

	mu   sync.Mutex
	seen map[string][]time.Time // by key, the oldest first
}

// quota is what a key has left.
type quota struct {
	limit     int
	remaining int
	reset     time.Time // when there is one more
	wait      time.Duration
}

// take counts a request of a key, if there is room for it: wait is 0 then. The
// quota is that of the limit that is nearest to its end.
func (l *limiter) take(key string, now time.Time) (quota, bool) {
	if len(l.limits) == 0 {
		return quota{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	times := l.trim(l.seen[key], now)
	var wait time.Duration
	for _, limit := range l.limits {
		if inside := within(times, now, limit.Per); len(inside) >= limit.Count {
			wait = max(wait, inside[len(inside)-limit.Count].Add(limit.Per).Sub(now))
		}
	}
	if wait == 0 {
		times = append(times, now)
	}
	l.seen[key] = times
	q := l.tightest(times, now)
	q.wait = wait
	return q, true
}

// trim drops what no window reaches any more. Times from the future, as a
// clock that was set back leaves them, count as now.
func (l *limiter) trim(times []time.Time, now time.Time) []time.Time {
	longest := time.Duration(0)
	for _, limit := range l.limits {
		longest = max(longest, limit.Per)
	}
	times = slices.Clone(within(times, now, longest))
	for i := range times {
		if times[i].After(now) {
			times[i] = now
		}
	}
	return times
}

// within returns the times in the window that ends now.
func within(times []time.Time, now time.Time, per time.Duration) []time.Time {
	since := now.Add(-per)
	first, _ := slices.BinarySearchFunc(times, since, func(t, since time.Time) int {
		if t.After(since) {
			return 1
		}
		return -1
	})
	return times[first:]
}

func (l *limiter) tightest(times []time.Time, now time.Time) (tight quota) {
	for i, limit := range l.limits {
		inside := within(times, now, limit.Per)
		q := quota{limit: limit.Count, remaining: max(limit.Count-len(inside), 0), reset: now}
		if len(inside) > 0 {
			q.reset = inside[0].Add(limit.Per)
		}
		if i == 0 || q.remaining < tight.remaining {
			tight = q
		}
	}
	return tight
}

func (l *limiter) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.seen)
}

// write puts the quota into an answer's header. Retry-After and
// X-RateLimit-Reset are whole seconds, rounded up: to come then is never too
// early. skew is how far the sandbox's clock is ahead of the real one.
func (q quota) write(h http.Header, skew time.Duration) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(q.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(q.remaining))
	reset := q.reset.Add(-skew)
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Add(time.Second-1).Unix(), 10))
	if q.wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((q.wait+time.Second-1)/time.Second), 10))
	}
}
