package replay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// load runs a load test of two payloads in a bubble.
func load(t *testing.T, l replay.Load, transport roundTrip) replay.Report {
	t.Helper()
	wait := l.Client.Wait
	l.Client = clientOver(transport)
	l.Client.Wait = wait
	report, err := l.Run(t.Context(), jobsOf(t, planFor(t), payload(t, inbound), payload(t, outbound)))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestLoadRun(t *testing.T) {
	t.Parallel()
	t.Run("requests leave on time whatever the answers do", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var seen log
			began := time.Now()
			report := load(t, replay.Load{Rate: 10, Duration: 2 * time.Second}, func(r *http.Request) (*http.Response, error) {
				seen.note(r)
				return answer(200), pause(r.Context(), 5*time.Second)
			})
			for i, at := range seen.at {
				if got, want := at.Sub(began), time.Duration(i)*100*time.Millisecond; got != want {
					t.Errorf("request %d left after %s, want %s", i, got, want)
				}
			}
			if report.Requests != 20 || report.Passed != 20 || report.Statuses["200"] != 20 || report.Unsent != 0 || report.Success() != 1 {
				t.Errorf("%+v", report)
			}
			if report.Achieved != 10 || report.Duration != 6900*time.Millisecond {
				t.Errorf("%g/s in %s", report.Achieved, report.Duration)
			}
			if l := report.Latency; l.Min() != 5*time.Second || l.Max() != 5*time.Second {
				t.Errorf("latency from %s to %s", l.Min(), l.Max())
			}
		})
	})
	t.Run("a wait for a free place counts as latency", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			report := load(t, replay.Load{Rate: 10, Duration: time.Second, Concurrency: 1}, func(r *http.Request) (*http.Response, error) {
				return answer(200), pause(r.Context(), 150*time.Millisecond)
			})
			// Request i is due at 100i ms, and leaves at 150i ms: the seventh, at 900 ms,
			// is the last that leaves within the second.
			if report.Requests != 7 || report.Unsent != 3 {
				t.Errorf("%d sent, %d not", report.Requests, report.Unsent)
			}
			if got := report.Latency.Max(); got != 450*time.Millisecond {
				t.Errorf("the longest latency is %s", got)
			}
			if got := report.Success(); got != 0.7 {
				t.Errorf("the success is %g", got)
			}
		})
	})
	t.Run("a timer that fires late does not count as latency", func(t *testing.T) {
		t.Parallel()
		for late, want := range map[time.Duration]time.Duration{
			time.Millisecond:      5 * time.Millisecond,
			20 * time.Millisecond: 25 * time.Millisecond, // so late that requests had to wait: it counts
		} {
			synctest.Test(t, func(t *testing.T) {
				oversleep := func(ctx context.Context, d time.Duration) error { return pause(ctx, d+late) }
				report := load(t, replay.Load{Rate: 10, Duration: time.Second, Client: deliver.Client{Wait: oversleep}}, func(r *http.Request) (*http.Response, error) {
					return answer(200), pause(r.Context(), 5*time.Millisecond)
				})
				if got := report.Latency.Max(); got != want || report.Achieved != 10 {
					t.Errorf("woken %s late, the latency is %s at %g/s, want %s", late, got, report.Achieved, want)
				}
			})
		}
	})
	t.Run("without a duration each job is sent once", func(t *testing.T) {
		t.Parallel()
		for _, rate := range []float64{0, 100} {
			synctest.Test(t, func(t *testing.T) {
				report := load(t, replay.Load{Rate: rate}, func(*http.Request) (*http.Response, error) { return answer(204), nil })
				if report.Requests != 2 || report.Statuses["204"] != 2 {
					t.Errorf("at rate %g: %+v", rate, report)
				}
			})
		}
	})
	t.Run("without a rate each worker sends as fast as the answers come", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var busy, most atomic.Int32
			report := load(t, replay.Load{Duration: time.Second, Concurrency: 4}, func(r *http.Request) (*http.Response, error) {
				most.Store(max(most.Load(), busy.Add(1)))
				defer busy.Add(-1)
				return answer(200), pause(r.Context(), 100*time.Millisecond)
			})
			if report.Requests != 40 || report.Achieved != 40 || most.Load() != 4 {
				t.Errorf("%d requests, %g/s, %d at a time", report.Requests, report.Achieved, most.Load())
			}
		})
	})
	t.Run("errors are counted by what happened", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			plan := planFor(t)
			plan.Timeout = time.Second
			var seen log
			l := replay.Load{Rate: 10, Duration: time.Second, Client: clientOver(roundTrip(func(r *http.Request) (*http.Response, error) {
				switch n := seen.note(r); {
				case n <= 2:
					return nil, pause(r.Context(), time.Hour)
				case n <= 5:
					return nil, io.EOF
				case n == 6:
					return answer(500), nil
				}
				return answer(200), nil
			}))}
			report, err := l.Run(t.Context(), jobsOf(t, plan, payload(t, inbound)))
			if err != nil {
				t.Fatal(err)
			}
			if report.Errors["no answer within 1s"] != 2 || report.Errors["the connection was closed without an answer"] != 3 {
				t.Errorf("the errors are %v", report.Errors)
			}
			if report.Passed != 4 || report.Answered() != 5 || report.Latency.Count() != 7 || report.Latency.Max() != time.Second {
				t.Errorf("%d passed, %d answered, %d latencies up to %s", report.Passed, report.Answered(), report.Latency.Count(), report.Latency.Max())
			}
		})
	})
	t.Run("the kinds of errors are bounded", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var seen log
			report := load(t, replay.Load{Rate: 100, Duration: time.Second}, func(r *http.Request) (*http.Response, error) {
				return nil, fmt.Errorf("fault %d", seen.note(r))
			})
			if len(report.Errors) != 21 || report.Errors["other errors"] != 80 {
				t.Errorf("%d kinds, %d others", len(report.Errors), report.Errors["other errors"])
			}
		})
	})
	t.Run("an interrupted test reports what was done", func(t *testing.T) {
		t.Parallel()
		for _, rate := range []float64{0, 10} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var seen log
				l := replay.Load{Rate: rate, Duration: time.Hour, Concurrency: 1, Client: clientOver(roundTrip(func(r *http.Request) (*http.Response, error) {
					if seen.note(r) == 3 {
						cancel()
						return nil, pause(r.Context(), time.Hour)
					}
					return answer(200), nil
				}))}
				report, err := l.Run(ctx, jobsOf(t, planFor(t), payload(t, inbound)))
				if !errors.Is(err, context.Canceled) || report.Requests != 2 || report.Passed != 2 || report.Unsent != 0 {
					t.Errorf("at rate %g: %+v, %v", rate, report, err)
				}
			})
		}
	})
	t.Run("Keep is called for every request", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var kept atomic.Int32
			report := load(t, replay.Load{Rate: 10, Duration: time.Second, Keep: func(r webhook.Record) {
				if r.Response.Status == 200 {
					kept.Add(1)
				}
			}}, func(*http.Request) (*http.Response, error) { return answer(200), nil })
			if report.Requests != 10 || kept.Load() != 10 {
				t.Errorf("%d kept of %d", kept.Load(), report.Requests)
			}
		})
	})
}

// TestLoadRequests checks that the short way of a load test
// puts the same request on the wire as the long one.
func TestLoadRequests(t *testing.T) {
	t.Parallel()
	verbatim, override, square := planFor(t), planFor(t), planFor(t)
	verbatim.Verbatim = true
	override.Override = webhook.Header{
		{Name: "X-Webhook-Timestamp", Value: "7"}, {Name: "Host", Value: "other.example"}, {Name: "User-Agent"}, {Name: "X-Many", Value: "1"}, {Name: "X-Many", Value: "2"},
	}
	var err error
	if square.Scheme, err = webhook.SchemeNamed(webhook.Square); err != nil {
		t.Fatal(err)
	}
	retried, bare := recordOf("a", 503, clock), recordOf("b", 503, clock)
	retried.Request.Header = append(retried.Request.Header, webhook.Pair{Name: "X-Webhook-Retry", Value: "2"})
	bare.Scheme = webhook.BodyOnly
	for name, plan := range map[string]replay.Plan{"signed": planFor(t), "verbatim": verbatim, "overridden": override, "square": square} {
		items := []replay.Item{replay.FromRecord("f", retried), replay.FromRecord("f", bare)}
		if !plan.Verbatim {
			items = append(items, payload(t, inbound), payload(t, compact), payload(t, hire))
		}
		for _, item := range items {
			t.Run(name+" "+item.Event.Type, func(t *testing.T) {
				t.Parallel()
				send := func(keep func(webhook.Record)) (wire string) {
					client := clientOver(roundTrip(func(r *http.Request) (*http.Response, error) {
						body, err := io.ReadAll(r.Body)
						wire = fmt.Sprintf("%s %s %s %d %q\n%v", r.Method, r.URL, r.Host, r.ContentLength, body, r.Header)
						return answer(200), err
					}))
					client.Now = func() time.Time { return clock.Add(time.Hour) } // later than the plan was made
					l := replay.Load{Keep: keep, Client: client, Concurrency: 1}
					if _, err := l.Run(t.Context(), jobsOf(t, plan, item)); err != nil {
						t.Error(err)
					}
					return wire
				}
				if lean, full := send(nil), send(func(webhook.Record) {}); lean != full || lean == "" {
					t.Errorf("the short way sends\n%s\nand the long one\n%s", lean, full)
				}
			})
		}
	}
}

func TestLoadConnections(t *testing.T) {
	t.Parallel()
	var verified, connections atomic.Int32
	key := secret(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && webhook.Verify(r.Header, body, time.Now(), key) == nil {
			verified.Add(1)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	plan := planFor(t)
	plan.URL = server.URL
	transport := deliver.NewTransport()
	transport.Proxy = nil
	l := replay.Load{Client: clientOver(transport), Concurrency: 8}
	items := slices.Repeat([]replay.Item{payload(t, inbound), payload(t, outbound)}, 100)
	report, err := l.Run(t.Context(), jobsOf(t, plan, items...))
	if err != nil || report.Requests != 200 || report.Passed != 200 || verified.Load() != 200 {
		t.Errorf("%d requests, %d passed, %d verified, %v: %v", report.Requests, report.Passed, verified.Load(), err, report.Errors)
	}
	if n := connections.Load(); n > 100 { // a busy machine dials a few more than the 8 workers need
		t.Errorf("%d connections for 200 requests: they are not used again", n)
	}
}

func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"500/s": 500, "90/m": 1.5, "1800/h": 0.5, "0.5/s": 0.5, "max": 0} {
		if got, err := replay.ParseRate(text); err != nil || got != want {
			t.Errorf("%q is %g, %v, want %g", text, got, err, want)
		}
	}
	for _, text := range []string{"", "500", "500/d", "0/s", "-1/s", "NaN/s", "inf/s", "1e9/s", "/s"} {
		if got, err := replay.ParseRate(text); err == nil {
			t.Errorf("%q is %g", text, got)
		}
	}
}
