package deliver

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultTimeout bounds one attempt, from the dial to the last byte of the
// answer that is read: the 30 seconds after which WorkSkedge's page calls a
// delivery failed.
const DefaultTimeout = 30 * time.Second

// Delivery is one event on its way to one URL.
type Delivery struct {
	URL       string
	Method    string         // default: POST
	Event     webhook.Event  // Raw is the body
	Header    webhook.Header // sent with every attempt, before the signature's lines
	Override  webhook.Header // has the last word over every line; an empty value drops the line
	Scheme    webhook.Scheme // default: timestamp.body
	Secret    webhook.Secret // zero: the request goes unsigned
	WebhookID string         // under the scheme's id header, where it has one; "" for none
	NotifyURL string         // what scheme square signs over; default: URL
	Timeout   time.Duration  // default: DefaultTimeout
}

// Inbound returns the header of a request to WorkSkedge's inbound endpoint:
// content type, API key (left out when empty) and source.
func Inbound(apiKey, source string) webhook.Header {
	h := webhook.Header{{Name: "Content-Type", Value: "application/json"}}
	if apiKey != "" {
		h = append(h, webhook.Pair{Name: webhook.HeaderAPIKey, Value: apiKey})
	}
	return append(h, webhook.Pair{Name: webhook.HeaderSource, Value: source})
}

// Sources lists the values of X-Webhook-Source that WorkSkedge documents.
func Sources() []string { return []string{"custom", "square", "quickbooks", "dynamics365"} }

// SchemeForSource names the scheme that a source's requests are verified by.
// No HMAC is documented for dynamics365, so it is signed as custom.
func SchemeForSource(source string) string {
	switch source {
	case "square":
		return webhook.Square
	case "quickbooks":
		return webhook.QuickBooks
	}
	return webhook.TimestampBody
}

// Message returns what the delivery's scheme signs at a time.
func (d Delivery) Message(at time.Time) webhook.Message { return d.message(at) }

func (d *Delivery) message(at time.Time) webhook.Message {
	m := webhook.Message{Body: d.Event.Raw, Timestamp: webhook.Stamp(at), ID: d.WebhookID, URL: d.NotifyURL}
	if m.URL == "" {
		m.URL = d.URL
	}
	return m
}

// Request returns the request of one attempt, signed at the time given.
func (d Delivery) Request(at time.Time) (webhook.Request, error) { return d.request(at) }

func (d *Delivery) request(at time.Time) (webhook.Request, error) {
	if err := CheckURL(d.URL); err != nil {
		return webhook.Request{}, err
	}
	h := d.Header
	if !d.Secret.IsZero() {
		lines, err := d.scheme().Headers(d.message(at), d.Secret)
		if err != nil {
			return webhook.Request{}, fmt.Errorf("signing: %w", err)
		}
		h = append(h[:len(h):len(h)], lines...)
	}
	if !h.Has(webhook.HeaderTimestamp) && h.Has(webhook.HeaderSource) {
		h = h.With(webhook.HeaderTimestamp, webhook.Stamp(at)) // WorkSkedge requires it whatever the scheme
	}
	h, err := override(h, d.Override)
	if err == nil {
		err = checkLines(h)
	}
	return webhook.Request{Method: cmp.Or(d.Method, http.MethodPost), URL: d.URL, Header: h, Body: d.Event.Raw}, err
}

func (d *Delivery) scheme() *webhook.Scheme {
	if d.Scheme.Name == "" {
		s := webhook.DefaultScheme()
		return &s
	}
	return &d.Scheme
}

// checkLines returns a [*webhook.HeaderError] for a line that cannot be sent.
// It names the line and leaves out the value, which may be a credential.
func checkLines(h webhook.Header) error {
	for _, p := range h {
		pair, err := webhook.ParsePair(p.Name + ":" + p.Value)
		var bad *webhook.HeaderError
		switch {
		case errors.As(err, &bad):
			return &webhook.HeaderError{Line: p.Name, Reason: bad.Reason}
		case pair.Name != p.Name:
			return &webhook.HeaderError{Line: p.Name, Reason: "the name holds a colon"}
		}
	}
	return nil
}

// override lets the lines of last replace those of the same name, the first
// time, and join them after that: "-H" given twice sends two lines.
func override(h, last webhook.Header) (webhook.Header, error) {
	seen := map[string]bool{}
	for _, p := range last {
		name := strings.ToLower(p.Name)
		switch {
		case name == "content-length" || name == "transfer-encoding" || name == "connection":
			return nil, &webhook.HeaderError{Line: p.Name, Reason: "it describes how the body travels, and is set by the sender itself"}
		case p.Value == "":
			h = h.Without(p.Name)
		case seen[name]:
			h = append(h[:len(h):len(h)], p)
		default:
			h = h.With(p.Name, p.Value)
		}
		seen[name] = true
	}
	return h, nil
}

// URLError says why a URL cannot be delivered to.
type URLError struct{ URL, Reason string }

func (e *URLError) Error() string {
	return fmt.Sprintf("url %.200q: %s", webhook.RedactURL(e.URL), e.Reason)
}

// CheckURL returns a [*URLError] unless raw is an absolute http or https URL
// without control characters.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	var parse *url.Error
	switch {
	case strings.ContainsAny(raw, "\r\n"):
		return &URLError{raw, "it holds a line break"}
	case errors.As(err, &parse):
		return &URLError{raw, parse.Err.Error()}
	case u.Scheme != "http" && u.Scheme != "https":
		return &URLError{raw, "it must begin with http:// or https://"}
	case u.Hostname() == "":
		return &URLError{raw, "it names no host"}
	}
	return nil
}

// IsLoopback reports whether a URL's host is this machine by name or address.
func IsLoopback(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}
