// Package receive is a webhook receiver for production and for tests: an HTTP
// request comes in, a verified [webhook.Record] goes to the App and to the log,
// and the sender gets the response that its platform's retry rules expect.
//
//	func newServer(secret string, handle func(context.Context, *webhook.Event) error) (*http.Server, error) {
//		key, err := webhook.NewSecret(secret)
//		if err != nil {
//			return nil, err // a blank secret would verify nothing
//		}
//		handler, err := receive.New(receive.Config{
//			Secrets: []webhook.Secret{key},
//			App: func(ctx context.Context, e *webhook.Event, _ *webhook.Record) webhook.Response {
//				if err := handle(ctx, e); err != nil {
//					return receive.Status(http.StatusServiceUnavailable) // the sender tries again
//				}
//				return receive.OK()
//			},
//		})
//		if err != nil {
//			return nil, err
//		}
//		server := receive.NewServer(handler)
//		server.Addr = ":8080"
//		return server, nil // call its ListenAndServe
//	}
//
// The checks run in a fixed order, and each has its own response: method (405),
// Content-Encoding (415), size (413), a repeated header (400), signature (401),
// timestamp (400), JSON (400), and whether the id was seen before (200 as a
// duplicate, 409 with another body). A request that passes them reaches the App
// once, however often and however concurrently it is delivered. An id counts as
// seen when it was answered with 2xx: a retry after a refusal or a 5xx is a new
// try.
//
// Bodies of more than 16 KiB that fail the verification are read at 16 MiB a second,
// after the first 16 MiB: a connection that sends more of them rests after its answer,
// for a second at most, so that a flood of them does not delay the other senders.
//
// [Config.Store] decides who may handle a delivery. The default, a [Memory], knows the
// deliveries of one process until it ends. A [Store] on disk or on a server is for
// restarts and for several processes. A *journal.Journal of package journal is one, which
// keeps the requests as well; a [Forwarder] on it answers the sender first, and hands
// events to the app in the background, with retries.
//
// The programs testdata/examples/receiver, chi and nethttp are complete receivers.
//
// This package is stable.
package receive

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/internal/failpoint"
	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	// DefaultMaxBody is the default of [Config.MaxBody]: 1 MiB.
	DefaultMaxBody = 1 << 20

	// DefaultDedupWindow is the default of [Config.DedupWindow].
	DefaultDedupWindow = 10 * time.Minute

	// DefaultLease is the default of [Config.Lease]: longer than an App behind [Forward]
	// may take, and than WorkSkedge waits for an answer.
	DefaultLease = ForwardTimeout + 5*time.Second

	// DefaultTTL is the default of [Config.TTL]: longer than a platform sends its
	// retries. The six attempts of WorkSkedge take 7 hours and 21 minutes (Webhooks
	// page, "Retry Policy").
	DefaultTTL = 24 * time.Hour
)

// App handles the requests that passed every check, at most one at a time for
// each id: e is the event, and r what is stored of the request. It may set the
// record's Forward, Error and Verdict details. The sender gets its answer.
type App func(ctx context.Context, e *webhook.Event, r *webhook.Record) webhook.Response

// Config configures a receiver. Only a secret, SkipVerify or Unsigned is required.
type Config struct {
	// Secrets verify the signatures: any one of them may match, for rotation.
	// They are added to those of Verifier.
	Secrets []webhook.Secret

	// Verifier says how signatures are verified, where its defaults do not suit.
	// Its Scheme defaults to the one of the Platform.
	Verifier webhook.Verifier

	// Platform is the platform of the records whose envelope does not say it.
	Platform webhook.Platform

	// SkipVerify accepts every request unverified, and checks no timestamp.
	SkipVerify bool

	// Unsigned, if not nil, receives requests of a platform that signs nothing.
	// It replaces the checks of the method, the signature, the JSON and the id.
	Unsigned *Unsigned

	// MaxBody is the largest body that is accepted, in bytes; default:
	// [DefaultMaxBody].
	MaxBody int64

	// Store decides who may handle a delivery; default: a new [Memory]. If it is a
	// [Recorder], it also keeps the requests, as Keep would.
	Store Store

	// Lease is how long the App may take with a Store other than a Memory: its context
	// ends then, and another receiver may handle the delivery. Default: [DefaultLease].
	Lease time.Duration

	// TTL is how long a Store is to remember a delivery; at least as long as its
	// timestamp is accepted. Default: [DefaultTTL], or DedupWindow where that applies.
	TTL time.Duration

	// Remember is how many deliveries the handler remembers in memory, besides the
	// Store; default: [DefaultMemory].
	Remember int

	// DedupEvents takes a delivery for a duplicate also if its event was accepted under
	// another webhook id: the event id is in the signed body. Without it, only the
	// webhook id and the signature count.
	DedupEvents bool

	// DedupWindow is how long a repeat counts as a duplicate where a delivery has
	// neither id nor timestamp, as those of Worksome: later, the same body is a
	// new event. Default: [DefaultDedupWindow].
	DedupWindow time.Duration

	// Check, if not nil, is asked about each new event before the App. An answer other
	// than 2xx is the answer to the sender, who may try again, and the App is not
	// called. It must have no effects: with a Store, another receiver may be asked about
	// the same delivery. Without an App, its answer of 2xx is the answer.
	Check App

	// App handles the events; default: it answers [OK].
	App App

	// Wants selects the events that go to Check and the App. The others are verified and
	// answered with 200. Default: all.
	Wants func(webhook.Event) bool

	// Keep, if not nil, stores a request durably. If the answer would be 2xx,
	// Keep is called before the answer is written, and an error makes it a 503.
	// For every other answer it is called afterwards, and the handler ignores
	// its error. It is called concurrently. With a Recorder it must be nil.
	Keep func(context.Context, Receipt) error

	// Diagnose, if not nil, explains a failed verification; the record gets what it
	// returns. It is called after the answer is written, concurrently, and
	// gets the whole request.
	Diagnose func(webhook.Request, webhook.Reason) *webhook.Diagnosis

	// Sink, if not nil, gets every record after its answer is written. If the
	// App panicked, the record has no Response. It is called concurrently.
	Sink func(webhook.Record)

	// Observer, if not nil, observes each request after its answer is written
	// and, before that, of the call of the App. Metrics come from here.
	Observer observe.Observer

	// Now returns the time; default: time.Now.
	Now func() time.Time

	// NewID returns the id of a new record; default: "rec_" and 26 random
	// letters and digits.
	NewID func() string
}

// Receipt is a request as [Config.Keep] stores it.
type Receipt struct {
	Record webhook.Record

	// Mark is what a [Recorder] needs to know the delivery again; nil if there is
	// nothing to know.
	Mark *Mark

	// Once asks a Recorder to store nothing and to return a [*SeenError] if the marks
	// that are stored, by any receiver, say that the delivery is not new: see
	// [Mark.Among]. If the outcome of the record is pending, the delivery is claimed
	// until the Until of the mark, or until the same record comes again.
	Once bool

	// Unverified reports whether the request was refused before or while it was
	// verified: anyone may have sent it, as often and as large as they like. Keep
	// may store only a part of it, later, or nothing.
	Unverified bool

	// Forward reports whether the event is new, selected by Wants, and was
	// answered by the App with 2xx. A [Forwarder] forwards such receipts.
	Forward bool

	// Order is what the event is about. A receipt is not forwarded before the
	// earlier ones with the same Order are done. A [Forwarder] sets it, see
	// [ForwarderConfig.OrderBy]; "" waits for none.
	Order string
}

// ErrNoSecret is the error of [New] for a receiver that would verify nothing.
var ErrNoSecret = errors.New("no secret to verify with")

// Handler is a receiver. [New] returns it.
type Handler struct {
	config   Config
	memory   *Memory  // of this process
	store    Store    // that other receivers share; nil if there is none, or a Recorder
	recorder Recorder // likewise
	refused  *pace
}

// New checks the configuration and returns a handler. It returns [ErrNoSecret]
// or [webhook.ErrBlankSecret] for a receiver that would accept unverified
// requests without SkipVerify.
func New(c Config) (*Handler, error) {
	c.Verifier.Secrets = append(slices.Clip(c.Verifier.Secrets), c.Secrets...)
	required := c.Unsigned != nil && !c.Unsigned.isEmpty()
	if len(c.Verifier.Secrets) == 0 && !c.SkipVerify && !required {
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
	if c.Lease <= 0 {
		c.Lease = DefaultLease
	}
	if c.Wants == nil {
		c.Wants = func(webhook.Event) bool { return true }
	}
	if c.DedupWindow <= 0 {
		c.DedupWindow = DefaultDedupWindow
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() string { return "rec_" + rand.Text() }
	}
	h := &Handler{config: c, refused: new(pace)}
	if err := h.connect(); err != nil {
		return nil, err
	}
	return h, nil
}

// connect prepares the store of the handler.
func (h *Handler) connect() error {
	c := &h.config
	if v := reflect.ValueOf(c.Store); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("receive: Config.Store is a nil %T: leave it out for the default", c.Store)
	}
	if m, ok := c.Store.(*Memory); ok {
		h.memory = m
		return nil
	}
	h.memory = NewMemory(cmp.Or(max(c.Remember, 0), DefaultMemory))
	switch store := c.Store.(type) {
	case nil:
	case Recorder:
		if c.Keep != nil {
			return errors.New("receive: Config.Store keeps the requests, so Config.Keep must be nil")
		}
		marks, err := store.Marks(context.Background(), h.memory.limit)
		if err != nil {
			return fmt.Errorf("reading the deliveries that the store has seen: %w", err)
		}
		h.memory.restore(marks)
		h.recorder, c.Keep = store, store.Keep
	default:
		h.store = store
	}
	return nil
}

// NewServer returns a server for h whose limits hold off slow and oversized
// senders: 10 seconds for the header and 32 KiB of it (431 above that), 30
// seconds for the whole request, 5 minutes until the response is read, 60
// seconds of idleness. The bodies of all requests in progress share 16 MiB, of
// which the first 16 KiB of each do not count: reading one for which there is no
// room fails, see [webhook.ReadBody]. Every method reaches h, "OPTIONS *" included. The
// caller sets the address, and limits the connections with [LimitListener].
func NewServer(h http.Handler) *http.Server {
	if h == nil {
		panic("receive: NewServer without a handler") // net/http would serve those of http.Handle
	}
	return &http.Server{
		Handler:                      new(bodies).limit(h),
		ReadHeaderTimeout:            10 * time.Second,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 5 * time.Minute,
		IdleTimeout:                  60 * time.Second,
		MaxHeaderBytes:               32 << 10,
		DisableGeneralOptionsHandler: true,
	}
}

// receipt is a request on its way through the handler.
type receipt struct {
	record  webhook.Record
	began   time.Time
	mark    *Mark
	once    bool
	forward bool
	passed  bool          // the verification, or there is none
	until   time.Time     // the end of the lease; the zero time if nothing is claimed
	kept    bool          // with the answer that the sender gets
	call    *observe.Call // of the App; nil if it was not called, or is not observed
}

// ServeHTTP receives one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &h.config
	began := c.Now()
	p := &receipt{began: began, record: webhook.Record{
		ID: c.NewID(), Time: began, Direction: webhook.Received, Platform: c.Platform,
		Request: webhook.Request{Method: r.Method, URL: r.RequestURI, Header: headerOf(r)},
		Verdict: &webhook.Verdict{},
	}}
	if !c.SkipVerify {
		p.record.Scheme = c.Verifier.Scheme.Name()
	}
	defer func() { // also when the App panics
		p.record.Duration = c.Now().Sub(began)
		h.diagnose(&p.record)
		if c.Keep != nil && !p.kept {
			_ = h.save(r.Context(), p) // Config.Keep documents that this error is ignored
		}
		h.observe(r.Context(), p)
		if c.Sink != nil {
			c.Sink(h.redact(p.record))
		}
		h.rest(r, p)
	}()
	answer := h.receive(w, r, p)
	_ = failpoint.Hit("receive/before-answer") // what it says is done
	write(w, answer)
	p.record.Response = &answer
}

// rest keeps the connection of a large body that failed the verification from sending
// the next one at once, if there are many. The sender has its answer.
func (h *Handler) rest(r *http.Request, p *receipt) {
	size := len(p.record.Request.Body)
	if p.passed || size <= freeBody {
		return
	}
	pause := h.refused.take(h.config.Now(), size)
	if pause == 0 {
		return
	}
	p.record = webhook.Record{}           // the body takes no memory meanwhile
	_ = r.Body.Close()                    // nor does it count
	_ = exchange.Wait(r.Context(), pause) // the end of the connection ends it
}

// diagnose explains why the verification of a request failed.
func (h *Handler) diagnose(record *webhook.Record) {
	c := &h.config
	if c.Diagnose != nil && c.Unsigned == nil && !c.SkipVerify && record.RefusedUnverified() {
		record.Verdict.Diagnosis = c.Diagnose(record.Request, webhook.Reason(record.Verdict.Reason))
	}
}

// headerOf puts the Host line back, which net/http keeps elsewhere.
func headerOf(r *http.Request) webhook.Header {
	return append(webhook.Header{{Name: "Host", Value: r.Host}}, webhook.HeaderOf(r.Header)...)
}

func (h *Handler) receive(w http.ResponseWriter, r *http.Request, p *receipt) webhook.Response {
	c, record := &h.config, &p.record
	if c.Unsigned != nil {
		return h.receiveUnsigned(w, r, p)
	}
	if r.Method != http.MethodPost {
		a := refuse(record, http.StatusMethodNotAllowed, "method", "Method not allowed", "webhooks are sent with POST, not "+r.Method)
		a.Header = append(a.Header, webhook.Pair{Name: "Allow", Value: http.MethodPost})
		return a
	}
	body, err := webhook.ReadBody(w, r, c.MaxBody)
	if err != nil {
		return refuseError(record, err)
	}
	record.Request.Body = body
	if !c.SkipVerify {
		if _, err := c.Verifier.Verify(r.Header, body, c.Now()); err != nil {
			return refuseError(record, err)
		}
		record.Verdict.Verified = true
	}
	p.passed = true
	event, err := parseEvent(body)
	var syntax *webhook.SyntaxError
	switch {
	case errors.As(err, &syntax) && c.SkipVerify:
		return refuse(record, http.StatusBadRequest, "json", "Invalid JSON", "the body is not JSON: "+err.Error())
	case errors.As(err, &syntax):
		return refuse(record, http.StatusBadRequest, "json", "Invalid JSON", "the body is signed, but it is not JSON: "+err.Error())
	case err != nil:
		warn(record, err.Error())
	}
	h.describe(record, r, &event)
	return h.handleOnce(r, p, &event)
}

// describe copies the event, the id and the attempt of a verified request to
// the record.
func (h *Handler) describe(record *webhook.Record, r *http.Request, e *webhook.Event) {
	record.Event, record.Form = e.Type, e.Form
	if e.Platform != "" {
		record.Platform = e.Platform
	}
	record.WebhookID = h.deliveryID(r)
	if n, err := strconv.ParseUint(r.Header.Get(webhook.HeaderRetry), 10, 16); err == nil {
		record.Attempt = int(n)
	}
	if named := r.Header.Get(webhook.HeaderEvent); named != "" && e.Type != "" && named != e.Type {
		warn(record, "the header "+webhook.HeaderEvent+" says "+named+", the signed body says "+e.Type)
	}
}

// deliveryID returns the id of the delivery, or "".
func (h *Handler) deliveryID(r *http.Request) string {
	if h.config.SkipVerify && r.Header.Get(webhook.HeaderID) == "" {
		return r.Header.Get("webhook-id")
	}
	if name := h.config.Verifier.Scheme.IDHeader(); name != "" {
		return r.Header.Get(name)
	}
	return ""
}

// dedupKey returns the signed text other than the body that distinguishes one
// delivery from another.
func (h *Handler) dedupKey(r *http.Request) string {
	scheme := h.config.Verifier.Scheme
	timestamp := ""
	if name := scheme.TimestampHeader(); name != "" {
		timestamp = r.Header.Get(name)
	}
	if h.config.SkipVerify && timestamp == "" {
		timestamp = r.Header.Get("webhook-timestamp")
	}
	if scheme.Name() == webhook.StandardWebhooks { // the id is signed: another id is another delivery
		return h.deliveryID(r) + "." + timestamp
	}
	return timestamp
}

// markOf returns what a request is known by.
func (h *Handler) markOf(r *http.Request, p *receipt, e *webhook.Event) Mark {
	body := p.record.Request.Body
	mark := Mark{ID: shortID(p.record.WebhookID), Time: p.began, Body: sha256.Sum256(body), TTL: h.config.TTL}
	key := h.dedupKey(r)
	mark.Signed = BodyDigest(key, body)
	if h.config.DedupEvents {
		mark.EventID = shortID(e.ID)
	}
	if mark.ID+key == "" {
		mark.Within = h.config.DedupWindow
		mark.TTL = cmp.Or(mark.TTL, mark.Within)
	}
	tolerance := cmp.Or(h.config.Verifier.Tolerance, webhook.DefaultTolerance)
	mark.TTL = max(cmp.Or(mark.TTL, DefaultTTL), 2*tolerance, mark.Within) // a timestamp may lie ahead as far
	return mark
}

// handleOnce calls the App with a verified request, unless it was handled
// before.
func (h *Handler) handleOnce(r *http.Request, p *receipt, e *webhook.Event) webhook.Response {
	record := &p.record
	mark := h.markOf(r, p, e)
	claim, done, err := h.memory.await(r.Context(), mark)
	if err != nil {
		return refuse(record, http.StatusServiceUnavailable, "aborted", "Interrupted", "the sender went away while the same delivery was being handled")
	}
	defer done(false) // if the store panics: another try must not wait for this one
	if claim.Outcome != webhook.Accepted {
		return h.answerKnown(r.Context(), p, claim)
	}
	if h.recorder != nil && h.memory.hasForgotten() {
		stored, err := h.recorder.Seen(r.Context(), mark)
		if err != nil {
			done(false)
			return failStore(record, err)
		}
		if seen := mark.Among(stored); seen.Outcome != webhook.Accepted && seen.Outcome != webhook.Pending {
			done(seen.Outcome == webhook.Duplicate)
			return h.answerKnown(r.Context(), p, seen)
		}
	}
	record.Verdict.Outcome = webhook.Accepted
	return h.handle(r.Context(), p, e, &mark, done)
}

// answerKnown answers a delivery that the memory of this process knows. The store learns
// of a new signature, which can be captured as well.
func (h *Handler) answerKnown(ctx context.Context, p *receipt, claim Claim) webhook.Response {
	seen := &SeenError{claim.Outcome, claim.FirstID}
	if h.store == nil || claim.Mark == nil {
		return h.answerSeen(ctx, p, seen, claim.Mark)
	}
	held, err := h.claimFirst(ctx, p, claim.Mark)
	var known *SeenError
	switch {
	case errors.As(err, &known): // as it must be
	case err != nil:
		return failStore(&p.record, err)
	default: // the store has forgotten what this process has not
		if err := held(ctx, true); err != nil {
			return failStore(&p.record, err)
		}
	}
	return h.answerSeen(ctx, p, seen, nil)
}

// answerSeen answers a delivery that is not new. mark is what is new of it, or
// nil.
func (h *Handler) answerSeen(ctx context.Context, p *receipt, seen *SeenError, mark *Mark) webhook.Response {
	record := &p.record
	p.mark, p.once, p.forward = mark, false, false
	record.Verdict.Outcome = seen.Outcome
	switch seen.Outcome {
	case webhook.ReplaySuspect:
		first := "without an id"
		if seen.FirstID != "" {
			first = "under the id " + strconv.Quote(seen.FirstID)
		}
		record.Verdict.Detail = "the same timestamp and body arrived before " + first + ": a captured request sent again?"
		return h.keep(ctx, p, jsonAnswer(http.StatusOK, `{"received":true,"replay_suspect":true}`), nothingClaimed)
	case webhook.Conflict:
		a := refuse(record, http.StatusConflict, "conflict", "Webhook id was used for another body", "the id was accepted before with another body")
		record.Verdict.Outcome = webhook.Conflict
		return a
	case webhook.Pending:
		return refuse(record, http.StatusServiceUnavailable, "aborted", "Interrupted", "another receiver on the same store is handling the same delivery")
	}
	return h.keep(ctx, p, jsonAnswer(http.StatusOK, `{"received":true,"duplicate":true}`), nothingClaimed)
}

// handle calls the App and settles the claims once the request is stored. mark is nil
// for a delivery that cannot be known again; done settles it in this process.
func (h *Handler) handle(ctx context.Context, p *receipt, e *webhook.Event, mark *Mark, done func(accepted bool)) webhook.Response {
	c, record := &h.config, &p.record
	accepted, returned := false, false
	who, reason := "app", "app"                      // is to blame for a panic
	if h.recorder != nil && record.WebhookID != "" { // without an id, the digest is known only if it is accepted
		p.mark = mark
	}
	settle := nothingClaimed // at the store
	defer func() {
		if !returned {
			record.Error = "the " + who + " panicked"
		}
		if !accepted && record.Verdict.Outcome == webhook.Accepted {
			record.Verdict.Outcome, record.Verdict.Reason = webhook.Failed, reason
		}
		if !accepted {
			if err := settle(ctx, false); err != nil {
				warn(record, "the store did not release the delivery: "+err.Error())
			}
		}
		done(accepted)
	}()
	answer, wanted := OK(), c.Wants(*e)
	ctx = context.WithValue(ctx, eventKey{}, e)
	if wanted && c.Check != nil {
		answer = c.Check(ctx, e, record)
	}
	hasEffect := wanted && c.App != nil && answer.Status/100 == 2
	claimed := hasEffect && h.recorder != nil || h.store != nil && mark != nil
	if claimed {
		who, reason = "store", "journal"
		held, err := h.claimFirst(ctx, p, mark)
		if err != nil {
			returned = true
			var seen *SeenError
			if !errors.As(err, &seen) {
				return failStore(record, err)
			}
			accepted = seen.Outcome == webhook.Duplicate
			return h.answerSeen(ctx, p, seen, nil)
		}
		settle, who, reason = held, "app", "app"
	}
	if hasEffect {
		answer = h.callApp(ctx, p, e)
	}
	if !isFinal(answer.Status) {
		record.Error = fmt.Sprintf("the app answered with status %d, which is not a final status", answer.Status)
		answer = Status(http.StatusInternalServerError)
	}
	if answer.Status/100 == 2 {
		if h.recorder != nil {
			p.mark, p.once = mark.accepted(), mark != nil && !claimed
		}
		p.forward = wanted
		who, reason = "store", "journal"
		answer = h.keep(ctx, p, answer, settle)
	}
	isNew := record.Verdict.Outcome == webhook.Accepted || record.Verdict.Outcome == webhook.Duplicate
	accepted, returned = answer.Status/100 == 2 && isNew, true
	return answer
}

// nothingClaimed settles no claim.
func nothingClaimed(context.Context, bool) error { return nil }

// claimFirst claims a delivery at the store that receivers share, and returns a function
// that finishes or releases the claim. The error is a *SeenError for a delivery that is
// not new.
func (h *Handler) claimFirst(ctx context.Context, p *receipt, mark *Mark) (settle func(ctx context.Context, accepted bool) error, err error) {
	p.until = h.config.Now().Add(h.config.Lease) // a slow body takes nothing of it
	if h.recorder != nil {
		return nothingClaimed, h.savePending(ctx, p, mark) // the record that follows settles it
	}
	var claim Claim
	err = h.atStore(ctx, func(ctx context.Context) (err error) {
		claim, err = h.store.Claim(ctx, *mark, p.until.Sub(mark.Time))
		return err
	})
	if err != nil {
		return nil, err
	}
	switch claim.Outcome {
	case webhook.Accepted:
		return func(ctx context.Context, accepted bool) error {
			settle := h.store.Release
			if accepted {
				settle = h.store.Finish
			}
			return h.atStore(ctx, func(ctx context.Context) error { return settle(ctx, claim) })
		}, nil
	case webhook.Pending, webhook.Duplicate, webhook.Conflict, webhook.ReplaySuspect:
		return nil, &SeenError{claim.Outcome, claim.FirstID}
	}
	return nil, fmt.Errorf("the store answered a claim with the outcome %q", claim.Outcome)
}

// atStore calls the store for as long as a lease takes. The sender may go away meanwhile.
func (h *Handler) atStore(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.config.Lease)
	defer cancel()
	return call(ctx)
}

// savePending claims a delivery at a Recorder.
func (h *Handler) savePending(ctx context.Context, p *receipt, mark *Mark) error {
	first, verdict := receipt{record: p.record, once: true, passed: p.passed}, *p.record.Verdict
	verdict.Outcome = webhook.Pending
	first.record.Verdict = &verdict
	if mark != nil {
		held := *mark
		held.Until = p.until
		first.mark = &held
	}
	return h.save(ctx, &first)
}

// keep stores a request before its answer of 2xx is written, and finishes its claim. It
// makes the answer a 503 if either fails.
func (h *Handler) keep(ctx context.Context, p *receipt, answer webhook.Response, settle func(context.Context, bool) error) webhook.Response {
	if h.config.Keep != nil {
		p.record.Response, p.record.Duration = &answer, h.config.Now().Sub(p.began)
		if err := h.save(ctx, p); err != nil {
			p.record.Response = nil
			var seen *SeenError
			if errors.As(err, &seen) && p.once {
				return h.answerSeen(ctx, p, seen, nil)
			}
			return h.failKept(p, err)
		}
		p.kept = true
	}
	if err := settle(ctx, true); err != nil {
		p.record.Response, p.kept = nil, false // what is kept is to say so
		return h.failKept(p, err)
	}
	return answer
}

func (h *Handler) failKept(p *receipt, err error) webhook.Response {
	p.mark, p.once, p.forward = nil, false, false
	return failStore(&p.record, err)
}

// redact returns a record without the values that Unsigned requires, and with the
// credentials masked that the App's answer repeats.
func (h *Handler) redact(record webhook.Record) webhook.Record {
	c := &h.config
	var also []string
	if c.Unsigned != nil {
		also = names(c.Unsigned.Header)
	}
	return c.Unsigned.redact(exchange.MaskEcho(record, c.Verifier.Secrets, also...))
}

func (h *Handler) save(ctx context.Context, p *receipt) error {
	return h.config.Keep(context.WithoutCancel(ctx), Receipt{
		Record: h.redact(p.record), Mark: p.mark, Once: p.once, Forward: p.forward,
		Unverified: !p.passed && p.record.RefusedUnverified(),
	})
}

// refuse records why a request is refused, and answers {"error": text}.
func refuse(record *webhook.Record, status int, reason, text, detail string) webhook.Response {
	v := record.Verdict
	v.Outcome, v.Reason, v.Detail = webhook.Refused, reason, detail
	return errorAnswer(status, text)
}

// refuseError answers an error of ReadBody or Verify.
func refuseError(record *webhook.Record, err error) webhook.Response {
	reason, detail := "config", err.Error()
	var refusal *webhook.Refusal
	if errors.As(err, &refusal) {
		reason, detail = string(refusal.Reason), refusal.Detail
	}
	return refuse(record, webhook.StatusOf(err), reason, webhook.TextOf(err), detail)
}

// failStore answers when a request could not be stored. The sender does not
// learn why.
func failStore(record *webhook.Record, err error) webhook.Response {
	v := record.Verdict
	v.Outcome, v.Reason, v.Detail = webhook.Failed, "journal", err.Error()
	return errorAnswer(http.StatusServiceUnavailable, "The receiver cannot store events now")
}

func warn(record *webhook.Record, text string) {
	record.Verdict.Warnings = append(record.Verdict.Warnings, text)
}
