package deliver_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// outbound is a signed delivery as WorkSkedge makes it.
func outbound(t testing.TB, url string) deliver.Delivery {
	t.Helper()
	d := delivery(t, url)
	d.Event = event(t, `{"event_id":"evt_1","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{}}`)
	d.Header = deliver.Outbound(webhook.WorkSkedge, d.Event.Type)
	d.WebhookID = "whk_1"
	return d
}

// attemptsOf delivers over a transport in a bubble, and returns when each
// attempt began and the headers that it sent.
func attemptsOf(t *testing.T, d deliver.Delivery, s deliver.Schedule, answer func(n int, r *http.Request) (*http.Response, error)) (at []time.Duration, sent []http.Header, last webhook.Record) {
	t.Helper()
	began := time.Now()
	c := client(webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		at, sent = append(at, time.Since(began)), append(sent, r.Header.Clone())
		return answer(len(at)-1, r)
	}))
	c.Now = time.Now
	last, err := recorded(c.Deliver(t.Context(), d, s, nil))
	if err != nil {
		t.Fatal(err)
	}
	return at, sent, last
}

func answered(code int) (*http.Response, error) {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody}, nil
}

func TestDeliver(t *testing.T) {
	// THREATS rows 33 and 34.
	t.Run("WorkSkedge makes six attempts and signs each again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := outbound(t, "http://x.example/")
			at, sent, last := attemptsOf(t, d, deliver.PlatformSchedule(webhook.WorkSkedge), func(n int, r *http.Request) (*http.Response, error) {
				if err := webhook.Verify(r.Header, d.Event.Raw, time.Now(), webhooktest.Secret(t, sharedSecret)); err != nil {
					t.Errorf("attempt %d: %v", n, err)
				}
				return answered(500)
			})
			want := []time.Duration{0, time.Minute, 6 * time.Minute, 21 * time.Minute, 81 * time.Minute, 441 * time.Minute}
			if !slices.Equal(at, want) {
				t.Errorf("attempts at %v, want %v", at, want)
			}
			var retries, signatures []string
			for _, h := range sent {
				retries = append(retries, h.Get(webhook.HeaderRetry))
				signatures = append(signatures, h.Get(webhook.HeaderSignature))
				if h.Get(webhook.HeaderID) != "whk_1" || h.Get(webhook.HeaderEvent) != "work_order.created" || h.Get("Content-Type") != "application/json" {
					t.Errorf("sent %v", h)
				}
			}
			if !slices.Equal(retries, []string{"0", "1", "2", "3", "4", "5"}) {
				t.Errorf("X-Webhook-Retry is %q", retries)
			}
			slices.Sort(signatures)
			if len(slices.Compact(signatures)) != 6 {
				t.Errorf("signatures %q", signatures)
			}
			wantVerdict(t, last, webhook.Refused, "status")
			if last.Attempt != 5 {
				t.Errorf("the last attempt is %d", last.Attempt)
			}
			if d.Header.Get(webhook.HeaderRetry) != "0" {
				t.Error("the caller's header was changed")
			}
		})
	})
	t.Run("each platform has its own schedule", func(t *testing.T) {
		tests := []struct {
			platform webhook.Platform
			attempts int
			total    time.Duration
			header   int // lines beside the signature's
		}{
			{webhook.WorkSkedge, 6, 441 * time.Minute, 3},
			{webhook.Worksome, 5, 11110 * time.Second, 1},
			{webhook.WorkMarket, 2, time.Minute, 1},
		}
		for _, tt := range tests {
			t.Run(string(tt.platform), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := outbound(t, "http://x.example/")
					d.Header = deliver.Outbound(tt.platform, d.Event.Type)
					s := deliver.PlatformSchedule(tt.platform)
					at, _, _ := attemptsOf(t, d, s, func(int, *http.Request) (*http.Response, error) { return answered(503) })
					if len(at) != tt.attempts || at[len(at)-1] != tt.total || s.Total() != tt.total {
						t.Errorf("attempts at %v, and %s in all; want %d within %s", at, s.Total(), tt.attempts, tt.total)
					}
					if len(d.Header) != tt.header {
						t.Errorf("the header is %v", d.Header)
					}
				})
			})
		}
	})
	// THREATS row 31, the platform's side.
	t.Run("only 5xx and no response are repeated", func(t *testing.T) {
		for _, code := range []int{200, 204, 300, 301, 307, 400, 401, 404, 408, 409, 422, 425, 429, 499} {
			tries, waits := 0, 0
			c := client(answers(&tries, code, 200))
			c.Wait = countWaits(&waits)
			record, err := recorded(c.Deliver(t.Context(), outbound(t, "http://x.example/"), deliver.PlatformSchedule(webhook.WorkSkedge), nil))
			if err != nil || tries != 1 || waits != 0 || record.Response.Status != code {
				t.Errorf("%d: %d tries, %d waits, %v", code, tries, waits, err)
			}
		}
		for _, code := range []int{0, 500, 502, 503, 504, 599} {
			tries, waits := 0, 0
			c := client(answers(&tries, code, code, 201))
			c.Wait = countWaits(&waits)
			var steps []deliver.Step
			record, err := recorded(c.Deliver(t.Context(), outbound(t, "http://x.example/"), deliver.PlatformSchedule(webhook.WorkSkedge), func(s deliver.Step) { steps = append(steps, s) }))
			if err != nil || tries != 3 || waits != 2 || record.Verdict.Outcome != webhook.Accepted {
				t.Errorf("%d: %d tries, %d waits, %+v, %v", code, tries, waits, record.Verdict, err)
			}
			if len(steps) != 3 || steps[0].Pause != time.Minute || steps[1].Pause != 5*time.Minute || steps[2].Again || steps[2].Pause != 0 {
				t.Errorf("%d: the steps are %+v", code, steps)
			}
		}
	})
	t.Run("Work Market repeats any failed callout once", func(t *testing.T) {
		for _, code := range []int{0, 301, 400, 404, 429, 500} {
			tries, waits := 0, 0
			c := client(answers(&tries, code, code, 200))
			c.Wait = countWaits(&waits)
			d := outbound(t, "http://x.example/")
			d.Event.Platform = webhook.WorkMarket
			_, err := recorded(c.Deliver(t.Context(), d, deliver.PlatformSchedule(webhook.WorkMarket), nil))
			if err != nil || tries != 2 || waits != 1 {
				t.Errorf("%d: %d tries, %d waits, %v", code, tries, waits, err)
			}
		}
		tries, waits := 0, 0
		c := client(answers(&tries, 204, 200))
		c.Wait = countWaits(&waits)
		d := outbound(t, "http://x.example/")
		d.Event.Platform = webhook.WorkMarket
		if _, err := c.Deliver(t.Context(), d, deliver.PlatformSchedule(webhook.WorkMarket), nil); err != nil || tries != 1 {
			t.Errorf("after 204: %d tries, %v", tries, err)
		}
	})
	t.Run("a pause counts from the end of a time-out", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			at, _, last := attemptsOf(t, outbound(t, "http://x.example/"), deliver.Schedule{time.Minute, time.Hour}, func(n int, r *http.Request) (*http.Response, error) {
				if n == 2 {
					return answered(200)
				}
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			want := []time.Duration{0, 90 * time.Second, 2*time.Minute + time.Hour}
			if !slices.Equal(at, want) {
				t.Errorf("attempts at %v, want %v", at, want)
			}
			wantVerdict(t, last, webhook.Accepted, "")
		})
	})
	// The platform cannot know whether a request that got no answer was taken, and
	// sends it again.
	t.Run("an unknown outcome is repeated", func(t *testing.T) {
		c, waits := client(overPipe(t, answering(""))), 0
		c.Wait = countWaits(&waits)
		record, err := recorded(c.Deliver(t.Context(), outbound(t, "http://x.example/"), deliver.Schedule{1, 1, 1}, nil))
		if err != nil || waits != 3 {
			t.Errorf("%d waits, %v", waits, err)
		}
		wantVerdict(t, record, webhook.OutcomeUnknown, "no_answer")
	})
	t.Run("a response after ten seconds gets a warning", func(t *testing.T) {
		tests := []struct {
			name string
			took time.Duration
			form webhook.Form
			slow bool
		}{
			{"at ten seconds it is not", 10 * time.Second, webhook.Outbound, false},
			{"past them it is", 10*time.Second + 1, webhook.Outbound, true},
			{"the platform's own answer never is", 20 * time.Second, webhook.Inbound, false},
			{"nor is no answer", 31 * time.Second, webhook.Outbound, false},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := outbound(t, "http://x.example/")
					d.Event.Form = tt.form
					_, _, record := attemptsOf(t, d, nil, func(_ int, r *http.Request) (*http.Response, error) {
						select {
						case <-time.After(tt.took):
							return answered(200)
						case <-r.Context().Done():
							return nil, r.Context().Err()
						}
					})
					if got := len(record.Verdict.Warnings) > 0; got != tt.slow {
						t.Errorf("the warnings are %q", record.Verdict.Warnings)
					}
				})
			})
		}
	})
	t.Run("the end of the context ends a pause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(90*time.Second, cancel) // half a minute into the second pause
			began := time.Now()
			record, err := client(answers(&tries, 503)).Deliver(ctx, outbound(t, "http://x.example/"), deliver.PlatformSchedule(webhook.WorkSkedge), nil)
			if !errors.Is(err, context.Canceled) || tries != 2 || time.Since(began) != 90*time.Second {
				t.Errorf("%v after %d tries and %s", err, tries, time.Since(began))
			}
			wantVerdict(t, record, webhook.Refused, "status")
		})
	})
	t.Run("the end of the context ends a delivery without pauses", func(t *testing.T) {
		for range 100 { // a timer of nothing and a context that has ended are both ready
			tries := 0
			ctx, cancel := context.WithCancel(t.Context())
			_, err := client(answers(&tries, 503)).Deliver(ctx, outbound(t, "http://x.example/"), make(deliver.Schedule, 5), func(deliver.Step) { cancel() })
			if !errors.Is(err, context.Canceled) || tries != 1 {
				t.Fatalf("%v after %d tries", err, tries)
			}
		}
	})
}

func TestScheduleFaster(t *testing.T) {
	s := deliver.PlatformSchedule(webhook.WorkSkedge)
	tests := []struct {
		factor float64
		want   deliver.Schedule
	}{
		{60, deliver.Schedule{time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 6 * time.Minute}},
		{2.5, deliver.Schedule{24 * time.Second, 2 * time.Minute, 6 * time.Minute, 24 * time.Minute, 144 * time.Minute}},
		{math.Inf(1), make(deliver.Schedule, 5)}, {math.MaxFloat64, make(deliver.Schedule, 5)},
		{1, s}, {0, s}, {-3, s}, {1e-300, s}, {math.NaN(), s},
	}
	for _, tt := range tests {
		if got := s.Faster(tt.factor); !slices.Equal(got, tt.want) {
			t.Errorf("%g times: %v, want %v", tt.factor, got, tt.want)
		}
	}
	if s[0] != time.Minute || deliver.Schedule(nil).Faster(2) != nil {
		t.Error("the schedule itself was changed")
	}
}
