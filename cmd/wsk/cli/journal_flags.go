package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// journalFlags are --journal and --no-journal.
type journalFlags struct {
	path string
	off  bool
}

// read declares --journal.
func (f *journalFlags) read(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.path, "journal", "", "the journal's `PATH` (default: $WSK_JOURNAL, else $XDG_STATE_HOME/wsk/journal.db)")
	_ = cmd.MarkFlagFilename("journal", "db") // the flag is declared a line above
}

// write declares --journal and --no-journal.
func (f *journalFlags) write(cmd *cobra.Command) {
	f.read(cmd)
	cmd.Flags().BoolVar(&f.off, "no-journal", false, "keep no record on disk")
	cmd.MarkFlagsMutuallyExclusive("journal", "no-journal")
}

// place is where the journal is, and whether that was asked for.
func (f *journalFlags) place(env *Env) (path string, named bool, err error) {
	switch {
	case f.path != "":
		return env.path(f.path), true, nil
	case env.getenv("WSK_JOURNAL") != "":
		return env.path(env.getenv("WSK_JOURNAL")), true, nil
	case filepath.IsAbs(env.getenv("XDG_STATE_HOME")):
		return filepath.Join(env.getenv("XDG_STATE_HOME"), "wsk", "journal.db"), false, nil
	case env.getenv("HOME") != "":
		return filepath.Join(env.getenv("HOME"), ".local", "state", "wsk", "journal.db"), false, nil
	}
	return "", false, errors.New("no place for a journal: give --journal PATH, or set $XDG_STATE_HOME or $HOME")
}

// open opens the journal to read and write; mustBe makes none where there is
// none.
func (f *journalFlags) open(ctx context.Context, env *Env, mustBe bool) (*journal.Journal, error) {
	path, _, err := f.place(env)
	if err != nil {
		return nil, err
	}
	return journal.Open(ctx, path, journal.Options{
		MustBe: mustBe,
		Warn:   func(text string) { fmt.Fprintln(env.Err, "wsk: warning: "+ui.Clean(text)) },
	})
}

// keeper opens the journal for a command whose work does not hang on it: with
// --no-journal it is nil, which keeps nothing, and where the default place
// cannot be used it is nil after a warning.
func (f *journalFlags) keeper(ctx context.Context, env *Env) (*journal.Journal, error) {
	if f.off {
		return nil, nil
	}
	j, err := f.open(ctx, env, false)
	if _, named, _ := f.place(env); err != nil && !named && ctx.Err() == nil {
		fmt.Fprintf(env.Err, "wsk: warning: no record is kept: %s\n", ui.Clean(err.Error()))
		return nil, nil
	}
	return j, err
}

// keep stores a record of what a command sent. What was sent cannot be unsent:
// a journal that fails is a warning.
func keep(ctx context.Context, env *Env, j *journal.Journal, r *webhook.Record) {
	if err := j.Put(context.WithoutCancel(ctx), journal.Entry{Record: *r}); err != nil {
		fmt.Fprintf(env.Err, "wsk: warning: the record was not kept: %s\n", ui.Clean(err.Error()))
	}
}
