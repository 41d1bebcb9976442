package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Plan says how items become deliveries.
type Plan struct {
	URL       string
	Secret    webhook.Secret   // not needed for a verbatim plan
	Scheme    webhook.Scheme   // default: the record's, else the platform's
	Platform  webhook.Platform // whose header and scheme hold where a record names none; default: the event's
	Verbatim  bool             // send the recorded lines, the signature's included
	FreshIDs  bool             // give records a new webhook id as well
	NewID     func() string    // makes webhook ids; required unless the plan is verbatim
	Override  webhook.Header   // has the last word over every line; an empty value drops the line
	NotifyURL string           // what scheme square signs over; default: URL
	Timeout   time.Duration    // of one attempt; default: [deliver.DefaultTimeout]
}

// Job is an item on its way.
type Job struct {
	Item     Item
	Delivery deliver.Delivery
	stamp    bool // the recorded request had a timestamp that its scheme does not send
}

// ErrPayloadVerbatim says that a payload has no recorded lines to send.
var ErrPayloadVerbatim = errors.New("it is a payload and no record: it has no signature of its own to send verbatim")

// Jobs makes a job of each item. The error names the first that cannot be
// sent; at is a time to try the signature with.
func (p Plan) Jobs(items []Item, at time.Time) ([]Job, error) {
	jobs := make([]Job, 0, len(items))
	for i := range items {
		item := &items[i]
		job, err := p.job(item)
		if err == nil {
			_, err = job.at(at).Request(at)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", item.Name(), err)
		}
		jobs = append(jobs, *job)
	}
	return jobs, nil
}

func (p *Plan) job(item *Item) (*Job, error) {
	if err := item.Check(); err != nil {
		return nil, err
	}
	job := &Job{Item: *item, Delivery: deliver.Delivery{
		URL: p.URL, Event: item.Event, Override: p.Override, NotifyURL: p.NotifyURL, Timeout: p.Timeout,
	}}
	d := &job.Delivery
	if p.Verbatim {
		if item.Record == nil {
			return nil, ErrPayloadVerbatim
		}
		d.WebhookID, d.Header = item.Record.WebhookID, item.lines()
		keepRetry(d)
		return job, nil
	}
	d.Secret, d.Scheme = p.Secret, p.scheme(item)
	if item.Record == nil {
		d.Header = payloadHeader(p.platform(item.Event.Platform), &item.Event)
	} else {
		job.stamp = d.Scheme.TimestampHeader() == "" && item.Record.Request.Header.Has(webhook.HeaderTimestamp)
		d.Header = unsigned(unsigned(item.lines(), &d.Scheme), recorded(item.Record))
		d.WebhookID = item.id(&d.Scheme)
		keepRetry(d)
	}
	if d.Scheme.IDHeader() != "" && (item.Record == nil || p.FreshIDs) {
		d.WebhookID = p.NewID()
	}
	return job, nil
}

// platform is whose rules hold for a platform that an event or record names.
func (p *Plan) platform(named webhook.Platform) webhook.Platform {
	if p.Platform != "" {
		return p.Platform
	}
	return named
}

// scheme settles how an item is signed.
func (p *Plan) scheme(item *Item) webhook.Scheme {
	platform := p.platform(item.Event.Platform)
	if !p.Scheme.IsZero() {
		return p.Scheme.On(platform)
	}
	if item.Record != nil && item.Record.Scheme != "" {
		if s := recorded(item.Record); !s.IsZero() {
			return *s
		}
	}
	return webhook.SchemeFor(platform)
}

// recorded is the scheme that a record names, or the zero Scheme.
func recorded(r *webhook.Record) *webhook.Scheme {
	s, err := webhook.SchemeNamed(r.Scheme)
	if err == nil {
		s = s.On(r.Platform)
	}
	return &s
}

// payloadHeader is the header that goes with a payload of that form.
func payloadHeader(p webhook.Platform, e *webhook.Event) webhook.Header {
	if e.Form == webhook.Inbound {
		return deliver.Inbound("", "custom")
	}
	return deliver.Outbound(p, e.Type)
}

// unsigned leaves out the lines that a scheme signs with.
func unsigned(h webhook.Header, s *webhook.Scheme) webhook.Header {
	for _, name := range []string{webhook.HeaderTimestamp, webhook.HeaderSignature, s.SignatureHeader(), s.TimestampHeader(), s.IDHeader()} {
		if name != "" {
			h = h.Without(name)
		}
	}
	return h
}

// keepRetry sends the number of the retry that was recorded: where the header
// has the line, an attempt would put its own number there.
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

// at is the delivery as it leaves at a time.
func (j *Job) at(now time.Time) *deliver.Delivery {
	d := j.Delivery
	if j.stamp {
		d.Header = d.Header.With(webhook.HeaderTimestamp, webhook.FormatTimestamp(now))
	}
	return &d
}
