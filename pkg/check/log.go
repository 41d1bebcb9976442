package check

import (
	"fmt"
	"log/slog"

	"github.com/wskdev/wsk/pkg/internal/logvalue"
	"github.com/wskdev/wsk/pkg/webhook"
)

// LogValue returns what is checked and which cases run, without the secret.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("url", webhook.RedactURL(c.URL)), slog.String("platform", string(c.Platform)),
		slog.Any("only", c.Only), slog.Any("skip", c.Skip))
}

// Format writes what LogValue returns, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { logvalue.Format(f, c) }
