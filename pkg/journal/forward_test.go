package journal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestQueueDueReturnsRecordsInOrderWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	q := queue(t, j, "http://app")
	for n := 1; n <= 3; n++ {
		if err := q.Keep(t.Context(), receive.Receipt{Record: sample(n), Forward: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := queue(t, j, "http://other").Keep(t.Context(), receive.Receipt{Record: sample(4), Forward: true}); err != nil {
		t.Fatal(err)
	}
	if err := q.Keep(t.Context(), receive.Receipt{Record: sample(5)}); err != nil { // not to be forwarded
		t.Fatal(err)
	}
	now := clock()
	want := func(list string, next time.Time, attempts int) {
		t.Helper()
		due, at, err := q.Due(t.Context(), now, 10)
		var got []string
		for _, d := range due {
			got = append(got, strings.TrimLeft(strings.TrimPrefix(d.Record.ID, "rec_"), "0"))
			if d.Attempts != attempts {
				t.Errorf("%s has %d attempts, want %d", d.Record.ID, d.Attempts, attempts)
			}
		}
		if strings.Join(got, " ") != list || !at.Equal(next) || err != nil {
			t.Errorf("due are %v, next at %s, %v; want %s, %s", got, at, err, list, next)
		}
	}
	want("1 2 3", time.Time{}, 0)
	if targets, err := j.Waiting(t.Context()); err != nil || len(targets) != 2 || targets["http://app"] != 3 || targets["http://other"] != 1 {
		t.Errorf("waiting are %v, %v", targets, err)
	}
	failed := sample(1)
	failed.Forward = &webhook.Response{Status: 503}
	later := now.Add(time.Minute)
	if err := q.SaveResult(t.Context(), receive.ForwardResult{Record: failed, Next: later}); err != nil {
		t.Fatal(err)
	}
	want("2 3", later, 0)
	if err := errors.Join(q.SaveResult(t.Context(), receive.ForwardResult{Record: sample(2), OK: true}), q.SaveResult(t.Context(), receive.ForwardResult{Record: sample(3)})); err != nil {
		t.Fatal(err)
	}
	want("", later, 0)
	if n, err := q.Len(t.Context()); n != 1 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	now = later
	want("1", time.Time{}, 1)
	if r, err := j.Get(t.Context(), "rec_000001"); err != nil || r.Forward == nil || r.Forward.Status != 503 || r.Response.Status != 200 {
		t.Errorf("the record is %s, %v", line(t, r), err)
	}
}

func TestQueueOutcome(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	q := queue(t, j, "http://app")
	r := sample(1)
	r.Verdict.Warnings = []string{"a warning"}
	want := func(outcome webhook.Outcome) {
		t.Helper()
		got, err := j.Get(t.Context(), r.ID)
		if err != nil || got.Verdict.Outcome != outcome || len(got.Verdict.Warnings) != 1 || !got.Verdict.Verified {
			t.Errorf("the record is %s, %v; want %s", line(t, got), err, outcome)
		}
		if selected := ids(t, j, Filter{Status: []string{string(outcome)}}); selected != "1" {
			t.Errorf("the filter %s selects %q", outcome, selected)
		}
	}
	if err := q.Keep(t.Context(), receive.Receipt{Record: r, Forward: true}); err != nil {
		t.Fatal(err)
	}
	if r.Verdict.Outcome != webhook.Accepted {
		t.Errorf("Keep made the caller's record %s", r.Verdict.Outcome)
	}
	want(webhook.Pending)
	r.Verdict.Outcome = webhook.ForwardFailed
	if err := q.SaveResult(t.Context(), receive.ForwardResult{Record: r}); err != nil {
		t.Fatal(err)
	}
	want(webhook.ForwardFailed)
}

func TestQueueIsOpenOnceForEachTarget(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	q := queue(t, j, "http://user:secret@app")
	if _, err := j.Queue(t.Context(), "http://user:other@app"); !errors.Is(err, ErrLocked) {
		t.Errorf("the second one: %v, want ErrLocked", err)
	}
	queue(t, j, "http://other")
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	queue(t, j, "http://app")
}

func TestQueueSurvivesClose(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	q := queue(t, j, "http://app")
	if err := q.Keep(t.Context(), receive.Receipt{Record: sample(1), Forward: true}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(q.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	due, _, err := queue(t, reopen(t, j.Path(), Options{}), "http://app").Due(t.Context(), clock(), 10)
	if len(due) != 1 || err != nil {
		t.Errorf("%d are due, %v", len(due), err)
	}
}

func TestQueueDueKeepsTheOrderOfARecord(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	q := queue(t, j, "http://app")
	for n, order := range []string{"", "wo_1", "wo_1", "wo_2", "wo_1", ""} {
		if err := q.Keep(t.Context(), receive.Receipt{Record: sample(n), Forward: true, Order: order}); err != nil {
			t.Fatal(err)
		}
	}
	later := clock().Add(time.Minute)
	want := func(now time.Time, list string) {
		t.Helper()
		due, _, err := q.Due(t.Context(), now, 10)
		var got []string
		for _, d := range due {
			got = append(got, strings.TrimPrefix(d.Record.ID, "rec_00000"))
		}
		if strings.Join(got, " ") != list || err != nil {
			t.Errorf("due are %v, %v; want %s", got, err, list)
		}
	}
	finish := func(n int, next time.Time) {
		t.Helper()
		if err := q.SaveResult(t.Context(), receive.ForwardResult{Record: sample(n), Next: next}); err != nil {
			t.Fatal(err)
		}
	}
	want(clock(), "0 1 3 5")
	finish(1, later) // a retry holds back those after it
	want(clock(), "0 3 5")
	want(later, "0 3 5 1") // what was not attempted comes first
	finish(1, time.Time{})
	want(later, "0 2 3 5")
}
