package sqlfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// notes is the kind of file that the tests use.
func notes() Kind {
	return Kind{
		Name: "notebook", Flag: "--notes", Absent: "somebody creates it", Salvage: "copy it",
		ApplicationID: 0x6e6f7465, Migrations: []string{"CREATE TABLE note (n INTEGER PRIMARY KEY) STRICT"},
	}
}

func newWriter(t *testing.T, fail func() error) *Writer {
	t.Helper()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "notes.db"), notes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(t.Context(), db, fail)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func note(w *Writer, n int) error {
	return w.Submit(context.Background(), func(tx *Tx) error {
		return tx.Exec("INSERT INTO note (n) VALUES (?)", n)
	})
}

func count(t *testing.T, w *Writer) (n int) {
	t.Helper()
	if err := w.Submit(context.Background(), func(tx *Tx) error { return tx.One("SELECT count(*) FROM note", nil, &n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

// holdFirst blocks the first commit until held is closed. It closes begun when
// that commit begins, and counts the commits.
func holdFirst() (fail func() error, begun, held chan struct{}, commits *atomic.Int64) {
	begun, held, commits = make(chan struct{}), make(chan struct{}), new(atomic.Int64)
	return func() error {
		if commits.Add(1) == 1 {
			close(begun)
			<-held
		}
		return nil
	}, begun, held, commits
}

func TestWriterCommitsCallersTogether(t *testing.T) {
	t.Parallel()
	fail, begun, held, commits := holdFirst()
	w := newWriter(t, fail)
	const callers = 50
	var wait sync.WaitGroup
	write := func(n int) {
		wait.Go(func() {
			if err := note(w, n); err != nil {
				t.Error(err)
			}
		})
	}
	write(0)
	<-begun // its commit contains it alone
	for n := range callers {
		write(1 + n)
	}
	for len(w.writes) < callers {
		runtime.Gosched()
	}
	close(held)
	wait.Wait()
	if n := commits.Load(); n != 2 {
		t.Errorf("%d commits, want one for the first caller and one for the %d after it", n, callers)
	}
}

func TestWriterKeepsTheOthersOfAFailedWrite(t *testing.T) {
	t.Parallel()
	fail, begun, held, commits := holdFirst()
	w := newWriter(t, fail)
	bad := errors.New("a failed write")
	results := make(chan error, 3)
	go func() { results <- note(w, 1) }()
	<-begun
	faulty := make(chan error, 1)
	go func() { results <- note(w, 2) }()
	go func() {
		faulty <- w.Submit(context.Background(), func(tx *Tx) error {
			return errors.Join(tx.Exec("DELETE FROM note"), bad)
		})
	}()
	go func() { results <- note(w, 3) }()
	for len(w.writes) < 3 { // the three wait for the next commit
		runtime.Gosched()
	}
	close(held)
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if err := <-faulty; !errors.Is(err, bad) {
		t.Errorf("the failed write returned %v", err)
	}
	if n := commits.Load(); n != 2 {
		t.Errorf("%d commits, want one for the first write and one for the good ones after it", n)
	}
	if n := count(t, w); n != 3 {
		t.Errorf("%d notes: the failed write left changes", n)
	}
}

func TestWriterPanicsInTheCaller(t *testing.T) {
	t.Parallel()
	w := newWriter(t, nil)
	func() {
		defer func() {
			if text, _ := recover().(string); !strings.Contains(text, "out of luck") || !strings.Contains(text, "writer_test.go") {
				t.Errorf("the panic is %q", text)
			}
		}()
		_ = w.Submit(context.Background(), func(tx *Tx) error {
			if err := tx.Exec("DELETE FROM note"); err != nil {
				return err
			}
			panic("out of luck")
		})
	}()
	if err := note(w, 1); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestWriterStopsAfterAnUnconfirmedWrite(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	w := newWriter(t, func() error {
		if broken.Load() {
			return errUnconfirmed
		}
		return nil
	})
	if err := note(w, 1); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if err := note(w, 2); !errors.Is(err, ErrBroken) {
		t.Fatalf("error %v, want ErrBroken", err)
	}
	broken.Store(false) // a later fsync would pretend
	if err := note(w, 3); !errors.Is(err, ErrBroken) {
		t.Errorf("error %v, want ErrBroken for ever", err)
	}
}

func TestOpenWithoutANameKeepsDataUntilClose(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), "", notes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if err := note(w, n); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, w); n != 100 {
		t.Errorf("%d notes of 100", n)
	}
	if err := errors.Join(w.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	if err := note(w, 200); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestWriterStopsWhenItsFileIsMovedDeletedOrReplaced(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"moved":              func(path string) error { return os.Rename(path, path+".old") },
		"deleted":            os.Remove,
		"replaced by a copy": func(path string) error { return replace(path) },
		"its log deleted":    func(path string) error { return os.Remove(path + "-wal") },
		"its folder moved":   func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") },
		"replaced by a link to it": func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.Symlink(path+".old", path))
		},
		"deleted with all its logs": func(path string) error {
			return errors.Join(os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "folder", "notes.db")
			db, err := Open(t.Context(), path, notes(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			w, err := NewWriter(t.Context(), db, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = errors.Join(w.Close(), db.Close()) }) // it may not find its file
			if err := note(w, 1); err != nil {
				t.Fatal(err)
			}
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			for n := range 3 {
				if err := note(w, 2+n); !errors.Is(err, ErrMoved) || !errors.Is(err, ErrBroken) {
					t.Errorf("write %d after that: %v, want ErrMoved", n+1, err)
				}
			}
		})
	}
}

// replace replaces a file by a copy of it.
func replace(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
