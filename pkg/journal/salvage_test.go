package journal

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// damaged makes a journal of 300 records, closed, and spoils its file.
func damaged(t *testing.T, spoil func([]byte) []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := reopen(t, path, Options{})
	for n := 1; n <= 300; n++ {
		r := sample(n)
		r.Request.Body = []byte(strings.Repeat("x", 2000))
		put(t, j, r)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, spoil(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSalvageReadsADamagedJournal(t *testing.T) {
	t.Parallel()
	const pageSize = 8192
	zero := func(from, to float64) func([]byte) []byte { // of the pages
		return func(raw []byte) []byte {
			pages := float64(len(raw) / pageSize)
			clear(raw[int(from*pages)*pageSize : int(to*pages)*pageSize])
			return raw
		}
	}
	for name, test := range map[string]struct {
		spoil func([]byte) []byte
		least int // records that must be saved
	}{
		"nothing":                   {func(raw []byte) []byte { return raw }, 300},
		"pages in the first third":  {zero(0.35, 0.40), 200},
		"pages in the middle":       {zero(0.50, 0.60), 200},
		"pages in the last third":   {zero(0.90, 0.97), 200},
		"the last pages":            {zero(0.97, 1), 200},
		"its second half, cut away": {func(raw []byte) []byte { return raw[:len(raw)/2/pageSize*pageSize] }, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := damaged(t, test.spoil)
			seen := map[string]bool{}
			read, lost, err := Salvage(t.Context(), path, func(r webhook.Record) error {
				if seen[r.ID] || len(r.Request.Body) != 2000 {
					t.Errorf("%s came twice, or torn", r.ID)
				}
				seen[r.ID] = true
				return nil
			})
			if err != nil || read < test.least || read != len(seen) || (read < 300) != (lost > 0) {
				t.Errorf("%d read, %d lost, %v; want at least %d", read, lost, err, test.least)
			}
		})
	}
}

func TestRecordsOfADamagedJournalNameTheNextStep(t *testing.T) {
	t.Parallel()
	path := damaged(t, func(raw []byte) []byte {
		clear(raw[3*8192 : len(raw)-8192])
		return raw
	})
	j, err := Open(t.Context(), path, Options{})
	if err == nil {
		defer func() { _ = j.Close() }()
		for _, err = range j.Records(t.Context(), Filter{}) {
			if err != nil {
				break
			}
		}
	}
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "wsk journal export --salvage") {
		t.Errorf("error %v", err)
	}
}

func TestSalvageStopsOnError(t *testing.T) {
	t.Parallel()
	path := damaged(t, func(raw []byte) []byte { return raw })
	full := errors.New("the disk is full")
	if read, _, err := Salvage(t.Context(), path, func(webhook.Record) error { return full }); !errors.Is(err, full) || read != 0 {
		t.Errorf("%d, %v", read, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, _, err := Salvage(ctx, path, func(webhook.Record) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, _, err := Salvage(t.Context(), path+"-none", nil); err == nil {
		t.Error("a journal that is not there was read")
	}
}

func TestSalvageSkipsGaps(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	put(t, j, sample(1), sample(2))
	if _, err := j.db.ExecContext(t.Context(), "UPDATE record SET seq = ? WHERE id = ?", int64(math.MaxInt64), sample(2).ID); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	read, lost, err := Salvage(t.Context(), j.Path(), func(webhook.Record) error { return nil })
	if read != 2 || lost != 0 || err != nil {
		t.Errorf("%d read, %d lost, %v; want 2, 0", read, lost, err)
	}
}

func TestSalvageOfALockedJournalReportsIt(t *testing.T) {
	t.Parallel()
	path := damaged(t, func(raw []byte) []byte { return raw })
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	read, _, err := salvage(t.Context(), path, time.Millisecond, func(webhook.Record) error { return nil })
	var fault *FileError
	if read != 0 || !errors.As(err, &fault) || !strings.Contains(fault.Reason, "another process held it") {
		t.Errorf("%d read, %v", read, err)
	}
}
