package replay_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A delivery failed at three o'clock. It is sent again, signed again, to the
// handler that was fixed since.
func ExampleRunner_Run() {
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	defer handler.Close()

	stored := []byte(`{"type":"record","id":"rec_1","time":"2026-01-15T15:00:00Z","direction":"received",` +
		`"platform":"workskedge","form":"outbound","event":"work_order.created","webhook_id":"whk_1","scheme":"timestamp.body",` +
		`"request":{"method":"POST","url":"/hook","headers":[["X-Webhook-ID","whk_1"]],"body":"{}"},"response":{"status":503,"headers":[]}}`)
	items, err := replay.Read("failed.ndjson", stored)
	if err != nil {
		panic(err)
	}
	secret, err := webhook.NewSecret("s3cret")
	if err != nil {
		panic(err)
	}
	plan := replay.Plan{URL: handler.URL, Secret: secret, NewID: rand.Text}
	jobs, err := plan.Jobs(items, time.Now())
	if err != nil {
		panic(err)
	}
	runner := replay.Runner{
		Client: deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: rand.Text},
		Each:   func(r replay.Result) { fmt.Println(r.ID, *r.Before, "→", r.Status, r.Verdict) },
	}
	summary, err := runner.Run(context.Background(), jobs)
	if err != nil {
		panic(err)
	}
	fmt.Println(summary.Fixed, "fixed,", summary.Bad(), "bad")
	// Output:
	// rec_1 503 → 204 fixed
	// 1 fixed, 0 bad
}
