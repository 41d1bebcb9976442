package journal

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Filter picks records. What is left zero picks all.
type Filter struct {
	Since, Until time.Time         // from Since up to, and not including, Until
	Events       []string          // globs, 'work_order.*'; one of them must match
	Status       []string          // see [CheckStatus]; one of them must hold
	Direction    webhook.Direction // which way they went
	IDs          []string          // of records or of deliveries
	Deliveries   bool              // of each delivery the last record only; Status is asked of that one
	Newest       bool              // the newest first; default: the oldest
	Limit        int               // at most so many
}

// statuses lists what [Filter.Status] knows beside the numbers of HTTP.
func statuses() []string {
	return []string{
		"ok", "failed", "accepted", "duplicate", "replay_suspect", "conflict", "refused", "unknown", "pending",
	}
}

// CheckStatus returns an error unless status is one that a filter knows: "ok"
// for what was answered with 2xx, "failed" for all else, the name of an
// outcome, a status ("503") or a class of them ("5xx").
func CheckStatus(status string) error {
	_, _, err := statusTerm(status)
	return err
}

func statusTerm(status string) (term string, args []any, err error) {
	class, isClass := strings.CutSuffix(status, "xx")
	number, notNumber := strconv.Atoi(class)
	switch {
	case status == "ok":
		return "status BETWEEN 200 AND 299", nil, nil
	case status == "failed":
		return "(status IS NULL AND outcome <> 'pending' OR status NOT BETWEEN 200 AND 299)", nil, nil
	case slices.Contains(statuses(), status):
		return "outcome = ?", []any{status}, nil
	case notNumber == nil && isClass && 1 <= number && number <= 9:
		return "status BETWEEN ? AND ?", []any{number * 100, number*100 + 99}, nil
	case notNumber == nil && !isClass && 100 <= number && number <= 999:
		return "status = ?", []any{number}, nil
	}
	return "", nil, webhook.Unknown("status", status, append(statuses(), "503", "5xx"))
}

// where writes the filter as SQL.
func (f *Filter) where() (string, []any, error) {
	terms, args := []string{"1"}, []any(nil)
	for _, t := range []struct {
		asked bool
		term  string
		value any
	}{
		{!f.Since.IsZero(), "time >= ?", f.Since.UnixNano()},
		{!f.Until.IsZero(), "time < ?", f.Until.UnixNano()},
		{f.Direction != "", "direction = ?", string(f.Direction)},
	} {
		if t.asked {
			terms, args = append(terms, t.term), append(args, t.value)
		}
	}
	if len(f.IDs) > 0 {
		marks := strings.TrimSuffix(strings.Repeat("?,", len(f.IDs)), ",")
		for range 2 {
			for _, id := range f.IDs {
				args = append(args, id)
			}
		}
		terms = append(terms, "(id IN ("+marks+") OR webhook_id IN ("+marks+"))")
	}
	either := func(each []string) { terms = append(terms, "("+strings.Join(each, " OR ")+")") }
	var events, status []string
	for _, glob := range f.Events {
		events, args = append(events, "event GLOB ?"), append(args, glob)
	}
	if len(events) > 0 {
		either(events)
	}
	if f.Deliveries {
		terms = []string{"seq IN (SELECT max(seq) FROM record WHERE " + strings.Join(terms, " AND ") +
			" GROUP BY CASE webhook_id WHEN '' THEN id ELSE webhook_id END)"}
	}
	for _, s := range f.Status {
		term, values, err := statusTerm(s)
		if err != nil {
			return "", nil, err
		}
		status, args = append(status, term), append(args, values...)
	}
	if len(status) > 0 {
		either(status)
	}
	return strings.Join(terms, " AND "), args, nil
}

// page is how many rows are read at a time: a reader that dawdles must not
// keep the write-ahead log from being taken over.
const page = 200

// Records yields what the filter picks, as the journal was when it began. An
// error ends it.
func (j *Journal) Records(ctx context.Context, f Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		if j == nil {
			return
		}
		where, args, err := f.where()
		if err == nil {
			err = j.each(ctx, &f, where, args, yield)
		}
		if err != nil {
			yield(webhook.Record{}, explain(j.path, err))
		}
	}
}

func (j *Journal) each(ctx context.Context, f *Filter, where string, args []any, yield func(webhook.Record, error) bool) error {
	bound, order, compare := int64(0), "ASC", ">"
	if f.Newest {
		bound, order, compare = 1<<62, "DESC", "<"
	}
	var last int64
	if err := j.db.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM record").Scan(&last); err != nil {
		return err
	}
	for given := 0; ; {
		size := page
		if f.Limit > 0 {
			size = min(size, f.Limit-given)
		}
		if size == 0 {
			return nil
		}
		text := "SELECT seq, " + selected + " FROM record WHERE " + where + " AND seq <= ? AND seq " + compare + " ? ORDER BY seq " + order + " LIMIT ?"
		records, next, err := j.page(ctx, text, append(slices.Clip(args), last, bound, size))
		if err != nil {
			return err
		}
		for _, r := range records {
			if !yield(r, nil) {
				return nil
			}
		}
		given += len(records)
		if bound = next; len(records) < size {
			return nil
		}
	}
}

// numbered reads a row that begins with its seq.
type numbered struct {
	rows *sql.Rows
	seq  *int64
}

func (n numbered) Scan(to ...any) error { return n.rows.Scan(append([]any{n.seq}, to...)...) }

func (j *Journal) page(ctx context.Context, text string, args []any) (records []webhook.Record, last int64, err error) {
	rows, err := j.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r, err := scan(numbered{rows, &last})
		if err != nil {
			return nil, 0, err
		}
		records = append(records, r)
	}
	return records, last, rows.Err()
}

// Get returns the record of an id, or the last one of a delivery. Without any
// the error is [ErrNotFound].
func (j *Journal) Get(ctx context.Context, id string) (webhook.Record, error) {
	for r, err := range j.Records(ctx, Filter{IDs: []string{id}, Newest: true, Limit: 1}) {
		return r, err
	}
	return webhook.Record{}, ErrNotFound
}

// Count returns how many records the filter picks.
func (j *Journal) Count(ctx context.Context, f Filter) (n int, err error) {
	if j == nil {
		return 0, nil
	}
	where, args, err := f.where()
	if err == nil {
		err = j.db.QueryRowContext(ctx, "SELECT count(*) FROM record WHERE "+where, args...).Scan(&n)
	}
	return n, explain(j.path, err)
}

// Marks yields what receivers remember, the oldest first, of the newest limit.
func (j *Journal) Marks(ctx context.Context, limit int) ([]webhook.Mark, error) {
	if j == nil {
		return nil, nil
	}
	rows, err := j.db.QueryContext(ctx, "SELECT webhook_id, signed, body, accepted FROM (SELECT * FROM seen ORDER BY seq DESC LIMIT ?) ORDER BY seq", limit)
	if err != nil {
		return nil, explain(j.path, err)
	}
	defer func() { _ = rows.Close() }()
	var marks []webhook.Mark
	for rows.Next() {
		var m webhook.Mark
		var signed, body []byte
		if err := rows.Scan(&m.ID, &signed, &body, &m.Accepted); err != nil {
			return nil, explain(j.path, err)
		}
		copy(m.Signed[:], signed)
		copy(m.Body[:], body)
		marks = append(marks, m)
	}
	return marks, explain(j.path, rows.Err())
}

// keepMarks is how many deliveries are remembered through a Prune: as many as
// a receiver does.
const keepMarks = 100_000

// Prune deletes the records before a time and returns how many went. What is
// still to be forwarded stays, and so does what receivers remember of the
// newest 100,000 deliveries. The file gives the room back.
func (j *Journal) Prune(ctx context.Context, before time.Time) (int, error) {
	var gone int64
	err := j.write.Submit(ctx, func(w *sqlfile.Writer) error {
		result, err := w.Run("DELETE FROM record WHERE time < ? AND forward_state <> 1", before.UnixNano())
		if err != nil {
			return err
		}
		if gone, err = result.RowsAffected(); err != nil {
			return err
		}
		return w.Exec("DELETE FROM seen WHERE seq <= (SELECT max(seq) FROM seen) - ?", keepMarks)
	})
	if err == nil {
		_, err = j.db.ExecContext(ctx, "VACUUM")
	}
	return int(gone), explain(j.path, err)
}
