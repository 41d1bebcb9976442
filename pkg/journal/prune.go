package journal

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/wskdev/wsk/pkg/internal/failpoint"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// freeStep gives back 250 pages of 8 KiB.
const freeStep = "PRAGMA incremental_vacuum(250)"

// The size of a step of Prune, which is one transaction: a receiver on the same file
// waits for one at most.
const (
	stepRows  = 200
	stepBytes = 2 << 20 // of bodies, unless one record has more
)

// Prune deletes the records from before a time and returns how many it deleted. It
// keeps the records that wait to be forwarded, and the marks of the seven days up
// to the newest. The file shrinks. Prune works in small steps, so that receivers
// on the file go on meanwhile; only the first one on a file of an older wsk
// rewrites the file as a whole.
func (j *Journal) Prune(ctx context.Context, before time.Time) (deleted int, err error) {
	deleted, err = j.pruneRecords(ctx, before)
	if err == nil {
		err = j.pruneMarks(ctx, before)
	}
	if err == nil {
		err = j.shrink(ctx)
	}
	return deleted, explain(j.path, err)
}

// CountPrune returns how many records Prune would delete.
func (j *Journal) CountPrune(ctx context.Context, before time.Time) (n int, err error) {
	const count = "SELECT count(*) FROM record WHERE time < ? AND forward_state <> ?"
	err = j.db.QueryRowContext(ctx, count, before.UnixNano(), forwardDue).Scan(&n)
	return n, explain(j.path, err)
}

// pruneRecords deletes the records step by step, the oldest first.
func (j *Journal) pruneRecords(ctx context.Context, before time.Time) (deleted int, err error) {
	span, err := j.span(ctx, time.Time{}, before)
	if err != nil {
		return 0, err
	}
	// By the index of times, each step would read all that is left.
	const page = "SELECT seq, coalesce(length(body), 0) + coalesce(length(answer), 0) FROM record NOT INDEXED WHERE seq > ? AND seq <= ? AND time < ? AND forward_state <> 1 ORDER BY seq LIMIT ?"
	const remove = "DELETE FROM record NOT INDEXED WHERE seq > ? AND seq <= ? AND time < ? AND forward_state <> ?"
	for last := int64(math.MinInt64); ; {
		first, rows, bytes, isFull := last, 0, 0, false
		err := sqlfile.Each(ctx, j.db, page, []any{last, span.last, before.UnixNano(), stepRows}, func(row *sql.Rows) error {
			var seq int64
			var size int
			err := row.Scan(&seq, &size)
			if isFull = isFull || rows > 0 && bytes+size > stepBytes; !isFull {
				last, rows, bytes = seq, rows+1, bytes+size
			}
			return err
		})
		if err != nil || rows == 0 {
			return deleted, err
		}
		n := 0
		err = j.write.Submit(ctx, func(tx *sqlfile.Tx) (err error) {
			tx.Failpoints("journal/prune-records")
			j.refused.isKnown = false
			n, err = tx.Change(remove, first, last, before.UnixNano(), forwardDue)
			return err
		})
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
}

// pruneMarks deletes the marks that no receiver needs any more.
func (j *Journal) pruneMarks(ctx context.Context, before time.Time) error {
	var keepFrom int64 // marks are stored in the order of time
	const oldest = "SELECT coalesce(min(seq), 0) FROM seen WHERE time >= min(?, (SELECT max(time) FROM seen) - ?)"
	if err := j.db.QueryRowContext(ctx, oldest, before.UnixNano(), int64(keptMarks)).Scan(&keepFrom); err != nil {
		return err
	}
	for {
		n := 0
		err := j.write.Submit(ctx, func(tx *sqlfile.Tx) (err error) {
			tx.Failpoints("journal/prune-marks")
			n, err = tx.Change("DELETE FROM seen WHERE seq IN (SELECT seq FROM seen WHERE seq < ? ORDER BY seq LIMIT ?)", keepFrom, stepRows)
			return err
		})
		if err != nil || n < stepRows {
			return err
		}
	}
}

// shrink gives the free pages of the file back.
func (j *Journal) shrink(ctx context.Context) error {
	var mode int
	if err := j.db.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode); err != nil {
		return err
	}
	if mode == 0 { // a file of an older wsk; this makes it one that shrinks in steps
		_, err := j.db.ExecContext(ctx, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
		return err
	}
	for left := math.MaxInt; left > 0; {
		free := 0
		err := j.write.Submit(ctx, func(tx *sqlfile.Tx) error {
			tx.Failpoints("journal/prune-pages")
			// It gives back a page for each row that is read.
			if err := tx.Each(freeStep, nil, func(*sql.Rows) error { return nil }); err != nil {
				return err
			}
			return tx.One("PRAGMA freelist_count", nil, &free)
		})
		switch {
		case err != nil:
			return err
		case free >= left: // others free pages as fast
			free = 0
		}
		left = free
	}
	if err := failpoint.Hit("journal/before-checkpoint"); err != nil {
		return err
	}
	_, err := j.db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)") // which waits for nobody
	return errors.Join(err, failpoint.Hit("journal/after-checkpoint"))
}
