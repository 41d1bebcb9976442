package receive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultMaxBody is the largest body that is taken unless told otherwise: 1 MiB.
const DefaultMaxBody = 1 << 20

// App is what stands behind the receiver. It is called for requests that
// passed every check, at most once at a time for an id. It may set Forward and
// Verdict details of the record; its answer is the sender's.
type App func(ctx context.Context, r *webhook.Record) Answer

// Config says how to receive. Now, NewID and a secret in the Verifier (or
// SkipVerify) are required.
type Config struct {
	Verifier   webhook.Verifier
	Platform   webhook.Platform // names the records' platform where the envelope does not
	SkipVerify bool             // take every request unchecked; timestamps are not looked at either
	Unsigned   *Unsigned        // receive what is not signed, in place of all checks of signature, id and JSON
	MaxBody    int64            // bytes; default: DefaultMaxBody
	Memory     *Memory          // what was seen; default: a new one of DefaultMemory entries
	App        App              // default: answers OK

	// Wants picks the events that go to the App; others are verified and
	// answered with 200. Default: all.
	Wants func(webhook.Event) bool

	// Keep, if set, stores a record durably, with what a restart must know of
	// the delivery, if anything (see [Memory.Restore]). Where the answer is to
	// be 2xx it is called before that, and an error makes it a 503; for the
	// others it is called after the answer, and an error is the caller's to
	// tell. It is called from many goroutines at once.
	Keep func(context.Context, webhook.Record, *Mark) error

	// KeepFirst has a record kept before the App gets it too, with the outcome
	// pending: what cannot be kept is not handed on.
	KeepFirst bool

	// Sink gets every record, after its answer is written, and without a
	// Response when the App panicked. It is called from many goroutines at once.
	Sink func(webhook.Record)

	Now   func() time.Time
	NewID func() string // names records
}

// ErrNoSecret says that a receiver was to be made that would check nothing.
var ErrNoSecret = errors.New("no secret to verify with")

// Handler is the receiver. Make it with New.
type Handler struct{ Config }

// New checks the configuration and returns a handler. It returns
// [ErrNoSecret] or [webhook.ErrBlankSecret] rather than make a receiver that
// would take a request unverified without SkipVerify.
func New(c Config) (*Handler, error) {
	checked := !c.SkipVerify
	if c.Unsigned != nil {
		checked = checked && !c.Unsigned.any()
	}
	if checked && len(c.Verifier.Secrets) == 0 {
		return nil, ErrNoSecret
	}
	for _, s := range c.Verifier.Secrets {
		if s.IsZero() {
			return nil, webhook.ErrBlankSecret
		}
	}
	if c.Verifier.Scheme.IsZero() {
		c.Verifier.Scheme = webhook.SchemeFor(c.Platform)
	}
	if c.MaxBody <= 0 {
		c.MaxBody = DefaultMaxBody
	}
	if c.Memory == nil {
		c.Memory = NewMemory(DefaultMemory)
	}
	if c.App == nil {
		c.App = func(context.Context, *webhook.Record) Answer { return OK() }
	}
	if c.Unsigned != nil {
		c = c.hiding()
	}
	return &Handler{c}, nil
}

// hiding keeps and shows records without the values that Unsigned asks for.
func (c Config) hiding() Config {
	keep, sink := c.Keep, c.Sink
	if keep != nil {
		c.Keep = func(ctx context.Context, r webhook.Record, m *Mark) error {
			return keep(ctx, c.Unsigned.hide(r), m)
		}
	}
	if sink != nil {
		c.Sink = func(r webhook.Record) { sink(c.Unsigned.hide(r)) }
	}
	return c
}

// receipt is one request on its way through the handler.
type receipt struct {
	record webhook.Record
	began  time.Time
	mark   *Mark
	kept   bool // as it is answered
}

// accept notes in the mark, if there is one, that the delivery was taken.
func (p *receipt) accept() {
	if p.mark != nil {
		taken := *p.mark
		taken.Accepted = true
		p.mark = &taken
	}
}

// ServeHTTP receives one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := h.Now()
	p := &receipt{began: began, record: webhook.Record{
		ID: h.NewID(), Time: began, Direction: webhook.Received, Platform: h.Platform,
		Request: webhook.Request{Method: r.Method, URL: r.RequestURI, Header: headerOf(r)},
		Verdict: &webhook.Verdict{},
	}}
	if !h.SkipVerify {
		p.record.Scheme = h.Verifier.Scheme.Name()
	}
	defer func() { // also when the App panics
		p.record.Duration = h.Now().Sub(began)
		if h.Keep != nil && !p.kept {
			_ = h.Keep(context.WithoutCancel(r.Context()), p.record, p.mark) // the caller's to tell, as Config says
		}
		if h.Sink != nil {
			h.Sink(p.record)
		}
	}()
	answer := h.receive(w, r, p)
	answer.write(w)
	p.record.Response = answer.response()
}

// headerOf puts the Host line back that net/http keeps elsewhere.
func headerOf(r *http.Request) webhook.Header {
	return append(webhook.Header{{Name: "Host", Value: r.Host}}, webhook.HeaderOf(r.Header)...)
}

func (h *Handler) receive(w http.ResponseWriter, r *http.Request, p *receipt) Answer {
	if h.Unsigned != nil {
		return h.unsigned(w, r, p)
	}
	record := &p.record
	body, answer, ok := h.read(w, r, record)
	if !ok {
		return answer
	}
	record.Request.Body = body
	if !h.SkipVerify {
		if _, err := h.Verifier.Verify(r.Header, body, h.Now()); err != nil {
			return refuse(record, err)
		}
		record.Verdict.Verified = true
	}
	event, err := parse(body)
	var syntax *webhook.SyntaxError
	if errors.As(err, &syntax) {
		detail := "the body is signed, but it is not JSON: "
		if h.SkipVerify {
			detail = "the body is not JSON: "
		}
		return reject(record, http.StatusBadRequest, "json", "Invalid JSON", detail+err.Error())
	}
	if err != nil {
		warn(record, err.Error())
	}
	h.describe(record, r, &event)
	return h.once(r, p, &event)
}

// once hands a verified request to the App unless it was handled before.
func (h *Handler) once(r *http.Request, p *receipt, e *webhook.Event) Answer {
	record := &p.record
	claim, err := h.Memory.Claim(r.Context(), record.WebhookID, h.stamp(r), record.Request.Body)
	if err != nil {
		return reject(record, http.StatusServiceUnavailable, "aborted", "Interrupted", "the sender went away while the same delivery was being handled")
	}
	record.Verdict.Outcome = claim.Outcome
	switch claim.Outcome {
	case webhook.Duplicate:
		p.mark = claim.Mark
		p.accept()
		return h.keep(r.Context(), p, jsonAnswer(http.StatusOK, `{"received":true,"duplicate":true}`))
	case webhook.ReplaySuspect:
		record.Verdict.Detail = "the same timestamp and body came before under the id " + strconv.Quote(claim.FirstID) + ": a captured request sent again?"
		return h.keep(r.Context(), p, jsonAnswer(http.StatusOK, `{"received":true,"replay_suspect":true}`))
	case webhook.Conflict:
		return reject(record, http.StatusConflict, "conflict", "Webhook id was used for another body", "the id was accepted before with another body")
	}
	return h.handle(r.Context(), p, e, claim)
}

// handle calls the App and settles the claim, once the record is kept.
func (h *Handler) handle(ctx context.Context, p *receipt, e *webhook.Event, claim Claim) Answer {
	record := &p.record
	accepted, returned := false, false
	p.mark = claim.Mark
	defer func() {
		if !returned {
			record.Error = "the app panicked"
		}
		if !accepted && record.Verdict.Outcome == webhook.Accepted {
			record.Verdict.Outcome, record.Verdict.Reason = webhook.Failed, "app"
		}
		claim.Done(accepted)
	}()
	if h.Keep != nil && h.KeepFirst {
		record.Verdict.Outcome = webhook.Pending
		if err := h.Keep(context.WithoutCancel(ctx), *record, nil); err != nil {
			returned = true
			return unkept(record, err)
		}
		record.Verdict.Outcome = webhook.Accepted
	}
	answer := OK()
	if h.Wants == nil || h.Wants(*e) {
		answer = h.App(ctx, record)
	}
	if !final(answer.Status) {
		record.Error = fmt.Sprintf("the app answered with status %d, which ends no request", answer.Status)
		answer = Status(http.StatusInternalServerError)
	}
	if answer.Status/100 == 2 {
		p.accept()
		answer = h.keep(ctx, p, answer)
	}
	accepted, returned = answer.Status/100 == 2, true
	return answer
}

// keep stores a record before it is answered with 2xx, and makes that a 503
// when it cannot.
func (h *Handler) keep(ctx context.Context, p *receipt, answer Answer) Answer {
	if h.Keep == nil {
		return answer
	}
	p.record.Response, p.record.Duration = answer.response(), h.Now().Sub(p.began)
	if err := h.Keep(context.WithoutCancel(ctx), p.record, p.mark); err != nil {
		p.record.Response, p.mark = nil, nil
		return unkept(&p.record, err)
	}
	p.kept = true
	return answer
}
