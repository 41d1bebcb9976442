package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// play is the function of the package comment.
func play(ctx context.Context, receiver string, event webhook.Event) (err error) {
	box, err := sandbox.New(ctx, sandbox.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	server := httptest.NewServer(box)
	defer server.Close()
	if _, err := box.Subscribe(ctx, sandbox.Subscription{URL: receiver, Events: []string{"customer"}}); err != nil {
		return err
	}

	key := box.Companies()[0].Keys[0]
	secret, err := webhook.NewSecret(key.Secret)
	if err != nil {
		return err
	}
	var client deliver.Client
	record, err := client.Send(ctx, deliver.Delivery{
		URL: server.URL + sandbox.Path, Event: event, Header: deliver.Inbound(key.Key, "custom"), Secret: secret,
	}, deliver.Policy{}, nil)
	if err != nil {
		return err
	}
	fmt.Println(record.Event, record.Verdict.Outcome)

	if err := box.Idle(ctx); err != nil { // waits for the deliveries to the receiver
		return err
	}
	deliveries, err := box.Deliveries(ctx, sandbox.DeliveryQuery{})
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		fmt.Println(d.Event, d.State)
	}
	return nil
}

// An event goes in, and a subscriber receives the outbound event.
func Example() {
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("received", r.Header.Get(webhook.HeaderEvent))
	}))
	defer receiver.Close()
	event, err := webhook.ParseEvent([]byte(`{"event_type":"customer.created","timestamp":"2026-01-15T14:30:00Z","source":"crm","data":{"name":"Acme"}}`))
	if err != nil {
		panic(err)
	}
	if err := play(context.Background(), receiver.URL, event); err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// customer.created accepted
	// received customer.created
	// customer.created delivered
}
