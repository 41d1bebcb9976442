package receive_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// newServer is the function of the package comment.
func newServer(secret string, handle func(context.Context, *webhook.Event) error) (*http.Server, error) {
	key, err := webhook.NewSecret(secret)
	if err != nil {
		return nil, err // a blank secret would verify nothing
	}
	handler, err := receive.New(receive.Config{
		Secrets: []webhook.Secret{key},
		App: func(ctx context.Context, e *webhook.Event, _ *webhook.Record) webhook.Response {
			if err := handle(ctx, e); err != nil {
				return receive.Status(http.StatusServiceUnavailable) // the sender tries again
			}
			return receive.OK()
		},
	})
	if err != nil {
		return nil, err
	}
	server := receive.NewServer(handler)
	server.Addr = ":8080"
	return server, nil // call its ListenAndServe
}

// A receiver verifies signatures, answers a repeated delivery without handling it
// again, and calls the App for the rest.
func Example() {
	receiver, err := newServer("s3cret", func(_ context.Context, e *webhook.Event) error { // in production: os.Getenv("WEBHOOK_SECRET")
		fmt.Println("handling", e.Type, e.ID)
		return nil
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(receiver.Handler)
	defer server.Close()
	secret, err := webhook.NewSecret("s3cret")
	if err != nil {
		panic(err)
	}

	body := `{"event_id":"evt_1","event_type":"work_order.created","company_id":"co_1","data":{}}`
	send := func(body string, signed webhook.Header) {
		request, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		request.Header = signed.With(webhook.HeaderID, "evt_1").HTTP()
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		_ = response.Body.Close()
		fmt.Println(response.Status)
	}
	signed, err := webhook.Sign([]byte(body), time.Now(), secret)
	if err != nil {
		panic(err)
	}
	send(body, signed)
	send(body, signed)     // a duplicate: answered, not handled
	send(body+" ", signed) // another body: the signature does not match
	// Output:
	// handling work_order.created evt_1
	// 200 OK
	// 200 OK
	// 401 Unauthorized
}
