package webhook

import (
	"fmt"
	"log/slog"

	"github.com/wskdev/wsk/pkg/internal/logvalue"
)

// What may carry a credential masks it in logs: by LogValue for log/slog, and
// by Format for every verb of fmt, which log/slog uses for values inside others.

// LogValue returns the line as text, with a credential masked.
func (p Pair) LogValue() slog.Value { return slog.StringValue(p.Name + ": " + p.masked()) }

// Format writes the line with a credential masked, whatever the verb.
func (p Pair) Format(f fmt.State, _ rune) { logvalue.Format(f, p) }

// LogValue returns the lines with credentials masked.
func (h Header) LogValue() slog.Value { return slog.AnyValue([]Pair(h)) }

// Format writes the lines with credentials masked, whatever the verb.
func (h Header) Format(f fmt.State, _ rune) { logvalue.Format(f, h) }

// LogValue returns the request with credentials masked, and the length of its
// body in place of it.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("method", r.Method), slog.String("url", RedactURL(r.URL)),
		slog.Any("headers", []Pair(r.Header)), slog.Int("body_bytes", len(r.Body)))
}

// Format writes what LogValue returns, whatever the verb.
func (r Request) Format(f fmt.State, _ rune) { logvalue.Format(f, r) }

// LogValue returns the response with credentials masked, and the length of its
// body in place of it.
func (r Response) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("status", r.Status), slog.Any("headers", []Pair(r.Header)), slog.Int("body_bytes", len(r.Body)))
}

// Format writes what LogValue returns, whatever the verb.
func (r Response) Format(f fmt.State, _ rune) { logvalue.Format(f, r) }

// LogValue returns what identifies the record and what became of it, with
// credentials masked: no headers, and the length of the body in place of it.
// Members that do not apply are omitted.
func (r Record) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("id", r.ID), slog.String("direction", string(r.Direction))}
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	text("platform", string(r.Platform))
	text("event", r.Event)
	text("webhook_id", r.WebhookID)
	text("url", RedactURL(r.Request.URL))
	attrs = append(attrs, slog.Int("attempt", r.Attempt), slog.Int("body_bytes", len(r.Request.Body)))
	if r.Verdict != nil {
		text("outcome", string(r.Verdict.Outcome))
		text("reason", r.Verdict.Reason)
	}
	if r.Response != nil {
		attrs = append(attrs, slog.Int("status", r.Response.Status))
	}
	attrs = append(attrs, slog.Duration("duration", r.Duration))
	text("error", RedactURLs(r.Error))
	text("replay_of", r.ReplayOf)
	return slog.GroupValue(attrs...)
}

// Format writes what LogValue returns, whatever the verb.
func (r Record) Format(f fmt.State, _ rune) { logvalue.Format(f, r) }

// LogValue returns the envelope, and the length of the payload in place of it.
// Members that the form does not have are omitted.
func (e Event) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, a := range []slog.Attr{
		slog.String("platform", string(e.Platform)), slog.String("form", string(e.Form)), slog.String("type", e.Type),
		slog.String("id", e.ID), slog.String("timestamp", e.Timestamp), slog.String("source", e.Source), slog.String("company_id", e.CompanyID),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	return slog.GroupValue(append(attrs, slog.Int("bytes", len(e.Raw)))...)
}

// Format writes what LogValue returns, whatever the verb.
func (e Event) Format(f fmt.State, _ rune) { logvalue.Format(f, e) }

// LogValue returns the message with credentials in the URL masked, and the
// length of the body in place of it.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", m.ID), slog.String("timestamp", m.Timestamp), slog.String("url", RedactURL(m.URL)), slog.Int("body_bytes", len(m.Body)))
}

// Format writes what LogValue returns, whatever the verb.
func (m Message) Format(f fmt.State, _ rune) { logvalue.Format(f, m) }

// MarshalJSON encodes what LogValue returns.
func (m Message) MarshalJSON() ([]byte, error) { return logvalue.MarshalJSON(m) }

// LogValue returns the verifier with the number of its secrets in place of them.
func (v Verifier) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("scheme", v.Scheme.Name()), slog.Int("secrets", len(v.Secrets)),
		slog.Duration("tolerance", v.Tolerance), slog.String("url", RedactURL(v.URL)))
}

// Format writes what LogValue returns, whatever the verb.
func (v Verifier) Format(f fmt.State, _ rune) { logvalue.Format(f, v) }

// MarshalJSON encodes what LogValue returns.
func (v Verifier) MarshalJSON() ([]byte, error) { return logvalue.MarshalJSON(v) }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }
