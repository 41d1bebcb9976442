package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// countWaits is a Wait that does not wait.
func countWaits(n *int) func(context.Context, time.Duration) error {
	return func(context.Context, time.Duration) error { *n++; return nil }
}

// answers is a transport that goes through a list of statuses; past its end
// the last one stays. A status of 0 is a connection that was refused.
func answers(tries *int, statuses ...int) http.RoundTripper {
	return webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		code := statuses[min(*tries, len(statuses)-1)]
		*tries++
		if code == 0 {
			return nil, errors.New("connection refused")
		}
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
}

func TestSend(t *testing.T) {
	// THREATS row 31.
	t.Run("what is repeated and what is not", func(t *testing.T) {
		tests := []struct {
			name     string
			statuses []int
			retries  int
			tries    int
			outcome  webhook.Outcome
		}{
			{"a yes ends it", []int{200}, 3, 1, webhook.Accepted},
			{"400 ends it", []int{400, 200}, 3, 1, webhook.Refused},
			{"401 ends it", []int{401, 200}, 3, 1, webhook.Refused},
			{"403 ends it", []int{403, 200}, 3, 1, webhook.Refused},
			{"404 ends it", []int{404, 200}, 3, 1, webhook.Refused},
			{"408 ends it", []int{408, 200}, 3, 1, webhook.Refused},
			{"409 ends it", []int{409, 200}, 3, 1, webhook.Refused},
			{"410 ends it", []int{410, 200}, 3, 1, webhook.Refused},
			{"422 ends it", []int{422, 200}, 3, 1, webhook.Refused},
			{"425 ends it", []int{425, 200}, 3, 1, webhook.Refused},
			{"499 ends it", []int{499, 200}, 3, 1, webhook.Refused},
			{"301 ends it", []int{301, 200}, 3, 1, webhook.Refused},
			{"304 ends it", []int{304, 200}, 3, 1, webhook.Refused},
			{"307 ends it", []int{307, 200}, 3, 1, webhook.Refused},
			{"429 is tried again", []int{429, 200}, 3, 2, webhook.Accepted},
			{"500 is tried again", []int{500, 200}, 3, 2, webhook.Accepted},
			{"502 is tried again", []int{502, 200}, 3, 2, webhook.Accepted},
			{"503 is tried again", []int{503, 200}, 3, 2, webhook.Accepted},
			{"504 is tried again", []int{504, 200}, 3, 2, webhook.Accepted},
			{"599 is tried again", []int{599, 200}, 3, 2, webhook.Accepted},
			{"a refused connection is tried again", []int{0, 0, 200}, 3, 3, webhook.Accepted},
			{"until the answer ends it", []int{500, 429, 0, 400}, 9, 4, webhook.Refused},
			{"until the retries are used up", []int{503}, 3, 4, webhook.Refused},
			{"a refused connection until then too", []int{0}, 3, 4, webhook.Failed},
			{"never without retries", []int{503, 200}, 0, 1, webhook.Refused},
			{"never with fewer than none", []int{503, 200}, -1, 1, webhook.Refused},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				tries, waits := 0, 0
				c := client(answers(&tries, tt.statuses...))
				c.Wait = countWaits(&waits)
				var steps []deliver.Step
				record, err := recorded(c.Send(t.Context(), delivery(t, "http://x.example/"), deliver.Policy{Retries: tt.retries}, func(s deliver.Step) { steps = append(steps, s) }))
				if err != nil || record.Verdict.Outcome != tt.outcome || tries != tt.tries || waits != tt.tries-1 {
					t.Errorf("%v, %v after %d tries and %d waits; want %s after %d", record.Verdict, err, tries, waits, tt.outcome, tt.tries)
				}
				if len(steps) != tt.tries || record.ID != fmt.Sprint("rec_", tt.tries) || steps[len(steps)-1].Record.ID != record.ID {
					t.Errorf("%d steps, and the last record is %s", len(steps), record.ID)
				}
				for i, s := range steps {
					if last := i == tt.tries-1; s.Record.Attempt != i || s.Again == last || (s.Pause > 0) == last {
						t.Errorf("step %d: attempt %d, again=%t, pause %s", i, s.Record.Attempt, s.Again, s.Pause)
					}
				}
			})
		}
	})
	t.Run("a closed port is a failure that is repeated", func(t *testing.T) {
		c, waits := client(overTCP(t)), 0
		c.Wait = countWaits(&waits)
		record, err := recorded(c.Send(t.Context(), delivery(t, webhooktest.ClosedURL), deliver.Policy{Retries: 2}, nil))
		if err != nil {
			t.Fatal(err)
		}
		wantVerdict(t, record, webhook.Failed, "unreachable")
		if record.Error != "connection refused" || record.Response != nil || waits != 2 {
			t.Errorf("%q after %d retries, answer %+v", record.Error, waits, record.Response)
		}
	})
	// THREATS row 33.
	t.Run("the pauses grow and stay within their bounds", func(t *testing.T) {
		full := []int{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000} // ms, before chance takes up to half
		jitters := map[string]func() float64{
			"the least": func() float64 { return 0 }, "the most": func() float64 { return math.Nextafter(1, 0) }, "by default": nil, // at random between the two
		}
		for name, jitter := range jitters {
			t.Run(name, func(t *testing.T) {
				tries := 0
				var pauses []time.Duration
				c := client(answers(&tries, 500))
				c.Wait = func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil }
				record, err := recorded(c.Send(t.Context(), delivery(t, "http://x.example/"), deliver.Policy{Retries: len(full), Jitter: jitter}, nil))
				if err != nil || tries != len(full)+1 || len(pauses) != len(full) {
					t.Fatalf("%v after %d tries and %d pauses", err, tries, len(pauses))
				}
				wantVerdict(t, record, webhook.Refused, "status")
				for i, got := range pauses {
					most := time.Duration(full[i]) * time.Millisecond
					from := map[string]time.Duration{"the least": most / 2, "the most": most - time.Microsecond, "by default": most / 2}[name]
					to := map[string]time.Duration{"the least": most / 2, "the most": most, "by default": most}[name]
					if got < from || got > to {
						t.Errorf("pause %d is %s, want %s to %s", i, got, from, to)
					}
				}
			})
		}
		t.Run("and no number of tries overflows it", func(t *testing.T) {
			tries := 0
			c := client(answers(&tries, 500))
			c.Wait = func(_ context.Context, d time.Duration) error {
				if d <= 0 || d > 30*time.Second {
					return fmt.Errorf("pause %d is %s", tries, d)
				}
				return nil
			}
			if _, err := recorded(c.Send(t.Context(), delivery(t, "http://x.example/"), deliver.Policy{Retries: 200}, nil)); err != nil {
				t.Error(err)
			}
		})
	})
	// THREATS row 34.
	t.Run("a retry has the same id and body and a new signature", func(t *testing.T) {
		server := newEndpoint(t, status(503))
		now := clock
		c := client(overTCP(t))
		c.Now = func() time.Time { return now }
		c.Wait = func(_ context.Context, d time.Duration) error { now = now.Add(d + time.Minute); return nil }
		d := delivery(t, server.URL)
		d.WebhookID = "evt_1"
		if _, err := recorded(c.Send(t.Context(), d, deliver.Policy{Retries: 4}, nil)); err != nil {
			t.Fatal(err)
		}
		seen := server.requests()
		if len(seen) != 5 {
			t.Fatalf("%d requests", len(seen))
		}
		var stamps, signatures []string
		for _, r := range seen {
			if string(r.body) != payload || !slices.Equal(r.header["X-Webhook-Id"], []string{"evt_1"}) {
				t.Errorf("sent %q under %q", r.body, r.header["X-Webhook-Id"])
			}
			timestamp, signature := r.header.Get(webhook.HeaderTimestamp), r.header.Get(webhook.HeaderSignature)
			if signature != webhooktest.HexHMAC(sharedSecret, timestamp+"."+payload) {
				t.Errorf("%s under %s", signature, timestamp)
			}
			stamps, signatures = append(stamps, timestamp), append(signatures, signature)
		}
		slices.Sort(signatures)
		if len(slices.Compact(stamps)) != 5 || len(slices.Compact(signatures)) != 5 {
			t.Errorf("timestamps %q, signatures %q", stamps, signatures)
		}
	})
	t.Run("it waits by the clock by default", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			c := client(answers(&tries, 503, 503, 503, 200))
			c.Now = time.Now
			var at []time.Duration
			began := time.Now()
			_, err := c.Send(t.Context(), delivery(t, "http://x.example/"), deliver.Policy{Retries: 5, Jitter: half}, func(s deliver.Step) {
				at = append(at, s.Record.Time.Sub(began))
			})
			if want := []time.Duration{0, 375e6, (375 + 750) * 1e6, (375 + 750 + 1500) * 1e6}; err != nil || !slices.Equal(at, want) {
				t.Errorf("attempts at %v, %v; want %v", at, err, want)
			}
		})
	})
	t.Run("the end of the context ends the retries", func(t *testing.T) {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprintf("with the default Wait: %t", own), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					tries := 0
					c := client(answers(&tries, 503))
					if !own {
						c.Wait = func(ctx context.Context, d time.Duration) error { <-ctx.Done(); return ctx.Err() }
					}
					ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
					defer cancel()
					began := time.Now()
					record, err := c.Send(ctx, delivery(t, "http://x.example/"), deliver.Policy{Retries: 5}, nil)
					if !errors.Is(err, context.DeadlineExceeded) || tries != 1 || time.Since(began) != 100*time.Millisecond {
						t.Errorf("%v after %d tries and %s", err, tries, time.Since(began))
					}
					wantVerdict(t, record, webhook.Refused, "status") // what is known of the attempt that was made
				})
			})
		}
	})
	t.Run("an attempt that the context ends is passed to each", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			c := client(webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
				tries++
				<-r.Context().Done()
				return nil, r.Context().Err()
			}))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			var steps []deliver.Step
			record, err := c.Send(ctx, delivery(t, "http://x.example/"), deliver.Policy{Retries: 5, RetryUnknown: true}, func(s deliver.Step) { steps = append(steps, s) })
			if !errors.Is(err, context.Canceled) || tries != 1 {
				t.Errorf("%v after %d tries", err, tries)
			}
			if !strings.HasPrefix(record.Error, "interrupted before the answer") {
				t.Errorf("recorded as %q", record.Error)
			}
			if len(steps) != 1 || steps[0].Again || steps[0].Record.ID != record.ID {
				t.Errorf("each was called with %+v", steps)
			}
		})
	})
	t.Run("a delivery that makes no request is not passed to each", func(t *testing.T) {
		d := delivery(t, "ftp://x.example/")
		_, err := client(unused(t)).Send(t.Context(), d, deliver.Policy{Retries: 5}, func(s deliver.Step) { t.Errorf("each was called with %+v", s) })
		if err == nil {
			t.Error("no error")
		}
	})
}

// half is a jitter that takes the same from every pause.
func half() float64 { return 0.5 }

// THREATS row 32.
func TestRetryAfter(t *testing.T) {
	const most = 5 * time.Minute
	date := func(d time.Duration) string { return clock.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		value string
		want  time.Duration
	}{
		{"2", 2 * time.Second}, {"0", 0}, {"-0", 0}, {"-1", 0}, {"299", 299 * time.Second}, {"300", most}, {"301", most}, {"002", 2 * time.Second},
		{"1000000000", most}, {"9223372036854775807", most}, {"9223372036854775808", most}, {"99999999999999999999", most}, {"-99999999999999999999", 0},
		{date(90 * time.Second), 90 * time.Second}, {date(0), 0}, {date(-time.Hour), 0}, {date(time.Hour), most}, {date(200 * 365 * 24 * time.Hour), most},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0}, {"Fri, 31 Dec 9999 23:59:59 GMT", most}, {clock.Add(time.Minute).Format(time.ANSIC), time.Minute},
		{"", 0}, {"junk", 0}, {"1e9", 0}, {"2.5", 0}, {"2s", 0}, {"2, 3", 0}, {"NaN", 0}, {"0x10", 0}, {"２", 0}, {clock.Add(time.Minute).Format(time.RFC3339), 0},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			if got := deliver.RetryAfter(tt.value, clock); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			for _, code := range []int{429, 503} {
				var paused time.Duration
				c := client(webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {tt.value}}, Body: http.NoBody}, nil
				}))
				c.Wait = func(_ context.Context, d time.Duration) error { paused = d; return nil }
				if _, err := recorded(c.Send(t.Context(), delivery(t, "http://x.example/"), deliver.Policy{Retries: 1, Jitter: half}, nil)); err != nil {
					t.Fatal(err)
				}
				if want := max(tt.want, 375*time.Millisecond); paused != want { // the schedule where that is more
					t.Errorf("%d: paused %s, want %s", code, paused, want)
				}
			}
		})
	}
}
