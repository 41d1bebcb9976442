// Package store keeps a sandbox's state in SQLite: what a company has, who is
// subscribed, and what is on its way to them.
//
//	s, err := store.Open(ctx, "sandbox.db", store.Options{}) // "" keeps it until Close
//	err = s.Do(ctx, func(tx *store.Tx) error {
//		project, err := tx.Find("comp_1", store.Project, "PRJ-2025-001")
//		…
//		return tx.Put(project)
//	})
//
// Do is all or nothing, one at a time, and what it did is on disk when it
// returns nil. Nothing here knows what the platform allows: that is package
// rules.
package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// The errors of a transaction.
var (
	ErrNotFound = errors.New("not found")
	ErrTaken    = errors.New("a record with that key already exists")
)

// Options says how to open.
type Options struct {
	Warn func(text string) // told what deserves a look; default: nobody
}

// Store is a sandbox's state. It is safe for concurrent use.
type Store struct {
	path  string
	db    *sql.DB
	write *sqlfile.Writer

	release func() error // of the lock; nil without one
	closing sync.Once
	closed  error
}

// Tx is one transaction. It is good until the function that it was given to
// returns.
type Tx struct{ w *sqlfile.Tx }

// Open opens the state at path, and makes it where there is none; "" is a
// state that ends with Close. The errors are [*sqlfile.Error].
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	db, err := sqlfile.Open(ctx, path, kind(), sqlfile.Options{Warn: o.Warn})
	if err != nil {
		return nil, err
	}
	w, err := sqlfile.NewWriter(ctx, db, nil)
	if err != nil {
		return nil, errors.Join(kind().Explain(path, err), db.Close())
	}
	return &Store{path: path, db: db, write: w}, nil
}

// Lock makes this process the one that works on the state, or returns an
// [*sqlfile.Error] that says that another does. Reading needs no lock. It ends
// with Close, and with the process, however that ends.
func (s *Store) Lock(ctx context.Context) (err error) {
	if s.path == "" {
		return nil
	}
	s.release, err = sqlfile.Lock(ctx, s.path+".lock", kind())
	if errors.Is(err, sqlfile.ErrLocked) {
		err = &sqlfile.Error{Kind: kind().Name, Path: s.path, Reason: "another sandbox works on it: stop that one, or choose another file with " + kind().Flag, Err: err}
	}
	return err
}

// Path returns where the state is, or "".
func (s *Store) Path() string { return s.path }

// Do carries out do as one transaction: all of it when do returns nil, else
// nothing, and do's error is returned. do may be called a second time after
// its first try was undone, so it must not keep what it did before. When ctx has
// ended nothing is begun; what has begun is waited for.
func (s *Store) Do(ctx context.Context, do func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.write.Submit(context.WithoutCancel(ctx), func(w *sqlfile.Tx) error {
		return do(&Tx{w})
	})
	if sqlfile.Code(err) != 0 {
		return kind().Explain(s.path, err)
	}
	return err
}

// Kept begins the names of settings that outlive [Tx.Reset].
const Kept = "kept."

// Reset removes everything that the state holds, but for settings that are
// [Kept].
func (t *Tx) Reset() error {
	for _, rest := range []string{"record", "counter", "subscription", "delivery", "attempt", "setting WHERE name NOT GLOB '" + Kept + "*'"} {
		if err := t.w.Exec("DELETE FROM " + rest); err != nil {
			return err
		}
	}
	return nil
}

// Close waits for what is being written and closes the file.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.closed = errors.Join(s.write.Close(), s.db.Close())
		if s.release != nil {
			s.closed = errors.Join(s.closed, s.release())
		}
	})
	return s.closed
}
