package journal_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

const sendTo = "https://user:pass@api.example.com/inbound"

func begin(t *testing.T, p *pace, digest string) *journal.Batch {
	t.Helper()
	b, err := p.j.BeginBatch(t.Context(), digest, sendTo, "staff.ndjson", 5, p.now)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func claim(t *testing.T, b *journal.Batch, n int, again journal.LineState) bool {
	t.Helper()
	taken, err := b.Claim(t.Context(), n, again)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func settle(t *testing.T, b *journal.Batch, l journal.Line, r *webhook.Record) {
	t.Helper()
	if err := b.Settle(t.Context(), l, r); err != nil {
		t.Fatal(err)
	}
}

func states(t *testing.T, b *journal.Batch) (all []journal.Line) {
	t.Helper()
	for l, err := range b.States(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func TestBatchIsFoundByDigestAndTarget(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	b := begin(t, p, "d1")
	for name, test := range map[string]struct {
		digest, target string
		want           bool
	}{
		"the same":                  {"d1", sendTo, true},
		"with another password":     {"d1", "https://user:other@api.example.com/inbound", true},
		"another file":              {"d2", sendTo, false},
		"the same file to another":  {"d1", "https://api.example.org/inbound", false},
		"the same file, other path": {"d1", "https://user:pass@api.example.com/outbound", false},
	} {
		got, found, err := p.j.Batch(t.Context(), test.digest, test.target)
		if err != nil || found != test.want || found && (got.ID != b.ID || got.Lines != 5 || got.Name != "staff.ndjson" || !got.Started.Equal(p.now)) {
			t.Errorf("%s: %+v, %v, %v", name, got, found, err)
		}
	}
}

func TestBatchNamedReturnsTheNewest(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	begin(t, p, "d1")
	last := begin(t, p, "d2")
	got, found, err := p.j.BatchNamed(t.Context(), "staff.ndjson", sendTo)
	if err != nil || !found || got.ID != last.ID {
		t.Errorf("%+v, %v, %v; want batch %d", got, found, err, last.ID)
	}
	if _, found, err = p.j.BatchNamed(t.Context(), "other.ndjson", sendTo); found || err != nil {
		t.Errorf("another name: %v, %v", found, err)
	}
}

func TestBatchClaimTakesALineOnce(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	b := begin(t, p, "d1")
	for _, step := range []struct {
		again journal.LineState
		want  bool
		then  journal.LineState
	}{
		{journal.Unsent, true, journal.Sending},
		{journal.Unsent, false, journal.Sending},
		{journal.Refused, false, journal.Sending},
		{journal.Sending, true, journal.Refused},
		{journal.Sending, false, journal.Refused},
		{journal.Refused, true, journal.Unsent},
		{journal.Unsent, true, journal.Accepted},
		{journal.Unsent, false, journal.Accepted},
	} {
		got := claim(t, b, 3, step.again)
		if got != step.want {
			t.Errorf("Claim(again %q) = %v, want %v", step.again, got, step.want)
		}
		if got {
			settle(t, b, journal.Line{N: 3, State: step.then}, nil)
		}
	}
}

func TestBatchStatesSurviveClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	p := newPace(t)
	p.j = reopen(t, path)
	b := begin(t, p, "d1")
	for n := 4; n > 0; n-- {
		claim(t, b, n, journal.Unsent)
	}
	record := webhook.Record{ID: "rec_1", Time: p.now, Direction: webhook.Sent, Request: webhook.Request{Method: "POST", URL: sendTo}}
	settle(t, b, journal.Line{N: 1, State: journal.Accepted, Status: 201}, &record)
	settle(t, b, journal.Line{N: 2, State: journal.Refused, Status: 400}, nil)
	settle(t, b, journal.Line{N: 3, State: journal.Unsent}, nil)
	if err := p.j.Close(); err != nil {
		t.Fatal(err)
	}
	p.j = reopen(t, path)
	b, found, err := p.j.Batch(t.Context(), "d1", sendTo)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	want := []journal.Line{{N: 1, State: journal.Accepted, Status: 201, Record: "rec_1"}, {N: 2, State: journal.Refused, Status: 400}, {N: 4, State: journal.Sending}}
	if got := states(t, b); !slices.Equal(got, want) {
		t.Errorf("the states are %+v, want %+v", got, want)
	}
	if n, err := b.Answered(t.Context()); n != 2 || err != nil {
		t.Errorf("%d are answered (%v), want 2", n, err)
	}
	if r, err := p.j.Get(t.Context(), "rec_1"); err != nil || r.Request.Method != "POST" {
		t.Errorf("the record was not kept: %+v, %v", r, err)
	}
}

func reopen(t *testing.T, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func TestBatchBeginAgainIsEmpty(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	b := begin(t, p, "d1")
	other := begin(t, p, "d2")
	claim(t, b, 1, journal.Unsent)
	claim(t, other, 1, journal.Unsent)
	b = begin(t, p, "d1")
	if got := states(t, b); len(got) > 0 {
		t.Errorf("there are %+v", got)
	}
	if got := states(t, other); len(got) != 1 {
		t.Errorf("the other batch has %+v", got)
	}
}

func TestLockIsHeldByOneUntilRelease(t *testing.T) {
	t.Parallel()
	p := newPace(t)
	other := reopen(t, p.j.Path())
	release, err := p.j.Lock(t.Context(), "batch-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Lock(t.Context(), "batch-1"); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("the second lock: %v", err)
	}
	free, err := other.Lock(t.Context(), "batch-2")
	if err != nil {
		t.Fatalf("another name: %v", err)
	}
	if err := errors.Join(free(), release()); err != nil {
		t.Fatal(err)
	}
	release, err = other.Lock(t.Context(), "batch-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
