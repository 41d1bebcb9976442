package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/ui"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Journal holds the flags --journal and --no-journal.
type Journal struct {
	Path    string
	Off     bool
	Refused journal.RefusedLimits // for a receiver
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
	Exclusive(cmd, "journal", "no-journal")
}

// Place returns the path of the journal, and whether a flag or variable named it.
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
	return "", false, errors.New("no path for the journal: give --journal PATH, or set $XDG_STATE_HOME or $HOME")
}

// Open opens the journal to read and write. mustExist returns an error rather
// than create it.
func (f *Journal) Open(ctx context.Context, env *Env, mustExist bool) (*journal.Journal, error) {
	path, _, err := f.Place(env)
	if err != nil {
		return nil, err
	}
	return journal.Open(ctx, path, journal.Options{
		MustExist: mustExist, Refused: f.Refused, Logger: env.Logger(),
	})
}

// Recorder stores the records of what a command sends. With --no-journal it stores
// nothing.
type Recorder struct {
	env     *Env
	journal *journal.Journal // nil: nothing is stored
}

// Recorder opens the journal for a command that does not depend on it. If the
// default path cannot be used, it warns and stores nothing; a path that was named
// is an error.
func (f *Journal) Recorder(ctx context.Context, env *Env) (*Recorder, error) {
	if f.Off {
		return &Recorder{env: env}, nil
	}
	j, err := f.Open(ctx, env, false)
	if _, named, _ := f.Place(env); err != nil && !named && ctx.Err() == nil {
		fmt.Fprintf(env.Err, "wsk: warning: records are not stored: %s\n", ui.Clean(err.Error()))
		return &Recorder{env: env}, nil
	}
	return NewRecorder(env, j), err
}

// NewRecorder returns a Recorder that stores into an open journal.
func NewRecorder(env *Env, j *journal.Journal) *Recorder { return &Recorder{env, j} }

// Journal returns the journal behind r, or nil.
func (r *Recorder) Journal() *journal.Journal { return r.journal }

// Store stores a record, and returns the id by which the journal has it, or "". A
// request cannot be unsent, so an error is a warning.
func (r *Recorder) Store(ctx context.Context, record *webhook.Record) (id string) {
	if r.journal == nil {
		return ""
	}
	if err := r.journal.Put(context.WithoutCancel(ctx), *record); err != nil {
		fmt.Fprintf(r.env.Err, "wsk: warning: the record was not stored: %s\n", ui.Clean(err.Error()))
		return ""
	}
	return record.ID
}

// Close closes the journal. What was stored is on disk already, so there is no error.
func (r *Recorder) Close() {
	if r.journal != nil {
		_ = r.journal.Close()
	}
}

// WithJournal opens a journal that must exist, and closes it after use.
func WithJournal(ctx context.Context, env *Env, f *Journal, use func(*journal.Journal) error) error {
	j, err := f.Open(ctx, env, true)
	if err != nil {
		return err
	}
	return errors.Join(use(j), j.Close())
}

// FindRecord returns the record of that id, or the last one of the webhook of that
// id. The beginning of an id is enough, see [journal.Journal.Get].
func FindRecord(ctx context.Context, j *journal.Journal, id string) (webhook.Record, error) {
	r, err := j.Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		err = fmt.Errorf("%q: %w in %s; wsk journal list shows what it has", id, err, j.Path())
	}
	return r, err
}

// Filter holds the flags that select records of a journal.
type Filter struct {
	Since, Until string
	Events       []string
	Status       []string
	Failed       bool // the same as the status failed
	Direction    string
	ids          []string
}

// Add declares the flags, with a default for --direction.
func (q *Filter) Add(cmd *cobra.Command, direction string) {
	f := cmd.Flags()
	f.BoolVar(&q.Failed, "failed", false, "deliveries that were not answered with 2xx, by a replay either; short for --status failed")
	f.StringVar(&q.Since, "since", "", "records of the last `TIME`, 2h or 7d, or since 2026-01-15T14:30:00Z")
	f.StringVar(&q.Until, "until", "", "records before `TIME`, written as for --since")
	f.StringArrayVar(&q.Events, "event", nil, "events that match `GLOB`, 'work_order.*'; repeatable")
	f.StringArrayVar(&q.Status, "status", nil, "`STATUS`: ok, failed, an outcome such as duplicate, 503 or 5xx; repeatable")
	f.StringVar(&q.Direction, "direction", direction, "`WAY`: received, sent or any")
	CompleteFlag(cmd, "status", append(journal.Statuses(), "5xx")...)
	CompleteFlag(cmd, "direction", directions...)
}

// AddIDs declares --id.
func (q *Filter) AddIDs(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&q.ids, "id", nil, "the record or the webhook with that `ID`, or its beginning; repeatable")
}

// directions are the values of --direction.
var directions = []string{"received", "sent", "any"}

// Filter returns the filter that the flags describe.
func (q *Filter) Filter(now time.Time) (f journal.Filter, err error) {
	if f.Since, err = ParseTime("--since", q.Since, now); err != nil {
		return f, err
	}
	if f.Until, err = ParseTime("--until", q.Until, now); err != nil {
		return f, err
	}
	f.Status = q.Status
	if q.Failed {
		if len(q.Status) > 0 {
			return f, errors.New("--failed and --status contradict each other: --status failed is the same as --failed")
		}
		f.Status = []string{"failed"}
	}
	for _, s := range q.Status {
		if err := journal.CheckStatus(s); err != nil {
			return f, fmt.Errorf("--status: %w", err)
		}
	}
	switch q.Direction {
	case "any":
	case string(webhook.Sent), string(webhook.Received):
		f.Direction = webhook.Direction(q.Direction)
	default:
		return f, webhook.Unknown("direction", q.Direction, directions)
	}
	f.Events, f.IDs = q.Events, q.ids
	return f, nil
}

// Limit declares --limit, for a list that has its newest items first.
func Limit(cmd *cobra.Command, to *int) {
	cmd.Flags().IntVar(to, "limit", 100, "list at most `N`; 0 for all")
}

// CheckLimit returns an error for a limit that is none.
func CheckLimit(n int) error {
	if n < 0 {
		return errors.New("--limit may not be less than 0")
	}
	return nil
}

// ParseTime reads a time: RFC 3339, a day, or an age such as 90s, 2h or 7d. It is the
// zero time for "".
func ParseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return at, nil
	}
	// A number alone could be Unix seconds, or days: prune would delete too much.
	if age, err := ReadDuration(text); err == nil && !isNumber(text) {
		return now.Add(-age), nil
	}
	return time.Time{}, fmt.Errorf("%s %q: write how long ago, 90s, 2h or 7d, or a time such as 2026-01-15T14:30:00Z", flag, text)
}
