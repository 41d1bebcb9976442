package receivetest_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/receive/receivetest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// noon is the time of the tests that give a clock.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// receiver returns a receiver that works at noon, and a function that returns its verdict
// on a request.
func receiver(t *testing.T, c receive.Config) (http.Handler, func(receivetest.Result) *webhook.Verdict) {
	t.Helper()
	records := make(chan webhook.Record, 32)
	c.Secrets, c.Now = []webhook.Secret{webhooktest.Secret(t, receivetest.DefaultSecret)}, atNoon
	c.Sink = func(r webhook.Record) { records <- r }
	h, err := receive.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h, func(result receivetest.Result) *webhook.Verdict {
		for { // the receiver makes its record after it has responded
			r := <-records
			is := func(name string) bool { return r.Request.Header.Get(name) == result.Record.Request.Header.Get(name) }
			if is(webhook.HeaderID) && is(webhook.HeaderRetry) && is(webhook.HeaderSignature) {
				return r.Verdict
			}
		}
	}
}

func TestSend_as_the_receiver_judges_it(t *testing.T) {
	t.Parallel()
	const created = "work_order.created"
	for _, c := range []struct {
		name     string
		platform webhook.Platform
		send     func(s *receivetest.Sender) receivetest.Result

		status  int
		outcome webhook.Outcome
		reason  webhook.Reason
	}{
		{name: "a sample", status: 200, outcome: webhook.Accepted, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created))
		}},
		{name: "a compact sample", status: 200, outcome: webhook.Accepted, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Compact, "workorder.created"))
		}},
		{name: "a sample of Worksome", platform: webhook.Worksome, status: 200, outcome: webhook.Accepted, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.WorksomeForm, "hireUpdated"))
		}},
		{name: "a sample of Worksome by the name of its scheme", platform: webhook.Worksome, status: 200, outcome: webhook.Accepted, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.WorksomeForm, "hireUpdated"), receivetest.Scheme(webhook.BodyOnly))
		}},
		{name: "an event of the test", status: 200, outcome: webhook.Accepted, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Event(webhook.Outbound, "work_order.teleported", map[string]any{"to": "Mars"}))
		}},
		{name: "a delivery again", status: 200, outcome: webhook.Duplicate, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Resend(s.Send(s.Sample(webhook.Outbound, created)))
		}},
		{name: "another event under the id", status: 409, outcome: webhook.Conflict, send: func(s *receivetest.Sender) receivetest.Result {
			first := s.Send(s.Sample(webhook.Outbound, created))
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.ID(first.ID))
		}},
		{name: "a captured request", status: 200, outcome: webhook.ReplaySuspect, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Send(s.Sample(webhook.Outbound, created)).Event)
		}},
		{name: "another secret", status: 401, outcome: webhook.Refused, reason: webhook.SignatureMismatch, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.SignedWith("another secret"))
		}},
		{name: "another body", status: 401, outcome: webhook.Refused, reason: webhook.SignatureMismatch, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.Tampered(s.Sample(webhook.Outbound, created).Raw))
		}},
		{name: "no body", status: 401, outcome: webhook.Refused, reason: webhook.SignatureMismatch, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.Tampered(nil))
		}},
		{name: "of another time", status: 200, outcome: webhook.Accepted, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.At(noon.Add(-300*time.Second)))
		}},
		{name: "too old", status: 400, outcome: webhook.Refused, reason: webhook.TimestampTooOld, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.At(noon.Add(-301*time.Second)))
		}},
		{name: "unsigned", status: 401, outcome: webhook.Refused, reason: webhook.SignatureMissing, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.Unsigned())
		}},
		{name: "without a timestamp", status: 400, outcome: webhook.Refused, reason: webhook.TimestampMissing, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.Header(webhook.HeaderTimestamp, ""))
		}},
		{name: "with another signature", status: 401, outcome: webhook.Refused, reason: webhook.SignatureMalformed, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.Header(webhook.HeaderSignature, "sha256"))
		}},
		{name: "by another scheme", status: 401, outcome: webhook.Refused, reason: webhook.SignatureMissing, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Sample(webhook.Outbound, created), receivetest.Scheme(webhook.StandardWebhooks))
		}},
		{name: "too large", status: 413, outcome: webhook.Refused, reason: webhook.BodyTooLarge, send: func(s *receivetest.Sender) receivetest.Result {
			return s.Send(s.Event(webhook.Outbound, created, map[string]any{"notes": strings.Repeat("x", receive.DefaultMaxBody)}))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, verdict := receiver(t, receive.Config{Platform: c.platform})
			result := c.send(receivetest.New(t, h, receivetest.Clock(atNoon))).Want(c.status)
			got := verdict(result)
			if got.Outcome != c.outcome || got.Reason != string(c.reason) && c.reason != "" {
				t.Errorf("the receiver judges %+v, want %s %s", got, c.outcome, c.reason)
			}
			if sent := result.Record.Request.Header; result.ID != cmp.Or(sent.Get(webhook.HeaderID), sent.Get("webhook-id")) {
				t.Errorf("the id is %q, and the header %v", result.ID, result.Record.Request.Header)
			}
			if string(result.Body) != string(result.Record.Response.Body) || result.Header.Get("Date") == "" || result.Event.Type == "" {
				t.Errorf("the result is %+v", result)
			}
		})
	}
}

func TestSend_by_every_scheme(t *testing.T) {
	t.Parallel()
	for _, scheme := range webhook.Schemes() {
		if scheme.Name() == webhook.Square {
			continue // its signature covers the URL that the receiver is registered under
		}
		h, _ := receiver(t, receive.Config{Verifier: webhook.Verifier{Scheme: scheme}})
		s := receivetest.New(t, h, receivetest.Clock(atNoon))
		got := s.Send(s.Sample(webhook.Outbound, "project.created"), receivetest.Scheme(scheme.Name())).Want(200)
		if got.Record.Scheme != scheme.Name() {
			t.Errorf("the record has the scheme %q, want %q", got.Record.Scheme, scheme.Name())
		}
	}
}

func TestSend_is_deterministic(t *testing.T) {
	t.Parallel()
	run := func() []webhook.Request {
		h, _ := receiver(t, receive.Config{})
		s := receivetest.New(t, h, receivetest.Clock(atNoon), receivetest.Path("/hooks?a=b"))
		first := s.Send(s.Sample(webhook.Outbound, "project.created"))
		results := []receivetest.Result{first, s.Resend(first), s.Send(s.Event(webhook.Outbound, "project.updated", nil)), s.Send(first.Event, receivetest.Attempt(3))}
		if got := results[3].Record.ID; got != "rec_4" {
			t.Errorf("the fourth record is %s", got)
		}
		requests := make([]webhook.Request, len(results))
		for i, r := range results {
			requests[i] = r.Record.Request
			if !strings.HasSuffix(requests[i].URL, "/hooks?a=b") {
				t.Errorf("the URL is %s", requests[i].URL)
			}
			requests[i].URL = "" // it has the port
		}
		return requests
	}
	first, second := run(), run()
	if !reflect.DeepEqual(first, second) {
		t.Errorf("two runs sent\n%q\n%q", first, second)
	}
	for i, want := range []struct{ id, retry, timestamp, event string }{
		{"whk_1", "0", "1772452800", `"event_id":"evt_1"`},
		{"whk_1", "1", "1772452801", `"event_id":"evt_1"`}, // a second later, so the signature is another one
		{"whk_2", "0", "1772452800", `"event_id":"evt_2"`},
		{"whk_3", "3", "1772452800", `"event_id":"evt_1"`},
	} {
		h, body := first[i].Header, strings.ReplaceAll(string(first[i].Body), `": "`, `":"`)
		if h.Get(webhook.HeaderID) != want.id || h.Get(webhook.HeaderRetry) != want.retry || h.Get(webhook.HeaderTimestamp) != want.timestamp || !strings.Contains(body, want.event) {
			t.Errorf("request %d is %q %s, want %+v", i, h, body, want)
		}
	}
}

func TestNewID_names_deliveries_and_events(t *testing.T) {
	t.Parallel()
	h, _ := receiver(t, receive.Config{})
	n := 40
	s := receivetest.New(t, h, receivetest.NewID(func() string { n++; return fmt.Sprint(n) }))
	if got := s.Send(s.Sample(webhook.Outbound, "project.created")); got.Event.ID != "evt_41" || got.ID != "whk_42" {
		t.Errorf("the event is %s and the delivery %s", got.Event.ID, got.ID)
	}
}

func TestResend_counts_attempts_and_keeps_its_options(t *testing.T) {
	t.Parallel()
	h, verdict := receiver(t, receive.Config{})
	now := noon.Add(-time.Minute)
	s := receivetest.New(t, h, receivetest.Clock(func() time.Time { return now }))
	second := s.Resend(s.Send(s.Sample(webhook.Outbound, "project.created")))
	now = noon
	third := s.Resend(second)
	if got := third.Record; got.Attempt != 2 || got.Request.Header.Get(webhook.HeaderTimestamp) != "1772452800" {
		t.Errorf("the third attempt is %d: %v", got.Attempt, got.Request.Header)
	}
	late := s.Resend(third, receivetest.At(noon.Add(-time.Hour))).Want(400)
	if got := verdict(late).Reason; got != string(webhook.TimestampTooOld) {
		t.Errorf("refused for %q", got)
	}
}

func TestSend_from_many_goroutines(t *testing.T) {
	t.Parallel()
	var handled atomic.Int64
	h, _ := receiver(t, receive.Config{App: func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
		handled.Add(1)
		return receive.OK()
	}})
	s := receivetest.New(t, h, receivetest.Clock(atNoon))
	events := []webhook.Event{s.Sample(webhook.Outbound, "project.created"), s.Sample(webhook.Outbound, "project.created")}
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() { s.Send(events[i%2], receivetest.ID(events[i%2].ID)) })
	}
	wait.Wait()
	if got := handled.Load(); got != 2 {
		t.Errorf("two events were handled %d times", got)
	}
}

func TestContext_ends_the_request(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s := receivetest.New(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := webhook.VerifyRequest(r, 1<<20, webhooktest.Secret(t, receivetest.DefaultSecret)); err != nil {
			t.Errorf("verifying: %v", err)
		}
		cancel()
		<-r.Context().Done() // the connection is closed
		ended <- r.Context().Err()
	}))
	got := s.Send(s.Sample(webhook.Outbound, "project.created"), receivetest.Context(ctx)).Want(0)
	if !strings.Contains(got.Record.Error, "interrupted") || got.Header != nil {
		t.Errorf("the result is %+v", got)
	}
	if err := <-ended; err == nil {
		t.Error("the handler was not canceled")
	}
}

func TestClient_retries_a_delivery(t *testing.T) {
	t.Parallel()
	h, _ := receiver(t, receive.Config{App: receive.FailFirst(1, 10, func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { return receive.OK() })})
	s := receivetest.New(t, h, receivetest.Clock(atNoon))
	s.Client.Wait = func(context.Context, time.Duration) error { return nil }
	record, err := s.Client.Send(t.Context(), s.Delivery(s.Sample(webhook.Outbound, "project.created")), deliver.Policy{Retries: 1}, nil)
	if err != nil || record.Attempt != 1 || record.Status() != 200 {
		t.Errorf("attempt %d: %d, %v", record.Attempt, record.Status(), err)
	}
}

// fakeTB is a test that may fail.
type fakeTB struct {
	testing.TB
	failures []string
}

func (f *fakeTB) Helper() {}
func (f *fakeTB) Errorf(format string, values ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, values...))
}
func (f *fakeTB) Fatal(values ...any) {
	f.failures = append(f.failures, "fatal: "+fmt.Sprint(values...))
	runtime.Goexit()
}
func (f *fakeTB) Fatalf(format string, values ...any) { f.Fatal(fmt.Sprintf(format, values...)) }

// failuresOf returns how a test fails.
func failuresOf(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	f := &fakeTB{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	return strings.Join(f.failures, "\n")
}

func TestWant_says_what_was_sent_and_what_came_back(t *testing.T) {
	t.Parallel()
	h, _ := receiver(t, receive.Config{})
	var url string
	got := failuresOf(t, func(t testing.TB) {
		s := receivetest.New(t, h, receivetest.Clock(atNoon), receivetest.Path("/hooks?token=t0ken"))
		url = strings.TrimSuffix(s.URL, "t0ken") + "[redacted]"
		s.Send(s.Event(webhook.Compact, "project.created", map[string]any{"name": "Harbor"}),
			receivetest.SignedWith("another secret"), receivetest.Header("X-API-Key", "k3y"), receivetest.Header("User-Agent", "")).Want(401).Want(200)
	})
	date := "Date: " // of the server
	if before, after, found := strings.Cut(got, date); found {
		got = before + date + after[strings.IndexByte(after, '\n'):]
	}
	want := `project.created: 401 Unauthorized, want 200
  sent  POST ` + url + `
        Content-Type: application/json
        X-Webhook-Event: project.created
        X-Webhook-Retry: 0
        X-Webhook-ID: whk_1
        X-Webhook-Timestamp: 1772452800
        X-Webhook-Signature: ` + webhooktest.HexHMAC("another secret", `1772452800.{"event":"project.created","timestamp":"2026-03-02T12:00:00Z","data":{"name":"Harbor"}}`) + `
        X-API-Key: [redacted]

        {"event":"project.created","timestamp":"2026-03-02T12:00:00Z","data":{"name":"Harbor"}}
  got   401 Unauthorized
        Content-Length: 29
        Content-Type: application/json
        Date: 

        {"error":"Invalid signature"}
`
	if got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
}

func TestWant_shows_the_beginning_of_a_long_body(t *testing.T) {
	t.Parallel()
	got := failuresOf(t, func(t testing.TB) {
		s := receivetest.New(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Repeat("é", 1000)+"\nend")
		}))
		s.Send(s.Sample(webhook.Outbound, "project.created")).Want(201)
	})
	if !strings.Contains(got, "        … 2004 bytes in all\n") || strings.Contains(got, "end\n") || !strings.Contains(got, "é") {
		t.Errorf("it says\n%s", got)
	}
}

func TestWant_says_why_there_is_no_response(t *testing.T) {
	t.Parallel()
	got := failuresOf(t, func(t testing.TB) {
		s := receivetest.New(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		s.Send(s.Sample(webhook.Outbound, "project.created")).Want(200)
	})
	if !strings.HasPrefix(got, "project.created: no response (") || !strings.HasSuffix(got, "\n  got   no response\n") {
		t.Errorf("it says\n%s", got)
	}
}

func TestTimeout_ends_a_request(t *testing.T) {
	t.Parallel()
	s := receivetest.New(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}), receivetest.Timeout(time.Millisecond))
	if got := s.Send(s.Sample(webhook.Outbound, "project.created")).Want(0); !strings.Contains(got.Record.Error, "no answer within 1ms") {
		t.Errorf("the error is %q", got.Record.Error)
	}
}

func TestSender_refuses_what_it_cannot_do(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	send := func(options ...receivetest.SendOption) func(testing.TB) {
		return func(t testing.TB) {
			s := receivetest.New(t, ok)
			s.Send(s.Sample(webhook.Outbound, "project.created"), options...).Want(200)
		}
	}
	for _, c := range []struct {
		test func(testing.TB)
		says string
	}{
		{func(t testing.TB) { receivetest.New(t, nil) }, "fatal: receivetest: the handler is nil"},
		{func(t testing.TB) { receivetest.New(t, ok, receivetest.Secret(" ")) }, "fatal: receivetest: " + webhook.ErrBlankSecret.Error()},
		{func(t testing.TB) { receivetest.New(t, ok, receivetest.Path("hooks")) }, `fatal: receivetest: the path "hooks" must begin with /`},
		{func(t testing.TB) { receivetest.New(t, ok).Sample(webhook.Outbound, "project.craeted") }, "fatal: unknown outbound event"},
		{func(t testing.TB) { receivetest.New(t, ok).Event(webhook.Outbound, "a.b", make(chan int)) }, "fatal: the data of a.b: "},
		{send(receivetest.SignedWith("")), "sending project.created: " + webhook.ErrBlankSecret.Error()},
		{send(receivetest.Scheme("sqare")), "sending project.created: unknown scheme"},
		{send(receivetest.Scheme(webhook.StandardWebhooks), receivetest.SignedWith("whsec_!")), "sending project.created: signing: "},
		{send(receivetest.Header("Content-Length", "3")), "sending project.created: "},
	} {
		got := failuresOf(t, c.test)
		if !strings.HasPrefix(got, c.says) || strings.Contains(got, "\n") {
			t.Errorf("it says %q, want %q…", got, c.says)
		}
	}
}
