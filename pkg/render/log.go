package render

import (
	"fmt"
	"log/slog"

	"github.com/wskdev/wsk/pkg/internal/logvalue"
	"github.com/wskdev/wsk/pkg/webhook"
)

// LogValue returns the template with credentials masked, and the length of its
// body in place of it.
func (t Template) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("name", t.Name), slog.String("event", t.Event), slog.String("method", t.Method),
		slog.String("url", webhook.RedactURL(t.URL)), slog.Any("headers", t.Header.LogValue()), slog.Int("body_bytes", len(t.Body)))
}

// Format writes what LogValue returns, whatever the verb.
func (t Template) Format(f fmt.State, _ rune) { logvalue.Format(f, t) }

// MarshalJSON encodes what LogValue returns.
func (t Template) MarshalJSON() ([]byte, error) { return logvalue.MarshalJSON(t) }
