package receive

import (
	"fmt"
	"log/slog"

	"github.com/wskdev/wsk/pkg/internal/logvalue"
	"github.com/wskdev/wsk/pkg/webhook"
)

// LogValue returns the names of what is required: the values are credentials.
func (u Unsigned) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("headers", names(u.Header)), slog.Any("query", names(u.Query)))
}

// Format writes what LogValue returns, whatever the verb.
func (u Unsigned) Format(f fmt.State, _ rune) { logvalue.Format(f, u) }

// MarshalJSON encodes what LogValue returns.
func (u Unsigned) MarshalJSON() ([]byte, error) { return logvalue.MarshalJSON(u) }

// LogValue returns what the handler verifies by.
func (h *Handler) LogValue() slog.Value {
	c := &h.config
	attrs := []slog.Attr{slog.String("platform", string(c.Platform)), slog.Any("verifier", c.Verifier.LogValue()), slog.Bool("skip_verify", c.SkipVerify)}
	if c.Unsigned != nil {
		attrs = append(attrs, slog.Any("unsigned", c.Unsigned.LogValue()))
	}
	return slog.GroupValue(attrs...)
}

// Format writes what LogValue returns, whatever the verb.
func (h *Handler) Format(f fmt.State, _ rune) { logvalue.Format(f, h) }

// LogValue returns where and how records are forwarded.
func (c ForwarderConfig) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("url", webhook.RedactURL(c.URL)), slog.Int("retries", c.Retries), slog.Int("concurrency", c.Concurrency))
}

// Format writes what LogValue returns, whatever the verb.
func (c ForwarderConfig) Format(f fmt.State, _ rune) { logvalue.Format(f, c) }

// LogValue returns that of the forwarder's configuration.
func (f *Forwarder) LogValue() slog.Value { return f.config.LogValue() }

// Format writes what LogValue returns, whatever the verb.
func (f *Forwarder) Format(s fmt.State, _ rune) { logvalue.Format(s, f) }

type configFields Config

// Format writes the fields, with credentials masked, whatever the verb.
func (c Config) Format(f fmt.State, verb rune) { logvalue.FormatFields(f, verb, configFields(c)) }

type receiptFields Receipt

// Format writes the fields, with credentials masked, whatever the verb.
func (r Receipt) Format(f fmt.State, verb rune) { logvalue.FormatFields(f, verb, receiptFields(r)) }

type dueRecordFields DueRecord

// Format writes the fields, with credentials masked, whatever the verb.
func (d DueRecord) Format(f fmt.State, verb rune) { logvalue.FormatFields(f, verb, dueRecordFields(d)) }

type forwardResultFields ForwardResult

// Format writes the fields, with credentials masked, whatever the verb.
func (r ForwardResult) Format(f fmt.State, verb rune) {
	logvalue.FormatFields(f, verb, forwardResultFields(r))
}
