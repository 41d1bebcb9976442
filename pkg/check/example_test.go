package check_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A receiver that takes whatever comes is told apart by the cases for forged
// requests.
func ExampleRun() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	secret, err := webhook.NewSecret("s3cret-of-the-example")
	if err != nil {
		panic(err)
	}
	report, err := check.Run(context.Background(), check.Config{
		URL: server.URL, Secret: secret, Transport: deliver.NewTransport(), Now: time.Now, NewID: rand.Text,
		Only: []string{"valid", "signature_wrong"},
	}, nil)
	if err != nil {
		panic(err)
	}
	for _, r := range report.Results {
		fmt.Printf("%s: %s\n", r.Case.ID, r.Verdict)
	}
	// Output:
	// valid: pass
	// signature_wrong: fail
}
