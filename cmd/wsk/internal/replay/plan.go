package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Plan describes how items become deliveries.
type Plan struct {
	URL       string
	Secret    webhook.Secret   // not needed for a verbatim plan
	Scheme    webhook.Scheme   // default: the record's, else the platform's
	Platform  webhook.Platform // decides header and scheme where a record names none; default: the event's
	Verbatim  bool             // send the recorded header, with its signature
	FreshIDs  bool             // give records a new webhook id as well
	Refused   bool             // sign also what was refused when it was received, see [Item.Refused]
	NewID     func() string    // returns a new webhook id; required unless the plan is verbatim
	Override  webhook.Header   // replaces lines of the same name; an empty value removes the line
	NotifyURL string           // the URL that scheme square signs over; default: URL
	Timeout   time.Duration    // of one attempt; default: [deliver.DefaultTimeout]
}

// Job is an item and its delivery.
type Job struct {
	Item     Item
	Delivery deliver.Delivery
}

// ErrPayloadVerbatim is the error for a payload in a verbatim plan.
var ErrPayloadVerbatim = errors.New("it is a payload, not a record: it has no recorded signature to send verbatim")

// ErrRefused is the error for a record that was refused when it was received, in a
// plan that signs and is not for those.
var ErrRefused = errors.New("it was refused when it was received")

// Jobs returns a job for each item. The error names the first item that cannot
// be sent; at is the time to try its signature with.
func (p Plan) Jobs(items []Item, at time.Time) ([]Job, error) {
	jobs := make([]Job, 0, len(items))
	for _, item := range items {
		job, err := p.job(item)
		if err == nil {
			_, err = job.Delivery.Request(at)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", item.Name(), err)
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

func (p Plan) job(item Item) (Job, error) {
	if err := item.Check(); err != nil {
		return Job{}, err
	}
	if why := item.Refused(); why != "" && !p.Verbatim && !p.Refused {
		return Job{}, fmt.Errorf("%w: %s", ErrRefused, why)
	}
	d := deliver.Delivery{
		URL: p.URL, Event: item.Event, Override: p.Override, NotifyURL: p.NotifyURL, Timeout: p.Timeout,
	}
	switch {
	case p.Verbatim && item.Record == nil:
		return Job{}, ErrPayloadVerbatim
	case p.Verbatim:
		d.WebhookID, d.Header, d.Unsigned = item.Record.WebhookID, deliverable(item.Record.Request.Header), true
		keepRetry(&d)
	case item.Record == nil:
		d.Secret, d.Scheme = p.Secret, p.scheme(item)
		d.Header = payloadHeader(p.platform(item), item.Event)
		if d.Scheme.IDHeader() != "" {
			d.WebhookID = p.NewID()
		}
	default:
		d.Secret, d.Scheme = p.Secret, p.scheme(item)
		d.Header = stripSignature(deliverable(item.Record.Request.Header), d.Scheme, recordedScheme(item.Record))
		d.WebhookID = recordedID(item.Record, d.Scheme)
		if d.Scheme.IDHeader() != "" && p.FreshIDs {
			d.WebhookID = p.NewID()
		}
		keepRetry(&d)
	}
	return Job{Item: item, Delivery: d}, nil
}

// platform is the platform whose rules hold for an item.
func (p Plan) platform(item Item) webhook.Platform {
	if p.Platform != "" {
		return p.Platform
	}
	return item.Event.Platform
}

// scheme is how an item is signed.
func (p Plan) scheme(item Item) webhook.Scheme {
	platform := p.platform(item)
	if !p.Scheme.IsZero() {
		return p.Scheme.On(platform)
	}
	if item.Record != nil {
		if s := recordedScheme(item.Record); !s.IsZero() {
			return s
		}
	}
	return webhook.SchemeFor(platform)
}

// recordedScheme is the scheme that a record names, or the zero Scheme.
func recordedScheme(r *webhook.Record) webhook.Scheme {
	s, err := webhook.SchemeNamed(r.Scheme)
	if err != nil {
		return webhook.Scheme{}
	}
	return s.On(r.Platform)
}

// recordedID is the webhook id of a record.
func recordedID(r *webhook.Record, s webhook.Scheme) string {
	if r.WebhookID != "" || s.IDHeader() == "" {
		return r.WebhookID
	}
	return r.Request.Header.Get(s.IDHeader())
}

// payloadHeader is the header that goes with a payload.
func payloadHeader(p webhook.Platform, e webhook.Event) webhook.Header {
	if e.Form == webhook.Inbound {
		return deliver.Inbound("", "custom")
	}
	return deliver.Outbound(p, e.Type)
}

// deliverable returns the lines of a recorded header that can be sent again.
func deliverable(recorded webhook.Header) webhook.Header {
	var kept webhook.Header
	for _, p := range deliver.EndToEnd(recorded).Without("Expect") { // Expect asked for an interim response
		if p.Value != webhook.Redacted {
			kept = append(kept, p)
		}
	}
	return kept
}

// stripSignature returns a recorded header without the lines that its own scheme and
// the new one sign with. X-Webhook-Timestamp stays where the new scheme does
// not send it: each attempt renews it.
func stripSignature(h webhook.Header, scheme, recorded webhook.Scheme) webhook.Header {
	names := []string{webhook.HeaderSignature}
	if scheme.TimestampHeader() != "" {
		names = append(names, webhook.HeaderTimestamp)
	}
	for _, s := range []webhook.Scheme{scheme, recorded} {
		if s.IsZero() { // the record names no scheme
			continue
		}
		names = append(names, s.SignatureHeader(), s.IDHeader())
		if s.TimestampHeader() != webhook.HeaderTimestamp {
			names = append(names, s.TimestampHeader())
		}
	}
	for _, name := range names {
		if name != "" {
			h = h.Without(name)
		}
	}
	return h
}

// keepRetry sends the number of the retry that was recorded: an attempt would
// replace it in the header with its own number.
func keepRetry(d *deliver.Delivery) {
	number := d.Header.Get(webhook.HeaderRetry)
	if number == "" {
		return
	}
	d.Header = d.Header.Without(webhook.HeaderRetry)
	if !d.Override.Has(webhook.HeaderRetry) {
		d.Override = append(webhook.Header{{Name: webhook.HeaderRetry, Value: number}}, d.Override...)
	}
}
