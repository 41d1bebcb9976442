package receive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/webhook"
)

// ForwardTimeout is how long the app behind [Forward] may take. WorkSkedge
// documents 30 seconds for a response (Webhooks page, "Endpoint Requirements").
const ForwardTimeout = 30 * time.Second

// Forward returns an App that passes the exact body and all end-to-end headers
// on to a URL and answers with the app's response, which becomes the record's
// Forward. It follows no redirect, reads at most 64 KiB of a body, and
// decompresses nothing if the transport has DisableCompression set. An app that
// does not respond within [ForwardTimeout] makes it a 504; one without a usable
// response a 502. The default of the transport is one for webhooks.
func Forward(transport http.RoundTripper, url string) App {
	if transport == nil {
		transport = exchange.DefaultTransport()
	}
	return func(ctx context.Context, r *webhook.Record) Answer {
		ctx, cancel := context.WithTimeout(ctx, ForwardTimeout)
		defer cancel()
		answer, err := forwardRequest(ctx, transport, url, r.Request)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			r.Error = fmt.Sprintf("forwarding: the app gave no answer within %s", ForwardTimeout)
			return Status(http.StatusGatewayTimeout)
		case err != nil:
			r.Error = "forwarding: " + webhook.RedactURLs(err.Error())
			return Status(http.StatusBadGateway)
		}
		r.Forward = answer.response()
		if answer.Status/100 == 3 {
			r.Verdict.Detail = "the app answered with a redirect, which is not followed"
		}
		return answer
	}
}

func forwardRequest(ctx context.Context, transport http.RoundTripper, url string, r webhook.Request) (Answer, error) {
	r.URL, r.Header = url, exchange.EndToEnd(r.Header)
	result, err := exchange.Do(ctx, transport, r)
	switch {
	case err != nil:
		return Answer{}, err
	case !isFinal(result.Response.Status):
		return Answer{}, fmt.Errorf("the app answered with status %d, which ends no request", result.Response.Status)
	case result.BodyErr != nil:
		return Answer{}, fmt.Errorf("the app's answer broke off: %w", result.BodyErr)
	}
	answer := Answer{Status: result.Response.Status, Body: result.Response.Body, Truncated: result.Response.Truncated}
	for _, p := range exchange.EndToEnd(result.Response.Header) {
		if !strings.EqualFold(p.Name, "Date") { // net/http sets its own
			answer.Header = append(answer.Header, p)
		}
	}
	return answer, nil
}
