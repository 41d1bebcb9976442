package diagnose_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A handler answers a bad request without saying why, and logs the explanation
// for its operator. The request below was signed in a shell, over the output of
// echo, and sent without the newline.
func ExampleLimiter() {
	secret, err := webhook.NewSecret("your-secret")
	if err != nil {
		panic(err)
	}
	verifier := webhook.Verifier{Secrets: []webhook.Secret{secret}}
	now := func() time.Time { return time.Unix(1700000000, 0) } // time.Now in production
	log := os.Stdout

	var limiter diagnose.Limiter
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
			return
		}
		if _, err := verifier.Verify(r.Header, body, now()); err != nil {
			http.Error(w, "invalid signature", webhook.StatusOf(err))
			var refusal *webhook.Refusal
			if errors.As(err, &refusal) {
				request := webhook.Request{Header: webhook.HeaderOf(r.Header), Body: body}
				if d := limiter.Refusal(verifier, request, refusal.Reason); d != nil {
					fmt.Fprintf(log, "%s: %s\n%s\n", d.ID, d.Summary, d.Fix)
				}
			}
			return
		}
		fmt.Fprintln(w, "received")
	}

	const body = `{"event_type":"test.connection"}`
	signed, err := webhook.Sign([]byte(body+"\n"), now(), secret)
	if err != nil {
		panic(err)
	}
	request := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	request.Header = signed.HTTP()
	handler(httptest.NewRecorder(), request)
	// Output:
	// body.newline_missing: the signature covers the body with a newline at its end: the receiver trimmed it, or the sender signed the output of echo
	// verify the bytes as they were received, untrimmed; in a shell, sign the output of printf '%s' or echo -n
}
