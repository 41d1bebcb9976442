package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wskdev/wsk/cmd/wsk/internal/history"
	"github.com/wskdev/wsk/pkg/journal"
)

// TestFaults kills the program at its nth call of the system on its files, and has such a
// call fail, and wants what TestFailpoints wants. Without strace it is skipped.
func TestFaults(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	program := buildWithFailpoints(t)
	for name, file := range map[string]string{"listen": "journal.db", "forward later": "journal.db", "batch": "wsk/journal.db", "sandbox": "box.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, fault := range []struct {
				calls, what string
				nth         []int // of each thread
			}{
				{"pwrite64", "signal=KILL", nth(2, 13, 40)},
				{"fsync", "signal=KILL", nth(1, 4)},
				{"openat,ftruncate,unlink", "signal=KILL", nth(1)},
				{"pwrite64", "error=EIO", nth(2, 12)},
				{"pwrite64", "error=ENOSPC", nth(3)},
				{"fsync", "error=EIO", nth(1, 3)},
				{"openat,ftruncate,unlink", "error=EIO", nth(1)},
			} {
				for i, n := range fault.nth {
					w := &world{program: program, dir: t.TempDir()}
					path, trace := w.path(file), w.path("trace")
					makeFile(t, path)
					inject := fmt.Sprintf("inject=%s:%s:when=%d", fault.calls, fault.what, n)
					// --seccomp-bpf would be faster, but strace 6.1 sends the signal at the first call only then.
					w.wrap = []string{strace, "-f", "-qq", "-o", trace, "-e", "trace=" + fault.calls, "-e", inject}
					for _, end := range []string{"", "-wal", "-shm"} {
						w.wrap = append(w.wrap, "-P", path+end)
					}
					if strings.HasPrefix(fault.what, "error") {
						w.faults = 1
					}
					uses()[name].run(w, t)
					traced, err := os.ReadFile(trace)
					if err != nil {
						t.Fatal(err)
					}
					if w.crashes == 0 && !bytes.Contains(traced, []byte("(INJECTED)")) {
						if i == 0 {
							t.Errorf("%s: it makes fewer calls", inject)
						}
						break
					}
					t.Logf("%s: crashes %d, %s", inject, w.crashes, w.sum())
				}
			}
		})
	}
}

// makeFile makes an empty journal, or a sandbox's file.
func makeFile(t *testing.T, path string) {
	t.Helper()
	if filepath.Base(path) == "box.db" {
		makeSandboxFile(t, path)
		return
	}
	j, err := journal.Open(t.Context(), path, journal.Options{})
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// awaitStop waits until a child process has stopped, and returns false if it has ended.
// Its parent can still wait for it.
func awaitStop(pid int) bool {
	var info unix.Siginfo
	var err error = unix.EINTR
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
	}
	const childStopped = 5 // CLD_STOPPED
	return err == nil && info.Code == childStopped
}

// hold takes the write lock of a file, as another process does, and returns what
// releases it.
func hold(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Error(err)
		return func() {}
	}
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"PRAGMA busy_timeout = 10000", "BEGIN IMMEDIATE"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Error(err)
		}
	}
	return func() { _ = db.Close() } // which rolls back
}

// TestBusy has another process hold the write lock of the file at each write of a batch
// and of a sandbox, for a moment: nothing fails, and nothing is sent again.
func TestBusy(t *testing.T) {
	t.Parallel()
	program := buildWithFailpoints(t)
	for name, file := range map[string]string{"batch": "wsk/journal.db", "sandbox": "box.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, n := range nth(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) {
				w := &world{program: program, dir: t.TempDir(), point: fmt.Sprintf("sqlfile/before-begin=pause@%d", n)}
				path := w.path(file)
				makeFile(t, path)
				var held atomic.Bool
				w.paused = func(pid int) {
					release := hold(t, path)
					held.Store(true)
					time.AfterFunc(30*time.Millisecond, release)
					_ = unix.Kill(pid, unix.SIGCONT) // it waits for its child's end
				}
				uses()[name].run(w, t)
				if !held.Load() {
					break // it writes less often
				}
				if w.log.Twice() > 0 || len(w.log.IDs(history.Unknown)) > 0 {
					t.Errorf("%s: %s", w, w.sum())
				}
			}
		})
	}
}

// TestSendBatch_busy has another process hold the lock for longer than the batch waits, at
// a write: it ends with what is wrong, and can be resumed.
func TestSendBatch_busy(t *testing.T) {
	t.Parallel()
	program := buildWithFailpoints(t)
	for _, point := range []string{"slot", "claim", "settle"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			// The first two writes open the journal and begin the batch.
			n := 3 + slices.Index([]string{"slot", "claim", "settle"}, point)
			w := &world{program: program, dir: t.TempDir(), point: fmt.Sprintf("sqlfile/before-begin=pause@%d", n), faults: 1}
			c := newCounting(t)
			file, _ := batchFile(t, w.dir, "busy.ndjson", 2)
			cmd := w.command(t.Context(), "send", "--batch", file, "--url", c.URL, "--api-key", "k", "--secret", "s", "--no-lint")
			var problems bytes.Buffer
			cmd.Stderr = &problems
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if !awaitStop(cmd.Process.Pid) {
				t.Fatalf("it did not stop at its write %d:\n%s", n, &problems)
			}
			release := hold(t, w.path("wsk/journal.db"))
			_ = unix.Kill(cmd.Process.Pid, unix.SIGCONT)
			_ = cmd.Wait() // its exit code says it
			release()
			if got := problems.String(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(got, "another process held it for more than 10s") {
				t.Errorf("exit code %d:\n%s", cmd.ProcessState.ExitCode(), got)
			}
			resume := w.command(t.Context(), "send", "--batch", file, "--url", c.URL, "--api-key", "k", "--secret", "s", "--no-lint", "--resume", "--json")
			out, _ := resume.Output() // an unknown line makes it 3
			s := summaryOf(t, bytes.NewBuffer(out))
			wantUnknown := 0
			if point == "settle" {
				wantUnknown = 1 // it was sent
			}
			if s.Unknown != wantUnknown || s.Accepted+s.Unknown != 2 || len(c.arrivals) != 2 {
				t.Errorf("%+v, and %d lines arrived", s, len(c.arrivals))
			}
		})
	}
}
