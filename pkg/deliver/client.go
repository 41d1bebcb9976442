package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// MaxAnswer is how much of an answer's body is read, in bytes.
const MaxAnswer = 64 << 10

// Client sends deliveries. Transport, Now and NewID are required.
type Client struct {
	Transport http.RoundTripper // see NewTransport
	Now       func() time.Time
	NewID     func() string                              // names records
	Wait      func(context.Context, time.Duration) error // default: a timer
	Jitter    func() float64                             // in [0,1); default: 0.5
	UserAgent string                                     // default: "wsk"
}

// NewTransport returns net/http's transport with what a webhook sender needs:
// nothing is inflated, and a header of an answer is bounded.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: MaxAnswer,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    100,
		IdleConnTimeout:        90 * time.Second,
	}
}

// Attempt signs and sends d once and returns what happened. The verdict's
// outcome is
//
//	accepted  the answer was 2xx
//	refused   there was another answer, a redirect included
//	failed    there was none, and the request did not get out whole
//	unknown   there was none, but the request had been written: it may have been taken
//
// Where d's header holds X-Webhook-Retry, the attempt's number is put there.
// What is not sent to the platform itself gets a warning when the answer took
// longer than [SlowAfter].
//
// The error is not nil only when no request could be made of d, or ctx ended.
func (c Client) Attempt(ctx context.Context, d Delivery, attempt int) (webhook.Record, error) {
	return c.attempt(ctx, &d, attempt)
}

// attempt is Attempt. The delivery is its own to change.
func (c *Client) attempt(ctx context.Context, d *Delivery, attempt int) (webhook.Record, error) {
	began := c.Now()
	if d.Header.Has(webhook.HeaderRetry) {
		d.Header = d.Header.With(webhook.HeaderRetry, strconv.Itoa(attempt))
	}
	request, err := d.request(began)
	if err != nil {
		return webhook.Record{}, err
	}
	record := webhook.Record{
		ID: c.NewID(), Time: began, Direction: webhook.Sent,
		Platform: d.Event.Platform, Form: d.Event.Form, Event: d.Event.Type,
		WebhookID: d.WebhookID, Attempt: attempt,
	}
	if !d.Secret.IsZero() {
		record.Scheme = d.scheme().Name
	}
	if agent := c.agent(); !request.Header.Has("User-Agent") && !d.Override.Has("User-Agent") {
		request.Header = request.Header.With("User-Agent", agent)
	}
	record.Request = request
	timeout := d.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	response, written, err := c.exchange(limited, &request)
	record.Duration = c.Now().Sub(began)
	record.Response = response
	record.Verdict = verdict(response, err, written)
	if err != nil {
		record.Error = c.explain(limited, err, timeout, written)
	} else if record.Duration > SlowAfter && record.Form != webhook.Inbound {
		record.Verdict.Warnings = append(record.Verdict.Warnings, "slower than the 10 s that WorkSkedge's page asks for")
	}
	return record, ctx.Err()
}

func (c *Client) agent() string {
	if c.UserAgent == "" {
		return "wsk"
	}
	return c.UserAgent
}

// exchange sends the request and reads the answer. Without an answer, written
// says whether the request may have got out whole.
func (c *Client) exchange(ctx context.Context, request *webhook.Request) (response *webhook.Response, written bool, err error) {
	var wrote atomic.Bool
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			wrote.Store(true)
		}
	}}
	r, err := newRequest(httptrace.WithClientTrace(ctx, trace), request)
	if err != nil {
		return nil, false, err
	}
	answer, err := c.Transport.RoundTrip(r) // the transport alone follows no redirect
	if err != nil {
		var op *net.OpError // net/http says that it wrote before it flushes
		flushFailed := errors.As(err, &op) && op.Op == "write"
		return nil, wrote.Load() && !flushFailed, err
	}
	defer func() { _ = answer.Body.Close() }()
	return read(answer), true, nil
}

// newRequest puts the lines of the record where net/http wants them.
func newRequest(ctx context.Context, request *webhook.Request) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, request.Method, request.URL, bytes.NewReader(request.Body))
	if err != nil {
		return nil, err
	}
	if user := r.URL.User; user != nil && !request.Header.Has("Authorization") {
		password, _ := user.Password()
		r.SetBasicAuth(user.Username(), password)
	}
	for _, p := range request.Header {
		r.Header.Add(p.Name, p.Value)
	}
	if !request.Header.Has("User-Agent") {
		r.Header["User-Agent"] = nil // net/http would put its own
	}
	if host := request.Header.Get("Host"); host != "" {
		r.Host = host
	}
	if request.Header.Has("Idempotency-Key") || request.Header.Has("X-Idempotency-Key") {
		r.GetBody = nil // net/http would send it again by itself, and whether to is the policy's to say
	}
	return r, nil
}

// read keeps what there is of an answer, up to MaxAnswer.
func read(answer *http.Response) *webhook.Response {
	response := &webhook.Response{Status: answer.StatusCode, Header: webhook.HeaderOf(answer.Header)}
	if answer.StatusCode == http.StatusSwitchingProtocols { // has the connection for its body, which no context ends
		return response
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, MaxAnswer+1))
	response.Body = body
	if len(body) > MaxAnswer {
		response.Body, response.Truncated = body[:MaxAnswer], true
	}
	if err != nil {
		response.Truncated = true // the status is the answer; how its body ended is a detail
	}
	return response
}

func verdict(response *webhook.Response, err error, written bool) *webhook.Verdict {
	switch {
	case err != nil && written:
		return &webhook.Verdict{Outcome: webhook.OutcomeUnknown, Reason: "no_answer"}
	case err != nil:
		return &webhook.Verdict{Outcome: webhook.Failed, Reason: "unreachable"}
	case response.Status/100 == 2:
		return &webhook.Verdict{Outcome: webhook.Accepted}
	case response.Status/100 == 3:
		return &webhook.Verdict{Outcome: webhook.Refused, Reason: "redirect", Detail: "redirects are not followed"}
	}
	return &webhook.Verdict{Outcome: webhook.Refused, Reason: "status"}
}

// explain says what kept the answer away, without the URL, which the caller
// shows.
func (c *Client) explain(ctx context.Context, err error, timeout time.Duration, written bool) string {
	var op *net.OpError
	what := err.Error()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		what = fmt.Sprintf("no answer within %s", timeout)
	case errors.Is(ctx.Err(), context.Canceled):
		what = "interrupted before the answer"
	case errors.As(err, &op) && op.Op == "dial":
		what = strings.TrimPrefix(op.Err.Error(), "connect: ")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		what = "the connection was closed without an answer"
	}
	if written {
		what += "; the request had been sent, so it may have been taken"
	}
	return webhook.RedactURLs(what)
}
