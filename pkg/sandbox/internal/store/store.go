// Package store keeps a sandbox's state in SQLite: the records of its
// companies, the subscriptions, and their deliveries.
//
//	s, err := store.Open(ctx, "sandbox.db", store.Options{}) // "" is a state in memory
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	err = s.Do(ctx, func(tx *store.Tx) error {
//		project, err := tx.Find("comp_1", store.Project, "PRJ-2025-001")
//		if err != nil {
//			return err
//		}
//		project.Fields["priority"] = "high"
//		return tx.Put(project)
//	})
//
// Transactions run one at a time, and have been written to disk when Do returns
// nil. The platform's rules are in package rules.
package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// The errors of a transaction.
var (
	ErrNotFound = errors.New("not found")
	ErrTaken    = errors.New("a record with that key already exists")
)

// Options configures Open.
type Options struct {
	Warn func(text string) // called for a problem that does not keep the file from being used; may be nil
}

// Store is a sandbox's state. It is safe for concurrent use.
type Store struct {
	path  string
	db    *sql.DB
	write *sqlfile.Writer

	release func() error // releases the lock; nil if there is none
	closing sync.Once
	closed  error
}

// Tx is one transaction. It is valid until the function that Do called with it
// returns.
type Tx struct{ w *sqlfile.Tx }

// Failpoints names the failpoints of a transaction, see [sqlfile.Tx.Failpoints].
func (t *Tx) Failpoints(name string) { t.w.Failpoints(name) }

// Open opens or creates the state at path; "" is one in memory, which ends with
// Close. The error is a [*sqlfile.Error].
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	db, err := sqlfile.Open(ctx, path, fileKind, sqlfile.Options{Warn: o.Warn})
	if err != nil {
		return nil, err
	}
	w, err := sqlfile.NewWriter(ctx, db, nil)
	if err != nil {
		return nil, errors.Join(fileKind.Explain(path, err), db.Close())
	}
	return &Store{path: path, db: db, write: w}, nil
}

// Lock makes this process the only one that works on the state. Its error is a
// [*sqlfile.Error], for instance if another process has the lock. Reading needs
// no lock. The lock ends with Close, or with the process.
func (s *Store) Lock(ctx context.Context) (err error) {
	if s.path == "" {
		return nil
	}
	s.release, err = sqlfile.Lock(ctx, s.path+".lock", fileKind)
	if errors.Is(err, sqlfile.ErrLocked) {
		err = &sqlfile.Error{Kind: fileKind.Name, Path: s.path, Reason: "another sandbox works on it: stop that one, or choose another file with " + fileKind.Flag, Err: err}
	}
	return err
}

// Do calls do in a transaction, which is committed if do returns nil, and rolled
// back if it returns an error. do may be called again after a first call was
// rolled back, so it must not rely on what that one did. Do returns at once if
// ctx has ended, but waits for a transaction that has begun.
func (s *Store) Do(ctx context.Context, do func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.write.Submit(context.WithoutCancel(ctx), func(w *sqlfile.Tx) error {
		return do(&Tx{w})
	})
	if sqlfile.Code(err) != 0 || errors.Is(err, sqlfile.ErrBroken) {
		return fileKind.Explain(s.path, err)
	}
	return err
}

// Close waits for transactions that have begun, and closes the file.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.closed = errors.Join(s.write.Close(), s.db.Close())
		if s.release != nil {
			s.closed = errors.Join(s.closed, s.release())
		}
	})
	return s.closed
}

// Kept is the prefix of settings that survive [Tx.Reset].
const Kept = "kept."

// Reset removes everything except the settings with the prefix [Kept].
func (t *Tx) Reset() error {
	for _, table := range []string{"record", "counter", "subscription", "delivery", "attempt"} {
		if err := t.w.Exec("DELETE FROM " + table); err != nil {
			return err
		}
	}
	return t.w.Exec("DELETE FROM setting WHERE name NOT GLOB ?", Kept+"*")
}

// Setting returns a setting of the sandbox itself, or "".
func (t *Tx) Setting(name string) (value string, err error) {
	err = t.w.One("SELECT value FROM setting WHERE name = ?", []any{name}, &value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value, err
}

// Set stores a setting.
func (t *Tx) Set(name, value string) error {
	return t.w.Exec("INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value)
}

// conditions are the terms of a WHERE clause, with their arguments.
type conditions struct {
	text string
	args []any
}

// equal adds a term for a value, unless the value is empty.
func (c *conditions) equal(column, value string) {
	if value != "" {
		c.add(column+" = ?", value)
	}
}

func (c *conditions) add(term string, args ...any) {
	if c.text == "" {
		c.text = " WHERE "
	} else {
		c.text += " AND "
	}
	c.text += term
	c.args = append(c.args, args...)
}

// rowLimit returns a limit as SQLite has it, where -1 is none.
func rowLimit(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}

// unixNano converts a time of the file.
func unixNano(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }

// fileKind tells a sandbox's file from other SQLite files. Its ID is "wsks".
var fileKind = sqlfile.Kind{
	Name: "sandbox file", Flag: "--data", Absent: "wsk sandbox makes it",
	Salvage:       "start with another file",
	ApplicationID: 0x77736b73, Migrations: migrations,
}

// migrations bring a file from version i to i+1. Never edit one: append to them.
var migrations = []string{
	`
CREATE TABLE record (
	seq     INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	company TEXT NOT NULL,
	kind    TEXT NOT NULL,
	key     TEXT NOT NULL,
	parent  TEXT NOT NULL,
	name    TEXT NOT NULL,
	folded  TEXT NOT NULL,                 -- the name in lower case, for searches
	created INTEGER NOT NULL,              -- Unix nanoseconds, as all times here
	updated INTEGER NOT NULL,
	fields  TEXT NOT NULL,                 -- JSON
	UNIQUE (company, kind, key)
) STRICT;
CREATE INDEX record_parent ON record (parent, kind, name) WHERE parent <> '';

CREATE TABLE counter (
	company TEXT NOT NULL,
	name    TEXT NOT NULL,
	n       INTEGER NOT NULL,
	PRIMARY KEY (company, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription (
	seq     INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	company TEXT NOT NULL,
	url     TEXT NOT NULL,
	events  TEXT NOT NULL,                 -- JSON list of patterns
	form    TEXT NOT NULL,
	secret  TEXT NOT NULL,
	api_key TEXT NOT NULL,                 -- whose changes are not sent here
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE delivery (
	seq          INTEGER PRIMARY KEY,
	id           TEXT NOT NULL UNIQUE,
	company      TEXT NOT NULL,
	subscription TEXT NOT NULL,
	event        TEXT NOT NULL,
	form         TEXT NOT NULL,
	body         BLOB NOT NULL,
	state        TEXT NOT NULL,            -- pending, sending, delivered, dead
	attempts     INTEGER NOT NULL,         -- that were begun
	due          INTEGER NOT NULL,         -- of the next attempt, by the sandbox's clock
	created      INTEGER NOT NULL,
	status       INTEGER NOT NULL,         -- of the last answer; 0: there was none
	error        TEXT NOT NULL             -- why there was none
) STRICT;
CREATE INDEX delivery_due ON delivery (due) WHERE state IN ('pending', 'sending');
CREATE INDEX delivery_state ON delivery (state);

CREATE TABLE attempt (
	delivery TEXT NOT NULL,
	n        INTEGER NOT NULL,             -- from 0
	time     INTEGER NOT NULL,
	status   INTEGER NOT NULL,
	error    TEXT NOT NULL,
	duration INTEGER NOT NULL,             -- nanoseconds
	PRIMARY KEY (delivery, n, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
	`
CREATE INDEX delivery_waits ON delivery (subscription, due) WHERE state IN ('pending', 'sending');
`,
}
