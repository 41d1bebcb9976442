package journal

import (
	"fmt"
	"log/slog"

	"github.com/wskdev/wsk/pkg/internal/logvalue"
)

// LogValue returns the number of the slot and its wait: the key of its limits may
// be an API key.
func (s Slot) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("id", s.ID), slog.Duration("wait", s.Wait))
}

// Format writes what LogValue returns, whatever the verb.
func (s Slot) Format(f fmt.State, _ rune) { logvalue.Format(f, s) }
