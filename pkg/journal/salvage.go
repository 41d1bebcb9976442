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

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Salvage reads what can still be read of a damaged journal, the oldest first,
// and writes nothing to it. It returns how many records were given to each and
// how many places were passed over because they could not be read.
func Salvage(ctx context.Context, path string, each func(webhook.Record) error) (read, lost int, err error) {
	if err := sqlfile.Prepare(path, kind(), sqlfile.Options{MustBe: true}); err != nil {
		return 0, 0, err
	}
	whole, remove, err := lengthened(path)
	if err != nil {
		return 0, 0, explain(path, err)
	}
	defer remove()
	// Not immutable: what stands in the write-ahead log is wanted as well.
	db, err := sql.Open("sqlite", sqlfile.URI(whole, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)"}}))
	if err != nil {
		return 0, 0, explain(path, err)
	}
	defer func() { _ = db.Close() }()
	first, last, ends, err := extent(ctx, db)
	if err != nil {
		return 0, 0, &FileError{Kind: kind().Name, Path: path, Reason: "nothing can be read of it: " + err.Error(), Err: err}
	}
	if !ends {
		lost++
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

// lengthened returns the path of a copy that is as long as its own header says,
// where the file was cut off, for SQLite reads nothing of one that is shorter;
// else the path itself. remove takes the copy away.
func lengthened(path string) (whole string, remove func(), err error) {
	file, err := os.Open(path) //nolint:forbidigo // the package that keeps files
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = file.Close() }() // it is only read
	info, err := file.Stat()
	if err != nil {
		return "", nil, err
	}
	head := make([]byte, 32) // https://sqlite.org/fileformat.html, 1.3
	if _, err := io.ReadFull(file, head); err != nil {
		return path, func() {}, nil // SQLite says what is wrong with it
	}
	pageSize := int64(binary.BigEndian.Uint16(head[16:]))
	want := pageSize * int64(binary.BigEndian.Uint32(head[28:]))
	if info.Size() >= want || want > 16*info.Size() { // the latter is no header to believe
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

// extent finds the first and the last seq, by the ends of the tree that can
// still be read; whole says that the last is the end.
func extent(ctx context.Context, db *sql.DB) (first, last int64, whole bool, err error) {
	if err := db.QueryRowContext(ctx, "SELECT coalesce(min(seq), 1) FROM record").Scan(&first); err != nil {
		first = 1
	}
	if err = db.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM record").Scan(&last); err == nil {
		return first, last, true, nil
	}
	// The end is damaged: it is looked for row by row, until a long stretch
	// gives none.
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
		return 0, 0, false, fmt.Errorf("no row answers: %w", err)
	}
	return first, last, false, nil
}
