package journal

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// Options says how to open. The zero value is right for a listener.
type Options struct {
	Warn     func(text string) // told what deserves a look, such as a mode that lets others read; default: nobody
	MustBe   bool              // do not make a new journal where there is none
	maxPages int               // for tests: how large the file may grow
}

// Journal is an open journal. It is safe for concurrent use. A nil Journal
// keeps nothing and finds nothing.
type Journal struct {
	path  string
	db    *sql.DB
	write *sqlfile.Writer

	closing sync.Once
	closed  error
}

// Open opens the journal at path, and makes it with mode 0600, and its folder
// with 0700, where there is none. The errors are [*FileError]; they say what is
// wrong with the file and what to do.
func Open(ctx context.Context, path string, o Options) (*Journal, error) {
	db, err := sqlfile.Open(ctx, path, kind(), sqlfile.Options{Warn: o.Warn, MustBe: o.MustBe, MaxPages: o.maxPages})
	if err != nil {
		return nil, err
	}
	j := &Journal{path: path, db: db}
	if j.write, err = sqlfile.NewWriter(ctx, db, nil); err != nil {
		return nil, errors.Join(explain(path, err), db.Close())
	}
	return j, nil
}

// Path returns where the journal is, or "" of a nil one.
func (j *Journal) Path() string {
	if j == nil {
		return ""
	}
	return j.path
}

// Close waits for what is being written and closes the file.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.closing.Do(func() {
		j.closed = errors.Join(j.write.Close(), j.db.Close())
	})
	return j.closed
}
