//go:build !386

package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/internal/powerfs"
)

// diskFault is a disk that fails once, at its n-th operation of a kind.
type diskFault struct {
	name  string
	kind  powerfs.OperationKind
	n     int
	fault powerfs.Fault
}

func (f diskFault) inject(o powerfs.Operation) powerfs.Fault {
	if o.Kind == f.kind && o.N == f.n {
		return f.fault
	}
	return powerfs.Fault{}
}

// diskFaults lists the faults of the operations that a run has made on a disk. If
// they are more than $WSK_POWERLOSS_SEEDS, it leaves some out, in equal steps: not
// those of folders, which are few, and whose errors SQLite ignores.
func diskFaults(t *testing.T, disk *powerfs.FS) []diskFault {
	t.Helper()
	eio, full, short := powerfs.Fault{Err: syscall.EIO}, powerfs.Fault{Err: syscall.ENOSPC}, powerfs.Fault{Short: 100}
	var all []diskFault
	for _, kind := range []struct {
		name   string
		kind   powerfs.OperationKind
		faults map[string]powerfs.Fault
	}{
		{"write", powerfs.Write, map[string]powerfs.Fault{"EIO": eio, "ENOSPC": full, "100 bytes": short}},
		{"fsync", powerfs.Sync, map[string]powerfs.Fault{"EIO": eio, "ENOSPC": full}},
		{"fsync of a folder", powerfs.SyncDir, map[string]powerfs.Fault{"EIO": eio}},
		{"truncation", powerfs.Truncate, map[string]powerfs.Fault{"EIO": eio, "ENOSPC": full}},
		{"creation", powerfs.Create, map[string]powerfs.Fault{"EIO": eio, "ENOSPC": full}},
		{"removal", powerfs.Unlink, map[string]powerfs.Fault{"EIO": eio}},
	} {
		for n := range disk.Count(kind.kind) {
			for name, fault := range kind.faults {
				all = append(all, diskFault{fmt.Sprintf("%s %d: %s", kind.name, n+1, name), kind.kind, n + 1, fault})
			}
		}
	}
	seeds := powerSeeds(t)
	step := (len(all) + seeds - 1) / seeds
	var some []diskFault
	for i, f := range all {
		if i%step == 0 || f.kind == powerfs.SyncDir {
			some = append(some, f)
		}
	}
	t.Logf("%d of %d faults", len(some), len(all))
	return some
}

// launched is a server, or what is left of one that has ended at its start.
type launched struct {
	cmd  *exec.Cmd
	url  string        // "" if it has ended
	said *lockedBuffer // on both of its streams
	gone chan struct{} // closed when it has ended
}

// launch starts a server and waits until it is ready or has ended.
func launch(t *testing.T, cmd *exec.Cmd) launched {
	t.Helper()
	l := launched{cmd: cmd, said: &lockedBuffer{}, gone: make(chan struct{})}
	ready := make(chan string, 1)
	cmd.Stdout = writerFunc(func(p []byte) (int, error) {
		if line, _, ok := strings.Cut(string(p), "\n"); ok && len(ready) == 0 && l.said.String() == "" {
			ready <- line
		}
		return l.said.Write(p)
	})
	cmd.Stderr = writerFunc(l.said.Write)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(l.gone)
	}()
	select {
	case line := <-ready:
		l.url = readyURL(line)
	case <-l.gone:
	}
	return l
}

// stop sends Ctrl-C to the server, which may have ended, and returns its exit code.
func (l *launched) stop() int {
	_ = l.cmd.Process.Signal(os.Interrupt)
	<-l.gone
	return l.cmd.ProcessState.ExitCode()
}

// failingServer is a kind of server, and how it is tested on a disk that fails.
type failingServer struct {
	cmd   func(t *testing.T, disk *powerfs.FS) *exec.Cmd
	send  func(t *testing.T, url, id string) int
	end   func(accepted []string) error // waits until the server is done with these events; may be nil
	after func(t *testing.T, crash powerfs.Crash, promised []string) error
}

// onFailingDisk runs a server on a disk that fails once, and sends it events. It
// returns an error if the server does anything but this: it ends with exit code 2 and
// the reason, or it answers one event with 503, says why, and accepts the next one
// unless an fsync has failed. When the disk is well again, it starts and accepts an
// event. What it answered with 200 is on the disk.
func (s *failingServer) onFailingDisk(t *testing.T, disk *powerfs.FS) error {
	t.Helper()
	var faults []error
	var accepted []string
	l := launch(t, s.cmd(t, disk))
	fail := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf(format+"\n%s", append(args, l.said)...))
	}
	refused, isGone := 0, l.url == ""
	for i := 0; i < 6 && !isGone; i++ {
		id := fmt.Sprintf("0-0-%d", i)
		isBroken := strings.Contains(l.said.String(), unconfirmed)
		switch got := s.send(t, l.url, id); {
		case got == http.StatusOK && !isBroken:
			disk.Mark(id)
			accepted = append(accepted, id)
		case got == http.StatusServiceUnavailable && (refused == 0 || strings.Contains(l.said.String(), unconfirmed)):
			refused++
		case got == 0:
			isGone = true
		default:
			fail("%s was answered with %d", id, got)
		}
	}
	code := l.stop()
	if said := l.said.String(); refused > 0 && !strings.Contains(said, "disk") || isGone && code == 0 || code != 0 && (code != 2 || !strings.Contains(said, disk.Dir)) {
		fail("it ended with exit code %d and has answered %d events with 503", code, refused)
	}
	disk.Inject(nil)
	l = launch(t, s.cmd(t, disk))
	if got := s.send(t, l.url, "1-0-0"); got == http.StatusOK {
		disk.Mark("1-0-0")
		accepted = append(accepted, "1-0-0")
	} else {
		fail("the answer is %d when the disk is well again", got)
	}
	if s.end != nil {
		if err := s.end(accepted); err != nil {
			fail("%w", err)
		}
	}
	if code := l.stop(); code != 0 {
		fail("it ended with exit code %d when the disk was well again", code)
	}
	log := disk.Cut()
	for seed := range uint64(5) {
		crash := log.Crash(log.Len(), seed)
		if err := s.after(t, crash, crash.Marks); err != nil {
			fail("%s: %w", crash.Fate, err)
		}
	}
	return errors.Join(faults...)
}

// unconfirmed is what a server says after an fsync has failed.
const unconfirmed = "did not confirm a write"

// onFailingDisks calls run with a disk that is well, and then once for a failure of
// each operation that was made there.
func onFailingDisks(t *testing.T, run func(*testing.T, *powerfs.FS) error) {
	t.Helper()
	disk := powerfs.Mount(t, nil)
	if err := run(t, disk); err != nil {
		t.Fatal(err)
	}
	for _, f := range diskFaults(t, disk) {
		t.Run(f.name, func(t *testing.T) {
			t.Helper()
			disk := powerfs.Mount(t, nil)
			disk.Inject(f.inject)
			if err := run(t, disk); err != nil {
				t.Error(err)
			}
		})
	}
}

// THREATS rows 23 and 24, at each operation of a listener's journal.
func TestListen_on_a_failing_disk(t *testing.T) {
	t.Parallel()
	client := newClient()
	server := failingServer{
		cmd: func(t *testing.T, disk *powerfs.FS) *exec.Cmd {
			t.Helper()
			return onDisk(t, checkpoints[0], "listen", "--port", "0", "--secret", "s", "--journal", onDiskPath(disk.Dir, "journal.db"), "--json")
		},
		send: func(t *testing.T, url, id string) int {
			t.Helper()
			return status(t, client, eventFor(url, id))
		},
		after: journalAfter,
	}
	onFailingDisks(t, server.onFailingDisk)
}

// The same for a sandbox, which delivers in the end what it has accepted.
func TestSandbox_on_a_failing_disk(t *testing.T) {
	t.Parallel()
	client := newClient()
	receiver := newMarkingReceiver(t, 1)
	server := failingServer{
		cmd: func(t *testing.T, disk *powerfs.FS) *exec.Cmd {
			t.Helper()
			receiver.begin(disk)
			return onDisk(t, checkpoints[0], "sandbox", "--port", "0", "--api-key", "k", "--secret", "s", "--no-limits", "--json",
				"--data", onDiskPath(disk.Dir, "box.db"), "--subscribe", receiver.URL, "--speed", "max")
		},
		send: func(t *testing.T, url, id string) int {
			t.Helper()
			return status(t, client, vendor(url, id, ""))
		},
		end:   receiver.wait,
		after: sandboxAfter,
	}
	onFailingDisks(t, server.onFailingDisk)
}

// A batch ends with exit code 2 and the reason, and --resume sends the rest. No line is
// sent twice.
func TestSendBatch_on_a_failing_disk(t *testing.T) {
	t.Parallel()
	const size = 6
	file, _ := batchFile(t, t.TempDir(), "staff.ndjson", size)
	endpoint := newMarkingEndpoint(t)
	onFailingDisks(t, func(t *testing.T, disk *powerfs.FS) error {
		t.Helper()
		return batchOnFailingDisk(t, disk, endpoint, file, size)
	})
}

func batchOnFailingDisk(t *testing.T, disk *powerfs.FS, endpoint *markingEndpoint, file string, size int) error {
	t.Helper()
	var faults []error
	for i := range 2 {
		endpoint.begin(disk, func(int) {})
		cmd, out, problems := batchOnDisk(t, disk, file, endpoint.URL, checkpoints[0])
		_ = cmd.Run()
		code, said := cmd.ProcessState.ExitCode(), problems.String()
		fail := func(text string) {
			faults = append(faults, fmt.Errorf("run %d %s: exit code %d: %s%s", i+1, text, code, out, said))
		}
		switch {
		case code == 2 && i == 0:
			if !strings.Contains(said, disk.Dir) {
				fail("does not name the journal")
			}
		case code == 0 || code == 3 && i == 1:
			s := summaryOf(t, out)
			if s.Accepted+s.Unknown != size || (s.Unknown > 0) != (code == 3) || s.Unknown > 1 {
				fail("has left lines")
			}
		default:
			fail("has failed")
		}
		disk.Inject(nil)
	}
	log := disk.Cut()
	for seed := range uint64(5) {
		crash := log.Crash(log.Len(), seed)
		if err := ledgerAfter(t, crash, crash.Marks); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", crash.Fate, err))
		}
	}
	return errors.Join(faults...)
}
