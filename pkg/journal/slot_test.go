package journal_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
)

// pace is a journal with a clock that the test sets.
type pace struct {
	t   *testing.T
	j   *journal.Journal
	now time.Time
}

func newPace(t *testing.T) *pace {
	t.Helper()
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return &pace{t, j, time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC)}
}

func (p *pace) clock() time.Time { return p.now }

const within = 30 * time.Second

func (p *pace) reserve(key string, limits ...deliver.Limit) journal.Slot {
	p.t.Helper()
	s, err := p.j.Reserve(p.t.Context(), key, limits, p.clock, within)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *pace) answered(s journal.Slot) {
	p.t.Helper()
	if err := p.j.Answered(p.t.Context(), s, p.now); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pace) wantWait(want time.Duration, limits ...deliver.Limit) {
	p.t.Helper()
	if got := p.reserve("key", limits...); got.Wait != want {
		p.t.Errorf("at %s the wait is %s, want %s", p.now.Format(time.TimeOnly), got.Wait, want)
	}
}

func TestReserveWaitsForTheOldestSlot(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	minute := deliver.Limit{Count: 2, Per: time.Minute}
	p.answered(p.reserve("key", minute))
	p.now = p.now.Add(10 * time.Second)
	p.answered(p.reserve("key", minute))
	p.now = p.now.Add(10 * time.Second)
	p.wantWait(40*time.Second, minute)
	p.wantWait(40*time.Second, minute) // asking takes no place
	p.now = p.now.Add(40*time.Second - 1)
	p.wantWait(1, minute)
	p.now = p.now.Add(1)
	p.wantWait(0, minute)
}

func TestReserveHoldsAllLimits(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	limits := []deliver.Limit{{Count: 2, Per: time.Minute}, {Count: 3, Per: time.Hour}}
	for range 3 {
		p.answered(p.reserve("key", limits...))
		p.now = p.now.Add(time.Minute)
	}
	p.wantWait(57*time.Minute, limits...)
}

func TestReserveSeparatesKeys(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	one := deliver.Limit{Count: 1, Per: time.Minute}
	p.answered(p.reserve("another", one))
	p.wantWait(0, one)
}

func TestReserveCountsFromTheAnswer(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	one := deliver.Limit{Count: 1, Per: time.Minute}
	s := p.reserve("key", one)
	p.now = p.now.Add(20 * time.Second)
	p.answered(s)
	p.now = p.now.Add(59 * time.Second)
	p.wantWait(time.Second, one)
}

func TestReserveCountsAnUnansweredSlotFromItsDeadline(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	one := deliver.Limit{Count: 1, Per: time.Minute}
	p.reserve("key", one)
	p.now = p.now.Add(within + time.Minute - time.Millisecond)
	p.wantWait(time.Millisecond, one)
	p.now = p.now.Add(time.Millisecond)
	p.wantWait(0, one)
}

func TestReserveRechecksSoonWhileARequestIsUnderWay(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	one := deliver.Limit{Count: 1, Per: time.Minute}
	p.reserve("key", one)
	if got := p.reserve("key", one).Wait; got <= 0 || got > time.Second {
		t.Errorf("the wait is %s: the answer can come at any time", got)
	}
}

func TestReserveAfterTheClockWasSetBackWaitsForOneWindow(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	minute := deliver.Limit{Count: 2, Per: time.Minute}
	p.answered(p.reserve("key", minute))
	p.reserve("key", minute)
	p.now = p.now.Add(-180 * 24 * time.Hour)
	p.wantWait(time.Minute, minute)
	p.now = p.now.Add(time.Minute)
	p.wantWait(0, minute)
}

func TestReserveKeepsSlotsForLongerWindows(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	long, short := deliver.Limit{Count: 1, Per: 4 * time.Hour}, deliver.Limit{Count: 1, Per: time.Second}
	p.answered(p.reserve("key", long))
	p.now = p.now.Add(2 * time.Hour)
	p.reserve("another", short)
	if s := p.reserve("key", deliver.Limit{Count: 9, Per: time.Second}); s.Wait != 0 {
		t.Fatal(s.Wait)
	}
	p.now = p.now.Add(2*time.Hour - time.Minute)
	p.wantWait(2*time.Hour+time.Minute+within, long)
}

func TestReserveWithoutLimitsCounts(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	for range 3 {
		p.answered(p.reserve("key"))
	}
	p.wantWait(time.Minute, deliver.Limit{Count: 3, Per: time.Minute})
}

func TestReserveReturnsWithItsContext(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = p.j.Reserve(ctx, "key", nil, p.clock, within) // it may be taken all the same
	if err := p.j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.j.Reserve(t.Context(), "key", nil, p.clock, within); err == nil {
		t.Error("a closed journal gave a slot")
	}
}
