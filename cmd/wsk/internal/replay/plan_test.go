package replay_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/webhook"
)

// request is the request that a job makes at the fixed time.
func request(t testing.TB, j replay.Job) webhook.Request {
	t.Helper()
	r, err := j.Delivery.Request(clock)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPlanJobs(t *testing.T) {
	t.Parallel()
	t.Run("a record is signed again under its own id", func(t *testing.T) {
		t.Parallel()
		r := request(t, jobsOf(t, planFor(t), replay.FromRecord("f", recordOf("a", 503, clock)))[0])
		if err := webhook.Verify(r.Header.HTTP(), r.Body, clock, secret(t)); err != nil {
			t.Errorf("the signature: %v", err)
		}
		for name, want := range map[string]string{
			"X-Webhook-ID": "whk_a", "X-Webhook-Timestamp": webhook.FormatTimestamp(clock), "X-Custom": "kept", "User-Agent": "platform/1", "Host": "",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if n := len(r.Header.HTTP()["X-Webhook-Signature"]); n != 1 {
			t.Errorf("%d signatures", n)
		}
	})
	t.Run("a payload gets the header of its form", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct{ body, line, value string }{
			"inbound":  {inbound, "X-Webhook-Source", "custom"},
			"outbound": {outbound, "X-Webhook-Event", "work_order.created"},
			"compact":  {compact, "X-Webhook-Event", "workorder.created"},
			"the id":   {outbound, "X-Webhook-ID", "whk_fresh"},
			"the type": {hire, "Content-Type", "application/json"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := request(t, jobsOf(t, planFor(t), payload(t, test.body))[0])
				if got := r.Header.Get(test.line); got != test.value {
					t.Errorf("%s is %q, want %q", test.line, got, test.value)
				}
			})
		}
		r := request(t, jobsOf(t, planFor(t), payload(t, hire))[0])
		if !r.Header.Has("Signature") || r.Header.Has("X-Webhook-ID") {
			t.Errorf("Worksome's lines are %v", r.Header)
		}
	})
	t.Run("the scheme is the plan's, else the record's, else the platform's", func(t *testing.T) {
		t.Parallel()
		bare := recordOf("a", 200, clock)
		bare.Scheme = ""
		body := recordOf("a", 200, clock)
		body.Scheme = webhook.BodyOnly
		worksome := body
		worksome.Platform = webhook.Worksome
		square, err := webhook.SchemeNamed(webhook.Square)
		if err != nil {
			t.Fatal(err)
		}
		asked, other := planFor(t), planFor(t)
		asked.Scheme, other.Platform = square, webhook.Worksome
		for name, test := range map[string]struct {
			plan   replay.Plan
			record webhook.Record
			want   string // header of the signature
			scheme string
		}{
			"the record names none":         {planFor(t), bare, "X-Webhook-Signature", webhook.TimestampBody},
			"the record names its own":      {planFor(t), body, "X-Webhook-Signature", webhook.BodyOnly},
			"the record is Worksome's":      {planFor(t), worksome, "Signature", webhook.BodyOnly},
			"the plan names one":            {asked, body, "x-square-hmacsha256-signature", webhook.Square},
			"the plan's platform, and none": {other, bare, "Signature", webhook.BodyOnly},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				job := jobsOf(t, test.plan, replay.FromRecord("f", test.record))[0]
				if got := job.Delivery.Scheme.Name(); got != test.scheme {
					t.Errorf("scheme %s, want %s", got, test.scheme)
				}
				h := request(t, job).Header
				if !h.Has(test.want) || test.want != "X-Webhook-Signature" && h.Has("X-Webhook-Signature") {
					t.Errorf("the lines are %v, want a signature in %s alone", h, test.want)
				}
			})
		}
	})
	t.Run("hop-by-hop and masked lines are not sent", func(t *testing.T) {
		t.Parallel()
		r := recordOf("a", 200, clock)
		r.Request.Header = webhook.Header{
			{Name: "Connection", Value: "close, X-Hop"}, {Name: "X-Hop", Value: "1"}, {Name: "Content-Length", Value: "9"},
			{Name: "Transfer-Encoding", Value: "chunked"}, {Name: "X-Api-Key", Value: "[redacted]"},
			{Name: "X-Twice", Value: "a"}, {Name: "X-Twice", Value: "b"},
		}
		for _, verbatim := range []bool{false, true} {
			plan := planFor(t)
			plan.Verbatim = verbatim
			h := request(t, jobsOf(t, plan, replay.FromRecord("f", r))[0]).Header
			for _, name := range []string{"Connection", "X-Hop", "Content-Length", "Transfer-Encoding", "X-Api-Key"} {
				if h.Has(name) {
					t.Errorf("verbatim %v: %s is there", verbatim, name)
				}
			}
			if got := strings.Join(h.HTTP()["X-Twice"], " "); got != "a b" {
				t.Errorf("verbatim %v: X-Twice is %q", verbatim, got)
			}
		}
	})
	t.Run("what was refused when it was received is signed only when asked", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct {
			edit func(*webhook.Record)
			want string
		}{
			"a signature":            {func(r *webhook.Record) { r.Verdict.Reason = "signature_mismatch" }, "signature_mismatch"},
			"a timestamp":            {func(r *webhook.Record) { r.Verdict.Reason = "timestamp_too_old" }, "timestamp_too_old"},
			"a form":                 {func(r *webhook.Record) { r.Verdict.Reason = "encoding" }, "encoding"},
			"a suspected replay":     {func(r *webhook.Record) { r.Verdict.Outcome, r.Verdict.Verified = webhook.ReplaySuspect, true }, "replay_suspect"},
			"findings, but verified": {func(r *webhook.Record) { r.Verdict.Reason, r.Verdict.Verified = "lint", true }, ""},
			"the app failed":         {func(r *webhook.Record) { r.Verdict.Outcome = webhook.Failed }, ""},
			"it was sent":            {func(r *webhook.Record) { r.Direction = webhook.Sent }, ""},
		} {
			r := recordOf("a", 401, clock)
			r.Verdict = &webhook.Verdict{Outcome: webhook.Refused}
			test.edit(&r)
			items := []replay.Item{replay.FromRecord("f", r)}
			if got := items[0].Refused(); got != test.want {
				t.Errorf("%s: Refused %q, want %q", name, got, test.want)
			}
			plan := planFor(t)
			if _, err := plan.Jobs(items, clock); errors.Is(err, replay.ErrRefused) != (test.want != "") {
				t.Errorf("%s: Jobs %v", name, err)
			}
			plan.Refused = true
			if _, err := plan.Jobs(items, clock); err != nil {
				t.Errorf("%s, asked for: %v", name, err)
			}
			plan = replay.Plan{URL: "http://127.0.0.1:1", Verbatim: true}
			if _, err := plan.Jobs(items, clock); err != nil {
				t.Errorf("%s, verbatim: %v", name, err)
			}
		}
	})
	t.Run("a verbatim plan sends what was recorded", func(t *testing.T) {
		t.Parallel()
		plan := replay.Plan{URL: "http://127.0.0.1:1", Verbatim: true}
		h := request(t, jobsOf(t, plan, replay.FromRecord("f", recordOf("a", 200, clock)))[0]).Header
		if h.Get("X-Webhook-Signature") != "00" || h.Get("X-Webhook-Timestamp") != "1" || h.Get("X-Webhook-ID") != "whk_a" {
			t.Errorf("the lines are %v", h)
		}
		if _, err := plan.Jobs([]replay.Item{payload(t, inbound)}, clock); !errors.Is(err, replay.ErrPayloadVerbatim) {
			t.Errorf("a payload: %v", err)
		}
	})
	t.Run("the number of the retry is the recorded one", func(t *testing.T) {
		t.Parallel()
		r := recordOf("a", 503, clock)
		r.Request.Header = append(r.Request.Header, webhook.Pair{Name: "X-Webhook-Retry", Value: "4"})
		plan := planFor(t)
		plan.FreshIDs = true
		h := request(t, jobsOf(t, plan, replay.FromRecord("f", r))[0]).Header
		if h.Get("X-Webhook-Retry") != "4" || h.Get("X-Webhook-ID") != "whk_fresh" {
			t.Errorf("the lines are %v", h)
		}
		plan.Override = webhook.Header{{Name: "X-Webhook-Retry", Value: "0"}}
		if got := request(t, jobsOf(t, plan, replay.FromRecord("f", r))[0]).Header.Get("X-Webhook-Retry"); got != "0" {
			t.Errorf("overridden, it is %q", got)
		}
	})
}
