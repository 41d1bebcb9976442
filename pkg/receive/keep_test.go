package receive_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// shelf is a Recorder that can be full.
type shelf struct {
	receive.Store // is not asked

	mu      sync.Mutex
	records []webhook.Record
	marks   []receive.Mark
	forward []bool
	full    error
}

func (s *shelf) Keep(_ context.Context, receipt receive.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil {
		return s.full
	}
	r := receipt.Record
	verdict := *r.Verdict // as it is now, whatever comes later
	r.Verdict = &verdict
	s.records = append(s.records, r)
	s.forward = append(s.forward, receipt.Forward)
	if receipt.Mark != nil {
		s.marks = append(s.marks, *receipt.Mark)
	}
	return nil
}

func (s *shelf) Marks(context.Context, int) ([]receive.Mark, error) { return s.marks, nil }

func (s *shelf) Seen(context.Context, receive.Mark) ([]receive.Mark, error) { return nil, nil }

// want checks the outcomes of what was kept, in order.
func (s *shelf) want(t *testing.T, outcomes ...webhook.Outcome) {
	t.Helper()
	var got []webhook.Outcome
	for _, r := range s.records {
		got = append(got, r.Verdict.Outcome)
	}
	if !slices.Equal(got, outcomes) {
		t.Errorf("kept %v, want %v", got, outcomes)
	}
}

// keeping returns a receiver on a shelf. With first, the app has effects: the receiver
// claims a delivery before it calls the app.
func keeping(t *testing.T, s *shelf, app receive.App, first bool) *receiver {
	t.Helper()
	return newReceiver(t, func(c *receive.Config) {
		c.Store = s
		if app == nil {
			app = receive.Always(http.StatusOK)
		}
		if first {
			c.App = app
		} else {
			c.Check = app
		}
	})
}

func wantStatus(t *testing.T, r *receiver, status int, h http.Header, body string) {
	t.Helper()
	if got := r.answerTo(post(h, body)); got.Code != status {
		t.Errorf("status %d, want %d: %s", got.Code, status, got.Body)
	}
}

func TestConfigKeepGetsEveryRecordOnceAsItWasAnswered(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	r := keeping(t, s, nil, false)
	one := header("one", payload, clock)
	captured := one.Clone()
	captured.Set(webhook.HeaderID, "captured")
	wantStatus(t, r, http.StatusOK, one, payload)
	wantStatus(t, r, http.StatusOK, one, payload)
	wantStatus(t, r, http.StatusOK, captured, payload)
	wantStatus(t, r, http.StatusConflict, header("one", payload+" ", clock), payload+" ")
	wantStatus(t, r, http.StatusUnauthorized, http.Header{}, payload)
	s.want(t, webhook.Accepted, webhook.Duplicate, webhook.ReplaySuspect, webhook.Conflict, webhook.Refused)
	for _, record := range s.records[:3] {
		if record.Response == nil || record.Response.Status != http.StatusOK {
			t.Errorf("%s was kept before its answer was known: %+v", record.WebhookID, record.Response)
		}
	}
	if len(s.marks) != 1 || s.marks[0].ID != "one" || !s.marks[0].Accepted {
		t.Errorf("marks %+v, want the one that was accepted", s.marks)
	}
}

func TestConfigKeepErrorMakesA503(t *testing.T) {
	t.Parallel()
	s := &shelf{full: errors.New("the disk is full")}
	r := keeping(t, s, nil, true)
	wantStatus(t, r, http.StatusServiceUnavailable, header("one", payload, clock), payload)
	wantCalls(t, r, 0)
	if got := r.last(t).Verdict; got.Outcome != webhook.Failed || got.Reason != "journal" || got.Detail != "the disk is full" {
		t.Errorf("recorded as %+v", got)
	}
	s.full = nil
	wantStatus(t, r, http.StatusOK, header("one", payload, clock), payload)
	wantCalls(t, r, 1)
	s.want(t, webhook.Pending, webhook.Accepted)
	s.full = errors.New("the disk is full again")
	wantStatus(t, r, http.StatusServiceUnavailable, header("one", payload, clock), payload) // a duplicate's record is one as well
}

func TestConfigKeepErrorAfterTheAppIsANewTry(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	r := keeping(t, s, func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
		s.full = errors.New("full") // between the app's answer and the record of it
		return receive.OK()
	}, false)
	wantStatus(t, r, http.StatusServiceUnavailable, header("one", payload, clock), payload)
	s.full = nil
	wantStatus(t, r, http.StatusServiceUnavailable, header("one", payload, clock), payload)
	wantCalls(t, r, 2)
	if len(s.marks) != 0 {
		t.Errorf("marks %+v for what was never answered with 200", s.marks)
	}
}

func TestConfigKeepGetsAMarkOfAFailedTry(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	r := keeping(t, s, receive.Always(http.StatusInternalServerError), false)
	wantStatus(t, r, http.StatusInternalServerError, header("one", payload, clock), payload)
	if len(s.marks) != 1 || s.marks[0].Accepted {
		t.Errorf("marks %+v, want one that was not accepted", s.marks)
	}
	wantStatus(t, r, http.StatusInternalServerError, header("", payload+" ", clock), payload+" ")
	if len(s.marks) != 1 {
		t.Errorf("a request without an id left a mark: %+v", s.marks)
	}
	s.want(t, webhook.Failed, webhook.Failed)
}

func TestConfigKeepGetsTheRecordOfAPanic(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	r := keeping(t, s, func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { panic(http.ErrAbortHandler) }, false)
	func() {
		defer func() { _ = recover() }() // net/http's part
		r.answerTo(post(header("one", payload, clock), payload))
	}()
	s.want(t, webhook.Failed)
	if len(s.records) == 1 && (s.records[0].Error == "" || s.records[0].Response != nil) {
		t.Errorf("kept as %+v", s.records[0])
	}
}

// TestRecorderJudgesAsBeforeARestart holds that what Keep was given is all
// that a restart needs.
func TestRecorderJudgesAsBeforeARestart(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	status := http.StatusOK
	old := keeping(t, s, func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { return receive.Status(status) }, false)
	other := payload + " "
	one, retry := header("one", payload, clock), header("one", payload, clock.Add(time.Minute))
	failed, later := header("two", other, clock), header("two", other, clock.Add(time.Minute))
	wantStatus(t, old, http.StatusOK, one, payload)
	wantStatus(t, old, http.StatusOK, retry, payload)
	status = http.StatusInternalServerError
	wantStatus(t, old, status, failed, other)
	status = http.StatusOK
	wantStatus(t, old, status, later, other)

	under := func(h http.Header, id string) http.Header {
		h = h.Clone()
		h.Set(webhook.HeaderID, id)
		return h
	}
	for name, test := range map[string]struct {
		header http.Header
		body   string
		want   webhook.Outcome
	}{
		"the same again":                           {one, payload, webhook.Duplicate},
		"captured":                                 {under(one, "x"), payload, webhook.ReplaySuspect},
		"its retry again":                          {retry, payload, webhook.Duplicate},
		"its retry, captured":                      {under(retry, "x"), payload, webhook.ReplaySuspect},
		"its id with another body":                 {header("one", other, clock), other, webhook.Conflict},
		"a try that failed, after it was accepted": {failed, other, webhook.Duplicate},
		"that try, captured":                       {under(failed, "x"), other, webhook.ReplaySuspect},
		"something new":                            {header("three", payload+"  ", clock), payload + "  ", webhook.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := keeping(t, &shelf{marks: s.marks}, nil, false)
			r.answerTo(post(test.header, test.body))
			if got := r.last(t).Verdict.Outcome; got != test.want {
				t.Errorf("it is %s, want %s", got, test.want)
			}
		})
	}
}

func TestReceiptForwardIsSetForNewEventsThatTheAppAccepted(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	status := http.StatusOK
	r := newReceiver(t, func(c *receive.Config) {
		c.Store = s
		c.Check = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { return receive.Status(status) }
		c.Wants = func(e webhook.Event) bool { return e.Type != "project.created" }
	})
	for _, step := range []struct {
		name, id, body string
		status         int
		forward        bool
	}{
		{"a new event", "one", payload, http.StatusOK, true},
		{"a duplicate", "one", payload, http.StatusOK, false},
		{"an event that the app refuses", "two", payload + " ", http.StatusUnprocessableEntity, false},
		{"its retry, which the app accepts", "two", payload + " ", http.StatusAccepted, true},
		{"an event that Wants does not select", "three", `{"event_type":"project.created","data":{}}`, http.StatusOK, false},
	} {
		status = step.status
		r.deliver(step.id, step.body, clock)
		if got := s.forward[len(s.forward)-1]; got != step.forward {
			t.Errorf("%s: Forward is %t", step.name, got)
		}
	}
}

// Before the signature was accepted, anyone may have sent a request.
func TestReceiptUnverified(t *testing.T) {
	t.Parallel()
	type config = func(*receive.Config)
	bare := func(method, body string) *http.Request {
		r := post(http.Header{}, body)
		r.Method = method
		return r
	}
	encoded := header("one", payload, clock)
	encoded.Set("Content-Encoding", "gzip")
	strict := func(c *receive.Config) { c.App = receive.Always(http.StatusUnprocessableEntity) }
	skipping := func(c *receive.Config) { c.Verifier, c.SkipVerify = webhook.Verifier{}, true }
	unsigned := func(c *receive.Config) {
		c.Platform, c.Verifier = webhook.WorkMarket, webhook.Verifier{}
		c.Unsigned = &receive.Unsigned{Query: webhook.Header{{Name: "token", Value: "t"}}}
	}
	for name, test := range map[string]struct {
		edit    config
		request *http.Request
		status  int
		want    bool
	}{
		"no signature":                     {nil, bare("POST", payload), 401, true},
		"a wrong signature":                {nil, post(header("one", payload, clock), payload+" "), 401, true},
		"an old timestamp":                 {nil, post(header("one", payload, clock.Add(-time.Hour)), payload), 400, true},
		"a method":                         {nil, bare("GET", ""), 405, true},
		"a size":                           {func(c *receive.Config) { c.MaxBody = 10 }, post(header("one", payload, clock), payload), 413, true},
		"an encoding":                      {nil, post(encoded, payload), 415, true},
		"another credential":               {unsigned, bare("POST", payload), 401, true},
		"a method, without a verification": {skipping, bare("GET", ""), 405, true},
		"verified":                         {nil, post(header("one", payload, clock), payload), 200, false},
		"verified, and no JSON":            {nil, post(header("one", "{", clock), "{"), 400, false},
		"verified, and refused by the app": {strict, post(header("one", payload, clock), payload), 422, false},
		"accepted unverified":              {skipping, bare("POST", payload), 200, false},
		"no JSON, without a verification":  {skipping, bare("POST", "{"), 400, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var kept []receive.Receipt
			r := newReceiver(t, func(c *receive.Config) {
				c.Keep = func(_ context.Context, receipt receive.Receipt) error {
					kept = append(kept, receipt)
					return nil
				}
				if test.edit != nil {
					test.edit(c)
				}
			})
			if got := r.answerTo(test.request); got.Code != test.status {
				t.Errorf("status %d, want %d", got.Code, test.status)
			}
			if len(kept) != 1 || kept[0].Unverified != test.want {
				t.Errorf("kept %+v, want Unverified %t", kept, test.want)
			}
		})
	}
}

// A refusal is explained from the whole body, before it is kept, and after it is
// answered.
func TestConfigDiagnose(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	var asked []string
	w := httptest.NewRecorder()
	r := newReceiver(t, func(c *receive.Config) {
		c.Store = s
		c.Diagnose = func(r webhook.Request, reason webhook.Reason) *webhook.Diagnosis {
			if !w.Flushed {
				t.Error("the sender waits for it")
			}
			asked = append(asked, string(r.Body), string(reason))
			return &webhook.Diagnosis{ID: "known"}
		}
	})
	r.ServeHTTP(w, post(http.Header{}, payload))
	if !slices.Equal(asked, []string{payload, "signature_missing"}) {
		t.Errorf("asked about %q", asked)
	}
	if d := s.records[0].Verdict.Diagnosis; d == nil || d.ID != "known" {
		t.Errorf("kept with %+v", d)
	}
	if d := r.last(t).Verdict.Diagnosis; d == nil || d.ID != "known" {
		t.Errorf("shown with %+v", d)
	}
	r.deliver("one", payload, clock)
	r.deliver("two", "{", clock)
	if len(asked) != 2 {
		t.Errorf("asked also about %q, which were verified", asked[2:])
	}
}
