package journal

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// damaged makes a journal of 300 records, closed, and spoils its file.
func damaged(t *testing.T, spoil func([]byte) []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := reopen(t, path, Options{})
	for n := 1; n <= 300; n++ {
		r := sample(n)
		r.Request.Body = []byte(strings.Repeat("x", 2000))
		put(t, j, r)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, spoil(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsReadableOfADamagedJournalIsSaved(t *testing.T) {
	t.Parallel()
	const pageSize = 8192
	zero := func(from, to float64) func([]byte) []byte { // of the pages
		return func(raw []byte) []byte {
			pages := float64(len(raw) / pageSize)
			clear(raw[int(from*pages)*pageSize : int(to*pages)*pageSize])
			return raw
		}
	}
	for name, test := range map[string]struct {
		spoil func([]byte) []byte
		least int // records that must be saved
	}{
		"nothing":                   {func(raw []byte) []byte { return raw }, 300},
		"pages in the first third":  {zero(0.35, 0.40), 200},
		"pages in the middle":       {zero(0.50, 0.60), 200},
		"pages in the last third":   {zero(0.90, 0.97), 200},
		"the last pages":            {zero(0.97, 1), 200},
		"its second half, cut away": {func(raw []byte) []byte { return raw[:len(raw)/2/pageSize*pageSize] }, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := damaged(t, test.spoil)
			seen := map[string]bool{}
			read, lost, err := Salvage(t.Context(), path, func(r webhook.Record) error {
				if seen[r.ID] || len(r.Request.Body) != 2000 {
					t.Errorf("%s came twice, or torn", r.ID)
				}
				seen[r.ID] = true
				return nil
			})
			if err != nil || read < test.least || read != len(seen) || (read < 300) != (lost > 0) {
				t.Errorf("%d read, %d lost, %v; want at least %d", read, lost, err, test.least)
			}
		})
	}
}

func TestADamagedJournalNamesItselfAndTheNextStep(t *testing.T) {
	t.Parallel()
	path := damaged(t, func(raw []byte) []byte {
		clear(raw[3*8192 : len(raw)-8192])
		return raw
	})
	j, err := Open(t.Context(), path, Options{})
	if err == nil {
		defer func() { _ = j.Close() }()
		for _, err = range j.Records(t.Context(), Filter{}) {
			if err != nil {
				break
			}
		}
	}
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "wsk journal export --salvage") {
		t.Errorf("error %v", err)
	}
}

func TestSalvageStopsWhenAsked(t *testing.T) {
	t.Parallel()
	path := damaged(t, func(raw []byte) []byte { return raw })
	full := errors.New("the disk is full")
	if read, _, err := Salvage(t.Context(), path, func(webhook.Record) error { return full }); !errors.Is(err, full) || read != 0 {
		t.Errorf("%d, %v", read, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, _, err := Salvage(ctx, path, func(webhook.Record) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, _, err := Salvage(t.Context(), path+"-none", nil); err == nil {
		t.Error("a journal that is not there was read")
	}
}

func TestWhatIsDueComesInOrderAndWhenItsTimeHasCome(t *testing.T) {
	t.Parallel()
	j := fresh(t, Options{})
	for n := 1; n <= 3; n++ {
		if err := j.Put(t.Context(), Entry{Record: sample(n), ForwardTo: "http://app"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Put(t.Context(), Entry{Record: sample(4), ForwardTo: "http://other"}); err != nil {
		t.Fatal(err)
	}
	put(t, j, sample(5))
	now := clock()
	want := func(list string, next time.Time, tries int) {
		t.Helper()
		due, at, err := j.Due(t.Context(), "http://app", now, 10)
		var got []string
		for _, d := range due {
			got = append(got, strings.TrimLeft(strings.TrimPrefix(d.Record.ID, "rec_"), "0"))
			if d.Tries != tries && tries >= 0 {
				t.Errorf("%s was tried %d times, want %d", d.Record.ID, d.Tries, tries)
			}
		}
		if strings.Join(got, " ") != list || !at.Equal(next) || err != nil {
			t.Errorf("due are %v, next at %s, %v; want %s, %s", got, at, err, list, next)
		}
	}
	want("1 2 3", time.Time{}, 0)
	answer := sample(1)
	answer.Forward = &webhook.Response{Status: 503}
	later := now.Add(time.Minute)
	if err := j.Forwarded(t.Context(), answer, false, later); err != nil {
		t.Fatal(err)
	}
	want("2 3", later, 0)
	if err := errors.Join(j.Forwarded(t.Context(), sample(2), true, time.Time{}), j.Forwarded(t.Context(), sample(3), false, time.Time{})); err != nil {
		t.Fatal(err)
	}
	want("", later, -1)
	if n, err := j.Undone(t.Context(), "http://app"); n != 1 || err != nil {
		t.Errorf("%d undone, %v", n, err)
	}
	now = later
	want("1", time.Time{}, 1)
	if r, err := j.Get(t.Context(), "rec_000001"); err != nil || r.Forward == nil || r.Forward.Status != 503 || r.Response.Status != 200 {
		t.Errorf("the record is %s, %v", line(t, r), err)
	}
}

func TestALockIsOneProcesss(t *testing.T) {
	if path := os.Getenv("WSK_TEST_LOCK"); path != "" { // the other process
		_, err := reopen(t, path, Options{}).Lock(t.Context(), "a")
		if !errors.Is(err, ErrLocked) {
			t.Fatalf("the lock is had twice: %v", err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	j := reopen(t, path, Options{})
	release, err := j.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Lock(t.Context(), "a"); !errors.Is(err, ErrLocked) {
		t.Errorf("this process has it twice: %v", err)
	}
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestALockIsOneProcesss$")
	other.Env = append(os.Environ(), "WSK_TEST_LOCK="+path)
	if out, err := other.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	free, err := j.Lock(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(free(), release()); err != nil {
		t.Fatal(err)
	}
	again, err := j.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
}
