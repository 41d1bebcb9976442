package receive

import (
	"context"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Always answers every request with one status.
func Always(status int) App {
	return func(_ context.Context, r *webhook.Record) Answer {
		if status/100 != 2 {
			r.Verdict.Detail = "answered with the status that was asked for"
		}
		return Status(status)
	}
}

// FailFirst answers 503 to the first n tries of each delivery and lets the
// next ones through. A delivery without an id is known by its body. Past limit
// deliveries the oldest count is dropped.
func FailFirst(n, limit int, next App) App {
	limit = max(limit, 1)
	var mu sync.Mutex
	tries := map[string]int{}
	var order []string
	return func(ctx context.Context, r *webhook.Record) Answer {
		id := shorten(r.WebhookID)
		if id == "" {
			d := BodyDigest("", r.Request.Body)
			id = string(d[:])
		}
		mu.Lock()
		if _, known := tries[id]; !known {
			if order = append(order, id); len(order) > limit {
				delete(tries, order[0])
				order = order[1:]
			}
		}
		tries[id]++
		try := tries[id]
		mu.Unlock()
		if try <= n {
			r.Verdict.Detail = "failed on purpose"
			return Status(503)
		}
		return next(ctx, r)
	}
}

// Delay waits before it lets a request through, or gives up with 503 when the
// sender goes away.
func Delay(d time.Duration, next App) App {
	return func(ctx context.Context, r *webhook.Record) Answer {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			r.Verdict.Detail = "the sender went away during the delay"
			return Status(503)
		case <-timer.C:
			return next(ctx, r)
		}
	}
}
