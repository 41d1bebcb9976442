package check_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A receiver that accepts every request fails the case for forged signatures.
func ExampleRun() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	secret, err := webhook.NewSecret("s3cret-of-the-example")
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := check.Run(context.Background(), check.Config{
		URL: server.URL, Secret: secret, Only: []string{"valid", "signature_wrong"},
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range report.Results {
		fmt.Printf("%s: %s\n", r.Case.ID, r.Verdict)
	}
	// Output:
	// valid: pass
	// signature_wrong: fail
}
