//go:build !386

package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/powerfs"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// powerSeeds is in how many states the power failures of a test leave the disk, and how
// many of its operations fail; $WSK_POWERLOSS_SEEDS overrides it. With -short, which goes
// with the race detector, they are few: most of them start the program again.
func powerSeeds(t *testing.T) int {
	t.Helper()
	usual := "40"
	if testing.Short() {
		usual = "4"
	}
	n, err := strconv.Atoi(cmp.Or(os.Getenv("WSK_POWERLOSS_SEEDS"), usual))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// seedsPerRun is how many states are derived from one run of the program.
const seedsPerRun = 20

// failPower ends the power again and again. Of five runs, the first begins on an
// empty disk, and each other on what one of the failures of the run before has left.
// The states of a run are checked against what was promised: the marks of the runs
// before and of this one.
func failPower(t *testing.T, run func(t *testing.T, rng *rand.Rand, round int, content powerfs.Image) *powerfs.Log, check func(t *testing.T, crash powerfs.Crash, promised []string) error) {
	t.Helper()
	seeds, checked, promises := powerSeeds(t), 0, 0
	var content powerfs.Image
	var kept []string
	for round := 0; checked < seeds; round++ {
		rng := rand.New(rand.NewPCG(uint64(round), 69)) //nolint:gosec // it repeats on purpose
		if round%5 == 0 {
			content, kept = nil, nil
		}
		t.Run(fmt.Sprintf("round %d", round), func(t *testing.T) {
			t.Helper()
			log := run(t, rng, round, content)
			var crash powerfs.Crash
			var promised []string
			for range min(seedsPerRun, seeds-checked) {
				crash = log.Crash(rng.IntN(log.Len()+1), uint64(checked)) //nolint:gosec // it is positive
				promised = slices.Concat(kept, crash.Marks)
				if err := check(t, crash, promised); err != nil {
					t.Errorf("%s: %v", crash.Fate, err)
				}
				checked++
				promises += len(promised)
			}
			content, kept = crash.Image, promised
		})
	}
	t.Logf("%d states after a power failure were checked, for %d promises", checked, promises)
}

// checkpoints are how often SQLite moves a commit from the write-ahead log into the
// file: at each commit, often, and as it does in production.
var checkpoints = []string{"PRAGMA wal_autocheckpoint = 1", "PRAGMA wal_autocheckpoint = 50", ""}

// onDisk is the program, with changes of its connections to SQLite.
func onDisk(t *testing.T, pragmas string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "WSK_TEST_PRAGMAS="+pragmas)
	return cmd
}

// onDiskPath is the path of a file on a disk, in two folders that the program
// creates.
func onDiskPath(dir, name string) string { return filepath.Join(dir, "state", "wsk", name) }

// status sends a delivery and returns the status of the response, or 0.
func status(t *testing.T, client deliver.Client, d deliver.Delivery) int {
	t.Helper()
	d.Secret, d.Timeout = secretS(t), 10*time.Second
	record, err := client.Attempt(context.Background(), d, 0)
	if err != nil {
		t.Error(err)
	}
	return record.Status()
}

func newClient() deliver.Client {
	return deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: func() string { return "x" }}
}

// loadDisk sends deliveries from several senders until n were answered with 200,
// marks each of those on the disk, and ends the power while others are on their
// way.
func loadDisk(t *testing.T, disk *powerfs.FS, round, n int, delivery func(id string) deliver.Delivery) *powerfs.Log {
	t.Helper()
	client := newClient()
	var answered atomic.Int64
	var wait sync.WaitGroup
	for sender := range 8 {
		wait.Go(func() {
			for i := range n {
				id := fmt.Sprintf("%d-%d-%d", round, sender, i)
				if status(t, client, delivery(id)) != 200 {
					return
				}
				disk.Mark(id)
				if answered.Add(1) >= int64(n) {
					disk.Cut()
				}
			}
		})
	}
	wait.Wait()
	if got := answered.Load(); got < int64(n) {
		t.Errorf("%d deliveries were answered with 200 while there was power, want %d", got, n)
	}
	return disk.Cut()
}

// withoutPower runs a server on a disk until load has ended the power.
func withoutPower(t *testing.T, cmd *exec.Cmd, load func(url string) *powerfs.Log) *powerfs.Log {
	t.Helper()
	url, _ := started(t, cmd)
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	return load(url)
}

// restore writes what a power failure has left into a folder, where the files need
// not survive anything.
func restore(t *testing.T, crash powerfs.Crash) (dir string, remove func()) {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "wsk-powerloss-*") //nolint:usetesting // thousands, and an fsync there costs nothing
	if err == nil {
		err = crash.Image.Write(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}

// integrity returns what PRAGMA integrity_check has found in a file.
func integrity(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("integrity_check: %s", found)
	}
	return nil
}

// missing returns an error for the promises that are not kept.
func missing(promised []string, isKept func(string) bool) error {
	lost := slices.DeleteFunc(slices.Clone(promised), isKept)
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d promises are broken, the first is %q", len(lost), len(promised), lost[0])
}

// inJournal returns what is wrong with the journal on a disk: with its file, and by check.
func inJournal(t *testing.T, crash powerfs.Crash, check func(*journal.Journal) error) error {
	t.Helper()
	dir, remove := restore(t, crash)
	defer remove()
	j, err := journal.Open(t.Context(), onDiskPath(dir, "journal.db"), journal.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }() // it was only read
	return errors.Join(check(j), integrity(t.Context(), j.Path()))
}

// journalAfter returns what is wrong with the journal after a power failure. The
// promises are the ids of the deliveries that were answered with 200.
func journalAfter(t *testing.T, crash powerfs.Crash, promised []string) error {
	t.Helper()
	return inJournal(t, crash, func(j *journal.Journal) error {
		held := map[string]bool{}
		for r, err := range j.Records(t.Context(), journal.Filter{Status: []string{"ok"}}) {
			if err != nil {
				return err
			}
			if event, err := webhook.ParseEvent(r.Request.Body); err != nil || event.ID != r.WebhookID {
				return fmt.Errorf("the record of %s is torn: %w", r.WebhookID, err)
			}
			if r.Verdict.Outcome != webhook.Accepted {
				continue
			}
			if held[r.WebhookID] {
				return fmt.Errorf("%s was accepted twice", r.WebhookID)
			}
			held[r.WebhookID] = true
		}
		return missing(promised, func(id string) bool { return held[id] })
	})
}

// recordListener runs a listener until n deliveries were answered with 200, and
// ends the power then.
func recordListener(t *testing.T, disk *powerfs.FS, round, n int, pragmas string, isFlooded bool) *powerfs.Log {
	t.Helper()
	cmd := onDisk(t, pragmas, "listen", "--port", "0", "--secret", "s", "--journal", onDiskPath(disk.Dir, "journal.db"), "--json")
	return withoutPower(t, cmd, func(url string) *powerfs.Log {
		if isFlooded {
			defer flood(t, url)()
		}
		return loadDisk(t, disk, round, n, func(id string) deliver.Delivery { return eventFor(url, id) })
	})
}

// eventFor is a delivery to a listener.
func eventFor(url, id string) deliver.Delivery {
	return deliver.Delivery{URL: url, Event: webhook.Event{Raw: killed(id)}, WebhookID: id}
}

// THREATS row 69. Beside the deliveries come requests that are refused. Their records
// are committed without an fsync, and may be lost.
func TestListen_without_power_keeps_what_it_answered_with_200(t *testing.T) {
	t.Parallel()
	failPower(t, func(t *testing.T, rng *rand.Rand, round int, content powerfs.Image) *powerfs.Log {
		t.Helper()
		return recordListener(t, powerfs.Mount(t, content), round, 20+rng.IntN(150), checkpoints[round%len(checkpoints)], true)
	}, journalAfter)
}

// markHanded is what is marked when the app has answered a delivery.
func markHanded(id string) string { return "handed " + id }

// forwardsAfter returns what is wrong with the journal of a listener that answers
// first and forwards later: what was answered with 200 and not handed to the app is
// still to be forwarded.
func forwardsAfter(t *testing.T, crash powerfs.Crash, promised []string) error {
	t.Helper()
	return inJournal(t, crash, func(j *journal.Journal) error {
		isPending := map[string]bool{}
		for r, err := range j.Records(t.Context(), journal.Filter{}) {
			if err != nil {
				return err
			}
			if r.Verdict.Outcome == webhook.Pending {
				isPending[r.WebhookID] = true
			}
		}
		handed := map[string]bool{}
		for _, p := range promised {
			if id, ok := strings.CutPrefix(p, markHanded("")); ok {
				handed[id] = true
			}
		}
		return missing(promised, func(p string) bool {
			return strings.HasPrefix(p, markHanded("")) || handed[p] || isPending[p]
		})
	})
}

// A listener that acknowledges first hands each event on at least once. The app fails
// at the first attempt of each.
func TestListen_without_power_forwards_what_it_answered_with_200(t *testing.T) {
	t.Parallel()
	var disk atomic.Pointer[powerfs.FS]
	var seen sync.Map
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(webhook.HeaderID)
		if _, again := seen.LoadOrStore(id, true); !again {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		disk.Load().Mark(markHanded(id))
	}))
	defer app.Close()
	failPower(t, func(t *testing.T, rng *rand.Rand, round int, content powerfs.Image) *powerfs.Log {
		t.Helper()
		mounted := powerfs.Mount(t, content)
		disk.Store(mounted)
		cmd := onDisk(t, checkpoints[round%len(checkpoints)], "listen", "--port", "0", "--secret", "s", "--json",
			"--journal", onDiskPath(mounted.Dir, "journal.db"), "--forward-to", app.URL, "--forward-retries", "5")
		return withoutPower(t, cmd, func(url string) *powerfs.Log {
			return loadDisk(t, mounted, round, 20+rng.IntN(100), func(id string) deliver.Delivery { return eventFor(url, id) })
		})
	}, forwardsAfter)
}

// wantFound fails the test unless one of the states that a power failure at the end of a
// run can leave breaks a promise.
func wantFound(t *testing.T, log *powerfs.Log, check func(t *testing.T, crash powerfs.Crash, promised []string) error) {
	t.Helper()
	for seed := range uint64(20) {
		crash := log.Crash(log.Len(), seed)
		if err := check(t, crash, crash.Marks); err != nil {
			t.Logf("found: %s: %v", crash.Fate, err)
			return
		}
	}
	t.Error("no seed has found it")
}

// TestListen_without_power_finds_planted_faults proves that the test above can
// fail.
func TestListen_without_power_finds_planted_faults(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]struct {
		pragmas string
		inject  func(powerfs.Operation) powerfs.Fault
	}{
		"synchronous=OFF":    {"PRAGMA synchronous = OFF", nil},
		"synchronous=NORMAL": {"PRAGMA synchronous = NORMAL", nil},
		"no fsync of any folder": {"", func(o powerfs.Operation) powerfs.Fault {
			return powerfs.Fault{Lie: o.Kind == powerfs.SyncDir}
		}},
		"no fsync above the folder of the journal": {"", func(o powerfs.Operation) powerfs.Fault {
			return powerfs.Fault{Lie: o.Kind == powerfs.SyncDir && o.Name != "wsk"}
		}},
		"no fsync of the folder of the journal": {"", func(o powerfs.Operation) powerfs.Fault {
			return powerfs.Fault{Lie: o.Kind == powerfs.SyncDir && o.Name == "wsk"}
		}},
		"a disk that lies": {"", func(o powerfs.Operation) powerfs.Fault {
			return powerfs.Fault{Lie: o.Kind == powerfs.Sync}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := powerfs.Mount(t, nil)
			disk.Inject(plant.inject)
			log := recordListener(t, disk, 0, 30, plant.pragmas, false)
			wantFound(t, log, journalAfter)
		})
	}
}

// A listener is killed between the write and the fsync of a commit. The next one
// finds the commit in the page cache. It may answer the retry as a duplicate only
// when the record is on disk.
func TestListen_killed_before_an_fsync_keeps_the_retry(t *testing.T) {
	t.Parallel()
	disk := powerfs.Mount(t, nil)
	client := newClient()
	start := func() (cmd *exec.Cmd, url string) {
		cmd = onDisk(t, "", "listen", "--port", "0", "--secret", "s", "--journal", onDiskPath(disk.Dir, "journal.db"), "--json")
		url, _ = started(t, cmd)
		return cmd, url
	}
	cmd, url := start()
	disk.Inject(func(o powerfs.Operation) powerfs.Fault {
		if o.Kind == powerfs.Sync {
			_ = cmd.Process.Kill() // so it does not see that this fsync has succeeded
		}
		return powerfs.Fault{Lie: o.Kind == powerfs.Sync}
	})
	if got := status(t, client, eventFor(url, "a")); got != 0 {
		t.Fatalf("status %d before the commit was on disk", got)
	}
	_ = cmd.Wait()
	disk.Inject(nil)
	cmd, url = start()
	if got := status(t, client, eventFor(url, "a")); got != 200 {
		t.Fatalf("status %d for the retry", got)
	}
	disk.Mark("a")
	log := disk.Cut()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for seed := range uint64(20) {
		crash := log.Crash(log.Len(), seed)
		if err := journalAfter(t, crash, crash.Marks); err != nil {
			t.Errorf("%s: %v", crash.Fate, err)
		}
	}
}
