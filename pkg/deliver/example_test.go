package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// send is the function of the package comment.
func send(ctx context.Context, url, apiKey string, secret webhook.Secret, body []byte) error {
	event, err := webhook.ParseEvent(body)
	if err != nil {
		return err
	}
	var client deliver.Client
	_, err = client.Send(ctx, deliver.Delivery{
		URL:    url, // https://app.workskedge.com/webhooks/inbound
		Event:  event,
		Header: deliver.Inbound(apiKey, "custom"),
		Secret: secret,
	}, deliver.Policy{Retries: 3}, nil)
	var failed *deliver.Error
	if errors.As(err, &failed) && failed.Unknown() {
		return fmt.Errorf("look whether it arrived before you send it again: %w", err)
	}
	return err // nil: the platform has accepted the event
}

// An event goes to an endpoint, with up to three retries.
func Example() {
	secret, err := webhook.NewSecret("a secret") // os.Getenv("WEBHOOK_SECRET") in production
	if err != nil {
		panic(err)
	}
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = webhook.Verify(r.Header, body, time.Now(), secret)
		}
		fmt.Println("received", string(body), err)
	}))
	defer endpoint.Close()
	body := `{"event_type":"test.connection","timestamp":"2026-01-15T14:30:00Z","source":"custom","data":{}}`
	fmt.Println(send(context.Background(), endpoint.URL, "a key", secret, []byte(body)))
	// Output:
	// received {"event_type":"test.connection","timestamp":"2026-01-15T14:30:00Z","source":"custom","data":{}} <nil>
	// <nil>
}

// Each attempt is signed again and makes a record.
func ExampleClient_Send() {
	busy := 2
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if busy--; busy >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer endpoint.Close()

	client := deliver.Client{
		Wait: func(context.Context, time.Duration) error { return nil }, // an example does not wait
	}
	policy := deliver.Policy{
		Retries: 3,
		Jitter:  func() float64 { return 0.5 }, // nor is it random
	}
	record, err := client.Send(context.Background(), exampleDelivery(endpoint.URL), policy, func(s deliver.Step) {
		fmt.Println("attempt", s.Record.Attempt, "status", s.Record.Response.Status, "again", s.Again, s.Pause)
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(record.Event, record.Verdict.Outcome)
	// Output:
	// attempt 0 status 503 again true 375ms
	// attempt 1 status 503 again true 750ms
	// attempt 2 status 200 again false 0s
	// work_order.created accepted
}

// A receiver is tested with the attempts that WorkSkedge makes, without pauses.
func ExampleClient_Deliver() {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("retry", r.Header.Get("X-Webhook-Retry"))
		if r.Header.Get("X-Webhook-Retry") == "0" {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer receiver.Close()

	delivery := exampleDelivery(receiver.URL)
	delivery.Header = deliver.Outbound(webhook.WorkSkedge, delivery.Event.Type)
	delivery.WebhookID = "whk_1"
	var client deliver.Client
	record, err := client.Deliver(context.Background(), delivery, deliver.PlatformSchedule(webhook.WorkSkedge).Faster(math.Inf(1)), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(record.Verdict.Outcome)
	// Output:
	// retry 0
	// retry 1
	// accepted
}

// A service that shares an API key among its requests keeps to the limits of
// WorkSkedge.
func ExampleLimiter() {
	limiter := deliver.NewLimiter(deliver.WorkSkedgeLimits()...)
	now := time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC)
	for range 50 {
		limiter.Take("the API key", now)
	}
	quota := limiter.Take("the API key", now.Add(20*time.Second))
	fmt.Println(quota.Remaining, quota.Wait)
	// Output: 0 40s
}

func exampleDelivery(url string) deliver.Delivery {
	secret, err := webhook.NewSecret("s3cret")
	if err != nil {
		panic(err)
	}
	event, err := webhook.ParseEvent([]byte(`{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":{}}`))
	if err != nil {
		panic(err)
	}
	return deliver.Delivery{URL: url, Event: event, Header: deliver.Inbound("api-key", "custom"), Secret: secret}
}
