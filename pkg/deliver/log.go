package deliver

import (
	"fmt"
	"log/slog"

	"github.com/wskdev/wsk/pkg/internal/logvalue"
	"github.com/wskdev/wsk/pkg/webhook"
)

// LogValue returns what is delivered to where, with credentials masked, and
// without the payload.
func (d Delivery) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("url", webhook.RedactURL(d.URL)), slog.String("webhook_id", d.WebhookID), slog.Any("event", d.Event.LogValue()),
		slog.String("scheme", d.Scheme.Name()), slog.Bool("unsigned", d.Unsigned),
		slog.Any("headers", d.Header.LogValue()), slog.Any("override", d.Override.LogValue()),
	}
	if d.NotifyURL != "" {
		attrs = append(attrs, slog.String("notify_url", webhook.RedactURL(d.NotifyURL)))
	}
	return slog.GroupValue(attrs...)
}

// Format writes what LogValue returns, whatever the verb.
func (d Delivery) Format(f fmt.State, _ rune) { logvalue.Format(f, d) }

// MarshalJSON encodes what LogValue returns.
func (d Delivery) MarshalJSON() ([]byte, error) { return logvalue.MarshalJSON(d) }

// LogValue returns that of the delivery.
func (p *Prepared) LogValue() slog.Value { return p.delivery.LogValue() }

// Format writes what LogValue returns, whatever the verb.
func (p *Prepared) Format(f fmt.State, _ rune) { logvalue.Format(f, p) }

// LogValue returns the limits alone: the keys are credentials.
func (l *Limiter) LogValue() slog.Value { return slog.GroupValue(slog.Any("limits", l.limits)) }

// Format writes what LogValue returns, whatever the verb.
func (l *Limiter) Format(f fmt.State, _ rune) { logvalue.Format(f, l) }

type stepFields Step

// Format writes the fields, with credentials masked, whatever the verb.
func (s Step) Format(f fmt.State, verb rune) { logvalue.FormatFields(f, verb, stepFields(s)) }

// Format writes the text of the error as fmt writes a string.
func (e *Error) Format(f fmt.State, verb rune) { logvalue.FormatFields(f, verb, e.Error()) }
