package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The size of a page, which is what one query reads. A slow consumer must not keep a
// read transaction open, which would stop checkpoints of the write-ahead log, and a
// page is held in memory.
const (
	pageSize  = 200
	pageBytes = 1 << 20 // of bodies, unless one record has more
)

// Get returns the record with an id, or the last record of the delivery with
// that id. The beginning of an id is enough if no other id has it, and an
// [*AmbiguousError] if one has. If there is none, the error is [ErrNotFound]. The id
// of a record is found by an index; for that of a delivery, or a beginning, Get reads
// the whole journal.
func (j *Journal) Get(ctx context.Context, id string) (webhook.Record, error) {
	r, err := scanRecord(j.db.QueryRowContext(ctx, "SELECT "+recordColumns+" FROM record WHERE id = ?", id))
	if !errors.Is(err, sql.ErrNoRows) {
		return r, explain(j.path, err)
	}
	for r, err := range j.Records(ctx, Filter{IDs: []string{id}, Newest: true, Limit: 1}) {
		return r, err
	}
	return webhook.Record{}, ErrNotFound
}

// Count returns how many records the filter selects, whatever its limit.
func (j *Journal) Count(ctx context.Context, f Filter) (n int, err error) {
	where, err := j.where(ctx, f)
	if err == nil {
		err = j.db.QueryRowContext(ctx, "SELECT count(*) FROM record"+where.clause(), where.args...).Scan(&n)
	}
	return n, explain(j.path, err)
}

// Records returns the records that the filter selects, as of the time of the
// call. An error is the last pair. It reads a part of them at a time, so that it
// holds no lock on the file while the caller works, and takes as much memory for a
// journal of any size: with Filter.Deliveries, 8 bytes more for each of them.
func (j *Journal) Records(ctx context.Context, f Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		if err := j.eachRecord(ctx, f, yield); err != nil {
			yield(webhook.Record{}, explain(j.path, err))
		}
	}
}

func (j *Journal) eachRecord(ctx context.Context, f Filter, yield func(webhook.Record, error) bool) error {
	pages, err := j.pages(ctx, f)
	if err != nil {
		return err
	}
	for left := f.Limit; ; {
		size := pageSize
		if f.Limit > 0 {
			size = min(size, left)
		}
		if size == 0 {
			return nil
		}
		records, more, err := pages(size)
		if err != nil {
			return err
		}
		for _, r := range records {
			if !yield(r, nil) {
				return nil
			}
		}
		if !more {
			return nil
		}
		left -= len(records)
	}
}

// pages returns a function that returns the next records that a filter selects, at
// most size of them, and whether there may be more. All the pages together read
// no row twice.
func (j *Journal) pages(ctx context.Context, f Filter) (next func(size int) (records []webhook.Record, more bool, err error), err error) {
	where, err := j.where(ctx, f)
	if err != nil {
		return nil, err
	}
	if f.Deliveries {
		seqs, err := j.seqs(ctx, where, f)
		return func(size int) ([]webhook.Record, bool, error) {
			return j.listedPage(ctx, &seqs, f.Newest, size)
		}, err
	}
	span, err := j.span(ctx, f.Since, f.Until)
	return func(size int) ([]webhook.Record, bool, error) {
		return j.spanPage(ctx, where, &span, f.Newest, size)
	}, err
}

// span is a range of numbers of rows, with both ends in it.
type span struct{ first, last int64 }

// span returns the range of the records of a time, as far as they are there now. It
// reads the index of times alone. Others can lie between them: an import stores old
// records late.
func (j *Journal) span(ctx context.Context, since, until time.Time) (s span, err error) {
	w := &where{}
	w.time(since, until)
	// Without a condition, each of the two is one look at an end of the table.
	query := "SELECT coalesce((SELECT min(seq) FROM record), 1), coalesce((SELECT max(seq) FROM record), 0)"
	if len(w.terms) > 0 {
		query = "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM record" + w.clause()
	}
	err = j.db.QueryRowContext(ctx, query, w.args...).Scan(&s.first, &s.last)
	return s, err
}

// spanPage returns the next records of a span that a condition selects, and leaves the
// rest of the span. With the index of times, SQLite would sort all the rest for each
// page.
func (j *Journal) spanPage(ctx context.Context, w *where, s *span, newest bool, size int) (records []webhook.Record, more bool, err error) {
	if s.first > s.last {
		return nil, false, nil
	}
	in := where{slices.Clone(w.terms), slices.Clone(w.args)}
	in.and("seq BETWEEN ? AND ?", s.first, s.last)
	query := "SELECT seq, " + recordColumns + " FROM record NOT INDEXED" + in.clause() + " ORDER BY seq" + direction(newest) + " LIMIT ?"
	records, end, more, err := j.page(ctx, query, append(in.args, size), size)
	switch {
	case !more:
	case newest && end > math.MinInt64:
		s.last = end - 1
	case !newest && end < math.MaxInt64:
		s.first = end + 1
	default:
		more = false
	}
	return records, more, err
}

// seqs returns the numbers of the rows that a condition selects, in the order of a
// filter and within its limit.
func (j *Journal) seqs(ctx context.Context, w *where, f Filter) (seqs []int64, err error) {
	limit := -1
	if f.Limit > 0 {
		limit = f.Limit
	}
	query := "SELECT seq FROM record" + w.clause() + " ORDER BY seq" + direction(f.Newest) + " LIMIT ?"
	err = sqlfile.Each(ctx, j.db, query, append(w.args, limit), func(rows *sql.Rows) error {
		var seq int64
		err := rows.Scan(&seq)
		seqs = append(seqs, seq)
		return err
	})
	return seqs, err
}

// listedPage returns the next records of a list of rows, without those that were
// deleted meanwhile, and leaves the rest of the list.
func (j *Journal) listedPage(ctx context.Context, seqs *[]int64, newest bool, size int) (records []webhook.Record, more bool, err error) {
	part := (*seqs)[:min(size, len(*seqs))]
	list, err := json.Marshal(part)
	if err != nil || len(part) == 0 {
		return nil, false, err
	}
	query := "SELECT seq, " + recordColumns + " FROM record WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq" + direction(newest)
	records, end, more, err := j.page(ctx, query, []any{string(list)}, size)
	done := len(part)
	if more && len(records) < size { // the page was full
		done = slices.Index(part, end) + 1
	}
	*seqs = (*seqs)[done:]
	return records, len(*seqs) > 0, err
}

func direction(newest bool) string {
	if newest {
		return " DESC"
	}
	return ""
}

// errPageFull ends a query.
var errPageFull = errors.New("the page is full")

// page returns the records of a query up to the size of a page, the number of the
// last one, and whether there may be more.
func (j *Journal) page(ctx context.Context, query string, args []any, size int) (records []webhook.Record, end int64, more bool, err error) {
	bytes := 0
	err = sqlfile.Each(ctx, j.db, query, args, func(rows *sql.Rows) error {
		r, err := scanRecord(rows, &end)
		if err != nil {
			return err
		}
		records = append(records, r)
		bytes += len(r.Request.Body)
		for _, answer := range []*webhook.Response{r.Response, r.Forward} {
			if answer != nil {
				bytes += len(answer.Body)
			}
		}
		if bytes >= pageBytes {
			return errPageFull
		}
		return nil
	})
	if errors.Is(err, errPageFull) {
		return records, end, true, nil
	}
	return records, end, len(records) == size, err
}
