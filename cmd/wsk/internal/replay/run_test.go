package replay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/webhook"
)

// records are received records, a gap apart each.
func records(gaps ...time.Duration) []replay.Item {
	at := clock
	var items []replay.Item
	for i, gap := range gaps {
		at = at.Add(gap)
		items = append(items, replay.FromRecord("f", recordOf(fmt.Sprint("r", i), 503, at)))
	}
	return items
}

// A receiver that gave up forwarding a delivery answers its replay as a duplicate.
func TestRunnerRun_duplicate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		outcome webhook.Outcome
		body    string
		want    replay.Verdict
	}{
		"of what it gave up":      {webhook.ForwardFailed, `{"received":true,"duplicate":true}`, replay.StillFailing},
		"in the same second":      {webhook.ForwardFailed, `{"received":true,"replay_suspect":true}`, replay.StillFailing},
		"of what it accepted":     {webhook.Accepted, `{"received":true,"duplicate":true}`, replay.StillPassing},
		"new to another receiver": {webhook.ForwardFailed, `{"received":true}`, replay.Fixed},
		"an app's own answer":     {webhook.ForwardFailed, `duplicate`, replay.Fixed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := replay.FromRecord("f", recordOf("a", 200, clock))
			item.Record.Verdict.Outcome = test.outcome
			var got replay.Result
			runner := replay.Runner{Each: func(r replay.Result) { got = r }}
			runner.Client = clientOver(roundTrip(func(*http.Request) (*http.Response, error) {
				a := answer(200)
				a.Body = io.NopCloser(strings.NewReader(test.body))
				return a, nil
			}))
			if _, err := runner.Run(t.Context(), jobsOf(t, planFor(t), item)); err != nil {
				t.Fatal(err)
			}
			if got.Verdict != test.want || (got.Error == "") != got.Verdict.OK() {
				t.Errorf("%s, %q; want %s", got.Verdict, got.Error, test.want)
			}
		})
	}
}

func TestRunnerRun(t *testing.T) {
	t.Parallel()
	t.Run("jobs are sent one after another in order", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var seen log
			var busy atomic.Int32
			transport := roundTrip(func(r *http.Request) (*http.Response, error) {
				if busy.Add(1) > 1 {
					t.Error("two at a time")
				}
				defer busy.Add(-1)
				n := seen.note(r)
				return answer(200), pause(r.Context(), time.Duration(5-n)*time.Second)
			})
			var got []string
			var kept []string
			runner := replay.Runner{
				Client: clientOver(transport),
				Each:   func(r replay.Result) { got = append(got, r.ID) },
				Keep:   func(r webhook.Record) { kept = append(kept, r.WebhookID) },
			}
			summary, err := runner.Run(t.Context(), jobsOf(t, planFor(t), records(0, 0, 0)...))
			if err != nil || summary.Total != 3 || summary.Fixed != 3 || summary.Answered != 3 || summary.Bad() != 0 {
				t.Errorf("%+v, %v", summary, err)
			}
			if !slices.Equal(got, []string{"r0", "r1", "r2"}) || !slices.Equal(kept, []string{"whk_r0", "whk_r1", "whk_r2"}) {
				t.Errorf("results %v, kept %v", got, kept)
			}
		})
	})
	t.Run("with concurrency the results come as they finish", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			transport := roundTrip(func(r *http.Request) (*http.Response, error) {
				took := map[string]time.Duration{"whk_r0": 3 * time.Second, "whk_r1": 2 * time.Second, "whk_r2": time.Second}
				return answer(200), pause(r.Context(), took[r.Header.Get("X-Webhook-Id")])
			})
			var got []string
			runner := replay.Runner{Client: clientOver(transport), Concurrency: 3, Each: func(r replay.Result) { got = append(got, r.ID) }}
			if _, err := runner.Run(t.Context(), jobsOf(t, planFor(t), records(0, 0, 0)...)); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, []string{"r2", "r1", "r0"}) {
				t.Errorf("results %v", got)
			}
		})
	})
	t.Run("Speed divides the recorded gaps", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct {
			speed float64
			want  []time.Duration
		}{
			"as recorded":    {1, []time.Duration{0, 10 * time.Second, 12 * time.Second, 40 * time.Second}},
			"ten times":      {10, []time.Duration{0, 2 * time.Second, 4 * time.Second, 6 * time.Second}}, // late: each takes 2 s
			"without a gap":  {0, []time.Duration{0, 2 * time.Second, 4 * time.Second, 6 * time.Second}},
			"half the speed": {0.5, []time.Duration{0, 20 * time.Second, 22 * time.Second, 80 * time.Second}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var seen log
					began := time.Now()
					transport := roundTrip(func(r *http.Request) (*http.Response, error) {
						seen.note(r)
						return answer(200), pause(r.Context(), 2*time.Second)
					})
					runner := replay.Runner{Client: clientOver(transport), Speed: test.speed}
					// The third was recorded before the second, and may not go back in time.
					if _, err := runner.Run(t.Context(), jobsOf(t, planFor(t), records(0, 10*time.Second, -time.Second, 31*time.Second)...)); err != nil {
						t.Fatal(err)
					}
					for i, at := range seen.at {
						if got := at.Sub(began); got != test.want[i] {
							t.Errorf("request %d left after %s, want %s", i, got, test.want[i])
						}
					}
				})
			})
		}
	})
	t.Run("an interrupted run counts what was done", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			var seen log
			transport := roundTrip(func(r *http.Request) (*http.Response, error) {
				if seen.note(r) == 2 {
					cancel()
					return nil, pause(r.Context(), time.Hour)
				}
				return answer(500), nil
			})
			kept := 0
			runner := replay.Runner{Client: clientOver(transport), Keep: func(webhook.Record) { kept++ }}
			summary, err := runner.Run(ctx, jobsOf(t, planFor(t), records(0, 0, 0)...))
			if !errors.Is(err, context.Canceled) || summary.Total != 1 || summary.StillFailing != 1 || summary.Bad() != 1 {
				t.Errorf("%+v, %v", summary, err)
			}
			if kept != 2 || len(seen.seen) != 2 {
				t.Errorf("%d kept of %d sent", kept, len(seen.seen))
			}
		})
	})
	t.Run("each request is signed when it is sent", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			transport := roundTrip(func(r *http.Request) (*http.Response, error) {
				if got, want := r.Header.Get("X-Webhook-Timestamp"), webhook.FormatTimestamp(time.Now()); got != want {
					t.Errorf("signed at %s, sent at %s", got, want)
				}
				return answer(200), pause(r.Context(), time.Minute)
			})
			runner := replay.Runner{Client: clientOver(transport)}
			jobs := jobsOf(t, planFor(t), records(0, 0)...)
			time.Sleep(time.Hour)
			if _, err := runner.Run(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			// A scheme that signs no timestamp keeps the line that was recorded, renewed.
			r := recordOf("a", 200, clock)
			r.Scheme = webhook.BodyOnly
			if _, err := runner.Run(t.Context(), jobsOf(t, planFor(t), replay.FromRecord("f", r))); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func TestExpectJudge(t *testing.T) {
	t.Parallel()
	exact, err := replay.ParseExpect("422")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		expect replay.Expect
		before int // -1: a payload, 0: a record without an answer
		now    int
		want   replay.Verdict
	}{
		"failed, passes":                  {replay.Expect{}, 503, 200, replay.Fixed},
		"had no answer, passes":           {replay.Expect{}, 0, 204, replay.Fixed},
		"passed, fails":                   {replay.Expect{}, 200, 500, replay.Regressed},
		"passed, has no answer":           {replay.Expect{}, 200, 0, replay.Regressed},
		"failed, fails":                   {replay.Expect{}, 503, 404, replay.StillFailing},
		"passed, passes":                  {replay.Expect{}, 200, 299, replay.StillPassing},
		"a redirect does not pass":        {replay.Expect{}, 200, 307, replay.Regressed},
		"a payload, passes":               {replay.Expect{}, -1, 200, replay.Passed},
		"a payload, fails":                {replay.Expect{}, -1, 500, replay.Failed},
		"a status measures both":          {exact, 200, 422, replay.Fixed},
		"a status that came before":       {exact, 422, 422, replay.StillPassing},
		"a status that went away":         {exact, 422, 200, replay.Regressed},
		"no answer never passes":          {exact, 0, 0, replay.StillFailing},
		"a payload, by a status":          {exact, -1, 422, replay.Passed},
		"a payload, by another":           {exact, -1, 200, replay.Failed},
		"a class holds all its own":       {class(t, "4xx"), 499, 400, replay.StillPassing},
		"a class excludes its neighbours": {class(t, "4xx"), 500, 300, replay.StillFailing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := payload(t, inbound)
			if test.before >= 0 {
				item = replay.FromRecord("f", recordOf("a", test.before, clock))
			}
			if got := test.expect.Judge(item, test.now); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func class(t *testing.T, text string) replay.Expect {
	t.Helper()
	e, err := replay.ParseExpect(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestParseExpect(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "2", "2x", "xx", "0xx", "6xx", "99", "600", "2xx "} {
		if _, err := replay.ParseExpect(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
