package journal

import (
	"context"
	"errors"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The values of forward_state.
const (
	notForwarded  = 0
	forwardDue    = 1
	forwarded     = 2
	forwardFailed = 3
)

// Due is a record that waits to be forwarded.
type Due struct {
	Record webhook.Record
	Tries  int // attempts so far
}

// Due returns the records that are due to be forwarded to target at now, at most
// limit of them, in the order of their receipt. next is when another becomes
// due, or the zero time.
func (j *Journal) Due(ctx context.Context, target string, now time.Time, limit int) (list []Due, next time.Time, err error) {
	defer func() { err = explain(j.path, err) }()
	target = webhook.RedactURL(target)
	rows, err := j.db.QueryContext(ctx, "SELECT forward_tries, "+recordColumns+" FROM record WHERE forward_state = 1 AND forward_to = ? AND forward_next <= ? ORDER BY seq LIMIT ?",
		target, now.UnixNano(), limit)
	if err != nil {
		return nil, next, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d Due
		if d.Record, err = scanRecord(rows, &d.Tries); err != nil {
			return nil, next, err
		}
		list = append(list, d)
	}
	if err := rows.Err(); err != nil {
		return nil, next, err
	}
	var at int64
	err = j.db.QueryRowContext(ctx, "SELECT coalesce(min(forward_next), 0) FROM record WHERE forward_state = 1 AND forward_to = ? AND forward_next > ?",
		target, now.UnixNano()).Scan(&at)
	if at > 0 {
		next = time.Unix(0, at)
	}
	return list, next, err
}

// Undone returns how many records wait to be forwarded to target, now or later.
func (j *Journal) Undone(ctx context.Context, target string) (n int, err error) {
	err = j.db.QueryRowContext(ctx, "SELECT count(*) FROM record WHERE forward_state = 1 AND forward_to = ?", webhook.RedactURL(target)).Scan(&n)
	return n, explain(j.path, err)
}

// Forwarded stores the result of an attempt to forward a record: its Forward and
// Error. The record becomes due again at next; if next is the zero time, it was
// forwarded or, unless done, is given up.
func (j *Journal) Forwarded(ctx context.Context, r webhook.Record, done bool, next time.Time) error {
	r = r.Redacted()
	answer, err := forwardColumn(r.Forward)
	if err != nil {
		return err
	}
	state, at := forwarded, int64(0)
	switch {
	case !next.IsZero():
		state, at = forwardDue, next.UnixNano()
	case !done:
		state = forwardFailed
	}
	return explain(j.path, j.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		return tx.Exec("UPDATE record SET forward = ?, error = ?, forward_state = ?, forward_tries = forward_tries + 1, forward_next = ? WHERE id = ?",
			answer, r.Error, state, at, r.ID)
	}))
}
