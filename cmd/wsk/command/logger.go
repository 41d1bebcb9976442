package command

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// Logger returns a logger for the packages of pkg. It writes their warnings for
// people, as the commands write their own: the text of one contains all of it,
// so that the attributes are left out.
func (e *Env) Logger() *slog.Logger { return slog.New(warnings{e}) }

type warnings struct{ env *Env }

func (warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (w warnings) WithAttrs([]slog.Attr) slog.Handler         { return w }
func (w warnings) WithGroup(string) slog.Handler              { return w }

func (w warnings) Handle(_ context.Context, r slog.Record) error {
	_, err := fmt.Fprintln(w.env.Err, "wsk: warning: "+ui.Clean(r.Message))
	return err
}
