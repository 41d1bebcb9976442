package journal

import (
	"context"
	"errors"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The states of a record's forwarding.
const (
	settled = iota // not to be forwarded
	due
	forwarded
	givenUp
)

// Due is a record that is still to be forwarded.
type Due struct {
	Record webhook.Record
	Tries  int // made before
}

// Due returns at most limit records that wait to be forwarded to target and
// whose time has come, in the order that they came in; and when the next one's
// will, or the zero time.
func (j *Journal) Due(ctx context.Context, target string, now time.Time, limit int) (list []Due, next time.Time, err error) {
	defer func() { err = explain(j.path, err) }()
	target = webhook.RedactURL(target)
	rows, err := j.db.QueryContext(ctx, "SELECT forward_tries, "+selected+" FROM record WHERE forward_state = 1 AND forward_to = ? AND forward_next <= ? ORDER BY seq LIMIT ?",
		target, now.UnixNano(), limit)
	if err != nil {
		return nil, next, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var tries int64
		r, err := scan(numbered{rows, &tries})
		if err != nil {
			return nil, next, err
		}
		list = append(list, Due{r, int(tries)})
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

// Undone counts what is still to be forwarded to target, now or later.
func (j *Journal) Undone(ctx context.Context, target string) (n int, err error) {
	err = j.db.QueryRowContext(ctx, "SELECT count(*) FROM record WHERE forward_state = 1 AND forward_to = ?", webhook.RedactURL(target)).Scan(&n)
	return n, explain(j.path, err)
}

// Forwarded notes a try to forward a record: again says when the next is due;
// the zero time ends it, as done or as given up.
func (j *Journal) Forwarded(ctx context.Context, r webhook.Record, done bool, again time.Time) error {
	args, err := columns(Entry{Record: r})
	if err != nil {
		return err
	}
	state, next := forwarded, int64(0)
	switch {
	case !again.IsZero():
		state, next = due, again.UnixNano()
	case !done:
		state = givenUp
	}
	const forward, fault = 19, 21 // among the columns
	return explain(j.path, j.write.Submit(ctx, func(w *sqlfile.Writer) error {
		return w.Exec("UPDATE record SET forward = ?, error = ?, forward_state = ?, forward_tries = forward_tries + 1, forward_next = ? WHERE id = ?",
			args[forward], args[fault], state, next, r.ID)
	}))
}
