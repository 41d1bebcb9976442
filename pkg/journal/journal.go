package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
	codes "modernc.org/sqlite/lib"
)

// busyTimeout is how long a writer waits for another process's commit.
const busyTimeout = 10 * time.Second

// Options says how to open. The zero value is right for a listener.
type Options struct {
	Warn     func(text string) // told what deserves a look, such as a mode that lets others read; default: nobody
	MustBe   bool              // do not make a new journal where there is none
	maxPages int               // for tests: how large the file may grow
	fail     func() error      // for tests: asked before each commit
}

// Journal is an open journal. It is safe for concurrent use. A nil Journal
// keeps nothing and finds nothing.
type Journal struct {
	path  string
	db    *sql.DB
	write *writer

	closing sync.Once
	closed  error
}

// Open opens the journal at path, and makes it with mode 0600, and its folder
// with 0700, where there is none. The errors are [*FileError]; they say what is
// wrong with the file and what to do.
func Open(ctx context.Context, path string, o Options) (*Journal, error) {
	if err := prepare(path, o); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", source(path, o))
	if err != nil {
		return nil, explain(path, err)
	}
	j := &Journal{path: path, db: db}
	// Whoever switches a new file to WAL at the same time makes this one wait,
	// and SQLite does not wait there by itself.
	limited, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	err = j.migrate(ctx)
	for code(err)&0xff == codes.SQLITE_BUSY && pause(limited) == nil {
		err = j.migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(explain(path, err), db.Close())
	}
	if j.write, err = newWriter(ctx, db, o.fail); err != nil {
		return nil, errors.Join(explain(path, err), db.Close())
	}
	return j, nil
}

// prepare looks at what stands at the path before SQLite does: it would follow
// a symlink, and make a file that others can read.
func prepare(path string, o Options) error {
	info, err := os.Lstat(path) //nolint:forbidigo // the journal is the package that keeps a file
	switch {
	case errors.Is(err, os.ErrNotExist) && o.MustBe:
		return &FileError{path, "there is no journal yet: wsk listen makes it, or give --journal PATH", nil}
	case errors.Is(err, os.ErrNotExist):
		return create(path)
	case err != nil:
		return &FileError{path, reason(err), err}
	case info.Mode()&os.ModeSymlink != 0:
		return &FileError{path, "it is a symlink, which could lead anywhere: name the file itself", nil}
	case info.IsDir():
		return &FileError{path, "it is a folder: name a file in it", nil}
	case !info.Mode().IsRegular():
		return &FileError{path, "it is no regular file", nil}
	case info.Mode().Perm()&0o077 != 0 && o.Warn != nil:
		o.Warn(fmt.Sprintf("the journal %s can be read by others: chmod 600 it", path))
	}
	return nil
}

func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil { //nolint:forbidigo // as above
		return &FileError{path, reason(err), err}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:forbidigo // as above
	switch {
	case errors.Is(err, os.ErrExist): // another process was faster
		return nil
	case err != nil:
		return &FileError{path, reason(err), err}
	}
	return file.Close()
}

// source names the database and how each connection is set up.
func source(path string, o Options) string {
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"page_size(8192)", "synchronous(FULL)", "trusted_schema(OFF)", "wal_autocheckpoint(2000)",
	}
	if o.maxPages > 0 {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count(%d)", o.maxPages))
	}
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
}

// migrate brings the schema up to date, in one transaction that other
// processes wait for.
func (j *Journal) migrate(ctx context.Context) error {
	var found, app, tables int
	row := j.db.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)")
	if err := row.Scan(&found, &app, &tables); err != nil {
		return err
	}
	switch {
	case app != applicationID && tables > 0:
		return &FileError{j.path, "it is a SQLite database, but no journal of wsk", nil}
	case found > version:
		return &FileError{j.path, fmt.Sprintf("a newer wsk wrote it (version %d; this one knows up to %d): update wsk, or choose another file with --journal", found, version), nil}
	}
	if _, err := j.db.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil || found == version {
		return err
	}
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	for i := found; i < version; i++ {
		if _, err := tx.ExecContext(ctx, migrations()[i]); err != nil {
			return err
		}
	}
	if found < version {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", version, applicationID)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// pause lets another process finish what takes it a moment.
func pause(ctx context.Context) error {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
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
		j.closed = errors.Join(j.write.close(), j.db.Close())
	})
	return j.closed
}
