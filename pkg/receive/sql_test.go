package receive_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/receive/receivetest"
)

// sqlFile is a SQLStore that knows its file.
type sqlFile struct {
	SQLStore
	path string
}

func newSQLFile(t *testing.T, path string) sqlFile {
	t.Helper()
	db, err := openSQLite(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return sqlFile{SQLStore{db}, path}
}

func TestSQLStore(t *testing.T) {
	t.Parallel()
	receivetest.TestStore(t,
		func(t *testing.T) receive.Store { return newSQLFile(t, filepath.Join(t.TempDir(), "deliveries.db")) },
		receivetest.Shared(func(t *testing.T, first receive.Store) receive.Store {
			file, _ := first.(sqlFile)
			return newSQLFile(t, file.path)
		}))
}

func TestSQLStore_forgets(t *testing.T) {
	t.Parallel()
	s := newSQLFile(t, filepath.Join(t.TempDir(), "deliveries.db"))
	m := receive.Mark{ID: "a", Time: clock, TTL: time.Hour}
	for _, step := range []struct {
		after time.Duration
		rows  int
	}{{0, 1}, {time.Hour + time.Minute, 1}, {time.Hour + 2*time.Minute, 0}} {
		if step.after == 0 {
			c, err := s.Claim(t.Context(), m, time.Minute+time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Finish(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Forget(t.Context(), clock.Add(step.after)); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := s.DB.QueryRow("SELECT count(*) FROM webhook_delivery").Scan(&rows); err != nil || rows != step.rows {
			t.Errorf("%d rows after %s, %v; want %d", rows, step.after, err, step.rows)
		}
	}
}
