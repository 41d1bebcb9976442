package main

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// disk mounts a small file system, or skips the test where that is not permitted.
func disk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	switch err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); {
	case errors.Is(err, syscall.EPERM):
		t.Skip("mounting needs a privilege")
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// THREATS row 23, before anything is received.
func TestListen_reports_a_full_disk_at_the_start(t *testing.T) {
	t.Parallel()
	path := filepath.Join(disk(t, "size=64k"), "journal.db")
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "listen", "--port", "0", "--secret", "s", "--journal", path).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "the disk is full: make room, or choose another path with --journal") {
		t.Errorf("it ended with %v:\n%s", err, out)
	}
}

// lastWrite makes a journal on a disk and then makes the disk read-only. No
// process of another test is started meanwhile: between its fork and its exec
// it would hold the journal open, and the disk busy.
func lastWrite(t *testing.T, path, dir string) error {
	t.Helper()
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	j, err := journal.Open(t.Context(), path, journal.Options{})
	if err != nil {
		return err
	}
	return errors.Join(j.Close(), syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
}

func TestListen_reports_a_read_only_disk(t *testing.T) {
	t.Parallel()
	dir := disk(t, "size=1m")
	path := filepath.Join(dir, "journal.db")
	there := filepath.Join(dir, "there.db")
	if err := lastWrite(t, there, dir); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{path: "read-only file system", there: "it cannot be"} {
		out, err := exec.CommandContext(t.Context(), program, "listen", "--port", "0", "--secret", "s", "--timeout", "1ms", "--journal", file).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), file+": "+says) {
			t.Errorf("it ended with %v:\n%s", err, out)
		}
	}
}

// THREATS row 23: 503 while the disk is full, and 200 when there is room.
func TestListen_survives_a_full_disk(t *testing.T) {
	t.Parallel()
	dir := disk(t, "size=4m")
	path := filepath.Join(dir, "journal.db")
	cmd, url := startListener(t, path)
	secret, err := webhook.NewSecret("s")
	if err != nil {
		t.Fatal(err)
	}
	client := deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: func() string { return "x" }}
	taken := map[string]bool{}
	send := func(id string) int {
		t.Helper()
		body := append(killed(id), strings.Repeat(" ", 100_000)...)
		record, err := client.Attempt(t.Context(), deliver.Delivery{URL: url, Event: webhook.Event{Raw: body}, Secret: secret, WebhookID: id}, 0)
		if err != nil || record.Response == nil {
			t.Fatalf("%s: %v %s", id, err, record.Error)
		}
		if record.Response.Status == http.StatusOK {
			taken[id] = true
		} else if strings.Contains(string(record.Response.Body), dir) {
			t.Errorf("the sender learns the path of the journal: %s", record.Response.Body)
		}
		return record.Response.Status
	}
	if got := send("first"); got != http.StatusOK {
		t.Fatalf("status %d on an empty disk", got)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	last := 0
	for n := 0; last != http.StatusServiceUnavailable; n++ {
		if last = send("full-" + string(rune('a'+n))); n > 20 {
			t.Fatalf("status %d, and the disk is full", last)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if got := send("room"); got != http.StatusOK {
		t.Errorf("status %d after there is room again", got)
	}
	if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
		t.Errorf("the listener ended with %v", err)
	}
	j, err := journal.Open(t.Context(), path, journal.Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }() // it was only read
	for id := range taken {
		if _, err := j.Get(t.Context(), id); err != nil {
			t.Errorf("%s was answered with 200: %v", id, err)
		}
	}
}

// THREATS row 24: what the disk does not confirm is not answered with 200, and
// no later delivery is accepted.
func TestListen_ends_after_a_failed_fsync(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := journal.Open(t.Context(), path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := withFailingSync(t, 4, "listen", "--port", "0", "--secret", "s", "--journal", path, "--json")
	url, problems := started(t, cmd)
	secret, err := webhook.NewSecret("s")
	if err != nil {
		t.Fatal(err)
	}
	client := deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: func() string { return "x" }}
	taken, refused := 0, 0
	for n := range 100 {
		id := string(rune('A'+n/10)) + string(rune('0'+n%10))
		record, err := client.Attempt(t.Context(), deliver.Delivery{URL: url, Event: webhook.Event{Raw: killed(id)}, Secret: secret, WebhookID: id}, 0)
		switch {
		case err != nil:
			t.Fatal(err)
		case record.Response == nil: // it has ended
		case record.Response.Status == http.StatusOK && refused == 0:
			taken++
		case record.Response.Status == http.StatusServiceUnavailable:
			refused++
		default:
			t.Errorf("status %d after %d were refused", record.Response.Status, refused)
		}
	}
	if wantEndedBySync(t, cmd, problems); refused == 0 {
		t.Error("nothing was refused")
	}
	if j, err = journal.Open(t.Context(), path, journal.Options{}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }() // it was only read
	if n, err := j.Count(t.Context(), journal.Filter{Status: []string{"ok"}}); n < taken || err != nil {
		t.Errorf("%d are in the journal of %d that were answered with 200, %v", n, taken, err)
	}
}

// withFailingSync is wsk on a disk that confirms no write from the nth on.
func withFailingSync(t *testing.T, nth int, args ...string) *exec.Cmd {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), strace, append([]string{
		"-f", "-qq", "-o", filepath.Join(t.TempDir(), "trace"), "-e", "trace=fsync,fdatasync",
		"-e", "inject=fsync,fdatasync:error=EIO:when=" + strconv.Itoa(nth) + "+", program,
	}, args...)...)
}

// wantEndedBySync wants a server to have ended and to have reported why.
func wantEndedBySync(t *testing.T, cmd *exec.Cmd, problems *lockedBuffer) {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(problems.String(), "did not confirm a write") {
		t.Errorf("it ended with %v:\n%s", err, problems)
	}
}
