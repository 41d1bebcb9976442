package sandbox

import (
	"fmt"
	"log/slog"

	"github.com/wskdev/wsk/pkg/internal/logvalue"
	"github.com/wskdev/wsk/pkg/webhook"
)

// LogValue returns the name of the key alone. JSON, which a sandbox prints for
// those who send to it, has the key.
func (k Key) LogValue() slog.Value { return slog.GroupValue(slog.String("name", k.Name)) }

// Format writes what LogValue returns, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { logvalue.Format(f, k) }

// LogValue returns what is delivered to where, without the secret and the key.
// JSON, which the admin API takes, has them.
func (s Subscription) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("company", s.Company), slog.String("url", webhook.RedactURL(s.URL)),
		slog.Any("events", s.Events), slog.String("form", string(s.Form)))
}

// Format writes what LogValue returns, whatever the verb.
func (s Subscription) Format(f fmt.State, _ rune) { logvalue.Format(f, s) }

// LogValue returns how many keys and subscriptions the company has.
func (c Company) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", c.ID), slog.Int("api_keys", len(c.Keys)), slog.Int("subscriptions", len(c.Subscriptions)))
}

// Format writes what LogValue returns, whatever the verb.
func (c Company) Format(f fmt.State, _ rune) { logvalue.Format(f, c) }

// MarshalJSON encodes what LogValue returns.
func (c Company) MarshalJSON() ([]byte, error) { return logvalue.MarshalJSON(c) }

// LogValue returns the companies.
func (s *Sandbox) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("companies", s.config.Companies))
}

// Format writes what LogValue returns, whatever the verb.
func (s *Sandbox) Format(f fmt.State, _ rune) { logvalue.Format(f, s) }

type configFields Config

// Format writes the fields, with credentials masked, whatever the verb.
func (c Config) Format(f fmt.State, verb rune) { logvalue.FormatFields(f, verb, configFields(c)) }
