package receive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/internal/notify"
	"github.com/wskdev/wsk/pkg/observe"
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
// response, or a target that is not a URL, a 502. A nil transport is one for
// webhooks: it has time limits, takes proxies from the environment, and does not
// ask for compression.
func Forward(transport http.RoundTripper, target string) App {
	if transport == nil {
		transport = exchange.DefaultTransport()
	}
	return func(ctx context.Context, _ *webhook.Event, r *webhook.Record) webhook.Response {
		ctx, cancel := context.WithTimeout(ctx, ForwardTimeout)
		defer cancel()
		answer, err := forwardRequest(ctx, transport, target, r.Request)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			r.Error = fmt.Sprintf("forwarding: the app gave no answer within %s", ForwardTimeout)
			return Status(http.StatusGatewayTimeout)
		case err != nil:
			r.Error = "forwarding: " + webhook.RedactURLs(err.Error())
			return Status(http.StatusBadGateway)
		}
		r.Forward = &answer
		if answer.Status/100 == 3 {
			r.Verdict.Detail = "the app answered with a redirect, which is not followed"
		}
		return answer
	}
}

func forwardRequest(ctx context.Context, transport http.RoundTripper, target string, r webhook.Request) (webhook.Response, error) {
	r.URL, r.Header = target, exchange.EndToEnd(r.Header)
	result, err := exchange.Do(ctx, transport, r)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(result.BodyErr, context.DeadlineExceeded):
		return webhook.Response{}, context.DeadlineExceeded
	case err != nil:
		return webhook.Response{}, errors.New(exchange.Explain(err))
	case !isFinal(result.Response.Status):
		return webhook.Response{}, fmt.Errorf("the app answered with status %d, which is not a final status", result.Response.Status)
	case result.BodyErr != nil:
		return webhook.Response{}, errors.New("the app's answer broke off")
	}
	answer := webhook.Response{Status: result.Response.Status, Body: result.Response.Body, Truncated: result.Response.Truncated}
	for _, p := range exchange.EndToEnd(result.Response.Header) {
		if !strings.EqualFold(p.Name, "Date") { // net/http sets its own
			answer.Header = append(answer.Header, p)
		}
	}
	return answer, nil
}

// Queue is a [Recorder] that keeps requests until they are forwarded: one whose Forward
// is set is due at once. A *journal.Queue of package journal is one.
type Queue interface {
	Recorder

	// Due returns the records that are due at now, at most limit of them: first
	// the one that has been due for the longest, and those that are due equally
	// long in the order of their receipt. It leaves out a record while an
	// earlier one with the same Receipt.Order waits, unless that is "". next is
	// when another becomes due; the zero time if none does.
	Due(ctx context.Context, now time.Time, limit int) (due []DueRecord, next time.Time, err error)

	// SaveResult stores the result of an attempt. The record is due again at
	// r.Next, or never if that is the zero time. It is called concurrently.
	SaveResult(ctx context.Context, r ForwardResult) error
}

// DueRecord is a record that is due to be forwarded.
type DueRecord struct {
	Record   webhook.Record
	Attempts int // the attempts so far
}

// ForwardResult is the result of an attempt of a [Forwarder].
type ForwardResult struct {
	// Record has the app's response in Forward, or the reason why there is none in
	// Error. Its outcome is accepted if the app accepted the event, pending if
	// there is another attempt, and otherwise forward_failed.
	Record  webhook.Record
	Attempt int           // 1 for the first
	OK      bool          // the app answered with 2xx
	Problem string        // why not, for people: "the app answered 503 Service Unavailable"
	Pause   time.Duration // from this attempt to the next; 0 if there is none
	Next    time.Time     // when the next attempt is due; the zero time if there is none
}

// DefaultConcurrency is the default of [ForwarderConfig.Concurrency].
const DefaultConcurrency = 16

// ForwarderConfig configures a [Forwarder]. Queue is required, and either URL or App.
type ForwarderConfig struct {
	Queue       Queue
	URL         string            // of the app
	App         App               // the app, in this process, in place of one at URL; a panic is an attempt that failed
	Retries     int               // attempts after the first, for 429 and 5xx; default: none
	Concurrency int               // the largest number of attempts at a time; default: DefaultConcurrency
	Timeout     time.Duration     // of an attempt: the context of the App ends then; default: ForwardTimeout
	Transport   http.RoundTripper // default: one for webhooks
	Secrets     []webhook.Secret  // masked in what the app answers, which is stored
	Now         func() time.Time  // default: time.Now

	// OrderBy returns what a record is about, such as the id of a work order.
	// Records about the same are forwarded one after another, in the order of
	// their receipt: while one waits for its next attempt, so do those after it.
	// Records for which it returns "" wait for no other. Default: none waits.
	OrderBy func(webhook.Record) string

	OnResult func(ForwardResult) // is called after each attempt, from one goroutine; default: nothing
	OnError  func(error)         // is called when the queue fails, from the same goroutine; default: nothing
	Observer observe.Observer    // its Handled is called after each attempt; default: none
}

// Forwarder forwards stored events to an app in the background, so that the
// sender does not wait for the app: another server, or an [App] such as a [Router] in
// this process. An event is stored before the sender gets its 200. Several events are on their way at a time, so that an app that hangs on
// one of them does not hold back the others. An event is attempted again after
// 429, 5xx and a missing response, with a pause that doubles from one second to
// one minute; every other status is final. What is not done when the process
// ends, even by a kill, is done by the next Forwarder on the queue. An event may
// reach the app twice if the process ends during an attempt.
//
// A Forwarder is a [Recorder]: it is the Store of the receiver whose events it forwards.
type Forwarder struct {
	recorder // the queue
	config   ForwarderConfig

	wake     chan struct{} // holds one when a record may be due
	ended    chan attempt  // the attempts that have ended
	stop     sync.Once
	stopping chan struct{} // closed by Shutdown
	cancel   context.CancelFunc
	stopped  chan struct{} // closed when run has returned

	// Of run alone:
	running map[string]bool // the attempts in progress: by record id, whether it is a retry
	retries int             // how many of them are retries
}

// recorder keeps the field of a Forwarder unexported.
type recorder = Recorder

// attempt is an attempt that has ended.
type attempt struct {
	result ForwardResult
	err    error // of the queue, or that the attempt was interrupted
}

const (
	// queueRetry is the pause after the queue failed.
	queueRetry = time.Second
	// The pause between two attempts doubles from the first to the second.
	firstForwardPause = time.Second
	maxForwardPause   = time.Minute
)

// NewForwarder returns a forwarder that runs until Shutdown. It begins with what
// the queue contains. Set it as [Config.Store].
func NewForwarder(c ForwarderConfig) (*Forwarder, error) {
	switch {
	case c.Queue == nil:
		return nil, errors.New("a forwarder needs a queue")
	case c.App != nil && c.URL != "":
		return nil, errors.New("a forwarder forwards to a URL or to an App, not to both")
	case c.App == nil && !isHTTP(c.URL):
		return nil, fmt.Errorf("forwarding to %q: write an http or https URL with a host", webhook.RedactURL(c.URL))
	}
	if c.App == nil {
		c.App = Forward(c.Transport, c.URL)
	}
	if c.Concurrency <= 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.Timeout <= 0 {
		c.Timeout = ForwardTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OnResult == nil {
		c.OnResult = func(ForwardResult) {}
	}
	if c.OnError == nil {
		c.OnError = func(error) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &Forwarder{
		recorder: c.Queue, config: c, running: map[string]bool{},
		wake: make(chan struct{}, 1), ended: make(chan attempt),
		stopping: make(chan struct{}), cancel: cancel, stopped: make(chan struct{}),
	}
	go f.run(ctx)
	return f, nil
}

func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// Keep stores a receipt in the queue and, if it is to be forwarded, starts that.
func (f *Forwarder) Keep(ctx context.Context, r Receipt) error {
	if r.Forward && f.config.OrderBy != nil {
		r.Order = f.config.OrderBy(r.Record)
	}
	err := f.config.Queue.Keep(ctx, r)
	if err == nil && r.Forward {
		select {
		case f.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
	return err
}

// Shutdown stops the forwarder after it has forwarded what is due now. If ctx
// ends first, it interrupts the attempts, which stay due. Call it after the
// server has stopped; what is stored later waits for the next forwarder.
func (f *Forwarder) Shutdown(ctx context.Context) {
	f.stop.Do(func() { close(f.stopping) })
	select {
	case <-ctx.Done():
	case <-f.stopped:
	}
	f.cancel()
	<-f.stopped
}

// run starts attempts and reports how they ended, until it is stopped.
func (f *Forwarder) run(ctx context.Context) {
	defer close(f.stopped)
	timer := time.NewTimer(0) // for what the queue contains
	defer timer.Stop()
	stopping := f.stopping
	var last time.Time // while stopping: what becomes due after it stays
	faulty := false    // the queue failed: it is read again when the timer ends
	for {
		select {
		case <-ctx.Done():
			for len(f.running) > 0 {
				f.end(ctx, <-f.ended)
			}
			return
		case <-stopping:
			stopping, last = nil, f.config.Now()
		case a := <-f.ended:
			if !f.end(ctx, a) {
				faulty = true
				timer.Reset(queueRetry)
			}
		case <-f.wake:
		case <-timer.C:
			faulty = false
		}
		if !faulty && ctx.Err() == nil {
			now := f.config.Now()
			if !last.IsZero() {
				now = last
			}
			next, err := f.start(ctx, now)
			switch {
			case err != nil && ctx.Err() != nil: // the loop ends
			case err != nil:
				f.config.OnError(err)
				faulty = true
				timer.Reset(queueRetry)
			case !next.IsZero():
				timer.Reset(max(next.Sub(f.config.Now()), 0))
			}
		}
		if !last.IsZero() && len(f.running) == 0 {
			return
		}
	}
}

// start begins attempts with the records that are due, as far as the limit
// allows, and returns when another becomes due. Retries take at most half of
// the attempts, so that an app that fails on some events still receives the
// others.
func (f *Forwarder) start(ctx context.Context, now time.Time) (next time.Time, err error) {
	if len(f.running) >= f.config.Concurrency {
		return next, nil // the end of an attempt starts the next
	}
	due, next, err := f.config.Queue.Due(ctx, now, f.config.Concurrency+len(f.running)) // those in progress are due still
	if err != nil {
		return next, err
	}
	for _, d := range due {
		_, running := f.running[d.Record.ID]
		isRetry := d.Attempts > 0
		if running || len(f.running) >= f.config.Concurrency || isRetry && f.retries >= max(f.config.Concurrency/2, 1) {
			continue
		}
		f.running[d.Record.ID] = isRetry
		if isRetry {
			f.retries++
		}
		go func() { f.ended <- f.attempt(ctx, d) }()
	}
	return next, nil
}

// end reports an attempt that has ended. It returns false if the queue failed.
func (f *Forwarder) end(ctx context.Context, a attempt) bool {
	id := a.result.Record.ID
	if f.running[id] {
		f.retries--
	}
	delete(f.running, id)
	if a.err != nil && ctx.Err() != nil {
		return true // interrupted
	}
	f.config.OnResult(a.result)
	if a.err != nil {
		f.config.OnError(a.err)
	}
	return a.err == nil
}

// attempt forwards a record and stores the result.
func (f *Forwarder) attempt(ctx context.Context, d DueRecord) attempt {
	r := d.Record
	r.Error = ""
	if r.Verdict == nil {
		r.Verdict = &webhook.Verdict{} // an App may set its details
	}
	r.Verdict.Outcome = webhook.Accepted
	event, _ := webhook.ParseEvent(r.Request.Body) // what is not an event has no type
	began := f.config.Now()
	answer := f.call(ctx, &event, &r)
	ended := f.config.Now()
	r = exchange.MaskEcho(r, f.config.Secrets)
	result := ForwardResult{Record: r, Attempt: d.Attempts + 1, OK: answer.Status/100 == 2}
	if ctx.Err() != nil { // interrupted: the record stays due
		return attempt{result, ctx.Err()}
	}
	if !result.OK {
		result.Problem = r.Error
		if result.Problem == "" {
			result.Problem = fmt.Sprintf("the app answered %d %s", answer.Status, http.StatusText(answer.Status))
		}
		if exchange.Temporary(answer.Status) && d.Attempts < f.config.Retries {
			r.Verdict.Outcome = webhook.Pending
			result.Pause = exchange.Backoff(firstForwardPause, maxForwardPause, d.Attempts)
			result.Next = f.config.Now().Add(result.Pause)
		} else {
			r.Verdict.Outcome, r.Verdict.Reason = webhook.ForwardFailed, "app"
		}
	}
	err := f.config.Queue.SaveResult(context.WithoutCancel(ctx), result)
	notify.Handled(ctx, f.config.Observer, &result.Record, observe.Call{
		Outcome: r.Verdict.Outcome, Status: answer.Status, Attempt: d.Attempts, Duration: ended.Sub(began), Age: max(ended.Sub(r.Time), 0),
	})
	return attempt{result, err}
}

// call calls the app, for as long as an attempt may take. A panic, which would end the
// process, is an attempt that failed.
func (f *Forwarder) call(ctx context.Context, e *webhook.Event, r *webhook.Record) (answer webhook.Response) {
	defer func() {
		if value := recover(); value != nil {
			r.Error = fmt.Sprintf("the app panicked: %v", value)
			answer = Status(http.StatusInternalServerError)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, eventKey{}, e), f.config.Timeout)
	defer cancel()
	return f.config.App(ctx, e, r)
}
