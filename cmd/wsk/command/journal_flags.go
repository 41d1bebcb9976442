package command

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

// Journal are --journal and --no-journal.
type Journal struct {
	Path string
	Off  bool
}

// AddRead declares --journal.
func (f *Journal) AddRead(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.Path, "journal", "", "the journal's `PATH` (default: $WSK_JOURNAL, else $XDG_STATE_HOME/wsk/journal.db)")
	_ = cmd.MarkFlagFilename("journal", "db") // the flag is declared a line above
}

// AddWrite declares --journal and --no-journal.
func (f *Journal) AddWrite(cmd *cobra.Command) {
	f.AddRead(cmd)
	cmd.Flags().BoolVar(&f.Off, "no-journal", false, "keep no record on disk")
	cmd.MarkFlagsMutuallyExclusive("journal", "no-journal")
}

// Place is where the journal is, and whether that was asked for.
func (f *Journal) Place(env *Env) (path string, named bool, err error) {
	switch {
	case f.Path != "":
		return env.Path(f.Path), true, nil
	case env.Getenv("WSK_JOURNAL") != "":
		return env.Path(env.Getenv("WSK_JOURNAL")), true, nil
	case filepath.IsAbs(env.Getenv("XDG_STATE_HOME")):
		return filepath.Join(env.Getenv("XDG_STATE_HOME"), "wsk", "journal.db"), false, nil
	case env.Getenv("HOME") != "":
		return filepath.Join(env.Getenv("HOME"), ".local", "state", "wsk", "journal.db"), false, nil
	}
	return "", false, errors.New("no place for a journal: give --journal PATH, or set $XDG_STATE_HOME or $HOME")
}

// Open opens the journal to read and write; mustBe makes none where there is
// none.
func (f *Journal) Open(ctx context.Context, env *Env, mustBe bool) (*journal.Journal, error) {
	path, _, err := f.Place(env)
	if err != nil {
		return nil, err
	}
	return journal.Open(ctx, path, journal.Options{
		MustBe: mustBe,
		Warn:   func(text string) { fmt.Fprintln(env.Err, "wsk: warning: "+ui.Clean(text)) },
	})
}

// OpenOptional opens the journal for a command whose work does not hang on it: with
// --no-journal it is nil, which keeps nothing, and where the default place
// cannot be used it is nil after a warning.
func (f *Journal) OpenOptional(ctx context.Context, env *Env) (*journal.Journal, error) {
	if f.Off {
		return nil, nil
	}
	j, err := f.Open(ctx, env, false)
	if _, named, _ := f.Place(env); err != nil && !named && ctx.Err() == nil {
		fmt.Fprintf(env.Err, "wsk: warning: no record is kept: %s\n", ui.Clean(err.Error()))
		return nil, nil
	}
	return j, err
}

// StoreRecord stores a record of what a command sent. What was sent cannot be unsent:
// a journal that fails is a warning.
func StoreRecord(ctx context.Context, env *Env, j *journal.Journal, r *webhook.Record) {
	if err := j.Put(context.WithoutCancel(ctx), journal.Entry{Record: *r}); err != nil {
		fmt.Fprintf(env.Err, "wsk: warning: the record was not kept: %s\n", ui.Clean(err.Error()))
	}
}
