package receivetest

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Sender sends signed events to the handler under test. Its methods that send may be
// called from several goroutines.
type Sender struct {
	URL    string         // of the handler
	Secret webhook.Secret // signs what is sent
	Client deliver.Client // sends as Send does

	t       testing.TB
	options options

	deliveries, events, records atomic.Int64 // how many have ids
}

// New serves a handler until the test ends, and returns a Sender to it.
func New(t testing.TB, h http.Handler, given ...Option) *Sender {
	t.Helper()
	o := defaults()
	for _, option := range given {
		option(&o)
	}
	to := serve(t, h, &o)
	s := &Sender{URL: to.url, Secret: to.secret, t: t, options: o}
	newID := func() string { return s.id("rec_", &s.records) }
	s.Client = deliver.Client{Transport: to.transport, Now: o.now, NewID: newID, UserAgent: userAgent}
	return s
}

// id returns the next id of a kind.
func (s *Sender) id(prefix string, count *atomic.Int64) string {
	if s.options.newID != nil {
		return prefix + s.options.newID()
	}
	return prefix + strconv.FormatInt(count.Add(1), 10)
}

// Event returns a new event with the time now. data is marshaled to JSON. The catalog
// need not know the event: a receiver takes those that it does not know.
func (s *Sender) Event(form webhook.Form, eventType string, data any) webhook.Event {
	s.t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		s.t.Fatalf("the data of %s: %v", eventType, err)
	}
	d, err := payload.Find(webhook.DefaultCatalog(), eventType, nil, form)
	if err != nil {
		d = webhook.Definition{Form: form, Type: eventType}
	}
	raw, err = payload.New(d, raw, s.head())
	return s.parse(eventType, raw, err)
}

// Sample returns the catalog's sample of an event, with an id of its own and the time
// now where the form has them.
func (s *Sender) Sample(form webhook.Form, eventType string) webhook.Event {
	s.t.Helper()
	d, err := payload.Find(webhook.DefaultCatalog(), eventType, nil, form)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := payload.Sample(d, s.head())
	return s.parse(eventType, raw, err)
}

func (s *Sender) head() payload.Head {
	return payload.Head{ID: s.id("evt_", &s.events), Time: s.options.now(), Source: "receivetest"}
}

func (s *Sender) parse(eventType string, raw []byte, err error) webhook.Event {
	s.t.Helper()
	var event webhook.Event
	if err == nil {
		event, err = webhook.ParseEvent(raw)
	}
	if err != nil {
		s.t.Fatalf("the event %s: %v", eventType, err)
	}
	return event
}

// Delivery returns a new delivery of an event, for [Sender.Client]: for retries by a
// schedule, and for what Send has no option for.
func (s *Sender) Delivery(event webhook.Event) deliver.Delivery {
	return s.delivery(event, webhook.SchemeFor(event.Platform), "")
}

// delivery returns a delivery under an id, or under a new one. Not all schemes send ids.
func (s *Sender) delivery(event webhook.Event, scheme webhook.Scheme, id string) deliver.Delivery {
	d := deliver.Delivery{
		URL: s.URL, Event: event, Header: deliver.Outbound(event.Platform, event.Type),
		Scheme: scheme, Secret: s.Secret, Timeout: s.options.timeout,
	}
	switch {
	case scheme.IDHeader() == "":
	case id == "":
		d.WebhookID = s.id("whk_", &s.deliveries)
	default:
		d.WebhookID = id
	}
	return d
}

// SendOption is an option of [Sender.Send] and [Sender.Resend].
type SendOption func(*sending)

// sending is how one request differs from a new delivery that is signed now.
type sending struct {
	ctx      context.Context
	id       string
	attempt  int
	at       time.Time
	scheme   string
	secret   *string // nil: that of the Sender
	body     *[]byte // nil: the event
	unsigned bool
	override webhook.Header
}

// ID delivers the event under an id, such as that of another [Result]: with another
// event, the receiver has two bodies under one id.
func ID(id string) SendOption { return func(o *sending) { o.id = id } }

// Attempt is the number of the attempt, which counts from 0 and is sent as
// X-Webhook-Retry.
func Attempt(n int) SendOption { return func(o *sending) { o.attempt = n } }

// At signs at another time than now: a receiver refuses what is older or newer than its
// tolerance.
func At(at time.Time) SendOption { return func(o *sending) { o.at = at } }

// SignedWith signs with another secret, which the receiver accepts during a rotation,
// and otherwise refuses.
func SignedWith(secret string) SendOption { return func(o *sending) { o.secret = &secret } }

// Scheme signs by another scheme than the platform's, of those that
// [webhook.SchemeNamed] knows.
func Scheme(name string) SendOption { return func(o *sending) { o.scheme = name } }

// Tampered sends another body under the signature of the event.
func Tampered(body []byte) SendOption { return func(o *sending) { o.body = &body } }

// Unsigned sends no signature, and no timestamp and id either.
func Unsigned() SendOption { return func(o *sending) { o.unsigned = true } }

// Header replaces a line of the header, the signature's included. An empty value removes
// the line.
func Header(name, value string) SendOption {
	return func(o *sending) { o.override = append(o.override, webhook.Pair{Name: name, Value: value}) }
}

// Context ends the request when ctx ends, as a sender does that gives up.
func Context(ctx context.Context) SendOption { return func(o *sending) { o.ctx = ctx } }

// Result is what came back for one request.
type Result struct {
	Status int         // 0: there was no response, and Record.Error says why
	Header http.Header // of the response
	Body   []byte      // of the response
	Record webhook.Record

	Event webhook.Event // as it was given to Send
	ID    string        // of the delivery; "" if it was sent without one

	t  testing.TB
	at time.Time // that it was signed at
}

// Send sends a new delivery of an event, and returns what came back, whatever that is:
// see [Result.Want]. It fails the test if no request can be made.
func (s *Sender) Send(event webhook.Event, given ...SendOption) Result {
	s.t.Helper()
	return s.send(event, sending{ctx: s.t.Context(), at: s.options.now()}, given)
}

// Resend sends the delivery of an earlier result again as platforms do: the same id, the
// next attempt, and a fresh signature, which is of a second later at least.
func (s *Sender) Resend(r Result, given ...SendOption) Result {
	s.t.Helper()
	o := sending{ctx: s.t.Context(), at: s.options.now(), id: r.ID, attempt: r.Record.Attempt + 1}
	if next := r.at.Add(time.Second); o.at.Before(next) {
		o.at = next
	}
	return s.send(r.Event, o, given)
}

func (s *Sender) send(event webhook.Event, o sending, given []SendOption) Result {
	s.t.Helper()
	for _, option := range given {
		option(&o)
	}
	result := Result{Event: event, t: s.t, at: o.at}
	d, scheme, err := s.signed(event, &o)
	if err == nil {
		result.ID = d.WebhookID
		result.Record, err = s.Client.Attempt(o.ctx, d, o.attempt)
		result.Record.Scheme = scheme
	}
	if err != nil && o.ctx.Err() == nil {
		s.t.Errorf("sending %s: %v", event.Type, err)
	}
	if response := result.Record.Response; response != nil {
		result.Status, result.Header, result.Body = response.Status, response.Header.HTTP(), response.Body
	}
	return result
}

// signed returns a delivery whose header has the signature already, so that its body may
// be another one, and the name of the scheme.
func (s *Sender) signed(event webhook.Event, o *sending) (d deliver.Delivery, scheme string, err error) {
	by := webhook.SchemeFor(event.Platform)
	if o.scheme != "" {
		if by, err = webhook.SchemeNamed(o.scheme); err != nil {
			return d, "", err
		}
		by = by.On(event.Platform)
	}
	d = s.delivery(event, by, o.id)
	if o.secret != nil {
		if d.Secret, err = webhook.NewSecret(*o.secret); err != nil {
			return d, "", err
		}
	}
	if o.unsigned {
		d.WebhookID = ""
	} else {
		request, err := d.Request(o.at)
		if err != nil {
			return d, "", err
		}
		d.Header, scheme = request.Header, by.Name()
	}
	d.Secret, d.Unsigned, d.Override = webhook.Secret{}, true, o.override
	if o.body != nil {
		d.Event.Raw = *o.body
	}
	return d, scheme, nil
}

// Want fails the test if the status is another one, and says what was sent and what came
// back. It returns r. Status 0 is no response.
func (r Result) Want(status int) Result {
	r.t.Helper()
	wasSent := r.Record.Request.Method != "" // or the test has failed already
	if r.Status != status && wasSent {
		got := statusText(r.Status)
		if r.Record.Error != "" {
			got += " (" + r.Record.Error + ")"
		}
		r.t.Errorf("%s: %s, want %d\n%s", r.Event.Type, got, status, exchangeText(&r.Record.Request, r.Record.Response))
	}
	return r
}
