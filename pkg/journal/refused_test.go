package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// refusal is the receipt of the nth request of a test, which was refused by its
// signature and has a body of that size.
func refusal(n, size int) receive.Receipt {
	r := sample(n)
	r.Event, r.WebhookID, r.Request.Body = "", "", bytes.Repeat([]byte("x"), size)
	r.Verdict = &webhook.Verdict{Outcome: webhook.Refused, Reason: string(webhook.SignatureMismatch)}
	r.Response = &webhook.Response{Status: http.StatusUnauthorized}
	return receive.Receipt{Record: r, Unverified: true}
}

func keepRefusals(t testing.TB, j *Journal, from, to, size int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := j.Keep(t.Context(), refusal(n, size)); err != nil {
			t.Fatal(err)
		}
		if n%100 == 99 {
			flush(t, j)
		}
	}
	flush(t, j)
}

// flush waits until what was deferred is stored.
func flush(t testing.TB, j *Journal) {
	t.Helper()
	done := make(chan error, 1)
	if err := j.write.Defer(0, func(*sqlfile.Tx) error { return nil }, func(err error) { done <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// THREATS row 58.
func TestKeep_stores_the_beginning_of_an_unverified_body(t *testing.T) {
	t.Parallel()
	const size = 100_000
	for name, test := range map[string]struct{ limit, want int }{
		"4 KiB by default": {0, DefaultRefusedBody},
		"a limit":          {10, 10},
		"none":             {-1, 0},
		"all":              {math.MaxInt, size},
		"as much as it is": {size, size},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.db")
			j := reopen(t, path, Options{Refused: RefusedLimits{Body: test.limit}})
			put(t, j, sample(1))
			if err := j.Keep(t.Context(), refusal(2, size)); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil { // which stores what waits
				t.Fatal(err)
			}
			got, err := reopen(t, path, Options{}).Get(t.Context(), "rec_000002")
			if err != nil {
				t.Fatal(err)
			}
			want := refusal(2, size).Record
			want.Request = want.Request.Truncate(test.want)
			want.Duration, want.Time = got.Duration, got.Time
			if line(t, got) != line(t, want) {
				t.Errorf("stored as\n%.500s, want\n%.500s", line(t, got), line(t, want))
			}
			if cut := got.Request.CheckWhole() != nil; cut != (test.want < size) {
				t.Errorf("it is cut: %t", cut)
			}
			other := newJournal(t, Options{})
			if _, err := other.Import(t.Context(), []webhook.Record{got}); err != nil {
				t.Fatal(err)
			}
			if again, err := other.Get(t.Context(), got.ID); err != nil || line(t, again) != line(t, got) {
				t.Errorf("imported as\n%.500s, %v", line(t, again), err)
			}
		})
	}
}

func TestKeep_deletes_the_oldest_unverified_records(t *testing.T) {
	one := refusal(10, 1000).Record
	for name, limits := range map[string]RefusedLimits{
		"beyond their number": {Records: 20},
		"beyond their size":   {Bytes: 20 * int64(refusedSize(&one))},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var warned []string
				j := newJournal(t, Options{Refused: limits, Logger: loggerOf(func(text string) { warned = append(warned, text) })})
				put(t, j, sample(500))
				keepRefusals(t, j, 10, 30, 1000)
				if got := ids(t, j, Filter{Status: []string{"refused"}}); len(strings.Fields(got)) != 20 || len(warned) > 0 {
					t.Errorf("kept %s, and warned %q", got, warned)
				}
				keepRefusals(t, j, 30, 100, 1000)
				put(t, j, sample(501))
				var want []string
				for n := 80; n < 100; n++ {
					want = append(want, fmt.Sprint(n))
				}
				if got := ids(t, j, Filter{Status: []string{"refused"}}); got != strings.Join(want, " ") {
					t.Errorf("kept %s, want the newest: %s", got, want)
				}
				if got := ids(t, j, Filter{Status: []string{"accepted"}}); got != "500 501" {
					t.Errorf("of the others are left: %s", got)
				}
				checkTotals(t, j, 20)
				if _, err := j.Prune(t.Context(), clock().Add(90*time.Second)); err != nil {
					t.Fatal(err)
				}
				checkTotals(t, j, 10)
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				if len(warned) != 1 || !strings.Contains(warned[0], "older ones are deleted") {
					t.Errorf("warned %q, want once", warned)
				}
			})
		})
	}
}

// checkTotals compares the number of the records with what is wanted, and what the
// journal knows of them.
func checkTotals(t *testing.T, j *Journal, want int) {
	t.Helper()
	var got totals
	const query = "SELECT count(*), coalesce(sum(refused_size), 0) FROM record WHERE refused_size > 0"
	if err := j.db.QueryRowContext(t.Context(), query).Scan(&got.records, &got.bytes); err != nil {
		t.Fatal(err)
	}
	if known := j.refused.stored; got.records != want || j.refused.isKnown && known != got {
		t.Errorf("there are %+v, and the journal knows of %+v; want %d records", got, known, want)
	}
}

// Two receivers on one file share its limits.
func TestKeep_counts_the_unverified_records_of_others(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "journal.db")
		limits := Options{Refused: RefusedLimits{Records: 10}}
		j, other := reopen(t, path, limits), reopen(t, path, limits)
		keepRefusals(t, j, 0, 6, 10)
		keepRefusals(t, other, 10, 16, 10)
		if got := ids(t, j, Filter{}); got != "2 3 4 5 10 11 12 13 14 15" {
			t.Errorf("kept %s", got)
		}
		keepRefusals(t, j, 20, 22, 10)
		if got := ids(t, j, Filter{}); got != "4 5 10 11 12 13 14 15 20 21" {
			t.Errorf("kept %s", got)
		}
		if err := j.Put(t.Context(), refusal(30, 10).Record); err != nil { // which deletes none
			t.Fatal(err)
		}
		keepRefusals(t, j, 31, 32, 10)
		if got := ids(t, j, Filter{}); got != "10 11 12 13 14 15 20 21 30 31" {
			t.Errorf("kept %s", got)
		}
		checkTotals(t, j, 10)
	})
}

// A flood that is many times as large as the limits leaves a file that is as large
// as they are, and a little more.
func TestKeep_under_a_flood_bounds_the_file(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, bodies = 1 << 20, 1000
		j := newJournal(t, Options{Refused: RefusedLimits{Bytes: limit}})
		body := bytes.Repeat([]byte("x"), 1<<20)
		for n := range bodies {
			r := refusal(n, 0)
			r.Record.Request.Body = body
			if err := j.Keep(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if n%200 == 199 {
				flush(t, j)
			}
		}
		if _, err := j.db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
		if lost := j.refused.lost.Load(); lost > 0 {
			t.Errorf("%d were left out", lost)
		}
		if got := size(t, j); got > 3*limit {
			t.Errorf("the file has %d bytes after %d MiB, want about %d", got, bodies, limit)
		}
	})
}

// A journal of an older wsk may contain far more than the limits: it gets there in
// small steps.
func TestKeep_trims_a_full_journal_in_steps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t, Options{Refused: RefusedLimits{Records: 5}})
		var records []webhook.Record
		for n := range 50 {
			records = append(records, refusal(n, 10).Record)
		}
		if _, err := j.Import(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		for n, want := 50, 50; want > 5; n++ {
			keepRefusals(t, j, n, n+1, 10)
			want = max(want+1-trimStep, 5)
			checkTotals(t, j, want)
		}
	})
}

// While the disk hangs, requests that are refused are answered all the same, without
// a 503, and too many of them are left out. A verified one is stored in front of those
// that wait, but for the few that join its commit.
func TestKeep_of_unverified_requests_waits_for_no_disk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hold atomic.Bool
		release := make(chan struct{})
		var warned []string
		path := filepath.Join(t.TempDir(), "journal.db")
		s := newSite(t, path, siteOptions{open: Options{
			Logger: loggerOf(func(text string) { warned = append(warned, text) }),
			beforeCommit: func() error {
				if hold.Swap(false) {
					<-release
				}
				return nil
			},
		}})
		answers := make(chan int, 2)
		deliver := func(n int) {
			go func() {
				status, _ := s.deliver(fmt.Sprint("whk_", n), event(n))
				answers <- status
			}()
			synctest.Wait() // for its commit
		}
		hold.Store(true)
		deliver(1)
		const flood = 400
		for n := range flood {
			r := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(strings.Repeat("x", 5000)))
			r.Header.Set(webhook.HeaderSignature, strings.Repeat("0", 64))
			r.Header.Set(webhook.HeaderTimestamp, "1")
			if status, _ := s.serve(r); status != http.StatusUnauthorized {
				t.Fatalf("request %d of the flood is answered with %d", n, status)
			}
		}
		deliver(2)
		close(release)
		for range 2 {
			if status := <-answers; status != http.StatusOK {
				t.Errorf("a verified request is answered with %d", status)
			}
		}
		if err := s.journal.Close(); err != nil {
			t.Fatal(err)
		}
		j := reopen(t, path, Options{})
		stored, before := 0, 0
		const query = "SELECT count(*), sum(seq < (SELECT seq FROM record WHERE webhook_id = 'whk_2')) FROM record WHERE outcome = 'refused'"
		if err := j.db.QueryRowContext(t.Context(), query).Scan(&stored, &before); err != nil {
			t.Fatal(err)
		}
		if stored == 0 || stored == flood || before > 0 {
			t.Errorf("%d of %d are stored, %d before the verified request", stored, flood, before)
		}
		if left := fmt.Sprintf("left out of the journal: %d requests that were refused unverified", flood-stored); len(warned) != 2 || warned[1] != left {
			t.Errorf("warned %q, want once and at the end %q", warned, left)
		}
	})
}

// A failure to store them is said, and is nobody else's.
func TestKeep_says_why_unverified_requests_are_not_stored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var warned []string
		fail := errors.New("a faulty disk")
		var faulty atomic.Bool
		j := newJournal(t, Options{Logger: loggerOf(func(text string) { warned = append(warned, text) }), beforeCommit: func() error {
			if faulty.Load() {
				return fail
			}
			return nil
		}})
		put(t, j, sample(1))
		faulty.Store(true)
		if err := j.Keep(t.Context(), refusal(2, 10)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // until it has failed
		faulty.Store(false)
		put(t, j, sample(3))
		keepRefusals(t, j, 4, 6, 10)
		if got := ids(t, j, Filter{}); got != "1 3 4 5" {
			t.Errorf("stored %s", got)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if len(warned) != 2 || !strings.Contains(warned[0], "a faulty disk") || !strings.Contains(warned[1], "left out of the journal: 1 request") {
			t.Errorf("warned %q", warned)
		}
	})
}

// A receiver that gets only requests that it refuses learns that its file is gone.
func TestKeep_of_unverified_requests_notices_a_moved_file(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t, Options{})
		put(t, j, sample(1))
		if err := os.Rename(j.Path(), j.Path()+".old"); err != nil {
			t.Fatal(err)
		}
		if err := j.Keep(t.Context(), refusal(2, 10)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // until it could not be stored
		if err := j.Keep(t.Context(), refusal(3, 10)); !errors.Is(err, ErrMoved) {
			t.Errorf("error %v, want ErrMoved", err)
		}
	})
}
