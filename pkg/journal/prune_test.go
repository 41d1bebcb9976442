package journal

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// THREATS row 72, counted rather than timed: the steps are small, and writes of
// others come between them.
func TestPruneWorksInSteps(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	var records []webhook.Record
	for n := range 400 {
		r := sample(n)
		r.Request.Body = make([]byte, 100_000)
		records = append(records, r)
	}
	if _, err := j.Import(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	if _, err := j.db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	before := size(t, j)
	ctx, stop := context.WithCancel(t.Context())
	stored := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			if err := j.Put(t.Context(), sample(10_000+n)); err != nil {
				t.Error(err)
				break
			}
		}
		stored <- n
	}()
	deleted, err := j.Prune(t.Context(), clock().Add(5000*time.Second))
	stop()
	between := <-stored
	if deleted != 400 || err != nil {
		t.Errorf("%d records went, %v", deleted, err)
	}
	if between < 10 { // at least 20 steps for the records, and as many for the pages
		t.Errorf("%d records were stored meanwhile", between)
	}
	if n, err := j.Count(t.Context(), Filter{}); n != between || err != nil {
		t.Errorf("%d records are left of %d, %v", n, between, err)
	}
	var free int
	if err := j.db.QueryRowContext(t.Context(), "PRAGMA freelist_count").Scan(&free); err != nil || free > 100 {
		t.Errorf("%d pages are free, %v", free, err)
	}
	if _, err := j.db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if after := size(t, j); after > before/4 {
		t.Errorf("the file has %d bytes of %d", after, before)
	}
}

func size(t *testing.T, j *Journal) int64 {
	t.Helper()
	info, err := os.Stat(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A file of an older wsk cannot shrink in steps until it was rewritten once.
func TestPruneShrinksTheFileOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	db, err := sql.Open("sqlite", sqlfile.URI(path, nil))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "PRAGMA auto_vacuum = NONE; PRAGMA application_id = 2004052842; "+kind.Migrations[0]+"; PRAGMA user_version = 1")
	if err := errors.Join(err, db.Close(), os.Chmod(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	j := reopen(t, path, Options{})
	for n := range 2 {
		r := sample(n)
		r.Request.Body = make([]byte, 1<<20)
		put(t, j, r)
		if _, err := j.Prune(t.Context(), time.Unix(0, math.MaxInt64)); err != nil {
			t.Fatal(err)
		}
		if _, err := j.db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
		if got := size(t, j); got > 512<<10 {
			t.Errorf("the file has %d bytes after prune %d", got, n+1)
		}
		var mode int
		if err := j.db.QueryRowContext(t.Context(), "PRAGMA auto_vacuum").Scan(&mode); err != nil || mode != 2 {
			t.Errorf("auto_vacuum is %d, %v", mode, err)
		}
	}
}
