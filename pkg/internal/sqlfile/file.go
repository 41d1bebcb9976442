// Package sqlfile opens the SQLite files that wsk keeps: a path and a Kind
// come in, a *sql.DB with its schema up to date comes out.
//
//	db, err := sqlfile.Open(ctx, path, sqlfile.Kind{
//		Name: "journal", Flag: "--journal", ApplicationID: 0x77736b6a, Migrations: []string{"CREATE TABLE …"},
//	}, sqlfile.Options{})
//
// Files are made with mode 0600, a symlink is not followed, and a file of
// another program or of a newer wsk is left alone. Every connection waits for
// another process's commit, and a commit that returns is on disk (WAL,
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
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
	codes "modernc.org/sqlite/lib"
)

// BusyTimeout is how long a writer waits for another process's commit.
const BusyTimeout = 10 * time.Second

// Kind is one sort of file.
type Kind struct {
	Name          string   // for people: "journal"
	Flag          string   // the flag that names another place: "--journal"
	Absent        string   // what makes the file, said where it must be there and is not
	Salvage       string   // what to do about a damaged one; may be empty
	ApplicationID uint32   // marks the file, in PRAGMA application_id
	Migrations    []string // bring a file from version i to i+1, PRAGMA user_version; never edited, a change is a new one
}

// Options says how to open.
type Options struct {
	Warn     func(text string) // told what deserves a look, such as a mode that lets others read; default: nobody
	MustBe   bool              // do not make a new file where there is none
	MaxPages int               // how large the file may grow, in pages of 8 KiB; 0: as the disk allows
}

// Open opens the file at path, and makes it with mode 0600, and its folder with
// 0700, where there is none. The errors are [*Error]; they say what is wrong
// with the file and what to do.
//
// The path "" stands for a file without a name that is gone with the process.
// It has one connection.
func Open(ctx context.Context, path string, k Kind, o Options) (*sql.DB, error) {
	if path != "" {
		if err := Prepare(path, k, o); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", source(path, o))
	if err != nil {
		return nil, k.Explain(path, err)
	}
	if path == "" {
		db.SetMaxOpenConns(1) // each connection would have a file of its own
		db.SetConnMaxLifetime(0)
	}
	// Whoever switches a new file to WAL at the same time makes this one wait,
	// and SQLite does not wait there by itself.
	limited, cancel := context.WithTimeout(ctx, BusyTimeout)
	defer cancel()
	err = k.migrate(ctx, db, path)
	for Code(err)&0xff == codes.SQLITE_BUSY && pause(limited) == nil {
		err = k.migrate(ctx, db, path)
	}
	if err != nil {
		return nil, errors.Join(k.Explain(path, err), db.Close())
	}
	return db, nil
}

// Prepare looks at what stands at the path before SQLite does, which would
// follow a symlink and make a file that others can read. Where there is
// nothing it makes an empty file.
func Prepare(path string, k Kind, o Options) error {
	info, err := os.Lstat(path) //nolint:forbidigo // the package that opens files
	fault := ""
	switch {
	case errors.Is(err, os.ErrNotExist) && o.MustBe:
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
		fault = "it is no regular file"
	default:
		if info.Mode().Perm()&0o077 != 0 && o.Warn != nil {
			o.Warn(fmt.Sprintf("the %s %s can be read by others: chmod 600 it", k.Name, path))
		}
		return nil
	}
	return &Error{k.Name, path, fault, err}
}

func (k Kind) create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil { //nolint:forbidigo // as above
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

// source names the database and how each connection is set up.
func source(path string, o Options) string {
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", BusyTimeout.Milliseconds()),
		"page_size(8192)", "synchronous(FULL)", "trusted_schema(OFF)", "wal_autocheckpoint(2000)",
	}
	if o.MaxPages > 0 {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count(%d)", o.MaxPages))
	}
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	return URI(path, query)
}

// URI names a file as SQLite reads it, whatever characters its path has.
func URI(path string, query url.Values) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), OmitHost: path == "", RawQuery: query.Encode()}).String()
}

// migrate brings the schema up to date, in one transaction that other
// processes wait for.
func (k Kind) migrate(ctx context.Context, db *sql.DB, path string) error {
	var found, app, tables int
	row := db.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)")
	if err := row.Scan(&found, &app, &tables); err != nil {
		return err
	}
	version := len(k.Migrations)
	switch {
	case app != int(k.ApplicationID) && tables > 0:
		return &Error{k.Name, path, "it is a SQLite database, but no " + k.Name + " of wsk", nil}
	case found > version:
		return &Error{k.Name, path, fmt.Sprintf("a newer wsk wrote it (version %d; this one knows up to %d): update wsk, or choose another file with %s", found, version, k.Flag), nil}
	}
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil || found == version {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
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
