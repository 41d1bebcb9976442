package diagnose_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/webhook"
)

// handler is the handler of the package comment.
func handler(verifier webhook.Verifier, logger *log.Logger, handle func(body []byte) error) http.HandlerFunc {
	var limiter diagnose.Limiter // one for all requests
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "reading the body failed", http.StatusBadRequest)
			return
		}
		if _, err := verifier.Verify(r.Header, body, time.Now()); err != nil {
			http.Error(w, err.Error(), webhook.StatusOf(err))
			_ = http.NewResponseController(w).Flush() // the sender does not wait for the explanation
			var refusal *webhook.Refusal
			if errors.As(err, &refusal) {
				request := webhook.Request{Header: webhook.HeaderOf(r.Header), Body: body}
				if d := limiter.Refusal(verifier, request, refusal.Reason); d != nil {
					logger.Printf("%s: %s; %s", d.ID, d.Summary, d.Fix)
				}
			}
			return
		}
		if err := handle(body); err != nil {
			http.Error(w, "handling the event failed", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusOK)
	}
}

// The request was signed in a shell, over the output of echo, and sent without
// the newline.
func Example() {
	secret, err := webhook.NewSecret("your-secret") // os.Getenv("WEBHOOK_SECRET") in production
	if err != nil {
		panic(err)
	}
	verifier := webhook.Verifier{Secrets: []webhook.Secret{secret}}
	server := handler(verifier, log.New(os.Stdout, "", 0), func([]byte) error { return nil })

	const body = `{"event_type":"test.connection"}`
	signed, err := webhook.Sign([]byte(body+"\n"), time.Now(), secret)
	if err != nil {
		panic(err)
	}
	request := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	request.Header = signed.HTTP()
	server(httptest.NewRecorder(), request)
	// Output:
	// body.newline_missing: the signature covers the body with a newline at its end: curl -d @FILE or the receiver dropped it, or the sender signed the output of echo; verify the bytes as they were received, untrimmed; in a shell, send a file with curl --data-binary, and sign the output of printf '%s' or echo -n
}
