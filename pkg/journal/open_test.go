package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestOpenCreatesAPrivateFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "wsk", "journal.db")
	j := reopen(t, path, Options{Logger: loggerOf(func(text string) { t.Error(text) })})
	put(t, j, sample(1))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, %v", info.Mode(), err)
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	execute(t, foreign, "CREATE TABLE t (a)")
	newer := filepath.Join(dir, "newer.db")
	if err := reopen(t, newer, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, newer, "PRAGMA user_version = 1000; PRAGMA journal_mode = DELETE")
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("a diary of mine\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	link, fifo := filepath.Join(dir, "link"), filepath.Join(dir, "fifo")
	if err := errors.Join(os.Symlink(newer, link), syscall.Mkfifo(fifo, 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ path, says string }{
		"a database of another program": {foreign, "not a journal of wsk"},
		"a newer version":               {newer, fmt.Sprintf("a newer wsk wrote it (version 1000; this one knows up to %d): update wsk", len(kind.Migrations))},
		"a text":                        {text, "it is not a SQLite database"},
		"a symlink":                     {link, "it is a symlink"},
		"a folder":                      {dir, "it is a folder"},
		"a pipe":                        {fifo, "not a regular file"},
		"a file below a file":           {filepath.Join(text, "journal.db"), "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := os.ReadFile(text)
			version, _ := os.ReadFile(newer)
			j, err := Open(t.Context(), test.path, Options{})
			var fault *FileError
			if !errors.As(err, &fault) || fault.Path != test.path || !strings.Contains(fault.Reason, test.says) {
				t.Errorf("it opens as %v with %v, want %q", j, err, test.says)
			}
			after, _ := os.ReadFile(text)
			still, _ := os.ReadFile(newer)
			if !bytes.Equal(before, after) || !bytes.Equal(version, still) {
				t.Error("it was changed")
			}
		})
	}
}

func execute(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenAcceptsAnEmptyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	warned := ""
	j := reopen(t, path, Options{MustExist: true, Logger: loggerOf(func(text string) { warned = text })})
	put(t, j, sample(1))
	if !strings.Contains(warned, "can be read by others: chmod 600") {
		t.Errorf("warned %q", warned)
	}
}

func TestOpenMustExistCreatesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	if _, err := Open(t.Context(), path, Options{MustExist: true}); err == nil || !strings.Contains(err.Error(), "there is no journal yet") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
}

func TestOpenByManyAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	made := make(chan error)
	for n := range 8 {
		go func() {
			j, err := Open(context.Background(), path, Options{})
			if err == nil {
				err = errors.Join(j.Put(context.Background(), sample(n)), j.Close())
			}
			made <- err
		}()
	}
	for range 8 {
		if err := <-made; err != nil {
			t.Error(err)
		}
	}
	if n, err := reopen(t, path, Options{}).Count(t.Context(), Filter{}); n != 8 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestMarksKeepTheirOrder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := reopen(t, path, Options{})
	for n := range 5 {
		m := receive.Mark{ID: sample(n).WebhookID, Signed: receive.BodyDigest("1", []byte{byte(n)}), Body: receive.BodyDigest("2", []byte{byte(n)}), Accepted: n%2 == 0}
		if err := j.Keep(t.Context(), receive.Receipt{Record: sample(n), Mark: &m}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	marks, err := reopen(t, path, Options{}).Marks(t.Context(), 3)
	if err != nil || len(marks) != 3 {
		t.Fatalf("%v, %v", marks, err)
	}
	for i, m := range marks {
		n := i + 2
		want := receive.Mark{ID: sample(n).WebhookID, Signed: receive.BodyDigest("1", []byte{byte(n)}), Body: receive.BodyDigest("2", []byte{byte(n)}), Accepted: n%2 == 0}
		if m != want {
			t.Errorf("mark %d is %+v, want %+v", i, m, want)
		}
	}
}

func TestLockExcludesOtherProcesses(t *testing.T) {
	if path := os.Getenv("WSK_TEST_LOCK"); path != "" { // the other process
		_, err := reopen(t, path, Options{}).Lock(t.Context(), "a")
		if !errors.Is(err, ErrLocked) {
			t.Fatalf("the lock is had twice: %v", err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	j := reopen(t, path, Options{})
	release, err := j.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Lock(t.Context(), "a"); !errors.Is(err, ErrLocked) {
		t.Errorf("this process has it twice: %v", err)
	}
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLockExcludesOtherProcesses$")
	other.Env = append(os.Environ(), "WSK_TEST_LOCK="+path)
	if out, err := other.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	free, err := j.Lock(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(free(), release()); err != nil {
		t.Fatal(err)
	}
	again, err := j.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
}

// Every version of the file opens, with what it contains.
func TestOpenMigratesTheJournalOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	for version := 1; version < len(kind.Migrations); version++ {
		path := filepath.Join(t.TempDir(), "journal.db")
		older := kind
		older.Migrations = kind.Migrations[:version]
		db, err := sqlfile.Open(t.Context(), path, older, sqlfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), `
INSERT INTO record (id, time, direction, platform, form, event, webhook_id, attempt, scheme, method, url, headers, outcome, answer_truncated, duration, error,
	forward_to, forward_state, forward_tries, forward_next)
VALUES ('rec_1', 1, 'received', 'workskedge', 'outbound', 'work_order.created', 'whk_1', 0, '', 'POST', '/', '', 'accepted', 0, 0, '', 'http://app', 1, 2, 0),
	('rec_5', 1, 'received', 'workskedge', 'outbound', 'work_order.created', 'whk_5', 0, '', 'POST', '/', '', 'accepted', 0, 0, '', 'http://app', 3, 2, 0);
UPDATE record SET verdict = '{"outcome":"accepted","verified":true}' WHERE outcome = 'accepted';
INSERT INTO record (id, time, direction, platform, form, event, webhook_id, attempt, scheme, method, url, headers, body, outcome, verdict, answer_truncated, duration, error,
	forward_to, forward_state, forward_tries, forward_next)
VALUES ('rec_2', 1, 'received', '', '', '', '', 0, '', 'POST', '/', '', x'01020304', 'refused', '{"outcome":"refused","verified":false}', 0, 0, '', '', 0, 0, 0),
	('rec_3', 1, 'received', '', '', '', '', 0, '', 'POST', '/', '', x'01020304', 'refused', '{"outcome":"refused","verified":true}', 0, 0, '', '', 0, 0, 0),
	('rec_4', 1, 'sent', '', '', '', '', 0, '', 'POST', '/', '', x'01020304', 'refused', '{"outcome":"refused","verified":false}', 0, 0, '', '', 0, 0, 0);
INSERT INTO seen (webhook_id, signed, body, accepted) VALUES ('whk_1', zeroblob(32), zeroblob(32), 1)`)
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		var salvaged []string
		if _, lost, err := Salvage(t.Context(), path, func(r webhook.Record) error { salvaged = append(salvaged, r.ID); return nil }); err != nil || lost > 0 || len(salvaged) != 5 {
			t.Errorf("of version %d Salvage reads %v and loses %d, %v", version, salvaged, lost, err)
		}
		j := reopen(t, path, Options{})
		const countsRefused, marksForwarded = 6, 7 // since these versions, a record is stored with it
		if r, err := j.Get(t.Context(), "rec_2"); err != nil || r.Request.Truncated {
			t.Errorf("version %d has %+v, %v", version, r, err)
		} else if version < countsRefused {
			checkTotals(t, j, 1)
			if size, sum := int64(refusedSize(&r)), int64(0); j.db.QueryRowContext(t.Context(), "SELECT sum(refused_size) FROM record").Scan(&sum) != nil || sum != size {
				t.Errorf("of version %d the refused record counts %d bytes, want %d", version, sum, size)
			}
		}
		if r, err := j.Get(t.Context(), "whk_1"); err != nil || r.ID != "rec_1" {
			t.Errorf("version %d has %+v, %v", version, r, err)
		}
		for id, outcome := range map[string]webhook.Outcome{"rec_1": webhook.Pending, "rec_5": webhook.ForwardFailed} {
			if r, err := j.Get(t.Context(), id); err != nil || version < marksForwarded && r.Verdict.Outcome != outcome || !r.Verdict.Verified {
				t.Errorf("of version %d the outcome of %s is %+v, %v; want %s", version, id, r.Verdict, err, outcome)
			}
		}
		if marks, err := j.Marks(t.Context(), 10); err != nil || len(marks) != 1 || marks[0].ID != "whk_1" || !marks[0].Accepted {
			t.Errorf("version %d has the marks %+v, %v", version, marks, err)
		}
		if due, _, err := queue(t, j, "http://app").Due(t.Context(), clock(), 10); err != nil || len(due) != 1 || due[0].Attempts != 2 {
			t.Errorf("of version %d is due %+v, %v", version, due, err)
		}
	}
}
