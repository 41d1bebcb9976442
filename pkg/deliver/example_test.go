package deliver_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// An endpoint is busy at first. Each attempt is signed again and makes a record.
func ExampleClient_Send() {
	busy := 2
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if busy--; busy >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer endpoint.Close()

	secret, err := webhook.NewSecret("s3cret")
	if err != nil {
		panic(err)
	}
	event, err := webhook.ParseEvent([]byte(`{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":{}}`))
	if err != nil {
		panic(err)
	}
	client := deliver.Client{
		Wait: func(context.Context, time.Duration) error { return nil }, // an example does not wait
	}
	record, err := client.Send(context.Background(), deliver.Delivery{
		URL: endpoint.URL, Event: event, Header: deliver.Inbound("api-key", "custom"), Secret: secret,
	}, deliver.Policy{
		Retries: 3,
		Jitter:  func() float64 { return 0.5 }, // nor does it draw at random
	}, func(s deliver.Step) {
		fmt.Println("attempt", s.Record.Attempt, "was answered", s.Record.Response.Status, "and again:", s.Again, s.Pause)
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(record.Event, record.Verdict.Outcome)
	// Output:
	// attempt 0 was answered 503 and again: true 375ms
	// attempt 1 was answered 503 and again: true 750ms
	// attempt 2 was answered 200 and again: false 0s
	// work_order.created accepted
}
