package sqlfile

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "notes.db"), notes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	w, err := NewWriter(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	q := NewQuery(db, "SELECT n FROM note WHERE n = ?")
	rows := func(ctx context.Context, n int) (found int, err error) {
		err = q.Each(ctx, []any{n}, func(rows *sql.Rows) error {
			found++
			return rows.Scan(&n)
		})
		return found, err
	}

	t.Run("callers at once share one connection and see what was committed", func(t *testing.T) {
		before := db.Stats().OpenConnections
		var wait sync.WaitGroup
		for n := range 64 {
			wait.Go(func() {
				if found, err := rows(t.Context(), n); found != 0 || err != nil {
					t.Errorf("before the commit of %d: %d rows, %v", n, found, err)
				}
				if err := note(w, n); err != nil {
					t.Error(err)
				}
				if found, err := rows(t.Context(), n); found != 1 || err != nil {
					t.Errorf("after the commit of %d: %d rows, %v", n, found, err)
				}
			})
		}
		wait.Wait()
		if opened := db.Stats().OpenConnections - before; opened > 1 {
			t.Errorf("%d connections were opened", opened)
		}
	})

	t.Run("an error of scan ends the query and not the next one", func(t *testing.T) {
		fault := errors.New("scan")
		if err := q.Each(t.Context(), []any{1}, func(*sql.Rows) error { return fault }); !errors.Is(err, fault) {
			t.Errorf("got %v", err)
		}
		if found, err := rows(t.Context(), 1); found != 1 || err != nil {
			t.Errorf("%d rows, %v", found, err)
		}
	})

	t.Run("a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := rows(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("Close gives the connection back", func(t *testing.T) {
		inUse := db.Stats().InUse
		if err := errors.Join(q.Close(), q.Close()); err != nil {
			t.Fatal(err)
		}
		if after := db.Stats().InUse; after != inUse-1 {
			t.Errorf("%d connections in use, and %d before", after, inUse)
		}
	})
}
