package batch_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestPacer(t *testing.T) {
	t.Parallel()
	t.Run("a batch observes the documented limits", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		s := w.sender(newJournal(t), events(2500))
		mustRun(t, s)
		wantSummary(t, s.File, batch.Summary{Lines: 2500, Accepted: 2500})
		wantWithin(t, w.arrivals, 50, time.Minute)
		wantWithin(t, w.arrivals, 1000, time.Hour)
		if w.elapsed > 2*time.Hour+10*time.Minute {
			t.Errorf("it took %s: the limits leave room for more", w.elapsed)
		}
	})
	// TestBatchesSideBySideKeepToTheLimitsTogether runs two senders with journals
	// of their own on one file, as two processes have them, with answers that take
	// their time. One more request leaves now and then beside them.
	t.Run("batches side by side share the limits", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var mu sync.Mutex
			var arrivals []time.Duration
			seen := map[string]int{}
			endpoint := func(rng *rand.Rand) http.RoundTripper {
				return roundTrip(func(r *http.Request) (*http.Response, error) {
					body, _ := io.ReadAll(r.Body)
					time.Sleep(time.Duration(rng.Int64N(int64(8 * time.Second)))) // on its way
					mu.Lock()
					arrivals = append(arrivals, time.Since(began))
					seen[string(body)]++
					mu.Unlock()
					time.Sleep(time.Duration(rng.Int64N(int64(2 * time.Second)))) // and back
					return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
				})
			}
			var wait sync.WaitGroup
			for i := range 2 {
				j, err := journal.Open(t.Context(), filepath.Join(dir, "journal.db"), journal.Options{})
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				s := &batch.Sender{
					Pacer: &batch.Pacer{
						Journal: j, Key: "key", Limits: []deliver.Limit{{Count: 10, Per: time.Minute}, {Count: 60, Per: time.Hour}},
						Within: 30 * time.Second,
					},
					Client: deliver.Client{Transport: endpoint(rand.New(rand.NewPCG(1, uint64(i)))), Now: time.Now, NewID: func() string {
						n++
						return fmt.Sprint("rec_", i, "_", n)
					}},
					Make: makeEvent,
				}
				prepare(t, s, j, events(100+i))
				wait.Go(func() {
					if err := s.Run(t.Context()); err != nil {
						t.Error(err)
					}
					if err := j.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			slices.Sort(arrivals)
			if len(arrivals) != 201 || len(seen) != 101 {
				t.Errorf("%d requests with %d bodies, want 201 with 101", len(arrivals), len(seen))
			}
			wantWithin(t, arrivals, 10, time.Minute)
			wantWithin(t, arrivals, 60, time.Hour)
		})
	})
	t.Run("a wall clock that is set neither breaks the limits nor stalls for longer than their period", func(t *testing.T) {
		t.Parallel()
		for name, jump := range map[string]time.Duration{
			"forward by a day":    24 * time.Hour,
			"forward by a minute": time.Minute,
			"back by a second":    -time.Second,
			"back by half a year": -180 * 24 * time.Hour,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.answer = func(n int, _ string) reply {
					if n == 120 || n == 170 {
						w.offset += jump
					}
					return reply{status: 200}
				}
				s := w.sender(newJournal(t), events(300))
				mustRun(t, s)
				wantWithin(t, w.arrivals, 50, time.Minute)
				if w.elapsed > 9*time.Minute { // 5 and a window for each jump
					t.Errorf("it took %s", w.elapsed)
				}
			})
		}
	})
	t.Run("a resumed run counts the requests of the run before", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		j := newJournal(t)
		ctx, kill := context.WithCancel(t.Context())
		w.answer = func(n int, _ string) reply {
			if n == 39 {
				kill()
			}
			return reply{status: 200}
		}
		if err := w.sender(j, events(80)).Run(ctx); err == nil {
			t.Fatal("the run did not end")
		}
		w.elapsed += 10 * time.Second
		mustRun(t, w.sender(j, events(80)))
		if len(w.arrivals) != 80 {
			t.Errorf("%d requests, want 80", len(w.arrivals))
		}
		wantWithin(t, w.arrivals, 50, time.Minute)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]deliver.Limit{
		"50/m":   {Count: 50, Per: time.Minute},
		"1000/s": {Count: 1000, Per: time.Second},
		"2000/h": {Count: 2000, Per: time.Hour},
		"0.5/s":  {Count: 1, Per: 2 * time.Second},
		"2.5/s":  {Count: 1, Per: 400 * time.Millisecond},
		"0.25/h": {Count: 1, Per: 4 * time.Hour},
	} {
		if got, err := batch.ParseRate(text); err != nil || got != want {
			t.Errorf("ParseRate(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "50", "/s", "0/s", "-1/s", "x/s", "1/d", "1/m/s", "NaN/s", "Inf/s", "1e9/s", "0.01/h", "5 /s"} {
		if got, err := batch.ParseRate(text); err == nil {
			t.Errorf("ParseRate(%q) = %+v, want an error", text, got)
		}
	}
}

// FuzzParseRate checks that what is accepted is a limit that the journal can keep,
// and no more than was asked for.
func FuzzParseRate(f *testing.F) {
	for _, text := range []string{"50/m", "0.5/s", "1e-3/s", "99999.5/h", "0x1p3/s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := batch.ParseRate(text)
		if err == nil && (l.Count < 1 || l.Count > journal.MaxCount || l.Per < 1 || l.Per > journal.MaxPer) {
			t.Errorf("ParseRate(%q) = %+v", text, l)
		}
	})
}

func TestPacerLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.sender(newJournal(t), events(150))
	s.Pacer.Limits = []deliver.Limit{{Count: 10, Per: time.Minute}, {Count: 60, Per: time.Hour}}
	foreseen := map[int]time.Duration{}
	w.answer = func(n int, _ string) reply {
		if n%40 == 0 {
			foreseen[n] = w.elapsed + s.Pacer.Left(150-n)
		}
		w.elapsed += 100 * time.Millisecond
		return reply{status: 200}
	}
	mustRun(t, s)
	for n, end := range foreseen {
		if off := (end - w.elapsed).Abs(); off > 2*time.Minute {
			t.Errorf("after %d requests the end was foreseen at %s, and came at %s", n, end, w.elapsed)
		}
	}
	if p := (&batch.Pacer{Limits: deliver.WorkSkedgeLimits(), Elapsed: func() time.Duration { return 0 }}); p.Left(1_000_000) < 990*time.Hour {
		t.Errorf("a million requests take %s", p.Left(1_000_000))
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	keyed := deliver.Delivery{URL: "https://example.com", Header: deliver.Inbound("an-api-key", "custom")}
	if got := batch.Key(keyed); len(got) != 32 || strings.Contains(got, "an-api-key") {
		t.Errorf("the key is %q", got)
	}
	overridden := keyed
	overridden.Override = webhook.Header{{Name: "x-api-key", Value: "another"}}
	if batch.Key(overridden) == batch.Key(keyed) {
		t.Error("the API key of Override does not count")
	}
	if got := batch.Key(deliver.Delivery{URL: "https://example.com:8080/x", Header: deliver.Inbound("", "custom")}); got != "example.com:8080" {
		t.Errorf("without an API key the key is %q", got)
	}
}
