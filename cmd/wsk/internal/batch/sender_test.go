package batch_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/journal"
)

func TestSenderRun(t *testing.T) {
	t.Parallel()
	t.Run("429 is waited out and is not a failure", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.answer = func(n int, _ string) reply {
			switch n {
			case 1:
				return reply{status: 429, retryAfter: "41"}
			case 2:
				return reply{status: 429}
			}
			return reply{status: 200}
		}
		s := w.sender(newJournal(t), events(3))
		var again []time.Duration
		s.Each = func(step batch.Step) {
			if step.Again {
				again = append(again, step.Pause)
			}
		}
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 3, Accepted: 3})
		if want := []time.Duration{41 * time.Second, 30 * time.Second}; !slices.Equal(again, want) {
			t.Errorf("it waited %v, want %v", again, want)
		}
		if len(w.bodies) != 5 || w.bodies[1] != w.bodies[2] || w.bodies[2] != w.bodies[3] {
			t.Errorf("the same line was not sent again: %q", w.bodies)
		}
	})
	t.Run("429 for hours stops the run and loses nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		j := newJournal(t)
		w.answer = func(int, string) reply { return reply{status: 429, retryAfter: "600"} } // capped at five minutes
		s := w.sender(j, events(2))
		wantStop(t, s, batch.Throttled)
		wantSummary(t, s.File, batch.Summary{Lines: 2, Pending: 2})
		if w.elapsed > 2*time.Hour || w.elapsed < 110*time.Minute {
			t.Errorf("it waited %s, want up to 2 hours", w.elapsed)
		}
		w.answer = nil
		s = w.sender(j, events(2))
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 2, Accepted: 2})
	})
	t.Run("5xx is retried and then refused", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.answer = func(n int, _ string) reply {
			if n < 3 {
				return reply{status: 503}
			}
			return reply{status: 200}
		}
		s := w.sender(newJournal(t), events(2))
		s.Policy.Retries = 2
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 2, Accepted: 1, Refused: 1})
		if got := s.File.Report(batch.Summary{}).RefusedLines; len(got) != 1 || got[0] != (batch.Answer{Line: 1, Status: 503}) {
			t.Errorf("refused are %v", got)
		}
		if want := []time.Duration{375 * time.Millisecond, 750 * time.Millisecond}; !slices.Equal(w.waits, want) {
			t.Errorf("it waited %v, want %v", w.waits, want)
		}
	})
	t.Run("without a connection the run stops and nothing is lost", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		j := newJournal(t)
		down := true
		w.answer = func(n int, _ string) reply { return reply{status: 200, refuse: down && n == 2} }
		s := w.sender(j, events(4))
		s.Policy.Retries = 3
		if stop := wantStop(t, s, batch.Unreachable); stop.Line != 3 {
			t.Errorf("it stopped at line %d, want 3", stop.Line)
		}
		wantSummary(t, s.File, batch.Summary{Lines: 4, Accepted: 2, Pending: 2})
		if len(w.waits) != 3 {
			t.Errorf("it waited %v, want three pauses", w.waits)
		}
		down = false
		s = w.sender(j, events(4))
		mustRun(t, s)
		wantOnce(t, w, 4)
	})
	t.Run("an unknown outcome is listed and repeated on request only", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		j := newJournal(t)
		w.answer = func(n int, _ string) reply { return reply{status: 200, hang: n == 1} }
		s := w.sender(j, events(4))
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 4, Accepted: 3, Unknown: 1})
		if got := s.File.Report(batch.Summary{}).UnknownLines; !slices.Equal(got, []int{2}) {
			t.Errorf("unknown are %v, want line 2", got)
		}
		s = w.sender(j, events(4))
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 4, Accepted: 3, Unknown: 1})
		wantOnce(t, w, 4)
		s = w.sender(j, events(4))
		s.Policy.RetryUnknown = true
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 4, Accepted: 4})
		if len(w.bodies) != 5 || w.bodies[4] != w.bodies[1] {
			t.Errorf("line 2 was not the one repeated: %q", w.bodies)
		}
	})
	t.Run("three lines in a row without an answer stop the run", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.answer = func(n int, _ string) reply { return reply{status: 200, hang: n != 2} }
		s := w.sender(newJournal(t), events(9))
		if stop := wantStop(t, s, batch.Silent); stop.Line != 6 {
			t.Errorf("it stopped at line %d, want 6", stop.Line)
		}
		wantSummary(t, s.File, batch.Summary{Lines: 9, Accepted: 1, Unknown: 5, Pending: 3})
	})
	t.Run("ten refusals of the key at the start stop the run and count as not sent", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		j := newJournal(t)
		w.answer = func(n int, _ string) reply { return reply{status: 401 + 2*(n%2)} }
		s := w.sender(j, events(12))
		if stop := wantStop(t, s, batch.Unauthorized); stop.Line != 10 {
			t.Errorf("it stopped at line %d, want 10", stop.Line)
		}
		wantSummary(t, s.File, batch.Summary{Lines: 12, Pending: 12})
		w.answer = nil
		s = w.sender(j, events(12))
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 12, Accepted: 12})
	})
	t.Run("refusals of the key after another answer do not stop the run", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.answer = func(n int, _ string) reply {
			if n == 9 {
				return reply{status: 400}
			}
			return reply{status: 403}
		}
		s := w.sender(newJournal(t), events(25))
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 25, Refused: 25})
	})
	t.Run("an interrupted run waits for the answer to its last request", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		j := newJournal(t)
		ctx, interrupt := context.WithCancel(t.Context())
		w.answer = func(n int, _ string) reply {
			if n == 1 {
				interrupt()
			}
			return reply{status: 200}
		}
		s := w.sender(j, events(3))
		if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("the run ended with %v", err)
		}
		wantSummary(t, s.File, batch.Summary{Lines: 3, Accepted: 2, Pending: 1})
		mustRun(t, w.sender(j, events(3)))
		wantOnce(t, w, 3)
	})
	t.Run("a line that was claimed and not settled is unknown", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		j := newJournal(t)
		s := w.sender(j, events(3))
		if taken, err := s.Ledger.Claim(t.Context(), 2, journal.Unsent); !taken || err != nil {
			t.Fatal(taken, err)
		}
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 3, Accepted: 2, Unknown: 1})
		if len(w.bodies) != 2 {
			t.Errorf("%d requests, want 2", len(w.bodies))
		}
	})
	t.Run("a journal that fails stops the run before the next line", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		j := newJournal(t)
		w.answer = func(n int, _ string) reply {
			if n == 1 {
				_ = j.Close()
			}
			return reply{status: 200}
		}
		s := w.sender(j, events(5))
		if err := s.Run(t.Context()); err == nil {
			t.Fatal("the run went on")
		}
		if len(w.bodies) != 2 {
			t.Errorf("%d requests, want 2", len(w.bodies))
		}
	})
	t.Run("a file that changed stops the run", func(t *testing.T) {
		t.Parallel()
		for name, changed := range map[string]string{
			"a line is another":   strings.Replace(events(4), `"n":3`, `"n":7`, 1),
			"the end is cut off":  events(2),
			"a line is put ahead": "{}\n" + events(4),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				s := w.sender(newJournal(t), events(4))
				s.Source = strings.NewReader(changed)
				if err := s.Run(t.Context()); !errors.Is(err, batch.ErrChanged) {
					t.Errorf("the run ended with %v", err)
				}
				if len(w.bodies) > 2 {
					t.Errorf("sent were %q", w.bodies)
				}
			})
		}
	})
}

// wantOnce checks that each of n lines arrived once.
func wantOnce(t *testing.T, w *world, n int) {
	t.Helper()
	seen := map[string]int{}
	for _, body := range w.bodies {
		seen[body]++
	}
	for line := range strings.Lines(events(n)) {
		if got := seen[strings.TrimSuffix(line, "\n")]; got != 1 {
			t.Errorf("%s arrived %d times", line, got)
		}
	}
}

func TestFileWriteRefused(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(strings.TrimSuffix(events(5), "\n"), "\n", "\r\n\n")
	w := newWorld(t)
	w.answer = func(n int, _ string) reply {
		if n%2 == 0 {
			return reply{status: 400}
		}
		return reply{status: 200}
	}
	s := w.sender(newJournal(t), text)
	mustRun(t, s)
	if got := s.File.Report(batch.Summary{}).RefusedLines; len(got) != 3 || got[1].Line != 5 { // a blank line is between them
		t.Errorf("refused are %v", got)
	}
	var out bytes.Buffer
	if err := s.File.WriteRefused(t.Context(), s.Source, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(text, "\n")
	if want := lines[0] + lines[4] + lines[8]; out.String() != want {
		t.Errorf("written was %q, want %q", out.String(), want)
	}
}
