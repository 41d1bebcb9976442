package deliver_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
)

func TestLimitWait(t *testing.T) {
	l := deliver.Limit{Count: 2, Per: time.Minute}
	for ago, want := range map[time.Duration]time.Duration{
		0: time.Minute, 59 * time.Second: time.Second, time.Minute: 0, time.Hour: 0, -time.Second: 61 * time.Second,
	} {
		if got := l.Wait(clock.Add(-ago), clock); got != want {
			t.Errorf("a request %s ago makes the next one wait %s, want %s", ago, got, want)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Run("without limits nothing waits", func(t *testing.T) {
		w := deliver.NewWindow()
		w.Add(clock)
		if w.Wait(clock) != 0 || w.Quota(clock) != (deliver.Quota{}) {
			t.Errorf("waits %s, %+v", w.Wait(clock), w.Quota(clock))
		}
	})
	t.Run("a count below 1 counts as 1", func(t *testing.T) {
		for _, count := range []int{0, -3} {
			limit := deliver.Limit{Count: count, Per: time.Minute}
			w := deliver.NewWindow(limit)
			w.Add(clock)
			if wait := w.Wait(clock); wait != time.Minute {
				t.Errorf("count %d: the second request waits %s", count, wait)
			}
			l := deliver.NewLimiter(limit)
			if l.Take("k", clock).Wait != 0 || l.Take("k", clock).Wait != time.Minute {
				t.Errorf("count %d: the limiter differs", count)
			}
		}
	})
	t.Run("no period holds more than the limits allow", func(t *testing.T) {
		limits := []deliver.Limit{{Count: 3, Per: time.Second}, {Count: 10, Per: time.Minute}, {Count: 1, Per: 10 * time.Millisecond}}
		w := deliver.NewWindow(limits...)
		random := rand.New(rand.NewPCG(1, 2))
		now, waited := clock, 0
		var sent []time.Time
		for len(sent) < 200 {
			if d := w.Wait(now); d > 0 {
				if w.Wait(now.Add(d-1)) == 0 {
					t.Fatalf("request %d has to wait %s, which is longer than it has to", len(sent), d)
				}
				now = now.Add(d)
				waited++
			}
			if d := w.Wait(now); d != 0 {
				t.Fatalf("request %d has waited and has to wait %s more", len(sent), d)
			}
			w.Add(now)
			sent = append(sent, now)
			now = now.Add(time.Duration(random.Int64N(int64(3 * time.Second))))
		}
		for _, l := range limits {
			for i := l.Count; i < len(sent); i++ {
				if span := sent[i].Sub(sent[i-l.Count]); span < l.Per {
					t.Errorf("%d requests within %s, the limit is %d within %s", l.Count+1, span, l.Count, l.Per)
				}
			}
		}
		if waited == 0 {
			t.Error("no request had to wait")
		}
	})
	t.Run("times from the future count as now", func(t *testing.T) {
		w := deliver.NewWindow(deliver.Limit{Count: 1, Per: time.Minute})
		w.Add(clock.Add(24 * time.Hour))
		if got := w.Wait(clock); got != time.Minute {
			t.Errorf("waits %s, want a minute", got)
		}
	})
	t.Run("requests are ordered by their times", func(t *testing.T) {
		w := deliver.NewWindow(deliver.Limit{Count: 2, Per: time.Minute})
		w.Add(clock)
		w.Add(clock.Add(-30 * time.Second))
		if got := w.Wait(clock); got != 30*time.Second {
			t.Errorf("waits %s, want 30s", got)
		}
	})
}

func TestWindowQuota(t *testing.T) {
	w := deliver.NewWindow(deliver.WorkSkedgeLimits()...)
	if got, want := w.Quota(clock), (deliver.Quota{Limit: 50, Remaining: 50, Reset: clock}); got != want {
		t.Errorf("an empty window has %+v, want %+v", got, want)
	}
	for i := range 50 {
		w.Add(clock.Add(time.Duration(i) * time.Second / 10))
	}
	now := clock.Add(10 * time.Second)
	if got, want := w.Quota(now), (deliver.Quota{Limit: 50, Reset: clock.Add(time.Minute), Wait: 50 * time.Second}); got != want {
		t.Errorf("after 50 requests it is %+v, want %+v", got, want)
	}
	for i := range 930 {
		w.Add(clock.Add(time.Minute + time.Duration(i)*time.Second))
	}
	now = clock.Add(20 * time.Minute)
	if got := w.Quota(now); got.Limit != 1000 || got.Remaining != 20 || got.Wait != 0 || !got.Reset.Equal(clock.Add(time.Hour)) {
		t.Errorf("where the hour has fewer requests left it is %+v", got)
	}
}

func TestWindowEstimate(t *testing.T) {
	limits := deliver.WorkSkedgeLimits()
	for n, want := range map[int]time.Duration{
		0: 0, 1: 100 * time.Millisecond, 50: 5 * time.Second, 51: time.Minute + 100*time.Millisecond, 1001: time.Hour + 100*time.Millisecond,
	} {
		if got := deliver.NewWindow(limits...).Estimate(n, 100*time.Millisecond, clock); got != want {
			t.Errorf("%d requests take %s, want %s", n, got, want)
		}
	}
	if got := deliver.NewWindow(limits...).Estimate(1_000_000, 0, clock); got < 990*time.Hour || got > 1010*time.Hour {
		t.Errorf("a million requests take %s", got)
	}
}

func TestLimiterTake(t *testing.T) {
	l := deliver.NewLimiter(deliver.Limit{Count: 2, Per: time.Minute})
	for i, want := range []deliver.Quota{
		{Limit: 2, Remaining: 1, Reset: clock.Add(time.Minute)},
		{Limit: 2, Remaining: 0, Reset: clock.Add(time.Minute)},
		{Limit: 2, Remaining: 0, Reset: clock.Add(time.Minute), Wait: time.Minute},
	} {
		if got := l.Take("a", clock); got != want {
			t.Errorf("request %d: %+v, want %+v", i, got, want)
		}
	}
	if got := l.Take("b", clock); got.Wait != 0 {
		t.Errorf("another key has to wait %s", got.Wait)
	}
	if got := l.Take("a", clock.Add(time.Minute)); got.Wait != 0 || got.Remaining != 1 {
		t.Errorf("the request that did not fit was counted: %+v", got)
	}
	l.Reset()
	if got := l.Take("a", clock); got.Remaining != 1 {
		t.Errorf("after Reset: %+v", got)
	}
}

func TestScheduleNext(t *testing.T) {
	s := deliver.Schedule{time.Second, time.Minute}
	for attempt, want := range map[int]time.Duration{-1: -1, 0: time.Second, 1: time.Minute, 2: -1, 3: -1} {
		if got, ok := s.Next(attempt); ok != (want >= 0) || ok && got != want {
			t.Errorf("after attempt %d: %s, %t", attempt, got, ok)
		}
	}
}
