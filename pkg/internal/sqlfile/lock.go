package sqlfile

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
)

// ErrLocked says that another process holds a lock.
var ErrLocked = errors.New("another process is at it")

// Lock takes a lock of the processes of this machine, or returns [ErrLocked] at
// once. It ends with release, and with the process, however that ends. The
// lock is SQLite's own on an empty file at path, which is made and stays.
func Lock(ctx context.Context, path string, k Kind) (release func() error, err error) {
	if err := Prepare(path, k, Options{}); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", URI(path, url.Values{"_pragma": {"journal_mode(MEMORY)"}}))
	if err != nil {
		return nil, k.Explain(path, err)
	}
	db.SetMaxOpenConns(1)
	if _, err = db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		fault := errors.Join(k.Explain(path, err), db.Close())
		if Busy(err) {
			fault = ErrLocked
		}
		return nil, fault
	}
	return db.Close, nil // to remove the file while another opens it would make two locks of one
}
