package journal

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// LineState is what became of a line of a batch.
type LineState string

// The states of a line. One without a state was not begun.
const (
	// Sending is a line whose request may be on its way. In a batch that
	// nobody works on, its outcome is unknown.
	Sending  LineState = "sending"
	Accepted LineState = "accepted" // answered with 2xx
	Refused  LineState = "refused"  // answered with something else

	// Unsent is the state of a line that has none.
	Unsent LineState = ""
)

// Line is one line of a batch, as the ledger has it.
type Line struct {
	N      int // from 1, in the file
	State  LineState
	Status int    // of the answer
	Record string // the id of its last record
}

// Batch is a file that is sent line by line, once.
type Batch struct {
	ID      int64
	Name    string // the file's
	Started time.Time
	Lines   int // with an event on them

	journal *Journal
}

// Batch returns what the ledger has of a file that goes to a target; found
// says whether it was begun before.
func (j *Journal) Batch(ctx context.Context, digest, target string) (b *Batch, found bool, err error) {
	return j.batch(ctx, "digest = ?", digest, target)
}

// BatchNamed returns the last batch of a file's name that went to a target,
// whatever the file held.
func (j *Journal) BatchNamed(ctx context.Context, name, target string) (b *Batch, found bool, err error) {
	return j.batch(ctx, "name = ?", name, target)
}

func (j *Journal) batch(ctx context.Context, term, value, target string) (*Batch, bool, error) {
	b := &Batch{journal: j}
	var started int64
	err := j.db.QueryRowContext(ctx, "SELECT id, name, started, lines FROM batch WHERE "+term+" AND target = ? ORDER BY id DESC LIMIT 1",
		value, webhook.RedactURL(target)).Scan(&b.ID, &b.Name, &started, &b.Lines)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	b.Started = time.Unix(0, started)
	return b, err == nil, explain(j.path, err)
}

// Begin opens a ledger for a file. One that was there is forgotten.
func (j *Journal) Begin(ctx context.Context, digest, target, name string, lines int, now time.Time) (*Batch, error) {
	b := &Batch{Name: name, Started: now, Lines: lines, journal: j}
	target = webhook.RedactURL(target)
	err := j.write.Submit(ctx, func(w *sqlfile.Writer) error {
		if err := w.Exec("DELETE FROM line WHERE batch IN (SELECT id FROM batch WHERE digest = ? AND target = ?)", digest, target); err != nil {
			return err
		}
		if err := w.Exec("DELETE FROM batch WHERE digest = ? AND target = ?", digest, target); err != nil {
			return err
		}
		result, err := w.Run("INSERT INTO batch (digest, target, name, started, lines) VALUES (?,?,?,?,?)", digest, target, name, now.UnixNano(), lines)
		if err == nil {
			b.ID, err = result.LastInsertId()
		}
		return err
	})
	return b, explain(j.path, err)
}

// States yields the lines that have a state, by number. An error ends it.
func (b *Batch) States(ctx context.Context) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		rows, err := b.journal.db.QueryContext(ctx, "SELECT n, state, status, record FROM line WHERE batch = ? ORDER BY n", b.ID)
		if err != nil {
			yield(Line{}, explain(b.journal.path, err))
			return
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var l Line
			err := rows.Scan(&l.N, &l.State, &l.Status, &l.Record)
			if !yield(l, explain(b.journal.path, err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Line{}, explain(b.journal.path, err))
		}
	}
}

// Answered counts the lines with an answer.
func (b *Batch) Answered(ctx context.Context) (n int, err error) {
	err = b.journal.db.QueryRowContext(ctx, "SELECT count(*) FROM line WHERE batch = ? AND state IN ('accepted', 'refused')", b.ID).Scan(&n)
	return n, explain(b.journal.path, err)
}

// Claim marks a line as being sent, before its request leaves. It reports
// false when the line has a state already, unless that is again.
func (b *Batch) Claim(ctx context.Context, n int, again LineState) (bool, error) {
	var taken int64
	err := b.journal.write.Submit(ctx, func(w *sqlfile.Writer) error {
		result, err := w.Run("INSERT INTO line (batch, n, state, status, record) VALUES (?, ?, 'sending', 0, '') ON CONFLICT DO UPDATE SET state = 'sending' WHERE state = ?",
			b.ID, n, string(again))
		if err == nil {
			taken, err = result.RowsAffected()
		}
		return err
	})
	return taken == 1, explain(b.journal.path, err)
}

// Settle notes what became of a line that was claimed, together with the
// record of its attempt, if there is one: both are kept or neither is. [Unsent]
// frees the line: it was not taken, and will be sent again.
func (b *Batch) Settle(ctx context.Context, l Line, attempt *webhook.Record) error {
	var args []any
	if attempt != nil {
		l.Record = attempt.ID
		var err error
		if args, err = columns(Entry{Record: *attempt}); err != nil {
			return err
		}
	}
	return explain(b.journal.path, b.journal.write.Submit(ctx, func(w *sqlfile.Writer) error {
		if args != nil {
			if err := w.Exec(putRecord, args...); err != nil {
				return err
			}
		}
		if l.State == Unsent {
			return w.Exec("DELETE FROM line WHERE batch = ? AND n = ?", b.ID, l.N)
		}
		return w.Exec("UPDATE line SET state = ?, status = ?, record = ? WHERE batch = ? AND n = ?", string(l.State), l.Status, l.Record, b.ID, l.N)
	}))
}
