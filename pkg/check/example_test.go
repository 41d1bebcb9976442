package check_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/webhook"
)

// checkReceiver is the function of the package comment.
func checkReceiver(ctx context.Context, url string, secret webhook.Secret) error {
	report, err := check.Run(ctx, check.Config{
		URL: url, Secret: secret, Only: []string{"valid", "signature_*"}, // without Only: all cases
	}, nil)
	if err != nil {
		return err
	}
	for _, r := range report.Results {
		fmt.Println(r.Case.ID, r.Verdict)
	}
	if report.Failed > 0 {
		return fmt.Errorf("%d cases failed", report.Failed)
	}
	return nil
}

// A receiver that accepts every request fails the cases for bad signatures.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	secret, err := webhook.NewSecret("s3cret-of-the-example")
	if err != nil {
		panic(err)
	}
	fmt.Println(checkReceiver(context.Background(), server.URL, secret))
	// Output:
	// valid pass
	// signature_missing fail
	// signature_wrong fail
	// signature_length fail
	// signature_not_hex fail
	// signature_uppercase warn
	// signature_other_body fail
	// signature_empty_secret fail
	// 6 cases failed
}
