package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Salvage reads what can still be read of a damaged journal, the oldest first,
// and writes nothing to it. It returns how many records were given to each and
// how many places were passed over because they could not be read.
func Salvage(ctx context.Context, path string, each func(webhook.Record) error) (read, lost int, err error) {
	if err := prepare(path, Options{MustBe: true}); err != nil {
		return 0, 0, err
	}
	// Not immutable: what stands in the write-ahead log is wanted as well.
	uri := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro&_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return 0, 0, explain(path, err)
	}
	defer func() { _ = db.Close() }()
	first, last, err := extent(ctx, db)
	if err != nil {
		return 0, 0, &FileError{path, "nothing can be read of it: " + err.Error(), err}
	}
	for seq := first; seq <= last; seq++ {
		r, err := scan(db.QueryRowContext(ctx, "SELECT "+selected+" FROM record WHERE seq = ?", seq))
		switch {
		case ctx.Err() != nil:
			return read, lost, ctx.Err()
		case err == nil:
			if err := each(r); err != nil {
				return read, lost, err
			}
			read++
		case errors.Is(err, sql.ErrNoRows): // pruned
		default:
			lost++
		}
	}
	return read, lost, nil
}

// extent finds the first and the last seq, by the ends of the tree that can
// still be read.
func extent(ctx context.Context, db *sql.DB) (first, last int64, err error) {
	if err := db.QueryRowContext(ctx, "SELECT coalesce(min(seq), 1) FROM record").Scan(&first); err != nil {
		first = 1
	}
	if err = db.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM record").Scan(&last); err == nil {
		return first, last, nil
	}
	// The end is damaged: it is looked for row by row, until a long stretch
	// gives none.
	const reach = 1 << 16
	for probe, misses := first, 0; misses < reach; probe++ {
		var seq int64
		if db.QueryRowContext(ctx, "SELECT seq FROM record WHERE seq = ?", probe).Scan(&seq) == nil {
			last, misses = seq, 0
		} else {
			misses++
		}
		if ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
	}
	if last == 0 {
		return 0, 0, fmt.Errorf("no row answers: %w", err)
	}
	return first, last, nil
}
