package command

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// reader blocks each write until one is allowed.
type reader struct {
	let chan struct{}
	got bytes.Buffer
}

func (r *reader) Write(b []byte) (int, error) {
	<-r.let
	return r.got.Write(b)
}

// every allows a write at regular intervals, until stop.
func (r *reader) every(pause time.Duration) (stop func()) {
	ending, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			time.Sleep(pause)
			select {
			case r.let <- struct{}{}:
			case <-ending:
				return
			}
		}
	}()
	return func() {
		close(ending)
		<-ended
	}
}

// A server's write waits until it is read, as long as the reader makes progress.
func TestStallTolerantWriter_waits_for_a_slow_reader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &reader{let: make(chan struct{})}
		go func() {
			for range 20 {
				time.Sleep(stallAfter - time.Millisecond)
				slow.let <- struct{}{}
			}
		}()
		r := newStallTolerantWriter(slow)
		began := time.Now()
		for range 20 {
			if _, err := r.Write([]byte("line\n")); err != nil {
				t.Fatal(err)
			}
		}
		if took, want := time.Since(began), 20*(stallAfter-time.Millisecond); took != want {
			t.Errorf("20 writes took %s; the reader took %s", took, want)
		}
		if lost := r.Close(); lost != 0 || slow.got.String() != strings.Repeat("line\n", 20) {
			t.Errorf("lost %d, read %q", lost, slow.got.String())
		}
	})
}

// A reader that has stalled delays the server once, and receives what fits in
// the queue when it reads again.
func TestStallTolerantWriter_queues_what_nobody_reads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stuck := &reader{let: make(chan struct{})}
		r := newStallTolerantWriter(stuck)
		line := bytes.Repeat([]byte("x"), maxHeld/100)
		began := time.Now()
		for range 150 {
			if n, err := r.Write(line); n != len(line) || err != nil {
				t.Fatal(n, err)
			}
		}
		if took := time.Since(began); took != stallAfter {
			t.Errorf("150 writes took %s, want one wait of %s", took, stallAfter)
		}
		close(stuck.let)
		synctest.Wait()
		if _, err := r.Write([]byte("the end")); err != nil {
			t.Fatal(err)
		}
		if lost := r.Close(); lost != 50 || stuck.got.Len() != 100*len(line)+len("the end") {
			t.Errorf("lost %d writes, read %d bytes", lost, stuck.got.Len())
		}
		if _, err := r.Write(line); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// Reading a long line takes longer than the time after which a reader counts as
// stalled.
func TestStallTolerantWriter_notices_progress_in_a_long_line(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &reader{let: make(chan struct{})}
		stop := slow.every(10 * time.Millisecond)
		r := newStallTolerantWriter(slow)
		long := bytes.Repeat([]byte("x"), 300<<10) // 75 pieces
		for range 12 {
			_, _ = r.Write(long)
		}
		if lost := r.Close(); lost != 0 || slow.got.Len() != 12*len(long) {
			t.Errorf("lost %d writes, read %d bytes of %d", lost, slow.got.Len(), 12*len(long))
		}
		stop()
	})
}

// Close does not wait longer than its limit for a slow reader.
func TestStallTolerantWriter_Close_returns_in_time(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &reader{let: make(chan struct{})}
		r := newStallTolerantWriter(slow)
		for range 20_000 {
			_, _ = r.Write(bytes.Repeat([]byte("x"), 200))
		}
		stop := slow.every(stallAfter - time.Millisecond)
		began := time.Now()
		if lost := r.Close(); time.Since(began) != maxFinalWrite || lost < 19_900 {
			t.Errorf("it took %s and lost %d", time.Since(began), lost)
		}
		stop()
		close(slow.let)
	})
}

// A server ends although nobody reads, and reports what was not shown.
func TestServerOutput_reports_what_was_not_shown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stuck := &reader{let: make(chan struct{})}
		var said bytes.Buffer
		env, end := ServerOutput(&Env{Out: stuck, OutWaits: true, Err: &said})
		for range 3 {
			_, _ = env.Out.Write([]byte("line\n"))
		}
		end()
		if want := "wsk: nobody read the output; not shown: 3 records\n"; said.String() != want {
			t.Errorf("printed %q, want %q", said.String(), want)
		}
		close(stuck.let) // otherwise its goroutine never ends
	})
}

// The writer receives the error of a full disk.
func TestStallTolerantWriter_returns_write_errors(t *testing.T) {
	t.Parallel()
	want := errors.New("no space left on device")
	r := newStallTolerantWriter(failing{want})
	for range 2 {
		if _, err := r.Write([]byte("line\n")); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
	if lost := r.Close(); lost != 0 {
		t.Errorf("lost %d, which were reported already", lost)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// An error of the output does not stop a server, nor change its exit code.
func TestServerOutput_goes_on_without_its_output(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"a full disk":   {syscall.ENOSPC, "no space left on device"},
		"a closed pipe": {syscall.EPIPE, "its reader closed it"},
	} {
		for _, waits := range []bool{false, true} {
			var said bytes.Buffer
			out := NewCheckedWriter(failing{test.err})
			env, end := ServerOutput(&Env{Out: out, OutWaits: waits, Err: &said})
			for range 3 {
				if n, err := io.WriteString(env.Out, "a record\n"); n != 9 || err != nil {
					t.Errorf("%s: Write %d, %v", name, n, err)
				}
			}
			end()
			if want := "wsk: warning: stdout cannot be written: " + test.want + "; requests are answered, but not shown\n"; said.String() != want {
				t.Errorf("%s: stderr %q, want %q", name, &said, want)
			}
			if out.Err() != nil {
				t.Errorf("%s: the command fails with %v", name, out.Err())
			}
		}
	}
}
