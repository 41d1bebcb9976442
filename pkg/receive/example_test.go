package receive_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A receiver for production: signatures are verified, a delivery that comes
// again is answered and handled once, and the App sees what is left.
func Example() {
	secret, err := webhook.NewSecret("s3cret") // os.Getenv("WEBHOOK_SECRET") in earnest
	if err != nil {
		panic(err)
	}
	handler, err := receive.New(receive.Config{
		Verifier: webhook.Verifier{Secrets: []webhook.Secret{secret}},
		Now:      time.Now, NewID: rand.Text,
		App: func(_ context.Context, r *webhook.Record) receive.Answer {
			fmt.Println("handling", r.Event, r.WebhookID)
			return receive.OK()
		},
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(handler) // receive.Server(handler).ListenAndServe() in earnest
	defer server.Close()

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
	send(body, signed)     // delivered twice: answered, not handled
	send(body+" ", signed) // another body: the signature is wrong
	// Output:
	// handling work_order.created evt_1
	// 200 OK
	// 200 OK
	// 401 Unauthorized
}
