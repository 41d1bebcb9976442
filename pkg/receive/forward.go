package receive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Forward limits.
const (
	// ForwardTimeout is how long the app behind may take: the 30 seconds
	// after which WorkSkedge calls a delivery failed.
	ForwardTimeout = 30 * time.Second
	// MaxForwardAnswer is how much of its answer is read and passed back, in
	// bytes.
	MaxForwardAnswer = 64 << 10
)

// Forward passes the exact body and all headers on to url and answers with the
// app's answer; the record's Forward keeps it. Redirects are not followed, and
// nothing is inflated by a transport that has DisableCompression set. No answer
// in time is a 504; none at all, or one that ends no request, a 502.
func Forward(transport http.RoundTripper, url string) App {
	return func(ctx context.Context, r *webhook.Record) Answer {
		ctx, cancel := context.WithTimeout(ctx, ForwardTimeout)
		defer cancel()
		answer, err := exchange(ctx, transport, url, r.Request)
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

func exchange(ctx context.Context, transport http.RoundTripper, url string, request webhook.Request) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, request.Method, url, bytes.NewReader(request.Body))
	if err != nil {
		return Answer{}, err
	}
	drop := hopByHop(request.Header)
	for _, p := range request.Header {
		if !drop[textproto.CanonicalMIMEHeaderKey(p.Name)] {
			r.Header.Add(p.Name, p.Value)
		}
	}
	if !request.Header.Has("User-Agent") {
		r.Header["User-Agent"] = nil // net/http would put its own
	}
	if request.Header.Has("Idempotency-Key") || request.Header.Has("X-Idempotency-Key") {
		r.GetBody = nil // net/http would send it again by itself, and the app gets it once
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if !final(response.StatusCode) { // 101 has the connection for its body, which no context ends
		return Answer{}, fmt.Errorf("the app answered with status %d, which ends no request", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxForwardAnswer+1))
	if err != nil {
		return Answer{}, fmt.Errorf("the app's answer broke off: %w", err)
	}
	answer := Answer{Status: response.StatusCode, Body: body}
	if len(body) > MaxForwardAnswer {
		answer.Body, answer.Truncated = body[:MaxForwardAnswer], true
	}
	header := webhook.HeaderOf(response.Header)
	drop = hopByHop(header)
	for _, p := range header {
		if !drop[textproto.CanonicalMIMEHeaderKey(p.Name)] && !strings.EqualFold(p.Name, "Date") {
			answer.Header = append(answer.Header, p)
		}
	}
	return answer, nil
}

// hopByHop names the headers that belong to one connection (RFC 9110, 7.6.1)
// and those that describe the body's way, which each sender sets for itself.
func hopByHop(h webhook.Header) map[string]bool {
	drop := map[string]bool{
		"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
		"Proxy-Connection": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
		"Content-Length": true, "Host": true,
	}
	for _, p := range h {
		if strings.EqualFold(p.Name, "Connection") {
			for name := range strings.SplitSeq(p.Value, ",") {
				drop[textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))] = true
			}
		}
	}
	return drop
}
