package batch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/journal"
)

func readFile(t *testing.T, text string) *batch.File {
	t.Helper()
	f, err := batch.Read(t.Context(), strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFileOpen(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC)
	begin := batch.Begin{URL: target, Name: "/data/staff.ndjson", Now: began}
	resume, restart := begin, begin
	resume.Resume, restart.Restart = true, true

	// begun is a journal in which the first of two lines was accepted.
	begun := func(t *testing.T) *journal.Journal {
		t.Helper()
		j := newJournal(t)
		ledger, earlier, err := readFile(t, events(2)).Open(t.Context(), j, begin)
		if err != nil || earlier != nil {
			t.Fatal(earlier, err)
		}
		if _, err := ledger.Claim(t.Context(), 1, journal.Unsent); err != nil {
			t.Fatal(err)
		}
		if err := ledger.Settle(t.Context(), journal.Line{N: 1, State: journal.Accepted, Status: 200}, nil); err != nil {
			t.Fatal(err)
		}
		return j
	}
	t.Run("a batch that was begun is neither continued nor repeated unasked", func(t *testing.T) {
		t.Parallel()
		_, _, err := readFile(t, events(2)).Open(t.Context(), begun(t), begin)
		var got *batch.BegunError
		if !errors.As(err, &got) || !got.Started.Equal(began) || got.Answered != 1 || got.Lines != 2 || got.Changed {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("Resume loads the states of its lines", func(t *testing.T) {
		t.Parallel()
		f := readFile(t, events(2))
		if _, _, err := f.Open(t.Context(), begun(t), resume); err != nil {
			t.Fatal(err)
		}
		wantSummary(t, f, batch.Summary{Lines: 2, Accepted: 1, Pending: 1})
	})
	t.Run("the report distinguishes the lines of this run from those of all runs", func(t *testing.T) {
		t.Parallel()
		w, f := newWorld(t), readFile(t, events(2))
		w.answer = func(int, string) reply { return reply{status: 422} }
		j := begun(t)
		ledger, _, err := f.Open(t.Context(), j, resume)
		if err != nil {
			t.Fatal(err)
		}
		before := f.Summary()
		s := w.sender(j, events(2))
		s.File, s.Ledger = f, ledger
		mustRun(t, s)
		r := f.Report(before)
		if r.Summary != (batch.Summary{Lines: 2, Accepted: 1, Refused: 1}) || r.ThisRun.Accepted != 0 || r.ThisRun.Refused != 1 {
			t.Errorf("%+v", r)
		}
		if len(r.UnknownLines) != 0 || len(r.RefusedLines) != 1 || r.RefusedLines[0] != (batch.Answer{Line: 2, Status: 422}) {
			t.Errorf("unknown %v, refused %v", r.UnknownLines, r.RefusedLines)
		}
	})
	t.Run("Resume begins a batch that was not begun", func(t *testing.T) {
		t.Parallel()
		f := readFile(t, events(2))
		if ledger, earlier, err := f.Open(t.Context(), newJournal(t), resume); err != nil || earlier != nil || ledger.Lines != 2 {
			t.Errorf("%v, %v", earlier, err)
		}
	})
	t.Run("Restart begins again", func(t *testing.T) {
		t.Parallel()
		j, f := begun(t), readFile(t, events(2))
		ledger, _, err := f.Open(t.Context(), j, restart)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Load(t.Context(), ledger); err != nil {
			t.Fatal(err)
		}
		wantSummary(t, f, batch.Summary{Lines: 2, Pending: 2})
	})
	t.Run("a file that has changed cannot be resumed", func(t *testing.T) {
		t.Parallel()
		_, _, err := readFile(t, events(3)).Open(t.Context(), begun(t), resume)
		var got *batch.BegunError
		if !errors.As(err, &got) || !got.Changed || got.Answered != 1 {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("a file that has changed is a new batch", func(t *testing.T) {
		t.Parallel()
		ledger, earlier, err := readFile(t, events(3)).Open(t.Context(), begun(t), begin)
		if err != nil || earlier == nil || !earlier.Changed || ledger.Lines != 3 {
			t.Errorf("%+v, %v", earlier, err)
		}
	})
	t.Run("another URL is another batch", func(t *testing.T) {
		t.Parallel()
		other := begin
		other.URL += "/other"
		if _, earlier, err := readFile(t, events(2)).Open(t.Context(), begun(t), other); err != nil || earlier != nil {
			t.Errorf("%v, %v", earlier, err)
		}
	})
}

func TestFileLock(t *testing.T) {
	t.Parallel()
	j, f := newJournal(t), readFile(t, events(2))
	release, err := f.Lock(t.Context(), j, target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Lock(t.Context(), j, target); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("a second lock: %v", err)
	}
	if releaseOther, err := f.Lock(t.Context(), j, target+"/other"); err != nil || releaseOther() != nil {
		t.Errorf("the lock for another URL: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if release, err := f.Lock(t.Context(), j, target); err != nil || release() != nil {
		t.Errorf("after the release: %v", err)
	}
}
