package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// ServeHTTP takes inbound events at [Path], and questions under [AdminPath].
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == Path:
		s.inbound(w, r)
	case strings.HasPrefix(r.URL.Path, AdminPath):
		s.admin.ServeHTTP(w, r)
	case r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodHead:
		notPosted().write(w)
	default:
		refused(http.StatusNotFound, "there is nothing here: events are POSTed to "+Path).write(w)
	}
}

// inbound takes one event and tells Config.Received of it.
func (s *Sandbox) inbound(w http.ResponseWriter, r *http.Request) {
	began := s.now()
	record := webhook.Record{
		ID: "rec_" + s.newID(), Time: began, Direction: webhook.Received, Platform: webhook.WorkSkedge, Form: webhook.Inbound,
		Request: webhook.Request{Method: r.Method, URL: r.RequestURI, Header: append(webhook.Header{{Name: "Host", Value: r.Host}}, webhook.HeaderOf(r.Header)...)},
		Verdict: &webhook.Verdict{Outcome: webhook.Refused},
	}
	a := s.judge(w, r, &record)
	record.Response = a.write(w)
	if a.unsigned != nil {
		_ = http.NewResponseController(w).Flush() // the sender does not wait for what it is not told
		s.explain(a.unsigned, &record)
	}
	record.Duration = s.now().Sub(began)
	if s.config.Received != nil {
		s.config.Received(record)
	}
}

// judge makes the checks in the platform's order, and carries out what passes
// them all.
func (s *Sandbox) judge(w http.ResponseWriter, r *http.Request, record *webhook.Record) answer {
	verdict := record.Verdict
	if r.Method != http.MethodPost {
		verdict.Reason, verdict.Detail = "method", "events are POSTed, and this was a "+r.Method
		return notPosted()
	}
	body, fault := receive.ReadBody(w, r, MaxBody)
	if fault != nil {
		verdict.Reason, verdict.Detail = fault.Reason, fault.Detail
		return refused(fault.Status, fault.Text)
	}
	record.Request.Body = body
	caller, known := s.caller(r.Header)
	if !known {
		verdict.Reason, verdict.Detail = "api_key", "the X-API-Key header is missing, or names no key of this sandbox"
		return noKey()
	}
	var extra http.Header
	if q, limited := s.limits.take(caller.key.Key, s.outbox.Clock()); limited {
		extra = http.Header{}
		q.write(extra, s.outbox.Clock().Sub(s.now()))
		if q.wait > 0 {
			verdict.Reason, verdict.Detail = "rate_limit", fmt.Sprintf("%d requests are allowed; the next one in %s", q.limit, q.wait)
			a := tooFast()
			a.header = extra
			return a
		}
	}
	a := s.carryOut(r, caller, record)
	a.header = extra
	return a
}

// carryOut verifies, lints and applies the event of a known caller.
func (s *Sandbox) carryOut(r *http.Request, c caller, record *webhook.Record) answer {
	verdict, body := record.Verdict, record.Request.Body
	event, _ := webhook.ParseEvent(body) // lint says what is wrong with it
	record.Event = event.Type
	if a, ok := s.verify(r, c, event, record); !ok {
		return a
	}
	verdict.Verified = true
	if details, message := s.lint(body, verdict); len(details) > 0 {
		verdict.Reason, verdict.Detail = "lint", message
		return refused(http.StatusBadRequest, message, details...)
	}
	if detail, ok := c.company.unknownCustomField(event); !ok {
		verdict.Reason, verdict.Detail = "custom_field", detail.Message
		return refused(http.StatusBadRequest, detail.Message, detail)
	}
	result, err := s.apply(r.Context(), c, event)
	var refusal *rules.Error
	switch {
	case errors.As(err, &refusal):
		verdict.Reason, verdict.Detail = "rules", refusal.Message
		return refused(refusal.Status, refusal.Message, refusal.Details...)
	case err != nil:
		if s.config.Broken != nil && errors.Is(err, sqlfile.ErrBroken) {
			s.config.Broken(err)
		}
		verdict.Outcome, verdict.Reason, verdict.Detail = webhook.Failed, "store", err.Error()
		return refused(http.StatusServiceUnavailable, "The event could not be stored; send it again")
	}
	verdict.Outcome = webhook.Accepted
	return done(result, s.id("evt"), cmp.Or(result.RecordID, s.id("rec"))) // the page's answer to test.connection names a record
}

// lint returns what contradicts the catalog, for the answer; the verdict gets
// the rest as well.
func (s *Sandbox) lint(body []byte, verdict *webhook.Verdict) (details []rules.Detail, message string) {
	checker, _ := s.checkers.Get().(*lint.Checker)
	defer s.checkers.Put(checker)
	for _, f := range checker.Payload(body).Findings {
		verdict.Findings = append(verdict.Findings, webhook.Remark{Severity: string(f.Severity), Rule: f.Rule, Pointer: f.Pointer, Message: f.Message})
		if f.Severity == lint.Error {
			details = append(details, rules.Detail{Pointer: f.Pointer, Message: f.Message})
		}
	}
	if len(details) == 0 {
		return nil, ""
	}
	message = details[0].Message
	if more := len(details) - 1; more > 0 {
		message = fmt.Sprintf("%s, and %d more", message, more)
	}
	return details, message
}

// apply carries the event out, and what it raises is on its way with it, or
// nothing is.
func (s *Sandbox) apply(ctx context.Context, c caller, event webhook.Event) (result *rules.Result, err error) {
	data, err := store.DecodeFields(event.Data())
	if err != nil {
		return nil, &rules.Error{Status: http.StatusBadRequest, Message: "data must be an object", Details: []rules.Detail{{Pointer: "/data", Message: "data must be an object"}}}
	}
	var queued int
	err = s.store.Do(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		var err error
		result, err = rules.Apply(rules.Call{
			Tx: tx, Company: c.company.ID, Actor: c.key.actor(), Event: event, Data: data, Now: s.now().UTC(), NewID: s.id,
		})
		if err != nil {
			return err
		}
		queued, err = s.outbox.Enqueue(tx, c.company.ID, c.key.Key, result.Changes)
		return err
	})
	if err == nil && queued > 0 {
		s.outbox.Wake()
	}
	return result, err
}
