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

// LineState is the state of a line of a batch.
type LineState string

const (
	// Unsent is a line that no attempt was made for.
	Unsent LineState = ""
	// Sending is a line whose request may be on its way. If no process works on
	// the batch, the outcome of that request is unknown.
	Sending LineState = "sending"
	// Accepted is a line that was answered with 2xx.
	Accepted LineState = "accepted"
	// Refused is a line that was answered with another status.
	Refused LineState = "refused"
)

// Line is one line of a batch in the ledger.
type Line struct {
	N      int // the number of the line in the file, from 1
	State  LineState
	Status int    // of the response; 0 for none
	Record string // the id of its last record
}

// Batch is the ledger of a file whose lines are sent once each.
type Batch struct {
	ID      int64
	Name    string // the path of the file
	Started time.Time
	Lines   int // how many lines contain an event

	journal *Journal
}

// Batch returns the ledger of a file, by its digest, and a target. found reports
// whether there is one.
func (j *Journal) Batch(ctx context.Context, digest, target string) (b *Batch, found bool, err error) {
	return j.batch(ctx, "digest = ?", digest, target)
}

// BatchNamed returns the newest ledger of a file name and a target, whatever the
// file contained.
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

// BeginBatch starts a ledger for a file, and replaces an existing one.
func (j *Journal) BeginBatch(ctx context.Context, digest, target, name string, lines int, now time.Time) (*Batch, error) {
	b := &Batch{Name: name, Started: now, Lines: lines, journal: j}
	target = webhook.RedactURL(target)
	err := j.write.Submit(ctx, func(tx *sqlfile.Tx) (err error) {
		tx.Failpoints("journal/batch")
		if err := tx.Exec("DELETE FROM line WHERE batch IN (SELECT id FROM batch WHERE digest = ? AND target = ?)", digest, target); err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM batch WHERE digest = ? AND target = ?", digest, target); err != nil {
			return err
		}
		b.ID, err = tx.Insert("INSERT INTO batch (digest, target, name, started, lines) VALUES (?,?,?,?,?)", digest, target, name, now.UnixNano(), lines)
		return err
	})
	return b, explain(j.path, err)
}

// States returns the lines that have a state, in the order of the file. An error
// is the last pair.
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

// Answered returns how many lines have a response.
func (b *Batch) Answered(ctx context.Context) (n int, err error) {
	err = b.journal.db.QueryRowContext(ctx, "SELECT count(*) FROM line WHERE batch = ? AND state IN ('accepted', 'refused')", b.ID).Scan(&n)
	return n, explain(b.journal.path, err)
}

// Claim marks a line as [Sending], before its request leaves. It returns false
// if the line already has a state other than again.
func (b *Batch) Claim(ctx context.Context, n int, again LineState) (bool, error) {
	taken := 0
	err := b.journal.write.Submit(ctx, func(tx *sqlfile.Tx) (err error) {
		tx.Failpoints("journal/claim-line")
		taken, err = tx.Change("INSERT INTO line (batch, n, state, status, record) VALUES (?, ?, 'sending', 0, '') ON CONFLICT DO UPDATE SET state = 'sending' WHERE state = ?",
			b.ID, n, string(again))
		return err
	})
	return taken == 1, explain(b.journal.path, err)
}

// Settle stores the outcome of a claimed line together with the record of its
// attempt, if there is one: both are stored or neither. [Unsent] releases the
// claim, so that the line is sent again.
func (b *Batch) Settle(ctx context.Context, l Line, attempt *webhook.Record) error {
	var args []any
	if attempt != nil {
		l.Record = attempt.ID
		var err error
		if args, err = columns(*attempt, "", ""); err != nil {
			return err
		}
	}
	return explain(b.journal.path, b.journal.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		tx.Failpoints("journal/settle-line")
		if args != nil {
			if err := tx.Exec(putRecord, args...); err != nil {
				return err
			}
		}
		if l.State == Unsent {
			return tx.Exec("DELETE FROM line WHERE batch = ? AND n = ?", b.ID, l.N)
		}
		return tx.Exec("UPDATE line SET state = ?, status = ?, record = ? WHERE batch = ? AND n = ?", string(l.State), l.Status, l.Record, b.ID, l.N)
	}))
}
