package deliver

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Delivery is one event on its way to one URL.
//
// Two lines of Header change with each attempt: X-Webhook-Retry, if it is
// there, receives the number of the attempt, and X-Webhook-Timestamp the time
// of the attempt, unless the scheme sends that header itself or the delivery is
// not signed.
type Delivery struct {
	URL       string         // http or https
	Method    string         // default: POST
	Event     webhook.Event  // Raw is the body, which is sent byte for byte
	Header    webhook.Header // sent with every attempt, in front of the signature
	Override  webhook.Header // replaces lines of the same name, the signature's included; an empty value removes the line
	Scheme    webhook.Scheme // how to sign; default: timestamp.body
	Secret    webhook.Secret // the key to sign with; the zero Secret is an error unless Unsigned is set
	Unsigned  bool           // sends the request without a signature
	WebhookID string         // sent in the scheme's id header, if it has one; "" sends no id
	NotifyURL string         // the URL that scheme square signs over; default: URL
	Timeout   time.Duration  // bounds one attempt; default: [DefaultTimeout]
}

// ErrUnsigned is the error for a [Delivery] without a secret that does not ask to be
// sent unsigned.
var ErrUnsigned = errors.New("no secret to sign with")

// Inbound returns the header of a request to WorkSkedge's inbound endpoint:
// content type, API key and source. Without an API key its line is left out.
func Inbound(apiKey, source string) webhook.Header {
	h := webhook.Header{{Name: "Content-Type", Value: "application/json"}}
	if apiKey != "" {
		h = append(h, webhook.Pair{Name: webhook.HeaderAPIKey, Value: apiKey})
	}
	return append(h, webhook.Pair{Name: webhook.HeaderSource, Value: source})
}

// Outbound returns the header of a request that a platform sends: the content
// type, and for WorkSkedge the event and the number of the retry, which each
// attempt sets.
func Outbound(p webhook.Platform, event string) webhook.Header {
	h := webhook.Header{{Name: "Content-Type", Value: "application/json"}}
	if p != webhook.WorkSkedge {
		return h
	}
	return append(h, webhook.Pair{Name: webhook.HeaderEvent, Value: event}, webhook.Pair{Name: webhook.HeaderRetry, Value: "0"})
}

// EndToEnd returns the lines of a recorded header that can be sent again: all
// but those that belong to one connection (RFC 9110, section 7.6.1), Host and
// Content-Length.
func EndToEnd(h webhook.Header) webhook.Header { return exchange.EndToEnd(h) }

// SourceZapier is a value of X-Webhook-Source that WorkSkedge shows in its sample
// of test.connection and does not list.
const SourceZapier = "zapier"

// Sources returns the values of X-Webhook-Source that WorkSkedge lists.
func Sources() []string { return []string{"custom", "square", "quickbooks", "dynamics365"} }

// CheckSource accepts the values that WorkSkedge lists and [SourceZapier]. The
// error for another one is a [*webhook.UnknownError].
func CheckSource(source string) error {
	if source == SourceZapier || slices.Contains(Sources(), source) {
		return nil
	}
	return webhook.Unknown("source", source, Sources())
}

// SchemeForSource returns the name of the scheme that WorkSkedge verifies the
// requests of a source by. It documents no signature for dynamics365, so that
// source is signed like custom.
func SchemeForSource(source string) string {
	switch source {
	case "square":
		return webhook.Square
	case "quickbooks":
		return webhook.QuickBooks
	}
	return webhook.TimestampBody
}

// Message returns what the scheme signs in an attempt at a time.
func (d Delivery) Message(at time.Time) webhook.Message {
	return webhook.Message{Body: d.Event.Raw, Timestamp: webhook.FormatTimestamp(at), ID: d.WebhookID, URL: cmp.Or(d.NotifyURL, d.URL)}
}

// Request returns the request of an attempt, signed at the time given. The
// error is a [*URLError], a [*webhook.HeaderError], [ErrUnsigned], or says why the
// secret cannot sign.
func (d Delivery) Request(at time.Time) (webhook.Request, error) {
	if err := CheckURL(d.URL); err != nil {
		return webhook.Request{}, err
	}
	h := d.Header
	switch {
	case d.Unsigned && !d.Secret.IsZero():
		return webhook.Request{}, errors.New("a delivery that is unsigned must not have a secret")
	case !d.Unsigned && d.Secret.IsZero():
		return webhook.Request{}, ErrUnsigned
	case !d.Unsigned:
		if d.Scheme.TimestampHeader() == "" && h.Has(webhook.HeaderTimestamp) {
			h = h.With(webhook.HeaderTimestamp, webhook.FormatTimestamp(at))
		}
		signature, err := d.Scheme.Headers(d.Message(at), d.Secret)
		if err != nil {
			return webhook.Request{}, fmt.Errorf("signing: %w", err)
		}
		h = append(h[:len(h):len(h)], signature...)
	}
	if !h.Has(webhook.HeaderTimestamp) && h.Has(webhook.HeaderSource) {
		h = h.With(webhook.HeaderTimestamp, webhook.FormatTimestamp(at)) // WorkSkedge requires it with every scheme
	}
	h, err := override(h, d.Override)
	if err == nil {
		err = checkLines(h)
	}
	return webhook.Request{Method: cmp.Or(d.Method, http.MethodPost), URL: d.URL, Header: h, Body: d.Event.Raw}, err
}

func (d Delivery) timeout() time.Duration {
	if d.Timeout <= 0 {
		return DefaultTimeout
	}
	return d.Timeout
}

// checkLines returns a [*webhook.HeaderError] for a line that cannot be sent.
// The error leaves out the value, which may be a credential.
func checkLines(h webhook.Header) error {
	for _, p := range h {
		pair, err := webhook.ParsePair(p.Name + ":" + p.Value)
		var bad *webhook.HeaderError
		switch {
		case errors.As(err, &bad):
			return &webhook.HeaderError{Line: p.Name, Reason: bad.Reason}
		case pair.Name != p.Name:
			return &webhook.HeaderError{Line: p.Name, Reason: "the name contains a colon"}
		}
	}
	return nil
}

// override returns h with the lines of last. The first line of a name replaces
// those of h, further ones are added: "-H" given twice sends two lines.
func override(h, last webhook.Header) (webhook.Header, error) {
	seen := map[string]bool{}
	for _, p := range last {
		name := strings.ToLower(p.Name)
		switch {
		case name == "content-length" || name == "transfer-encoding" || name == "connection":
			return nil, &webhook.HeaderError{Line: p.Name, Reason: "it describes how the body is transmitted, and is set automatically"}
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

// URLError describes why nothing can be delivered to a URL. In the errors of this
// package the URL has its credentials masked.
type URLError struct{ URL, Reason string }

func (e *URLError) Error() string {
	return fmt.Sprintf("url %.200q: %s", webhook.RedactURL(e.URL), e.Reason)
}

// CheckURL returns a [*URLError] unless raw is an absolute http or https URL
// without control characters.
func CheckURL(raw string) error {
	scheme, _, found := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	u, err := url.Parse(raw)
	shown := webhook.RedactURL(raw)
	fault := func(reason string) error { return &URLError{shown, reason} }
	switch {
	case strings.ContainsAny(raw, "\r\n"):
		return fault("it contains a line break")
	case !found || scheme != "http" && scheme != "https":
		return fault("it must begin with http:// or https://")
	case err != nil && shown != raw: // the error may quote a part of what is masked
		return fault("it cannot be parsed; write special characters in a user name, password or query as %2F and the like")
	case err != nil:
		return fault(exchange.ExplainURL(err))
	case strings.Trim(u.Hostname(), ".-") == "":
		return fault("it names no host")
	case !isPort(u.Port()):
		return fault("its port is not a number from 1 to 65535")
	}
	return nil
}

// isPort reports whether a connection can be made to a port; "" is the scheme's.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

// CompleteURL returns the URL that a person means who types an address: raw
// itself if it has a scheme, else http://raw if the host is this machine, and
// https://raw for any other. The error is a [*URLError].
func CompleteURL(raw string) (string, error) {
	if hasScheme(raw) {
		return raw, CheckURL(raw)
	}
	scheme := "http://"
	if !IsLoopback(scheme + raw) {
		scheme = "https://"
	}
	var fault *URLError
	if errors.As(CheckURL(scheme+raw), &fault) {
		return raw, &URLError{strings.TrimPrefix(fault.URL, scheme), fault.Reason}
	}
	return scheme + raw, nil
}

// hasScheme reports whether raw begins as a URL does. A host and its port, as in
// localhost:3000, are no scheme.
func hasScheme(raw string) bool {
	scheme, rest, found := strings.Cut(raw, ":")
	return found && (strings.HasPrefix(rest, "//") || strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// IsLoopback reports whether a URL's host is this machine, by the name
// localhost or by a loopback address. No name is resolved.
func IsLoopback(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && exchange.IsLoopback(u.Hostname())
}
