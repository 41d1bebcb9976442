package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A Go test that embeds the platform: one event in, one record kept.
func ExampleNew() {
	ctx := context.Background()
	box, err := sandbox.New(ctx, sandbox.Config{})
	if err != nil {
		panic(err)
	}
	defer func() { _ = box.Close() }()
	server := httptest.NewServer(box)
	defer server.Close()

	key := box.Companies()[0].Keys[0]
	body := `{"event_type":"customer.created","timestamp":"2026-01-15T14:30:00Z","source":"crm","data":{"name":"Acme"}}`
	secret, err := webhook.NewSecret(key.Secret)
	if err != nil {
		panic(err)
	}
	signed, err := webhook.Sign([]byte(body), time.Now(), secret)
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+sandbox.Path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header = signed.HTTP()
	request.Header.Set(webhook.HeaderAPIKey, key.Key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	_ = answer.Body.Close()
	records, err := box.Records(ctx, sandbox.RecordQuery{Kind: "customer"})
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.StatusCode, len(records), records[0].Name)
	// Output: 200 1 Acme
}
