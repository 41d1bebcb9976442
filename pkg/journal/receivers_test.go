package journal

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// site is a receiver on a journal, as wsk listen makes it.
type site struct {
	journal *Journal
	handler *receive.Handler
	now     time.Time

	mu    sync.Mutex
	calls map[string]int // of the App, by body
}

type siteOptions struct {
	first    bool // the app has effects: a delivery is claimed first
	memory   int
	platform webhook.Platform
	open     Options
}

func newSite(t *testing.T, path string, o siteOptions) *site {
	t.Helper()
	s := &site{journal: reopen(t, path, o.open), now: clock(), calls: map[string]int{}}
	var err error
	c := receive.Config{
		Verifier: webhook.Verifier{Secrets: []webhook.Secret{webhooktest.Secret(t, "s")}}, Platform: o.platform,
		Store: s.journal, Remember: o.memory, Now: func() time.Time { return s.now },
	}
	app := func(_ context.Context, _ *webhook.Event, r *webhook.Record) webhook.Response {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls[string(r.Request.Body)]++
		return receive.OK()
	}
	if o.first {
		c.App = app
	} else {
		c.Check = app
	}
	s.handler, err = receive.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// deliver delivers a body, signed at the time of the first sample, and returns the
// status and the outcome.
func (s *site) deliver(id, body string) (int, string) { return s.deliverAt(0, id, body) }

// deliverAt is deliver with a later signature.
func (s *site) deliverAt(later time.Duration, id, body string) (int, string) {
	stamp := strconv.FormatInt(clock().Add(later).Unix(), 10)
	r := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
	r.Header.Set(webhook.HeaderTimestamp, stamp)
	r.Header.Set(webhook.HeaderSignature, webhooktest.HexHMAC("s", stamp+"."+body))
	if id != "" {
		r.Header.Set(webhook.HeaderID, id)
	}
	return s.serve(r)
}

// worksome delivers a body as Worksome does, without id and timestamp.
func (s *site) worksome(body string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
	r.Header.Set("X-Worksome-Signature", webhooktest.HexHMAC("s", body))
	r.Header.Set("Signature", webhooktest.HexHMAC("s", body))
	return s.serve(r)
}

func (s *site) serve(r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	for _, outcome := range []string{"duplicate", "replay_suspect"} {
		if strings.Contains(w.Body.String(), outcome) {
			return w.Code, outcome
		}
	}
	return w.Code, ""
}

func event(n int) string {
	return fmt.Sprintf(`{"event_id":"evt_%d","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"co_1","data":{"id":"wo_%d"}}`, n, n)
}

func wantAnswer(t *testing.T, name string, status int, outcome string, wantStatus int, wantOutcome string) {
	t.Helper()
	if status != wantStatus || outcome != wantOutcome {
		t.Errorf("%s is answered %d %q, want %d %q", name, status, outcome, wantStatus, wantOutcome)
	}
}

// THREATS row 62.
func TestReceiverKnowsACapturedRequest(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(t *testing.T, first *site, path string, o siteOptions) *site{
		"after more others than it remembers": func(_ *testing.T, first *site, _ string, _ siteOptions) *site {
			for n := range 30 {
				first.deliver(fmt.Sprint("whk_", n), event(1000+n))
			}
			return first
		},
		"after a restart": func(t *testing.T, first *site, path string, o siteOptions) *site {
			if err := first.journal.Close(); err != nil {
				t.Fatal(err)
			}
			return newSite(t, path, o)
		},
		"after others and a restart": func(t *testing.T, first *site, path string, o siteOptions) *site {
			for n := range 30 {
				first.deliver(fmt.Sprint("whk_", n), event(1000+n))
			}
			if err := first.journal.Close(); err != nil {
				t.Fatal(err)
			}
			return newSite(t, path, o)
		},
		"at a second receiver, which was there before": nil,
	} {
		for _, first := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, claimed first %t", name, first), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "journal.db")
				o := siteOptions{first: first, memory: 10}
				a, b := newSite(t, path, o), newSite(t, path, o)
				if status, outcome := a.deliver("one", event(1)); status != 200 || outcome != "" {
					t.Fatalf("the first is answered %d %q", status, outcome)
				}
				if status, outcome := a.deliver("", event(2)); status != 200 || outcome != "" {
					t.Fatalf("the first without an id is answered %d %q", status, outcome)
				}
				if again != nil {
					b = again(t, a, path, o)
				}
				calls := b.calls[event(1)] + b.calls[event(2)]
				for _, step := range []struct {
					name, id string
					n        int
					status   int
					outcome  string
				}{
					{"the same", "one", 1, 200, "duplicate"},
					{"the same under another id", "two", 1, 200, "replay_suspect"},
					{"the same without its id", "", 1, 200, "replay_suspect"},
					{"the one without an id", "", 2, 200, "duplicate"},
					{"the one without an id, under an id", "three", 2, 200, "replay_suspect"},
					{"its id with another body", "one", 3, 409, ""},
					{"the same, after all that", "one", 1, 200, "duplicate"},
				} {
					status, outcome := b.deliver(step.id, event(step.n))
					wantAnswer(t, step.name, status, outcome, step.status, step.outcome)
				}
				if got := b.calls[event(1)] + b.calls[event(2)]; first && got != calls {
					t.Errorf("the app was called %d times more", got-calls)
				}
				status, outcome := b.deliver("four", event(4))
				wantAnswer(t, "something new", status, outcome, 200, "")
			})
		}
	}
}

// A retry that reaches another receiver can be captured as well as one that reaches the
// same.
func TestReceiverKnowsTheCapturedRetryOfAnother(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "journal.db")
		o := siteOptions{first: first, memory: 10}
		a, b := newSite(t, path, o), newSite(t, path, o)
		c := newSite(t, path, o)
		status, outcome := a.deliver("one", event(1))
		wantAnswer(t, "the delivery", status, outcome, 200, "")
		status, outcome = b.deliverAt(time.Minute, "one", event(1))
		wantAnswer(t, "its retry at the second", status, outcome, 200, "duplicate")
		status, outcome = c.deliverAt(time.Minute, "two", event(1))
		wantAnswer(t, "the captured retry at the third", status, outcome, 200, "replay_suspect")
	}
}

// THREATS row 63.
func TestReceiverTakesARepeatOfWorksomeLaterAsAnEvent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	o := siteOptions{memory: 100, platform: webhook.Worksome}
	s := newSite(t, path, o)
	other := newSite(t, path, o)
	rate := func(n int) string { return fmt.Sprintf(`{"event":"hireUpdated","data":{"rate":%d}}`, n) }
	for _, step := range []struct {
		after   time.Duration
		rate    int
		restart bool
		outcome string
	}{
		{0, 100, false, ""}, {time.Minute, 120, false, ""}, {9 * time.Minute, 100, false, "duplicate"},
		{9 * time.Minute, 100, true, "duplicate"},
		{time.Hour, 100, false, ""}, {time.Hour + time.Minute, 100, false, "duplicate"}, {time.Hour + time.Minute, 100, true, "duplicate"},
		{2 * time.Hour, 100, true, ""}, {2*time.Hour + time.Minute, 100, true, "duplicate"},
	} {
		if step.restart {
			if err := s.journal.Close(); err != nil {
				t.Fatal(err)
			}
			s = newSite(t, path, o)
		}
		s.now = clock().Add(step.after)
		status, outcome := s.worksome(rate(step.rate))
		wantAnswer(t, fmt.Sprintf("rate %d after %s", step.rate, step.after), status, outcome, 200, step.outcome)
		other.now = s.now
		if step.outcome == "" {
			status, outcome = other.worksome(rate(step.rate))
			wantAnswer(t, fmt.Sprintf("rate %d after %s, at the other receiver", step.rate, step.after), status, outcome, 200, "duplicate")
		}
	}
}

// Whatever is delivered to two receivers at once goes on once.
func TestReceiversOnOneJournalHandleADeliveryOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	o := siteOptions{first: true, memory: 100}
	sites := []*site{newSite(t, path, o), newSite(t, path, o)}
	const deliveries = 40
	var wg sync.WaitGroup
	for n := range deliveries {
		for _, s := range sites {
			wg.Go(func() {
				if status, _ := s.deliver(fmt.Sprint("whk_", n), event(n)); status != 200 && status != 503 {
					t.Errorf("delivery %d is answered %d", n, status)
				}
			})
		}
	}
	wg.Wait()
	for n := range deliveries {
		if got := sites[0].calls[event(n)] + sites[1].calls[event(n)]; got != 1 {
			t.Errorf("delivery %d reached an app %d times", n, got)
		}
		for i, s := range sites { // what was answered with 503 comes again
			status, outcome := s.deliver(fmt.Sprint("whk_", n), event(n))
			wantAnswer(t, fmt.Sprintf("delivery %d at receiver %d", n, i), status, outcome, 200, "duplicate")
		}
	}
}

func TestReceiverIsFreeOfAClaimAfterItsLease(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	s := newSite(t, path, siteOptions{first: true, memory: 100})
	killed := reopen(t, path, Options{})
	stamp := strconv.FormatInt(clock().Unix(), 10)
	r := sample(1)
	r.ID, r.WebhookID, r.Verdict = "rec_killed", "one", &webhook.Verdict{Outcome: webhook.Pending}
	mark := receive.Mark{ID: "one", Signed: receive.BodyDigest(stamp, []byte(event(1))), Time: clock()}
	if err := killed.Keep(t.Context(), receive.Receipt{Record: r, Mark: &mark, Once: true}); err != nil {
		t.Fatal(err)
	}
	status, outcome := s.deliver("one", event(1))
	wantAnswer(t, "what another receiver is handling", status, outcome, 503, "")
	status, outcome = s.deliver("two", event(1))
	wantAnswer(t, "the same under another id", status, outcome, 503, "")
	s.now = clock().Add(receive.DefaultLease + time.Second)
	status, outcome = s.deliver("one", event(1))
	wantAnswer(t, "the same after the lease", status, outcome, 200, "")
	if len(s.calls) != 1 {
		t.Errorf("the app was called for %v", s.calls)
	}
}

func TestReceiverIsFreeOfTheClaimsOfAKilledOneAfterARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	killed := reopen(t, path, Options{})
	stamp := strconv.FormatInt(clock().Unix(), 10)
	r := sample(1)
	r.ID, r.Verdict, r.Response = "rec_killed", &webhook.Verdict{Outcome: webhook.Pending}, nil
	mark := receive.Mark{ID: "one", Signed: receive.BodyDigest(stamp, []byte(event(1))), Time: clock()}
	if err := killed.Keep(t.Context(), receive.Receipt{Record: r, Mark: &mark, Once: true}); err != nil {
		t.Fatal(err)
	}
	if err := killed.Close(); err != nil {
		t.Fatal(err)
	}
	status, outcome := newSite(t, path, siteOptions{first: true, memory: 100}).deliver("one", event(1))
	wantAnswer(t, "what the receiver before was handling", status, outcome, 200, "")
}

func TestOpenGivesUpWhatAKilledReceiverWasForwarding(t *testing.T) {
	t.Parallel()
	for name, mark := range map[string]*receive.Mark{
		"with a mark":                        {ID: "one", Signed: receive.BodyDigest("1", nil), Time: clock()},
		"without one, as from Work Market's": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.db")
			killed := reopen(t, path, Options{})
			r := sample(1)
			r.Verdict, r.Response = &webhook.Verdict{Outcome: webhook.Pending, Verified: true}, nil
			if err := killed.Keep(t.Context(), receive.Receipt{Record: r, Mark: mark, Once: true}); err != nil {
				t.Fatal(err)
			}
			want := func(outcome webhook.Outcome) {
				t.Helper()
				got, err := reopen(t, path, Options{}).Get(t.Context(), r.ID)
				if err != nil || got.Verdict.Outcome != outcome || !got.Verdict.Verified || (got.Error == "") != (outcome == pending) {
					t.Errorf("the record is %s, %v; want %s", line(t, got), err, outcome)
				}
			}
			want(webhook.Pending) // while the receiver runs
			if err := killed.Close(); err != nil {
				t.Fatal(err)
			}
			want(webhook.ForwardFailed)
		})
	}
}

// An index of the marks costs as much as the rest of a commit.
func TestMarksAreIndexedOnceAReceiverLooksForThem(t *testing.T) {
	t.Parallel()
	isIndexed := func(s *site) bool {
		t.Helper()
		indexes := 0
		err := sqlfile.Each(t.Context(), s.journal.db, "SELECT name FROM sqlite_schema WHERE name IN ('seen_id', 'seen_signed')", nil,
			func(*sql.Rows) error { indexes++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return indexes == 2
	}
	deliver := func(s *site, n int) {
		t.Helper()
		status, outcome := s.deliver(fmt.Sprint("whk_", n), event(n))
		wantAnswer(t, fmt.Sprint("delivery ", n), status, outcome, 200, "")
	}
	t.Run("above the limit of its memory", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, filepath.Join(t.TempDir(), "journal.db"), siteOptions{memory: 10})
		for n := range 10 {
			deliver(s, n)
		}
		if isIndexed(s) {
			t.Error("indexed while the memory knows every delivery")
		}
		deliver(s, 10)
		deliver(s, 11)
		if !isIndexed(s) {
			t.Error("not indexed when the memory has forgotten a delivery")
		}
	})
	t.Run("beside a second receiver", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "journal.db")
		a, b := newSite(t, path, siteOptions{memory: 10}), newSite(t, path, siteOptions{memory: 10})
		deliver(a, 0)
		if isIndexed(a) {
			t.Error("indexed before the second receiver has a delivery")
		}
		deliver(b, 1)
		if !isIndexed(a) {
			t.Error("not indexed when two receivers had deliveries")
		}
	})
}
