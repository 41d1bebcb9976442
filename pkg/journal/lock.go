package journal

import (
	"context"
	"database/sql"
	"errors"
	"net/url"

	"github.com/wskdev/wsk/pkg/sqlfile"
)

// ErrLocked says that another process holds a lock.
var ErrLocked = errors.New("another process is at it")

// Lock takes a lock of that name, which may hold letters, digits and dashes,
// or returns [ErrLocked] at once. It ends with release, and with the process,
// however that ends; the file stays. It is SQLite's own lock on a file beside the journal, so
// it works wherever the journal does.
func (j *Journal) Lock(ctx context.Context, name string) (release func() error, err error) {
	path := j.path + "-" + name + ".lock"
	if err := sqlfile.Prepare(path, kind(), sqlfile.Options{}); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", sqlfile.URI(path, url.Values{"_pragma": {"journal_mode(MEMORY)"}}))
	if err != nil {
		return nil, explain(path, err)
	}
	db.SetMaxOpenConns(1)
	if _, err = db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		fault := errors.Join(explain(path, err), db.Close())
		if sqlfile.Busy(err) {
			fault = ErrLocked
		}
		return nil, fault
	}
	return db.Close, nil // the empty file stays: to remove it while another opens it would make two locks of one
}
