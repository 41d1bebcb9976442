package receive_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// shelf is a Keep that remembers, and can be full.
type shelf struct {
	mu      sync.Mutex
	records []webhook.Record
	marks   []receive.Mark
	forward []bool
	full    error
}

func (s *shelf) keep(_ context.Context, receipt receive.Receipt) error {
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

func keeping(t *testing.T, s *shelf, app receive.App, first bool) *receiver {
	t.Helper()
	return newReceiver(t, func(c *receive.Config) { c.Keep, c.KeepFirst, c.App = s.keep, first, app })
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

// TestMemoryRestoreJudgesAsBefore holds that what Keep was given is all
// that a restart needs.
func TestMemoryRestoreJudgesAsBefore(t *testing.T) {
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
			m := receive.NewMemory(receive.DefaultMemory)
			m.Restore(s.marks)
			r := newReceiver(t, func(c *receive.Config) { c.Memory = m })
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
		c.Keep = s.keep
		c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { return receive.Status(status) }
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
