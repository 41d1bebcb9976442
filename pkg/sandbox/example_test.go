package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A Go test that embeds the platform: an event goes in, a record is stored, and
// a subscriber receives an outbound event.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 200 OK
	// customer Acme
	// customer.created delivered
}

func run(ctx context.Context) (err error) {
	box, err := sandbox.New(ctx, sandbox.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	server := httptest.NewServer(box)
	defer server.Close()

	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer receiver.Close()
	if _, err := box.Subscribe(ctx, sandbox.Subscription{URL: receiver.URL, Events: []string{"customer"}}); err != nil {
		return err
	}

	key := box.Companies()[0].Keys[0]
	response, err := send(ctx, server.URL+sandbox.Path, key,
		`{"event_type":"customer.created","timestamp":"2026-01-15T14:30:00Z","source":"crm","data":{"name":"Acme"}}`)
	if err != nil {
		return err
	}
	fmt.Println(response.Status)

	records, err := box.Records(ctx, sandbox.RecordQuery{Kind: "customer"})
	if err != nil {
		return err
	}
	for _, r := range records {
		fmt.Println(r.Kind, r.Name)
	}

	if err := box.Idle(ctx); err != nil { // waits for the deliveries
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

// send signs an event and POSTs it.
func send(ctx context.Context, url string, key sandbox.Key, body string) (*http.Response, error) {
	secret, err := webhook.NewSecret(key.Secret)
	if err != nil {
		return nil, err
	}
	signed, err := webhook.Sign([]byte(body), time.Now(), secret)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = signed.HTTP()
	request.Header.Set(webhook.HeaderAPIKey, key.Key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	return response, response.Body.Close()
}
