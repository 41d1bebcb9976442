//go:build !386

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/powerfs"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// markingReceiver is a subscriber that marks each attempt on the disk when it
// arrives, as "attempt ID N".
type markingReceiver struct {
	*httptest.Server

	mu        sync.Mutex
	disk      *powerfs.FS
	failures  int             // so many attempts of each delivery are answered with 500
	delivered map[string]bool // the names of vendors, since the disk was put in
	arrived   chan struct{}   // closed and replaced after each attempt
}

func newMarkingReceiver(t *testing.T, failures int) *markingReceiver {
	t.Helper()
	m := &markingReceiver{failures: failures, arrived: make(chan struct{})}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sandbox has ended
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		retry := r.Header.Get(webhook.HeaderRetry)
		m.disk.Mark("attempt " + r.Header.Get(webhook.HeaderID) + " " + retry)
		if n, err := strconv.Atoi(retry); err != nil || n < m.failures {
			w.WriteHeader(http.StatusInternalServerError)
		} else {
			m.delivered[string(vendorName.Find(body))] = true
		}
		close(m.arrived)
		m.arrived = make(chan struct{})
	}))
	t.Cleanup(m.Close)
	return m
}

// begin makes a disk the one to mark.
func (m *markingReceiver) begin(disk *powerfs.FS) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.disk != disk {
		m.disk, m.delivered = disk, map[string]bool{}
	}
}

// wait waits until these vendors are delivered.
func (m *markingReceiver) wait(vendors []string) error {
	deadline := time.After(30 * time.Second)
	for _, name := range vendors {
		for {
			m.mu.Lock()
			arrived := m.arrived
			isDelivered := m.delivered[`"`+name+`"`]
			m.mu.Unlock()
			if isDelivered {
				break
			}
			select {
			case <-arrived:
			case <-deadline:
				return fmt.Errorf("%s was accepted and is not delivered", name)
			}
		}
	}
	return nil
}

// vendorName matches the names that loadDisk gives.
var vendorName = regexp.MustCompile(`"\d+-\d+-\d+"`)

// sandboxAfter returns what is wrong with the file of a sandbox after a power
// failure. The promises are the names of the vendors that were answered with 200,
// each of which has a delivery, and the attempts that arrived.
func sandboxAfter(t *testing.T, crash powerfs.Crash, promised []string) error {
	t.Helper()
	dir, remove := restore(t, crash)
	defer remove()
	path := onDiskPath(dir, "box.db")
	if len(promised) == 0 && crash.Image["state/wsk/box.db"] == nil {
		return nil // the folder is not there yet
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	kept, err := keptBySandbox(t, db)
	if err != nil && len(promised) == 0 && strings.Contains(err.Error(), "no such table") {
		err = nil
	}
	once := map[string]bool{}
	for _, p := range promised {
		if once[p] {
			err = errors.Join(err, fmt.Errorf("%s was made twice", p))
		}
		once[p] = true
	}
	return errors.Join(err, missing(promised, func(p string) bool { return kept[p] }), integrity(t.Context(), path))
}

// keptBySandbox returns the promises that the file of a sandbox keeps.
func keptBySandbox(t *testing.T, db *sql.DB) (kept map[string]bool, err error) {
	t.Helper()
	kept = map[string]bool{}
	announced := map[string]bool{}
	deliveries, err := db.QueryContext(t.Context(), "SELECT id, attempts, body FROM delivery")
	if err != nil {
		return nil, err
	}
	defer func() { _ = deliveries.Close() }() // Err is checked
	for deliveries.Next() {
		var id, body string
		var attempts int
		if err := deliveries.Scan(&id, &attempts, &body); err != nil {
			return nil, err
		}
		if attempts > 6 {
			return nil, fmt.Errorf("%s has %d attempts", id, attempts)
		}
		for n := range attempts {
			kept[fmt.Sprintf("attempt %s %d", id, n)] = true
		}
		for _, name := range vendorName.FindAllString(body, -1) {
			announced[strings.Trim(name, `"`)] = true
		}
	}
	if err := deliveries.Err(); err != nil {
		return nil, err
	}
	vendors, err := db.QueryContext(t.Context(), "SELECT name FROM record WHERE kind = 'vendor'")
	if err != nil {
		return nil, err
	}
	defer func() { _ = vendors.Close() }() // Err is checked
	for vendors.Next() {
		var name string
		if err := vendors.Scan(&name); err != nil {
			return nil, err
		}
		kept[name] = announced[name]
	}
	return kept, vendors.Err()
}

// THREATS row 69 for the sandbox: its records and its deliveries. An attempt that
// arrived is never made again.
func TestSandbox_without_power_keeps_what_it_answered_with_200(t *testing.T) {
	t.Parallel()
	receiver := newMarkingReceiver(t, 2)
	failPower(t, func(t *testing.T, rng *rand.Rand, round int, content powerfs.Image) *powerfs.Log {
		t.Helper()
		return recordSandbox(t, powerfs.Mount(t, content), receiver, round, 10+rng.IntN(40), checkpoints[round%len(checkpoints)])
	}, sandboxAfter)
}

// recordSandbox runs a sandbox until n events were answered with 200, and ends the
// power then.
func recordSandbox(t *testing.T, disk *powerfs.FS, receiver *markingReceiver, round, n int, pragmas string) *powerfs.Log {
	t.Helper()
	receiver.begin(disk)
	cmd := onDisk(t, pragmas, "sandbox", "--port", "0", "--api-key", "k", "--secret", "s", "--no-limits", "--json",
		"--data", onDiskPath(disk.Dir, "box.db"), "--subscribe", receiver.URL, "--speed", "6000x")
	return withoutPower(t, cmd, func(url string) *powerfs.Log {
		return loadDisk(t, disk, round, n, func(id string) deliver.Delivery { return vendor(url, id, "") })
	})
}

// TestSandbox_without_power_finds_planted_faults proves that the test above can
// fail.
func TestSandbox_without_power_finds_planted_faults(t *testing.T) {
	t.Parallel()
	for _, pragmas := range []string{"PRAGMA synchronous = OFF", "PRAGMA synchronous = NORMAL"} {
		t.Run(pragmas, func(t *testing.T) {
			t.Parallel()
			log := recordSandbox(t, powerfs.Mount(t, nil), newMarkingReceiver(t, 2), 0, 30, pragmas)
			wantFound(t, log, sandboxAfter)
		})
	}
}
