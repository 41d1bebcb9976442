package sqlfile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// deferNote defers a note, and returns where its result arrives.
func deferNote(t *testing.T, w *Writer, n int) <-chan error {
	t.Helper()
	result := make(chan error, 1)
	insert := func(tx *Tx) error { return tx.Exec("INSERT INTO note (n) VALUES (?)", n) }
	if err := w.Defer(100, insert, func(err error) { result <- err }); err != nil {
		t.Fatal(err)
	}
	return result
}

// What is submitted is committed in front of all deferred writes but the few that
// join it. The others follow in small groups, with pauses.
func TestWriterDefer_lets_submitted_writes_go_first(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold, begun, held, _ := holdFirst()
		var log []string // of the writer's goroutine
		began := time.Now()
		w := newWriter(t, func() error {
			log = append(log, "commit@"+time.Since(began).String())
			return hold()
		})
		results := make(chan error, 100)
		end := func(err error) { results <- err }
		logged := func(name string) func(*Tx) error {
			return func(*Tx) error { log = append(log, name); return nil }
		}
		submit := func(name string) {
			go func() { end(w.Submit(context.Background(), logged(name))) }()
		}
		submit("first")
		<-begun
		const later = 2*maxDeferred + 3
		for range later {
			if err := w.Defer(0, logged("deferred"), end); err != nil {
				t.Fatal(err)
			}
		}
		submit("second")
		synctest.Wait() // for the first commit
		close(held)
		synctest.Wait()
		submit("third")
		for range later + 3 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		group := strings.Repeat(" deferred", maxDeferred)
		want := "first commit@0s second" + group + " commit@0s third commit@0s" + group + " commit@250ms" + strings.Repeat(" deferred", 3) + " commit@500ms"
		if got := strings.Join(log, " "); got != want {
			t.Errorf("the order is\n%s, want\n%s", got, want)
		}
	})
}

// A writer that is never idle has time for deferred writes as well.
func TestWriterDefer_joins_every_commit_after_a_pause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		commit := make(chan struct{})
		var log []string // of the writer's goroutine
		w := newWriter(t, func() error {
			<-commit
			log = append(log, "commit")
			return nil
		})
		logged := func(name string) func(*Tx) error {
			return func(*Tx) error { log = append(log, name); return nil }
		}
		results := make(chan error, 100)
		end := func(err error) { results <- err }
		submit := func(name string) {
			go func() { end(w.Submit(context.Background(), logged(name))) }()
			synctest.Wait()
		}
		submit("first")
		for range 2 * maxDeferred {
			if err := w.Defer(0, logged("deferred"), end); err != nil {
				t.Fatal(err)
			}
		}
		submit("second")
		commit <- struct{}{}
		synctest.Wait() // for the second commit
		submit("third")
		time.Sleep(deferPause)
		commit <- struct{}{}
		commit <- struct{}{}
		for range 3 + 2*maxDeferred {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		group := strings.Repeat(" deferred", maxDeferred)
		if got, want := strings.Join(log, " "), "first commit second"+group+" commit third"+group+" commit"; got != want {
			t.Errorf("the order is\n%s, want\n%s", got, want)
		}
	})
}

func TestWriterDefer_makes_no_fsync_of_its_own(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, nil)
		const normal, full = 1, 2 // https://sqlite.org/pragma.html#pragma_synchronous
		for round := range 3 {
			level := 0
			read := func(tx *Tx) error { // SQLite answers the pragma when it is prepared, so each is another text
				return tx.One(fmt.Sprintf("PRAGMA synchronous -- %d %d", round, level), nil, &level)
			}
			done := make(chan error, 1)
			if err := w.Defer(0, read, func(err error) { done <- err }); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil || level != normal {
				t.Errorf("a deferred write is committed at level %d, %v", level, err)
			}
			if err := w.Submit(t.Context(), read); err != nil || level != full {
				t.Errorf("a submitted write is committed at level %d, %v", level, err)
			}
		}
	})
}

func TestWriterDefer_refuses_more_than_may_wait(t *testing.T) {
	for name, test := range map[string]struct{ size, fit int }{
		"by their number": {1, maxWaiting},
		"by their size":   {maxWaitingBytes / 4, 4},
		"but one that is alone may be of any size": {maxWaitingBytes * 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hold, begun, held, _ := holdFirst()
				w := newWriter(t, hold)
				first := make(chan error, 1)
				go func() { first <- note(w, 1) }()
				<-begun
				ended := make(chan error, test.fit+1)
				nothing := func(*Tx) error { return nil }
				fit := 0
				for ; fit <= test.fit; fit++ {
					if err := w.Defer(test.size, nothing, func(err error) { ended <- err }); err != nil {
						if !errors.Is(err, ErrFull) {
							t.Errorf("error %v", err)
						}
						break
					}
				}
				if fit != test.fit {
					t.Errorf("%d wait, want %d", fit, test.fit)
				}
				close(held)
				for range fit {
					if err := <-ended; err != nil {
						t.Error(err)
					}
				}
				if err := <-first; err != nil {
					t.Error(err)
				}
				if err := w.Defer(test.size, nothing, func(error) {}); err != nil { // there is room again
					t.Error(err)
				}
			})
		})
	}
}

// A deferred write that fails fails alone: neither a submitted one, nor the others
// that are deferred.
func TestWriterDefer_fails_alone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold, begun, held, _ := holdFirst()
		w := newWriter(t, hold)
		results := make(chan error, 2)
		go func() { results <- note(w, 1) }()
		<-begun
		good, twice, panics := deferNote(t, w, 2), deferNote(t, w, 2), make(chan error, 1)
		if err := w.Defer(0, func(*Tx) error { panic("out of luck") }, func(err error) { panics <- err }); err != nil {
			t.Fatal(err)
		}
		go func() { results <- note(w, 3) }()
		synctest.Wait() // for the first commit
		close(held)
		for range 2 {
			if err := <-results; err != nil {
				t.Errorf("a submitted write: %v", err)
			}
		}
		if err := <-good; err != nil {
			t.Error(err)
		}
		if err := <-twice; err == nil {
			t.Error("the same note is stored twice")
		}
		if err := <-panics; err == nil || !strings.Contains(err.Error(), "out of luck") {
			t.Errorf("the panic is %v", err)
		}
		if n := count(t, w); n != 3 {
			t.Errorf("%d notes", n)
		}
	})
}

// They do not wait for the pauses.
func TestWriterClose_completes_deferred_writes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.db")
	db, err := Open(t.Context(), path, notes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	hold, begun, held, _ := holdFirst()
	w, err := NewWriter(t.Context(), db, hold)
	if err != nil {
		t.Fatal(err)
	}
	first := deferNote(t, w, 0)
	<-begun
	for n := 1; n < 50; n++ {
		deferNote(t, w, n)
	}
	closed := make(chan error)
	go func() { closed <- w.Close() }()
	close(held)
	if err := errors.Join(<-closed, <-first, db.Close()); err != nil {
		t.Fatal(err)
	}
	if err := w.Defer(0, func(*Tx) error { return nil }, func(error) {}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if db, err = Open(t.Context(), path, notes(), Options{}); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := errors.Join(db.QueryRowContext(t.Context(), "SELECT count(*) FROM note").Scan(&n), db.Close()); err != nil || n != 50 {
		t.Errorf("%d notes are stored, %v", n, err)
	}
}
