//go:build !386

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/internal/powerfs"
)

// batchLine returns the number of a line that batchFile has made.
func batchLine(t *testing.T, body []byte) int {
	t.Helper()
	var event struct{ Data struct{ N int } }
	if err := json.Unmarshal(body, &event); err != nil {
		t.Errorf("the request %q: %v", body, err)
	}
	return event.Data.N
}

// markingEndpoint accepts the lines of batches, and calls arrived before it answers.
// It marks a line on the disk as "line N" when it arrives. When the line after it
// arrives, it marks it as "accepted N": the batch has had the answer by then.
type markingEndpoint struct {
	*httptest.Server

	mu      sync.Mutex
	disk    *powerfs.FS
	last    int         // the last line that was answered in this run
	arrived func(n int) // the n-th of this run
	count   int
}

func newMarkingEndpoint(t *testing.T) *markingEndpoint {
	t.Helper()
	e := &markingEndpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.last > 0 {
			e.disk.Mark(fmt.Sprintf("accepted %d", e.last))
		}
		e.last = batchLine(t, body)
		e.disk.Mark(fmt.Sprintf("line %d", e.last))
		e.count++
		e.arrived(e.count)
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(e.Close)
	return e
}

// begin begins a run on a disk.
func (e *markingEndpoint) begin(disk *powerfs.FS, arrived func(n int)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.disk, e.last, e.count, e.arrived = disk, 0, 0, arrived
}

// batchOnDisk is wsk send --batch --resume with its journal on a disk.
func batchOnDisk(t *testing.T, disk *powerfs.FS, file, url, pragmas string, args ...string) (cmd *exec.Cmd, out, problems *bytes.Buffer) {
	t.Helper()
	cmd, out, problems = wskBatch(t, filepath.Dir(file), file, url, append([]string{"--resume", "--rate", "1000/s"}, args...)...)
	cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+filepath.Join(disk.Dir, "state"), "WSK_TEST_PRAGMAS="+pragmas)
	return cmd, out, problems
}

// ledgerAfter returns what is wrong with the ledger after a power failure.
func ledgerAfter(t *testing.T, crash powerfs.Crash, promised []string) error {
	t.Helper()
	dir, remove := restore(t, crash)
	defer remove()
	path := onDiskPath(dir, "journal.db")
	if len(promised) == 0 && crash.Image["state/wsk/journal.db"] == nil {
		return nil // the folder is not there yet
	}
	kept, err := keptByLedger(t, path)
	if err != nil && len(promised) == 0 && strings.Contains(err.Error(), "no such table") {
		err = nil
	}
	once := map[string]bool{}
	for _, p := range promised {
		if once[p] && strings.HasPrefix(p, "line ") {
			err = errors.Join(err, fmt.Errorf("%s was sent twice", p))
		}
		once[p] = true
	}
	return errors.Join(err, missing(promised, func(p string) bool { return kept[p] }), integrity(t.Context(), path))
}

// keptByLedger returns the promises that a ledger keeps: a line is not sent again
// in any of its states.
func keptByLedger(t *testing.T, path string) (kept map[string]bool, err error) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // it was only read
	rows, err := db.QueryContext(t.Context(), "SELECT n, state FROM line")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err is checked
	kept = map[string]bool{}
	for rows.Next() {
		var n int
		var state string
		if err := rows.Scan(&n, &state); err != nil {
			return nil, err
		}
		kept[fmt.Sprintf("line %d", n)] = true
		kept[fmt.Sprintf("%s %d", state, n)] = true
	}
	return kept, rows.Err()
}

// THREATS row 69 for the ledger: no line is sent twice, and what was answered stays
// so.
func TestSendBatch_without_power_sends_each_line_once(t *testing.T) {
	t.Parallel()
	const size = 40
	file, _ := batchFile(t, t.TempDir(), "staff.ndjson", size)
	endpoint := newMarkingEndpoint(t)
	failPower(t, func(t *testing.T, rng *rand.Rand, round int, content powerfs.Image) *powerfs.Log {
		t.Helper()
		return recordBatch(t, powerfs.Mount(t, content), endpoint, file, 1+rng.IntN(size), checkpoints[round%len(checkpoints)])
	}, ledgerAfter)
}

// recordBatch runs a batch until its n-th line of this run arrives, and ends the power
// then, before the answer.
func recordBatch(t *testing.T, disk *powerfs.FS, endpoint *markingEndpoint, file string, n int, pragmas string) *powerfs.Log {
	t.Helper()
	endpoint.begin(disk, func(arrived int) {
		if arrived == n {
			disk.Cut()
		}
	})
	cmd, out, problems := batchOnDisk(t, disk, file, endpoint.URL, pragmas)
	switch err := cmd.Run(); {
	case endpoint.count >= n && cmd.ProcessState.ExitCode() != 2:
		t.Errorf("without power: %v\n%s%s", err, out, problems)
	case endpoint.count < n:
		s := summaryOf(t, out)
		if s.Accepted+s.Unknown != s.Lines {
			t.Errorf("at the end: %+v\n%s", s, problems)
		}
	}
	return disk.Cut()
}

// TestSendBatch_without_power_finds_planted_faults proves that the test above can
// fail.
func TestSendBatch_without_power_finds_planted_faults(t *testing.T) {
	t.Parallel()
	for _, pragmas := range []string{"PRAGMA synchronous = OFF", "PRAGMA synchronous = NORMAL"} {
		t.Run(pragmas, func(t *testing.T) {
			t.Parallel()
			file, _ := batchFile(t, t.TempDir(), "staff.ndjson", 20)
			log := recordBatch(t, powerfs.Mount(t, nil), newMarkingEndpoint(t), file, 20, pragmas)
			wantFound(t, log, ledgerAfter)
		})
	}
}
