package receive

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/webhook"
)

// OK returns the response that WorkSkedge documents for a delivery that was
// received (Webhooks page, "Signature Verification"): 200 {"received":true}.
func OK() webhook.Response { return jsonAnswer(http.StatusOK, `{"received":true}`) }

// Status returns a response with a status: {"received":true} for 2xx, and
// {"error":"…"} with the text of the status for all others.
func Status(code int) webhook.Response {
	if code/100 == 2 {
		return jsonAnswer(code, `{"received":true}`)
	}
	return errorAnswer(code, http.StatusText(code))
}

func jsonAnswer(status int, body string) webhook.Response {
	return webhook.Response{Status: status, Header: webhook.Header{{Name: "Content-Type", Value: "application/json"}}, Body: []byte(body)}
}

func errorAnswer(status int, text string) webhook.Response {
	quoted, _ := json.Marshal(text) // a string always marshals
	return jsonAnswer(status, `{"error":`+string(quoted)+`}`)
}

// isFinal reports whether a status can end a request: net/http panics at one
// out of range, and writes a 200 after a 1xx.
func isFinal(status int) bool { return 200 <= status && status <= 999 }

// write answers the sender.
func write(w http.ResponseWriter, a webhook.Response) {
	if !a.Header.Has("Content-Type") {
		w.Header()["Content-Type"] = nil // keeps net/http from guessing one
	}
	for _, p := range a.Header {
		w.Header().Add(p.Name, p.Value)
	}
	hasBody := a.Status != http.StatusNoContent && a.Status != http.StatusNotModified
	if hasBody {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	if hasBody {
		_, _ = w.Write(a.Body) // the sender may be gone
	}
	_ = http.NewResponseController(w).Flush() // the sender must not wait for the Sink
}

// Always returns an App that answers every request with a status.
func Always(status int) App {
	return func(_ context.Context, _ *webhook.Event, r *webhook.Record) webhook.Response {
		if status/100 != 2 {
			r.Verdict.Detail = "answered with the requested status"
		}
		return Status(status)
	}
}

// FailFirst returns an App that answers the first n tries of each delivery with
// 503 and passes later ones to next. A delivery without an id is identified by
// its body. The App remembers the newest limit deliveries, at least one. A nil
// next answers [OK].
func FailFirst(n, limit int, next App) App {
	limit, next = max(limit, 1), orOK(next)
	var mu sync.Mutex
	tries := map[string]int{}
	var order []string // the keys of tries, oldest first
	return func(ctx context.Context, e *webhook.Event, r *webhook.Record) webhook.Response {
		id := shortID(r.WebhookID)
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
			return Status(http.StatusServiceUnavailable)
		}
		return next(ctx, e, r)
	}
}

// Delay returns an App that waits before it passes a request to next. If the
// sender goes away, it answers 503. A nil next answers [OK].
func Delay(d time.Duration, next App) App {
	next = orOK(next)
	return func(ctx context.Context, e *webhook.Event, r *webhook.Record) webhook.Response {
		if exchange.Wait(ctx, d) != nil {
			r.Verdict.Detail = "the sender went away during the delay"
			return Status(http.StatusServiceUnavailable)
		}
		return next(ctx, e, r)
	}
}

// orOK returns the App, or one that answers OK for nil.
func orOK(app App) App {
	if app != nil {
		return app
	}
	return func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { return OK() }
}
