package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The values of forward_state.
const (
	notForwarded  = 0
	forwardDue    = 1
	forwarded     = 2
	forwardFailed = 3
)

// waiting selects the records that wait to be forwarded to a target. It contains
// the number of forwardDue because SQLite uses the index record_due only if the
// query says so literally.
const waiting = "forward_state = 1 AND forward_to = ?"

// Queue contains the records that wait to be forwarded to one target. It is a
// [receive.Queue], and safe for concurrent use.
type Queue struct {
	recorder // the journal
	journal  *Journal
	target   string // without credentials, as the journal stores it
	release  func() error
}

// recorder keeps the field of a Queue unexported.
type recorder = receive.Recorder

var _ receive.Queue = (*Queue)(nil)

// Queue returns the queue of a target, which is a URL, or a name for an App in this
// process. It excludes the other
// users of this journal on this machine, so that no record is forwarded twice:
// the error is [ErrLocked] while one of them has the queue of that target open.
// Close it, before the journal.
func (j *Journal) Queue(ctx context.Context, target string) (*Queue, error) {
	target = webhook.RedactURL(target)
	sum := sha256.Sum256([]byte(target))
	release, err := j.Lock(ctx, "forward-"+hex.EncodeToString(sum[:8]))
	if err != nil {
		return nil, err
	}
	return &Queue{recorder: j, journal: j, target: target, release: release}, nil
}

// Close lets others open the queue. It does not close the journal.
func (q *Queue) Close() error { return q.release() }

// Keep stores a receipt as [Journal.Keep] does, and queues it if its Forward is
// set. Until it is finished, its outcome in the journal is pending.
func (q *Queue) Keep(ctx context.Context, r receive.Receipt) error {
	target := ""
	if r.Forward {
		target = q.target
	}
	return q.journal.put(ctx, r, target)
}

// notHeld leaves out the records that an earlier one with the same order holds
// back.
const notHeld = `(forward_order = '' OR NOT EXISTS (SELECT 1 FROM record earlier WHERE earlier.forward_state = 1 AND earlier.forward_order <> ''
	AND earlier.forward_to = record.forward_to AND earlier.forward_order = record.forward_order AND earlier.seq < record.seq))`

// Due returns the records that are due at now, at most limit of them: first
// those that were not attempted, in the order of their receipt, then the retries,
// the one that has been due for the longest first. It leaves out a record while
// an earlier one with the same Receipt.Order waits, unless that is "". next is
// when another becomes due, or the zero time.
func (q *Queue) Due(ctx context.Context, now time.Time, limit int) (due []receive.DueRecord, next time.Time, err error) {
	j := q.journal
	defer func() { err = explain(j.path, err) }()
	const page = "SELECT forward_tries, " + recordColumns + " FROM record WHERE " + waiting + " AND forward_next <= ? AND " + notHeld + " ORDER BY forward_next, seq LIMIT ?"
	err = sqlfile.Each(ctx, j.db, page, []any{q.target, now.UnixNano(), limit}, func(rows *sql.Rows) (err error) {
		var d receive.DueRecord
		d.Record, err = scanRecord(rows, &d.Attempts)
		due = append(due, d)
		return err
	})
	if err != nil {
		return nil, next, err
	}
	var at int64
	err = j.db.QueryRowContext(ctx, "SELECT coalesce(min(forward_next), 0) FROM record WHERE "+waiting+" AND forward_next > ?",
		q.target, now.UnixNano()).Scan(&at)
	if at > 0 {
		next = time.Unix(0, at)
	}
	return due, next, err
}

// Len returns how many records wait to be forwarded, now or later.
func (q *Queue) Len(ctx context.Context) (n int, err error) {
	err = q.journal.db.QueryRowContext(ctx, "SELECT count(*) FROM record WHERE "+waiting, q.target).Scan(&n)
	return n, explain(q.journal.path, err)
}

// Waiting returns how many records wait to be forwarded, by their target, which has
// no credentials.
func (j *Journal) Waiting(ctx context.Context) (targets map[string]int, err error) {
	targets = map[string]int{}
	const query = "SELECT forward_to, count(*) FROM record WHERE forward_state = 1 GROUP BY forward_to"
	err = sqlfile.Each(ctx, j.db, query, nil, func(rows *sql.Rows) error {
		var target string
		var n int
		err := rows.Scan(&target, &n)
		targets[target] = n
		return err
	})
	return targets, explain(j.path, err)
}

// SaveResult stores the result of an attempt: the verdict, the Forward and the Error
// of its record, and when the record is due again.
func (q *Queue) SaveResult(ctx context.Context, result receive.ForwardResult) error {
	r := result.Record.Redacted()
	answer, err := forwardColumn(r.Forward)
	if err != nil {
		return err
	}
	verdict, err := verdictColumn(r.Verdict)
	if err != nil {
		return err
	}
	state, at := forwardFailed, int64(0)
	switch {
	case result.OK:
		state = forwarded
	case !result.Next.IsZero():
		state, at = forwardDue, result.Next.UnixNano()
	}
	return explain(q.journal.path, q.journal.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		tx.Failpoints("journal/forwarded")
		return tx.Exec("UPDATE record SET outcome = ?, verdict = ?, forward = ?, error = ?, forward_state = ?, forward_tries = forward_tries + 1, forward_next = ? WHERE id = ?",
			string(outcomeOf(r)), verdict, answer, r.Error, state, at, r.ID)
	}))
}
