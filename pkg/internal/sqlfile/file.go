// Package sqlfile opens the SQLite files of wsk: a path and a Kind come in, a
// *sql.DB with its schema up to date comes out.
//
//	db, err := sqlfile.Open(ctx, path, sqlfile.Kind{
//		Name: "journal", Flag: "--journal", ApplicationID: 0x77736b6a, Migrations: []string{"CREATE TABLE …"},
//	}, sqlfile.Options{})
//
// A new file has mode 0600. Open does not follow a symlink, and it does not
// touch a file of another program or of a newer wsk. Every connection waits for
// the commits of other processes, and a commit that returned is on disk (WAL,
// synchronous=FULL).
package sqlfile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// BusyTimeout is how long a writer waits for another process's commit.
const BusyTimeout = 10 * time.Second

// Kind describes one sort of file.
type Kind struct {
	Name          string   // for people: "journal"
	Flag          string   // the flag that chooses another path: "--journal"
	Absent        string   // what creates the file, for the error of MustExist: "wsk listen creates it"
	Salvage       string   // how to save the data of a damaged file; may be empty
	ApplicationID uint32   // marks the file, in PRAGMA application_id
	Migrations    []string // migration i brings a file from version i to i+1 (PRAGMA user_version); append to it, never edit
}

// Options are the options of Open. The zero value creates a missing file.
type Options struct {
	Warn      func(text string) // receives warnings, such as a mode that lets others read; default: discarded
	MustExist bool              // return an error rather than create a missing file
	MaxPages  int               // the largest size of the file, in pages of 8 KiB; 0 for no limit
}

// Open opens the file at path. It creates a missing file with mode 0600, and its
// folder with 0700. Its errors are [*Error]s.
//
// The path "" stands for a temporary file that is deleted with the connection.
// It has one connection.
func Open(ctx context.Context, path string, k Kind, o Options) (*sql.DB, error) {
	if path != "" {
		if err := Prepare(path, k, o); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", dataSource(path, o))
	if err != nil {
		return nil, k.Explain(path, err)
	}
	if path == "" {
		db.SetMaxOpenConns(1) // every connection would get a file of its own
		db.SetConnMaxLifetime(0)
	}
	// SQLite's busy timeout does not cover the switch of a new file to WAL,
	// which another process may be making now.
	limited, cancel := context.WithTimeout(ctx, BusyTimeout)
	defer cancel()
	err = k.migrate(ctx, db, path)
	for Busy(err) && pause(limited) == nil {
		err = k.migrate(ctx, db, path)
	}
	if err != nil {
		return nil, errors.Join(k.Explain(path, err), db.Close())
	}
	return db, nil
}

// Prepare checks the file at path, and creates an empty one if there is none.
// SQLite itself would follow a symlink, and would create a file that others can
// read.
func Prepare(path string, k Kind, o Options) error {
	info, err := os.Lstat(path) //nolint:forbidigo // the package that opens files
	var fault string
	switch {
	case errors.Is(err, os.ErrNotExist) && o.MustExist:
		fault = "there is no " + k.Name + " yet: " + k.Absent + ", or give " + k.Flag + " PATH"
	case errors.Is(err, os.ErrNotExist):
		return k.create(path)
	case err != nil:
		fault = reason(err)
	case info.Mode()&os.ModeSymlink != 0:
		fault = "it is a symlink, which could lead anywhere: name the file itself"
	case info.IsDir():
		fault = "it is a folder: name a file in it"
	case !info.Mode().IsRegular():
		fault = "it is not a regular file"
	default:
		if info.Mode().Perm()&0o077 != 0 && o.Warn != nil {
			o.Warn(fmt.Sprintf("the %s %s can be read by others: chmod 600 it", k.Name, path))
		}
		return nil
	}
	return &Error{k.Name, path, fault, err}
}

func (k Kind) create(path string) error {
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return &Error{k.Name, path, reason(err), err}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:forbidigo // as above
	switch {
	case errors.Is(err, os.ErrExist): // another process was faster
		return nil
	case err != nil:
		return &Error{k.Name, path, reason(err), err}
	}
	return file.Close()
}

// makeFolder creates a folder with those above it, and returns when their names
// are on disk. SQLite itself syncs only the folder that contains the file. All
// folders above are synced, not only new ones: a process that was killed may have
// created them a moment ago.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:forbidigo // as above
		return err
	}
	for above := filepath.Dir(dir); above != dir; dir, above = above, filepath.Dir(above) {
		if err := syncFolder(above); err != nil {
			return err
		}
	}
	return nil
}

// syncFolder makes the entries of a folder survive a loss of power. A folder that
// cannot be opened has no new ones. An error other than those that it returns
// means that the system has no fsync of folders.
func syncFolder(dir string) error {
	folder, err := os.Open(dir) //nolint:forbidigo // as above
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	err = folder.Sync()
	_ = folder.Close() // it was only read
	if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}

// dataSource names the database and sets up each connection.
func dataSource(path string, o Options) string {
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", BusyTimeout.Milliseconds()),
		"page_size(8192)", "synchronous(FULL)", "trusted_schema(OFF)", "wal_autocheckpoint(2000)",
	}
	if o.MaxPages > 0 {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count(%d)", o.MaxPages))
	}
	return URI(path, url.Values{"_pragma": pragmas, "_txlock": {"immediate"}})
}

// URI returns the SQLite URI of a file, with every character of its path
// escaped.
func URI(path string, query url.Values) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), OmitHost: path == "", RawQuery: query.Encode()}
	return u.String()
}

// migrate brings the schema up to date in one transaction.
func (k Kind) migrate(ctx context.Context, db *sql.DB, path string) error {
	var found, app, tables int
	row := db.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)")
	if err := row.Scan(&found, &app, &tables); err != nil {
		return err
	}
	version := len(k.Migrations)
	switch {
	case app != int(k.ApplicationID) && tables > 0:
		return &Error{k.Name, path, "it is a SQLite database, but not a " + k.Name + " of wsk", nil}
	case found > version:
		return &Error{k.Name, path, fmt.Sprintf("a newer wsk wrote it (version %d; this one knows up to %d): update wsk, or choose another file with %s", found, version, k.Flag), nil}
	}
	setUp := "PRAGMA journal_mode = WAL"
	if tables == 0 { // later, only VACUUM could change it
		setUp = "PRAGMA auto_vacuum = INCREMENTAL; " + setUp
	}
	if _, err := db.ExecContext(ctx, setUp); err != nil || found == version {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	// Read again under the lock: another process may have migrated the file.
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	for i := found; i < version; i++ {
		if _, err := tx.ExecContext(ctx, k.Migrations[i]); err != nil {
			return err
		}
	}
	if found < version {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", version, k.ApplicationID)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// pause waits for a moment, in which another process may finish.
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

// ErrLocked is the error of [Lock] while another process holds the lock.
var ErrLocked = errors.New("another process holds the lock")

// Lock takes a lock that excludes the other processes of this machine, or
// returns [ErrLocked] at once. The lock ends with release or with the process,
// even after a kill. It is SQLite's own lock on an empty file at path, which
// Lock creates and never removes: removing it while another process opens it
// would make two locks of one.
func Lock(ctx context.Context, path string, k Kind) (release func() error, err error) {
	if err := Prepare(path, k, Options{}); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", URI(path, url.Values{"_pragma": {"journal_mode(MEMORY)"}}))
	if err != nil {
		return nil, k.Explain(path, err)
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, "BEGIN EXCLUSIVE")
	switch {
	case Busy(err):
		_ = db.Close() // the file is empty
		return nil, ErrLocked
	case err != nil:
		return nil, errors.Join(k.Explain(path, err), db.Close())
	}
	return db.Close, nil
}
