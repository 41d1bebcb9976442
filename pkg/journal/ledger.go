package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

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
)

// Line is one line of a batch, as the ledger has it.
type Line struct {
	N      int // from 1
	State  LineState
	Status int    // of the answer
	Record string // the id of its last record
}

// Batch is a file that is sent line by line, once.
type Batch struct {
	ID      int64
	Name    string
	Started time.Time
	Lines   int

	journal *Journal
}

// Batch returns what the ledger has of a file that goes to a target; found
// says whether it was begun before.
func (j *Journal) Batch(ctx context.Context, digest, target string) (b *Batch, found bool, err error) {
	b = &Batch{journal: j}
	var started int64
	err = j.db.QueryRowContext(ctx, "SELECT id, name, started, lines FROM batch WHERE digest = ? AND target = ?", digest, webhook.RedactURL(target)).
		Scan(&b.ID, &b.Name, &started, &b.Lines)
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
	err := j.write.submit(ctx, func(w *writer) error {
		if err := w.exec("DELETE FROM line WHERE batch IN (SELECT id FROM batch WHERE digest = ? AND target = ?)", digest, target); err != nil {
			return err
		}
		if err := w.exec("DELETE FROM batch WHERE digest = ? AND target = ?", digest, target); err != nil {
			return err
		}
		result, err := w.run("INSERT INTO batch (digest, target, name, started, lines) VALUES (?,?,?,?,?)", digest, target, name, now.UnixNano(), lines)
		if err == nil {
			b.ID, err = result.LastInsertId()
		}
		return err
	})
	return b, explain(j.path, err)
}

// States returns the lines that have a state, by number.
func (b *Batch) States(ctx context.Context) (map[int]Line, error) {
	rows, err := b.journal.db.QueryContext(ctx, "SELECT n, state, status, record FROM line WHERE batch = ?", b.ID)
	if err != nil {
		return nil, explain(b.journal.path, err)
	}
	defer func() { _ = rows.Close() }()
	lines := map[int]Line{}
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.N, &l.State, &l.Status, &l.Record); err != nil {
			return nil, explain(b.journal.path, err)
		}
		lines[l.N] = l
	}
	return lines, explain(b.journal.path, rows.Err())
}

// Claim marks a line as being sent, before its request leaves. It reports
// false when the line has a state already, unless that is again.
func (b *Batch) Claim(ctx context.Context, n int, again LineState) (bool, error) {
	var taken int64
	err := b.journal.write.submit(ctx, func(w *writer) error {
		result, err := w.run("INSERT INTO line (batch, n, state, status, record) VALUES (?, ?, 'sending', 0, '') ON CONFLICT DO UPDATE SET state = 'sending' WHERE state = ?",
			b.ID, n, string(again))
		if err == nil {
			taken, err = result.RowsAffected()
		}
		return err
	})
	return taken == 1, explain(b.journal.path, err)
}

// Settle notes what became of a line that was claimed. The empty state frees
// it: it was not sent after all.
func (b *Batch) Settle(ctx context.Context, l Line) error {
	return explain(b.journal.path, b.journal.write.submit(ctx, func(w *writer) error {
		if l.State == "" {
			return w.exec("DELETE FROM line WHERE batch = ? AND n = ?", b.ID, l.N)
		}
		return w.exec("UPDATE line SET state = ?, status = ?, record = ? WHERE batch = ? AND n = ?", string(l.State), l.Status, l.Record, b.ID, l.N)
	}))
}
