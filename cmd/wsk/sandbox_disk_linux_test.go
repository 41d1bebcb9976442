package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
)

// sender sends vendors to a sandbox and notes those that were answered with
// 200. Its result is the status, or 0 when no answer came.
func sender(t *testing.T, url, hidden string) (send func(name, notes string) int, taken map[string]bool) {
	t.Helper()
	client := deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: func() string { return "x" }}
	taken = map[string]bool{}
	return func(name, notes string) int {
		t.Helper()
		d := vendor(url, name, notes)
		d.Secret = secretS(t)
		record, err := client.Attempt(t.Context(), d, 0)
		switch {
		case err != nil:
			t.Fatal(err)
		case record.Response == nil:
			return 0
		case record.Response.Status == http.StatusOK:
			taken[name] = true
		case strings.Contains(string(record.Response.Body), hidden):
			t.Errorf("the sender learns the path of the state: %s", record.Response.Body)
		}
		return record.Response.Status
	}, taken
}

// THREATS row 23 for the sandbox: 503 while the disk is full, 200 when there is
// room, and the deliveries continue as well.
func TestSandbox_survives_a_full_disk(t *testing.T) {
	t.Parallel()
	dir := disk(t, "size=4m")
	path := filepath.Join(dir, "box.db")
	came := make(chan struct{}, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came <- struct{}{} }))
	defer receiver.Close()
	cmd, url := startSandbox(t, path, "--subscribe", receiver.URL)
	send, taken := sender(t, url, dir)
	if got := send("first", ""); got != http.StatusOK {
		t.Fatalf("status %d on an empty disk", got)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	notes, last := strings.Repeat("x", 100_000), 0
	for n := 0; last != http.StatusServiceUnavailable; n++ {
		if last = send(fmt.Sprintf("full-%d", n), notes); n > 40 {
			t.Fatalf("status %d, and the disk is full", last)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if got := send("room", ""); got != http.StatusOK {
		t.Errorf("status %d after there is room again", got)
	}
	for range taken {
		<-came // each of them is delivered, those that waited too
	}
	if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
		t.Errorf("the sandbox ended with %v", err)
	}
	held := vendors(t, path)
	for name := range taken {
		if !held[name] {
			t.Errorf("%s was answered with 200 and is not there", name)
		}
	}
}

// THREATS row 24 for the sandbox: what the disk does not confirm is not
// answered with 200, and it ends.
func TestSandbox_ends_after_a_failed_fsync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "box.db")
	makeSandboxFile(t, path)
	cmd := withFailingSync(t, 12, "sandbox", "--port", "0", "--api-key", "k", "--secret", "s", "--no-limits", "--data", path, "--json")
	url, problems := started(t, cmd)
	send, taken := sender(t, url, dir)
	refused := 0
	for n := range 100 {
		switch got := send(fmt.Sprint(n), ""); {
		case got == 0 || got == http.StatusOK && refused == 0: // it has ended, or has not failed yet
		case got == http.StatusServiceUnavailable:
			refused++
		default:
			t.Errorf("status %d after %d were refused", got, refused)
		}
	}
	if wantEndedBySync(t, cmd, problems); refused == 0 {
		t.Error("nothing was refused")
	}
	held := vendors(t, path)
	for name := range taken {
		if !held[name] {
			t.Errorf("%s was answered with 200 and is not there", name)
		}
	}
}
