package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/failpoint"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Salvage calls each with every record of a damaged journal that can still be
// read, the oldest first. It does not write to the file. It returns how many
// records it read, and how many places of the file it skipped as unreadable. An
// error of each ends it and is returned.
func Salvage(ctx context.Context, path string, each func(webhook.Record) error) (read, lost int, err error) {
	return salvage(ctx, path, sqlfile.BusyTimeout, each)
}

func salvage(ctx context.Context, path string, busyTimeout time.Duration, each func(webhook.Record) error) (read, lost int, err error) {
	if err := sqlfile.Prepare(path, kind, sqlfile.Options{MustExist: true}); err != nil {
		return 0, 0, err
	}
	readable, remove, err := padded(path)
	if err != nil {
		return 0, 0, explain(path, err)
	}
	defer remove()
	if err := failpoint.Hit("journal/salvage"); err != nil {
		return 0, 0, err
	}
	// Not immutable: the records in the write-ahead log count as well.
	db, err := sql.Open("sqlite", sqlfile.URI(readable, url.Values{"mode": {"ro"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds())}}))
	if err != nil {
		return 0, 0, explain(path, err)
	}
	defer func() { _ = db.Close() }()
	first, last, whole, err := extent(ctx, db)
	switch {
	case sqlfile.Busy(err):
		return 0, 0, explain(path, err)
	case err != nil:
		return 0, 0, &FileError{Kind: kind.Name, Path: path, Reason: "it contains no record that can be read", Err: err}
	case !whole:
		lost++
	}
	columns := recordColumns
	for column, value := range map[string]string{"replay_of": "''", "body_size": "NULL"} {
		if err := db.QueryRowContext(ctx, "SELECT "+column+" FROM record LIMIT 0").Err(); err != nil { // an older wsk wrote it
			columns = strings.Replace(columns, column, value, 1)
		}
	}
	for seq, failures := first, 0; ; seq++ {
		r, err := scanRecord(db.QueryRowContext(ctx, "SELECT "+columns+" FROM record WHERE seq = ?", seq))
		switch {
		case ctx.Err() != nil:
			return read, lost, ctx.Err()
		case err == nil:
			if err := each(r); err != nil {
				return read, lost, err
			}
			read, failures = read+1, 0
		case errors.Is(err, sql.ErrNoRows): // pruned, perhaps many of them
			if next := rowAfter(ctx, db, seq); next > seq {
				seq = next - 1
			} else {
				failures++
			}
		case sqlfile.Busy(err):
			return read, lost, explain(path, err)
		default:
			lost, failures = lost+1, failures+1
		}
		if failures > maxFailures {
			return read, lost, &FileError{Kind: kind.Name, Path: path, Reason: fmt.Sprintf("a million rows up to number %d are unreadable", seq), Err: err}
		}
		if seq >= last { // before seq++, which may overflow
			return read, lost, nil
		}
	}
}

// maxFailures is how many rows in succession Salvage tries to read before it
// gives up. A damaged file may pretend to have any number of them.
const maxFailures = 1 << 20

// rowAfter returns the number of the next row after seq, or 0 if it cannot be
// found.
func rowAfter(ctx context.Context, db *sql.DB, seq int64) (next int64) {
	if err := db.QueryRowContext(ctx, "SELECT seq FROM record WHERE seq > ? ORDER BY seq LIMIT 1", seq).Scan(&next); err != nil {
		return 0
	}
	return next
}

// padded returns the path of a copy that is as long as the header says if the
// file was cut off, because SQLite refuses a file that is shorter; otherwise the
// path itself. remove deletes the copy.
func padded(path string) (readable string, remove func(), err error) {
	file, err := os.Open(path) //nolint:forbidigo // the package that keeps files
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = file.Close() }() // it is only read
	info, err := file.Stat()
	if err != nil {
		return "", nil, err
	}
	head := make([]byte, 32) // https://sqlite.org/fileformat.html, section 1.3
	if _, err := io.ReadFull(file, head); err != nil {
		return path, func() {}, nil // SQLite reports what is wrong with it
	}
	pageSize := int64(binary.BigEndian.Uint16(head[16:]))
	want := pageSize * int64(binary.BigEndian.Uint32(head[28:]))
	if info.Size() >= want || want > 16*info.Size() { // the latter: the header is damaged
		return path, func() {}, nil
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".wsk-salvage-*") //nolint:forbidigo // as above; mode 0600
	if err != nil {
		return "", nil, err
	}
	remove = func() {
		for _, end := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(out.Name() + end) //nolint:forbidigo // as above
		}
	}
	_, err = io.Copy(out, io.MultiReader(bytes.NewReader(head), file))
	if err = errors.Join(err, out.Truncate(want), out.Close()); err != nil {
		remove()
		return "", nil, err
	}
	return out.Name(), remove, nil
}

// extent returns the first and the last seq that can be found. whole reports
// whether the last one is the end of the table.
func extent(ctx context.Context, db *sql.DB) (first, last int64, whole bool, err error) {
	err = db.QueryRowContext(ctx, "SELECT coalesce(min(seq), 1) FROM record").Scan(&first)
	switch {
	case sqlfile.Busy(err):
		return 0, 0, false, err
	case err != nil:
		first = 1
	}
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM record").Scan(&last)
	if err == nil || sqlfile.Busy(err) {
		return first, last, err == nil, err
	}
	// The end of the tree is damaged: probe row by row until many in a row fail.
	const reach = 4096
	for probe, misses := first, 0; misses < reach; probe++ {
		var seq int64
		if db.QueryRowContext(ctx, "SELECT seq FROM record WHERE seq = ?", probe).Scan(&seq) == nil {
			last, misses = seq, 0
		} else {
			misses++
		}
		if ctx.Err() != nil {
			return 0, 0, false, ctx.Err()
		}
	}
	if last == 0 {
		return 0, 0, false, fmt.Errorf("no row is readable: %w", err)
	}
	return first, last, false, nil
}
