package check

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestRunOurReceiver(t *testing.T) {
	t.Parallel()
	for _, p := range []webhook.Platform{webhook.WorkSkedge, webhook.Worksome} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			var effects atomic.Int64
			results := run(t, ours(t, p, &effects), func(c *Config) {
				c.Platform, c.Events = p, webhook.DefaultCatalog().Events(p, webhook.Outbound)
				c.Effect = func(context.Context) (int64, error) { return effects.Load(), nil }
			})
			for _, r := range results.Results {
				if r.Verdict != report.Pass {
					t.Errorf("%s: %s: %s", r.Case.ID, r.Verdict, r.Detail)
				}
			}
			if results.Passed != len(results.Results) || results.Passed < 15 {
				t.Errorf("%d of %d passed", results.Passed, len(results.Results))
			}
		})
	}
}

func TestRunAnotherReceiver(t *testing.T) {
	t.Parallel()
	for _, p := range []webhook.Platform{webhook.WorkSkedge, webhook.Worksome} {
		results := run(t, &webhooktest.Receiver{Secret: testSecret, Platform: p}, nil)
		if results.Failed > 0 || results.Warnings > 0 {
			t.Errorf("%s: failed %q, warned %q", p, results.of(report.Fail), results.of(report.Warn))
		}
	}
}

// TestRunBugs checks that one bug fails one case.
func TestRunBugs(t *testing.T) {
	t.Parallel()
	throws := func(got, want string) bool {
		if len(got) != len(want) {
			panic(http.ErrAbortHandler)
		}
		return got == want
	}
	late := func(timestamp string, now time.Time) bool {
		at, err := strconv.ParseInt(timestamp, 10, 64)
		return err == nil && now.Unix()-at <= 300
	}
	answered := func(status int) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool { w.WriteHeader(status); return true }
	}
	for _, c := range []struct {
		bug   string
		fails string // the case that names it
		warns string
		make  *webhooktest.Receiver
	}{
		{bug: "verifies what JavaScript serializes", fails: "raw_body", make: &webhooktest.Receiver{Body: webhooktest.Reserialised}},
		{bug: "verifies what Python serializes", fails: "raw_body", make: &webhooktest.Receiver{Body: func(raw []byte) []byte { return spaced(webhooktest.Reserialised(raw)) }}},
		{bug: "throws at signatures of another length", fails: "signature_length", make: &webhooktest.Receiver{
			Before: func(w http.ResponseWriter, r *http.Request) bool {
				if len(r.Header.Values("X-Webhook-Signature")) > 0 {
					return false
				}
				return answered(401)(w)
			}, Equal: throws}},
		{bug: "compares the common part", fails: "signature_length", make: &webhooktest.Receiver{Equal: func(got, want string) bool {
			n := min(len(got), len(want))
			return n > 0 && got[:n] == want[:n]
		}}},
		{bug: "ignores the timestamp", fails: "timestamp_old", make: &webhooktest.Receiver{InTime: func(string, time.Time) bool { return true }}},
		{bug: "checks the age alone", fails: "timestamp_future", make: &webhooktest.Receiver{InTime: late}},
		{bug: "crashes at a timestamp that is not a number", fails: "timestamp_not_number", make: &webhooktest.Receiver{Before: func(w http.ResponseWriter, r *http.Request) bool {
			_, err := strconv.Atoi(r.Header.Get("X-Webhook-Timestamp"))
			return r.Method == http.MethodPost && r.Header.Get("X-Webhook-Timestamp") != "" && err != nil && answered(500)(w)
		}}},
		{bug: "accepts a timestamp that ends in letters", fails: "timestamp_not_number", make: &webhooktest.Receiver{InTime: func(timestamp string, now time.Time) bool {
			at, err := strconv.ParseInt(strings.TrimRight(timestamp, "abcdefghijklmnopqrstuvwxyz"), 10, 64)
			return err == nil && now.Sub(time.Unix(at, 0)).Abs() < 301*time.Second
		}}},
		{bug: "remembers nothing", fails: "duplicate_effect", warns: "captured", make: &webhooktest.Receiver{Forgetful: true}},
		{bug: "remembers only digests", fails: "duplicate_effect", make: &webhooktest.Receiver{ByDigest: true}},
		{bug: "remembers only ids", warns: "captured", make: &webhooktest.Receiver{ByID: true}},
		{bug: "accepts an empty secret", fails: "signature_empty_secret", make: &webhooktest.Receiver{AnySecret: []string{""}}},
		{bug: "crashes at a body that is not JSON", fails: "not_json", make: &webhooktest.Receiver{Parsed: func(w http.ResponseWriter, body map[string]any, _ *http.Request) bool {
			return body == nil && answered(500)(w)
		}}},
		{bug: "accepts a body that is not JSON", fails: "not_json", make: &webhooktest.Receiver{Parsed: func(http.ResponseWriter, map[string]any, *http.Request) bool { return false }}},
		{bug: "refuses unknown events", fails: "unknown_event", make: &webhooktest.Receiver{Parsed: func(w http.ResponseWriter, body map[string]any, _ *http.Request) bool {
			return (body == nil || body["event_type"] != "work_order.created") && answered(400)(w)
		}}},
		{bug: "refuses unknown fields", fails: "unknown_field", make: &webhooktest.Receiver{Parsed: func(w http.ResponseWriter, body map[string]any, _ *http.Request) bool {
			return (body == nil || body["schema_version"] != nil) && answered(422)(w)
		}}},
		{bug: "refuses retries", fails: "retry", make: &webhooktest.Receiver{Before: func(w http.ResponseWriter, r *http.Request) bool {
			n, _ := strconv.Atoi(r.Header.Get("X-Webhook-Retry"))
			return n > 2 && answered(409)(w)
		}}},
		{bug: "responds 500 to 1 MB", fails: "large_body", make: &webhooktest.Receiver{Before: func(w http.ResponseWriter, r *http.Request) bool {
			return r.ContentLength > 100_000 && answered(500)(w)
		}}},
		{bug: "reveals the expected signature", fails: "leak", make: &webhooktest.Receiver{Refusal: func(w http.ResponseWriter, want string) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "expected %s", want)
		}}},
		{bug: "prints its environment", fails: "leak", make: &webhooktest.Receiver{Refusal: func(w http.ResponseWriter, _ string) {
			w.Header().Set("X-Debug", "WEBHOOK_SECRET="+testSecret)
			w.WriteHeader(http.StatusUnauthorized)
		}}},
		{bug: "accepts a GET", warns: "get", make: &webhooktest.Receiver{Before: func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodGet && answered(200)(w)
		}}},
		{bug: "accepts uppercase", warns: "signature_uppercase", make: &webhooktest.Receiver{Equal: strings.EqualFold}},
	} {
		t.Run(c.bug, func(t *testing.T) {
			t.Parallel()
			v := c.make
			v.Secret = testSecret
			results := run(t, v, nil)
			if got := results.of(report.Fail); got != c.fails {
				t.Errorf("failed: %q, want %q\n%s", got, c.fails, details(results))
			}
			if got := results.of(report.Warn); got != c.warns {
				t.Errorf("warned: %q, want %q\n%s", got, c.warns, details(results))
			}
		})
	}
}

func details(r Report) string {
	var out strings.Builder
	for _, result := range r.Results {
		if result.Verdict != report.Pass {
			fmt.Fprintf(&out, "%s %s %d: %s\n", result.Verdict, result.Case.ID, result.Status, result.Detail)
		}
	}
	return out.String()
}

func TestRunWithoutSignatureCheck(t *testing.T) {
	t.Parallel()
	failed := strings.Fields(run(t, &webhooktest.Receiver{Any: true}, nil).of(report.Fail))
	for _, id := range []string{"signature_missing", "signature_wrong", "signature_length", "signature_not_hex", "signature_other_body", "signature_empty_secret", "body_changed"} {
		if !slices.Contains(failed, id) {
			t.Errorf("%s is not among the failed: %v", id, failed)
		}
	}
}

func TestRunRefusedValidEvent(t *testing.T) {
	t.Parallel()
	results := run(t, &webhooktest.Receiver{Secret: "another"}, nil)
	if got := results.of(report.Fail); got != "valid" {
		t.Errorf("failed: %q", got)
	}
	if results.Passed > 4 {
		t.Errorf("passed: %q", results.of(report.Pass))
	}
}

// The path is asked about before the secret.
func TestRunRefusedValidEvent_by_its_status(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		404: "responded 404 to a valid event: is /hooks/in the receiver's path?",
		405: "responded 405 to a valid event: does the receiver take POST at /hooks/in?",
		403: "responded 403 to a valid event: is this the receiver's secret?",
		400: "responded 400 to a valid event",
	} {
		results := run(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), func(c *Config) { c.URL += "/hooks/in?a=b" })
		if got := results.named("valid").Detail; got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
	}
}

func TestRunRedirect(t *testing.T) {
	t.Parallel()
	results := run(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://user:pw@example.com/hooks/", http.StatusPermanentRedirect)
	}), nil)
	if got := results.of(report.Fail) + "/" + results.of(report.Warn); got != "valid/redirect" {
		t.Errorf("verdicts %q\n%s", got, details(results))
	}
	if detail := results.named("redirect").Detail; strings.Contains(detail, "pw") || !strings.Contains(detail, "example.com/hooks/") {
		t.Errorf("detail %q", detail)
	}
}

// hang returns when the client is gone, which net/http notices only after the
// body was read.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestRunMisbehavingEndpoints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		serve   http.HandlerFunc
		fails   string
		timeout time.Duration
	}{
		{"never responds", func(_ http.ResponseWriter, r *http.Request) { hang(r) }, "valid answer_time", 100 * time.Millisecond},
		{"closes the connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "valid", time.Minute},
		{"responds without end", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			for chunk := make([]byte, 1<<16); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, "valid", time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			results := run(t, c.serve, func(config *Config) { config.Timeout = c.timeout })
			if got := results.of(report.Fail); got != c.fails {
				t.Errorf("failed: %q, want %q\n%s", got, c.fails, details(results))
			}
		})
	}
}

func TestRunTimeouts(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	v := &webhooktest.Receiver{Secret: testSecret}
	v.Before = func(_ http.ResponseWriter, r *http.Request) bool {
		if n.Add(1) > 20 {
			hang(r)
			return true
		}
		return false
	}
	results := run(t, v, func(c *Config) { c.Timeout = 200 * time.Millisecond })
	if results.Skipped < 5 {
		t.Errorf("skipped: %q\n%s", results.of(report.Skip), details(results))
	}
	if r := results.named("answer_time"); r.Verdict != report.Fail {
		t.Errorf("answer_time: %s", r.Verdict)
	}
}

func TestJudgeTime(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]report.Verdict{9 * time.Second: report.Pass, 11 * time.Second: report.Warn, 31 * time.Second: report.Fail} {
		s := &session{config: Config{Timeout: time.Minute}}
		s.exchanges = []exchange{{request: &request{name: "an event"}, record: &webhook.Record{Duration: took, Response: &webhook.Response{Status: 200}}}}
		f, err := judgeTime(t.Context(), s)
		if f.verdict == 0 {
			f.verdict = report.Pass
		}
		if err != nil || f.verdict != want {
			t.Errorf("%s: %s (%s), %v; want %s", took, f.verdict, f.detail, err, want)
		}
	}
}

func TestRunUnreachable(t *testing.T) {
	t.Parallel()
	_, err := tryRun(t, http.NotFoundHandler(), func(c *Config) { c.URL = webhooktest.ClosedURL })
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
}

func TestRunOnlyAndSkip(t *testing.T) {
	t.Parallel()
	results := run(t, &webhooktest.Receiver{Secret: testSecret}, func(c *Config) { c.Only, c.Skip = []string{"signature_*", "raw_body"}, []string{"*_wrong"} })
	got := results.of(report.Pass)
	if want := "raw_body signature_missing signature_length signature_not_hex signature_uppercase signature_other_body signature_empty_secret"; got != want {
		t.Errorf("ran %q, want %q", got, want)
	}
	_, err := tryRun(t, &webhooktest.Receiver{Secret: testSecret}, func(c *Config) { c.Only = []string{"raw_bodi"} })
	var unknown *webhook.UnknownError
	if !errors.As(err, &unknown) || unknown.Nearest != "raw_body" {
		t.Errorf("error %v", err)
	}
	results = run(t, &webhooktest.Receiver{Secret: "another"}, func(c *Config) { c.Only = []string{"burst"} })
	if got := results.of(report.Fail) + "/" + results.of(report.Skip); got != "valid/burst" {
		t.Errorf("a receiver that refuses everything: %q", got)
	}
}

func TestRunEffect(t *testing.T) {
	t.Parallel()
	bad := errors.New("no such table")
	_, err := tryRun(t, &webhooktest.Receiver{Secret: testSecret}, func(c *Config) {
		c.Effect = func(context.Context) (int64, error) { return 0, bad }
	})
	if !errors.Is(err, bad) {
		t.Errorf("error %v", err)
	}
	results := run(t, &webhooktest.Receiver{Secret: testSecret}, func(c *Config) {
		c.Effect = func(context.Context) (int64, error) { return 7, nil }
	})
	if r := results.named("duplicate_effect"); r.Verdict != report.Skip {
		t.Errorf("a count that never changes: %s, %s", r.Verdict, r.Detail)
	}
}

func TestCases(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range Cases(webhook.WorkSkedge) {
		if seen[c.ID] {
			t.Errorf("%s is listed twice", c.ID)
		}
		seen[c.ID] = true
		if c.Why == "" || c.Fix.Node == "" || c.Fix.Python == "" || c.Fix.PHP == "" || c.Fix.Go == "" {
			t.Errorf("%s does not say why it matters, or how to fix it", c.ID)
		}
		if len(c.Title) == 0 || len(c.Title) > 54 {
			t.Errorf("%s: a title of %d letters", c.ID, len(c.Title))
		}
		if c.after != "" && !seen[c.after] {
			t.Errorf("%s comes after %s, which does not run before it", c.ID, c.after)
		}
		if (c.judge == nil) == (c.send == nil) {
			t.Errorf("%s must have either send or judge", c.ID)
		}
	}
}

// TestValidBody checks that every language serializes the valid event to the
// same bytes.
func TestValidBody(t *testing.T) {
	t.Parallel()
	for _, p := range []webhook.Platform{webhook.WorkSkedge, webhook.Worksome} {
		body := newTestSession(t, p).validBody()
		if string(webhooktest.Reserialised(body)) != string(body) {
			t.Errorf("%s: written again it is\n%s\nfrom\n%s", p, webhooktest.Reserialised(body), body)
		}
		for _, c := range body {
			if c > 126 || c < 32 || strings.ContainsRune(`<>&/\`, rune(c)) {
				t.Errorf("%s: it holds %q", p, c)
			}
		}
	}
}

func TestRunRequestCount(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	v := &webhooktest.Receiver{Secret: testSecret}
	v.Before = func(http.ResponseWriter, *http.Request) bool { n.Add(1); return false }
	run(t, v, nil)
	if n.Load() > 120 {
		t.Errorf("%d requests", n.Load())
	}
}

func TestExpectationProblem(t *testing.T) {
	t.Parallel()
	const accepts, again, redirect = "accepted it with 200", "responded 500 to it: the platform sends", "responded 302 to it: platforms do not follow"
	for _, c := range []struct {
		expected expectation
		want     map[int]string // the beginning, by status; 0: no response
	}{
		{accepted, map[int]string{0: "did not respond to it: reset", 200: "", 302: redirect, 404: "responded 404 to it", 413: "responded 413 to it", 500: "responded 500 to it"}},
		{refused, map[int]string{0: "did not respond to it: reset", 200: accepts, 302: redirect, 404: "", 500: again}},
		{acceptedOrTooLarge, map[int]string{200: "", 302: redirect, 404: "responded 404 to it", 413: "", 500: "responded 500 to it"}},
		{notAccepted, map[int]string{0: "did not respond to it: reset", 200: accepts, 302: "", 404: "", 500: ""}},
	} {
		for status, want := range c.want {
			r := &webhook.Record{Error: "reset"}
			if status != 0 {
				r.Response = &webhook.Response{Status: status}
			}
			got := c.expected.problem("it", r)
			if (got == "") != (want == "") || !strings.HasPrefix(got, want) {
				t.Errorf("expectation %d, status %d: %q, want %q", c.expected, status, got, want)
			}
			if want != again && strings.Contains(got, "5xx") {
				t.Errorf("expectation %d, status %d: %q speaks of 5xx", c.expected, status, got)
			}
		}
	}
}

func TestRawBodies(t *testing.T) {
	t.Parallel()
	for p, want := range map[webhook.Platform]int{webhook.WorkSkedge: 10, webhook.Worksome: 7} {
		s := newTestSession(t, p)
		requests := rawBodies(s)
		if len(requests) != want {
			t.Errorf("%s: %d requests, want %d", p, len(requests), want)
		}
		bodies := map[string]bool{}
		for _, r := range requests {
			if !json.Valid(r.body) || bytes.Contains(r.body, []byte("@@")) || bodies[string(r.body)] {
				t.Errorf("%s, %s: the body is not JSON, has a placeholder, or occurs twice: %s", p, r.name, r.body)
			}
			bodies[string(r.body)] = true
		}
		reserialisedNames := webhooktest.Reserialised(requests[6].body)
		if bytes.Equal(reserialisedNames, requests[6].body) || len(reserialisedNames) != len(requests[6].body) {
			t.Errorf("%s: the members of %s are not in another order", p, requests[6].body)
		}
	}
}

func TestUnknownEvent(t *testing.T) {
	t.Parallel()
	for p, header := range map[webhook.Platform]string{webhook.WorkSkedge: "work_order.teleported", webhook.Worksome: ""} {
		r := unknownEvent(newTestSession(t, p))[0]
		if got := r.header.Get(webhook.HeaderEvent); got != header || !bytes.Contains(r.body, []byte("eleported")) {
			t.Errorf("%s: %s: %q with %s", p, webhook.HeaderEvent, got, r.body)
		}
	}
}

func TestSpaced(t *testing.T) {
	t.Parallel()
	got := string(spaced([]byte(`{"a,b":"c\"d:e\\","f":[1,{"g":null}]}`)))
	if want := `{"a,b": "c\"d:e\\", "f": [1, {"g": null}]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAnd(t *testing.T) {
	t.Parallel()
	for want, names := range map[string][]string{"a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := and(names); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestRunCapturedWithoutEffect checks what is known of a captured request if
// nothing counts the effect.
func TestRunCapturedWithoutEffect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		want   report.Verdict
	}{{200, report.Pass}, {409, report.Pass}, {500, report.Warn}} {
		v := &webhooktest.Receiver{Secret: testSecret}
		var first sync.Map // the timestamp and body of each request
		v.Before = func(w http.ResponseWriter, r *http.Request) bool {
			_, known := first.LoadOrStore(r.Header.Get(webhook.HeaderSignature), true)
			if known {
				w.WriteHeader(c.status)
			}
			return known
		}
		results := run(t, v, func(config *Config) { config.Effect, config.Only = nil, []string{"captured"} })
		if r := results.named("captured"); r.Verdict != c.want {
			t.Errorf("%d to a captured request: %s, %s; want %s", c.status, r.Verdict, r.Detail, c.want)
		}
	}
}
