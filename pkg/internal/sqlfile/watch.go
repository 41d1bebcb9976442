package sqlfile

import (
	"context"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrMoved is the error of every write after the file, or its write-ahead log,
// was moved, deleted or replaced while it was open: what is written then reaches
// no file that another process finds. It is an [ErrBroken] as well.
var ErrMoved error = movedError{}

type movedError struct{}

func (movedError) Error() string {
	return "the file was moved, deleted or replaced while it was in use"
}

func (movedError) Is(target error) bool { return target == ErrBroken }

// watch knows the files that a connection has open.
type watch []watched

type watched struct {
	path string
	info fs.FileInfo
}

// newWatch watches the file of a connection and its write-ahead log. A temporary
// file has no path, and is not watched.
func newWatch(ctx context.Context, conn *sql.Conn) (watch, error) {
	// Reading the schema opens the log.
	var path string
	var tables int
	err := conn.QueryRowContext(ctx, "SELECT file, (SELECT count(*) FROM sqlite_schema) FROM pragma_database_list WHERE name = 'main'").Scan(&path, &tables)
	if err != nil || path == "" {
		return nil, err
	}
	var w watch
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Lstat(name) //nolint:forbidigo // the package that opens files
		if err != nil {
			return nil, err
		}
		w = append(w, watched{name, info})
	}
	return w, nil
}

// sync makes the entries of the files in their folder survive a loss of power. SQLite
// syncs the folder as well, but ignores the error.
func (w watch) sync() error {
	if len(w) == 0 {
		return nil
	}
	return syncFolder(filepath.Dir(w[0].path))
}

// check returns [ErrMoved] unless every path still leads to the file that is
// open. SQLite keeps the files open, so no other can get their numbers.
func (w watch) check() error {
	for _, f := range w {
		info, err := os.Lstat(f.path) //nolint:forbidigo // as above
		if err != nil || !os.SameFile(info, f.info) {
			return ErrMoved
		}
	}
	return nil
}
