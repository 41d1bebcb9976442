package deliver

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/internal/notify"
	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/webhook"
)

// MaxResponse is how many bytes of a response's body are read.
const MaxResponse = exchange.MaxBody

// DefaultTimeout bounds one attempt, from the dial to the last byte of the
// response that is read. WorkSkedge documents that an endpoint has to respond
// within 30 seconds (Webhooks page, "Endpoint Requirements").
const DefaultTimeout = 30 * time.Second

// SlowAfter is how long a receiver may take before its response gets a
// warning. WorkSkedge asks for one within 10 seconds (Webhooks page, "Handle
// Events").
const SlowAfter = 10 * time.Second

// Client sends deliveries. The zero Client is ready to use. A Client is safe
// for concurrent use when what is in it is.
type Client struct {
	Transport http.RoundTripper                          // default: a [NewTransport] that all such clients share
	Now       func() time.Time                           // default: time.Now
	NewID     func() string                              // returns a new id for a record; default: rand.Text of crypto/rand
	Wait      func(context.Context, time.Duration) error // pauses between attempts; default: [Wait]
	UserAgent string                                     // default: "wsk"

	// Grace is how long an attempt that has begun may go on once ctx has ended, so that
	// a program which is stopped learns the outcome of what it has sent. Default: not
	// at all. Pauses, and what Before waits for, end with ctx in any case.
	Grace time.Duration

	// Before, if not nil, is called before each attempt, counted from 0, and before
	// that is signed: a limiter waits here, see [Limiter.Wait]. Its error ends the
	// delivery.
	Before func(ctx context.Context, d Delivery, attempt int) error

	// After, if not nil, is called with the record of each attempt.
	After func(ctx context.Context, r webhook.Record)

	// Observer, if not nil, observes each attempt, and each that another follows; not
	// those of [Prepared]. Metrics come from here.
	Observer observe.Observer
}

// NewTransport returns a transport of net/http for sending webhooks. It bounds
// the dial, the TLS handshake and the header of a response, does not ask for
// compressed responses and decompresses none. Proxies are taken from the
// environment.
func NewTransport() *http.Transport { return exchange.NewTransport() }

func (c Client) withDefaults() Client {
	if c.Transport == nil {
		c.Transport = exchange.DefaultTransport()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = rand.Text
	}
	if c.Wait == nil {
		c.Wait = Wait
	}
	c.UserAgent = cmp.Or(c.UserAgent, "wsk")
	return c
}

// Attempt signs and sends d once, and returns the record of it. The outcome in
// its verdict is
//
//	accepted  the response was 2xx
//	refused   there was another response, a redirect included
//	failed    there was no response, and the request was not written completely
//	unknown   there was no response, but the request was written: it may have been handled
//
// attempt counts from 0. A delivery that is not sent to the platform itself
// gets a warning when the response took longer than [SlowAfter].
//
// The error is not nil only when no request could be made of d, when
// [Client.Before] returned one, or when ctx ended. [Client.Send] returns one for
// everything that was not accepted.
func (c Client) Attempt(ctx context.Context, d Delivery, attempt int) (webhook.Record, error) {
	record, _, err := c.withDefaults().attempt(ctx, d, attempt)
	return record, err
}

// attempt is Attempt, and returns also why there was no response.
func (c Client) attempt(ctx context.Context, d Delivery, attempt int) (_ webhook.Record, cause, err error) {
	if c.Before != nil {
		if err := c.Before(ctx, d, attempt); err != nil {
			return webhook.Record{}, nil, err
		}
	}
	began := c.Now()
	request, err := c.request(d, began, attempt)
	if err != nil {
		return webhook.Record{}, nil, err
	}
	record := webhook.Record{
		ID: c.NewID(), Time: began, Direction: webhook.Sent,
		Platform: d.Event.Platform, Form: d.Event.Form, Event: d.Event.Type,
		WebhookID: d.WebhookID, Attempt: attempt, Request: request,
	}
	if !d.Unsigned {
		record.Scheme = d.Scheme.Name()
	}
	limited, cancel := c.attemptContext(ctx, d.timeout())
	defer cancel()
	result, cause := exchange.Do(limited, c.Transport, request)
	record.Duration = c.Now().Sub(began)
	record.Response = result.Response
	record.Verdict = verdict(result)
	if cause != nil {
		record.Error = explain(limited, cause, d.timeout(), result.Written)
	} else if record.Duration > SlowAfter && record.Form != webhook.Inbound {
		record.Verdict.Warnings = append(record.Verdict.Warnings, "slower than the 10 s that WorkSkedge asks for")
	}
	record = exchange.MaskEcho(record, []webhook.Secret{d.Secret})
	notify.Sent(ctx, c.Observer, &record)
	if c.After != nil {
		c.After(ctx, record)
	}
	return record, cause, ctx.Err()
}

// attemptContext returns the context of an attempt that begins now.
func (c Client) attemptContext(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if c.Grace <= 0 || ctx.Err() != nil { // an attempt after the end does not begin
		return context.WithTimeout(ctx, timeout)
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(ctx, func() {
		_ = Wait(limited, c.Grace) // no longer than the attempt
		cancel()
	})
	return limited, func() {
		stop()
		cancel()
	}
}

// request returns the request of one attempt.
func (c Client) request(d Delivery, at time.Time, attempt int) (webhook.Request, error) {
	if d.Header.Has(webhook.HeaderRetry) {
		d.Header = d.Header.With(webhook.HeaderRetry, strconv.Itoa(attempt))
	}
	request, err := d.Request(at)
	if err == nil && !request.Header.Has("User-Agent") && !d.Override.Has("User-Agent") {
		request.Header = request.Header.With("User-Agent", c.UserAgent)
	}
	return request, err
}

func verdict(r exchange.Result) *webhook.Verdict {
	switch {
	case r.Response == nil && r.Written:
		return &webhook.Verdict{Outcome: webhook.OutcomeUnknown, Reason: "no_answer"}
	case r.Response == nil:
		return &webhook.Verdict{Outcome: webhook.Failed, Reason: "unreachable"}
	case r.Response.Status/100 == 2:
		return &webhook.Verdict{Outcome: webhook.Accepted}
	case r.Response.Status/100 == 3:
		return &webhook.Verdict{Outcome: webhook.Refused, Reason: "redirect", Detail: "redirects are not followed"}
	}
	return &webhook.Verdict{Outcome: webhook.Refused, Reason: "status"}
}

// Explain returns in plain words why an attempt got no response, without the URL.
func Explain(err error) string { return webhook.RedactURLs(exchange.Explain(err)) }

// explain describes why there is no response. It leaves out the URL, which the
// caller shows.
func explain(ctx context.Context, err error, timeout time.Duration, written bool) string {
	what := exchange.Explain(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		what = "no answer within " + FormatDuration(timeout)
	case errors.Is(ctx.Err(), context.Canceled):
		what = "interrupted before the answer"
	}
	if written {
		what += "; the request was sent, so it may have been handled"
	}
	return webhook.RedactURLs(what)
}
