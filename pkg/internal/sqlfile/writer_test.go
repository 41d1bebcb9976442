package sqlfile

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// notes is a kind of file for tests.
func notes() Kind {
	return Kind{
		Name: "notebook", Flag: "--notes", Absent: "somebody makes it", Salvage: "copy it",
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
	return w.Submit(context.Background(), func(w *Writer) error {
		return w.Exec("INSERT INTO note (n) VALUES (?)", n)
	})
}

func count(t *testing.T, w *Writer) (n int) {
	t.Helper()
	if err := w.Submit(context.Background(), func(w *Writer) error { return w.One("SELECT count(*) FROM note", nil, &n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

// holdFirst makes the first commit wait for held, and says when it is there.
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

func TestCallersShareACommit(t *testing.T) {
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
	<-begun // its commit holds it alone
	for n := range callers {
		write(1 + n)
	}
	for len(w.ops) < callers {
		runtime.Gosched()
	}
	close(held)
	wait.Wait()
	if n := commits.Load(); n != 2 {
		t.Errorf("%d commits, want one for the first caller and one for the %d behind it", n, callers)
	}
}

func TestABadWriteDoesNotTakeOthersAlong(t *testing.T) {
	t.Parallel()
	fail, begun, held, commits := holdFirst()
	w := newWriter(t, fail)
	bad := errors.New("a bad write")
	results := make(chan error, 3)
	go func() { results <- note(w, 1) }()
	<-begun // the first is on its way
	faulty := make(chan error, 1)
	go func() { results <- note(w, 2) }()
	go func() {
		faulty <- w.Submit(context.Background(), func(w *Writer) error {
			return errors.Join(w.Exec("DELETE FROM note"), bad)
		})
	}()
	go func() { results <- note(w, 3) }()
	for len(w.ops) < 3 { // the three gather behind it
		runtime.Gosched()
	}
	close(held)
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if err := <-faulty; !errors.Is(err, bad) {
		t.Errorf("the bad one got %v", err)
	}
	if n := commits.Load(); n != 2 {
		t.Errorf("%d commits, want one for the first caller and one for the good ones behind it", n)
	}
	if n := count(t, w); n != 3 {
		t.Errorf("%d notes: what the bad one did was kept", n)
	}
}

func TestAWritesPanicIsItsCallers(t *testing.T) {
	t.Parallel()
	w := newWriter(t, nil)
	func() {
		defer func() {
			if text, _ := recover().(string); !strings.Contains(text, "out of luck") || !strings.Contains(text, "writer_test.go") {
				t.Errorf("the caller got %q", text)
			}
		}()
		_ = w.Submit(context.Background(), func(w *Writer) error {
			if err := w.Exec("DELETE FROM note"); err != nil {
				return err
			}
			panic("out of luck")
		})
	}()
	if err := note(w, 1); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestAWriteThatTheDiskDoesNotConfirmIsTheLast(t *testing.T) {
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

func TestAFileWithoutANameKeepsWhatItIsGivenUntilItIsClosed(t *testing.T) {
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
