package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/failpoint"
	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Path is the path of the endpoint for inbound events, as on the platform. A
// body of more than 1 MiB is refused with 413.
const Path = "/webhooks/inbound"

// ServerName is the Server header of every response.
const ServerName = "wsk-sandbox"

const maxBody = 1 << 20

// ServeHTTP receives inbound events at [Path], and admin requests under
// [AdminPath].
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == Path:
		s.inbound(w, r)
	case strings.HasPrefix(r.URL.Path, AdminPath):
		s.admin.ServeHTTP(w, r)
	case r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodHead:
		methodNotAllowed().write(w)
	default:
		refused(http.StatusNotFound, "nothing is served here: POST events to "+Path).write(w)
	}
}

// inbound answers one event, and passes its record to Config.Received.
func (s *Sandbox) inbound(w http.ResponseWriter, r *http.Request) {
	began := s.now()
	record := webhook.Record{
		ID: "rec_" + s.newID(), Time: began, Direction: webhook.Received, Platform: webhook.WorkSkedge, Form: webhook.Inbound,
		Request: webhook.Request{Method: r.Method, URL: r.RequestURI, Header: append(webhook.Header{{Name: "Host", Value: r.Host}}, webhook.HeaderOf(r.Header)...)},
		Verdict: &webhook.Verdict{Outcome: webhook.Refused},
	}
	answer := s.judge(w, r, &record)
	record.Response = answer.write(w)
	if answer.refusal != nil {
		_ = http.NewResponseController(w).Flush() // the sender does not receive the diagnosis, and need not wait for it
		s.diagnose(answer.refusal, &record)
	}
	record.Duration = s.now().Sub(began)
	if s.config.Received != nil {
		s.config.Received(record)
	}
}

// judge makes the checks in the platform's order, and applies an event that
// passes them all.
func (s *Sandbox) judge(w http.ResponseWriter, r *http.Request, record *webhook.Record) response {
	verdict := record.Verdict
	if r.Method != http.MethodPost {
		verdict.Reason, verdict.Detail = "method", "events must be sent with POST, not "+r.Method
		return methodNotAllowed()
	}
	body, err := webhook.ReadBody(w, r, maxBody)
	var refusal *webhook.Refusal
	if errors.As(err, &refusal) {
		verdict.Reason, verdict.Detail = string(refusal.Reason), refusal.Detail
		return refused(webhook.StatusOf(err), webhook.TextOf(err))
	}
	record.Request.Body = body
	caller, known := s.caller(r.Header)
	if !known {
		verdict.Reason, verdict.Detail = "api_key", "the X-API-Key header is missing, or is not a key of this sandbox"
		return refused(http.StatusUnauthorized, "Missing or invalid API key")
	}
	clock := s.outbox.Clock()
	quota := s.limits.Take(caller.key.Key, clock)
	var answer response
	if quota.Wait > 0 {
		verdict.Reason, verdict.Detail = "rate_limit", fmt.Sprintf("%d requests are allowed; the next one in %s", quota.Limit, deliver.FormatDuration(quota.Wait.Round(time.Second)))
		answer = refused(http.StatusTooManyRequests, "Rate limit exceeded")
	} else {
		answer = s.process(r, caller, record)
	}
	if quota.Limit > 0 {
		answer.header = rateLimitHeader(quota, clock.Sub(s.now()))
	}
	return answer
}

// rateLimitHeader is the documented header of a response under a rate limit.
// Times are whole seconds, rounded up: a request at that time is not too early.
// skew is how far the sandbox's clock is ahead of real time.
func rateLimitHeader(q deliver.Quota, skew time.Duration) http.Header {
	h := http.Header{}
	h.Set("X-RateLimit-Limit", strconv.Itoa(q.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(q.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(q.Reset.Add(-skew).Add(time.Second-1).Unix(), 10))
	if q.Wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((q.Wait+time.Second-1)/time.Second), 10))
	}
	return h
}

// process verifies, lints and applies the event of a known caller.
func (s *Sandbox) process(r *http.Request, c caller, record *webhook.Record) response {
	verdict, body := record.Verdict, record.Request.Body
	event, _ := webhook.ParseEvent(body) // lint reports what is wrong with it
	record.Event = event.Type
	if answer, ok := s.verify(r, c, event, record); !ok {
		return answer
	}
	verdict.Verified = true
	if details, message := s.lint(body, verdict); len(details) > 0 {
		verdict.Reason, verdict.Detail = "lint", message
		return refused(http.StatusBadRequest, message, details...)
	}
	data, _ := store.DecodeFields(event.Data()) // nil if it is not an object, which the rules refuse
	if detail, ok := c.company.checkCustomFields(event.Type, data); !ok && !s.config.Lenient {
		verdict.Reason, verdict.Detail = "custom_field", detail.Message
		return refused(http.StatusBadRequest, detail.Message, detail)
	}
	result, err := s.apply(r.Context(), c, event, data)
	var refusal *rules.Error
	switch {
	case errors.As(err, &refusal):
		verdict.Reason, verdict.Detail = "rules", refusal.Message
		if !refusal.Rule.IsDocumented() {
			verdict.Warnings = append(verdict.Warnings, "WorkSkedge does not document this refusal ("+refusal.Rule.ID+"): --lenient turns it off")
		}
		return refused(http.StatusBadRequest, refusal.Message, refusal.Details...)
	case err != nil:
		if s.config.Broken != nil && errors.Is(err, sqlfile.ErrBroken) {
			s.config.Broken(err)
		}
		verdict.Outcome, verdict.Reason, verdict.Detail = webhook.Failed, "store", err.Error()
		return refused(http.StatusServiceUnavailable, "The event could not be stored; send it again")
	}
	verdict.Outcome = webhook.Accepted
	if result.Search {
		return response{status: http.StatusOK, body: searchBody{Success: true, Action: "search", Results: result.Results, Count: len(result.Results)}}
	}
	// WorkSkedge's response to test.connection names a record as well.
	recordID := cmp.Or(result.RecordID, s.id("rec"))
	return response{status: http.StatusOK, body: successBody{Success: true, Message: result.Message, EventID: s.id("evt"), RecordID: recordID}}
}

// caller is the sender of a request, by its API key.
type caller struct {
	company *Company
	key     Key
	secret  webhook.Secret
}

// caller finds the sender by the API key header, which must not be repeated.
func (s *Sandbox) caller(h http.Header) (caller, bool) {
	values := h.Values(webhook.HeaderAPIKey)
	if len(values) != 1 {
		return caller{}, false
	}
	c, ok := s.callers[digestOf(values[0])]
	return c, ok
}

// verify checks source, signature and timestamp. The response is the same
// whatever is wrong with the signature; the record's verdict names the reason.
func (s *Sandbox) verify(r *http.Request, c caller, event webhook.Event, record *webhook.Record) (response, bool) {
	verdict := record.Verdict
	source := r.Header.Get(webhook.HeaderSource)
	if err := deliver.CheckSource(source); source != "" && err != nil {
		text := fmt.Sprintf("%s: %v", webhook.HeaderSource, err)
		verdict.Reason, verdict.Detail = "source", text
		return refused(http.StatusBadRequest, text, rules.Detail{Message: text}), false
	}
	if source == deliver.SourceZapier {
		verdict.Warnings = append(verdict.Warnings, "WorkSkedge does not list the source zapier; it occurs only in the sample of test.connection")
	}
	var first *signatureRefusal
	schemes := s.schemes(source)
	for _, scheme := range schemes {
		record.Scheme = scheme.Name()
		v := webhook.Verifier{Scheme: scheme, Secrets: []webhook.Secret{c.secret}, Tolerance: s.config.Tolerance, URL: "http://" + r.Host + r.URL.Path}
		_, err := v.Verify(r.Header, record.Request.Body, s.now())
		if err == nil && scheme.TimestampHeader() == "" {
			err = s.checkTimestamp(r.Header)
		}
		if err == nil {
			return response{}, true
		}
		if errors.Is(err, webhook.SignatureMissing) && event.Type == "test.connection" {
			verdict.Warnings = append(verdict.Warnings, "not signed, as in WorkSkedge's sample of test.connection")
			record.Scheme = ""
			return response{}, true
		}
		if first == nil {
			first = &signatureRefusal{v, err}
		}
	}
	record.Scheme = schemes[0].Name()
	verdict.Reason, verdict.Detail = "signature", first.err.Error()
	var refusal *webhook.Refusal
	if errors.As(first.err, &refusal) {
		verdict.Reason, verdict.Detail = string(refusal.Reason), refusal.Detail
	}
	answer := refused(http.StatusForbidden, "Signature verification failed")
	answer.refusal = first
	return answer, false
}

// schemes returns the schemes that a source may sign with. WorkSkedge's
// description of its own can be read in two ways: over timestamp and body, or
// over the body alone.
func (s *Sandbox) schemes(source string) []webhook.Scheme {
	names := []string{deliver.SchemeForSource(source)}
	if names[0] == webhook.TimestampBody {
		names = []string{webhook.TimestampBody, webhook.BodyOnly}
		if s.config.RequireScheme != "" {
			names = []string{s.config.RequireScheme}
		}
	}
	var list []webhook.Scheme
	for _, name := range names {
		if scheme, err := webhook.SchemeNamed(name); err == nil { // all names are known: New checks RequireScheme
			list = append(list, scheme)
		}
	}
	return list
}

// checkTimestamp checks the timestamp header, which WorkSkedge requires, for a
// scheme that does not sign it.
func (s *Sandbox) checkTimestamp(h http.Header) error {
	_, err := webhook.Verifier{Tolerance: s.config.Tolerance}.CheckTimestamp(h, webhook.HeaderTimestamp, s.now())
	return err
}

// signatureRefusal is the reason why a signature or timestamp was refused, and
// the verifier that refused it.
type signatureRefusal struct {
	verifier webhook.Verifier
	err      error
}

// diagnose adds to the verdict why a signature was refused and how to fix it.
// The user of the sandbox sees it, the sender does not.
func (s *Sandbox) diagnose(refused *signatureRefusal, record *webhook.Record) {
	var refusal *webhook.Refusal
	if errors.As(refused.err, &refusal) {
		record.Verdict.Diagnosis = s.refusals.Refusal(refused.verifier, record.Request, refusal.Reason)
	}
}

// lint returns the errors, for the response, and a message that sums them up.
// The verdict receives all findings.
func (s *Sandbox) lint(body []byte, verdict *webhook.Verdict) (details []rules.Detail, message string) {
	checker, _ := s.checkers.Get().(*lint.Checker)
	defer s.checkers.Put(checker)
	for _, f := range checker.Check(body).Findings {
		verdict.Findings = append(verdict.Findings, webhook.Finding{Severity: f.Severity.String(), Rule: f.Rule, Pointer: f.Pointer, Message: f.Message})
		if f.Severity == report.Error {
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

// checkCustomFields finds a custom field that the company has not defined, if
// it has defined any for that kind of record.
func (c *Company) checkCustomFields(eventType string, data store.Fields) (rules.Detail, bool) {
	kind, _, _ := strings.Cut(eventType, ".")
	known, limited := c.CustomFields[kind]
	if !limited {
		return rules.Detail{}, true
	}
	given, _ := data["custom_fields"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			text := webhook.Unknown("custom field of a "+kind, name, known).Error()
			return rules.Detail{Pointer: "/data/custom_fields/" + jsonpath.EscapePointer(name), Message: text}, false
		}
	}
	return rules.Detail{}, true
}

// apply carries out the event and enqueues what it raises, in one transaction.
func (s *Sandbox) apply(ctx context.Context, c caller, event webhook.Event, data store.Fields) (result *rules.Result, err error) {
	var queued int
	err = s.store.Do(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		tx.Failpoints("sandbox/apply")
		var err error
		result, err = rules.Apply(rules.Call{
			Tx: tx, Company: c.company.ID, Actor: c.key.actor(), Event: event, Data: data, Now: s.now().UTC(), NewID: s.id,
			Lenient: s.config.Lenient,
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

// response is the response to the sender of an event, or to an admin client.
type response struct {
	status  int
	body    any
	header  http.Header       // in addition to those of every response
	refusal *signatureRefusal // to be diagnosed after the response
}

// successBody is the documented response to an event that was applied.
type successBody struct {
	Success  bool   `json:"success"`
	Message  string `json:"message"`
	EventID  string `json:"event_id"`
	RecordID string `json:"record_id"`
}

// searchBody is the documented response to a search.
type searchBody struct {
	Success bool           `json:"success"`
	Action  string         `json:"action"`
	Results []store.Fields `json:"results"`
	Count   int            `json:"count"`
}

// failureBody is the response to a refused request.
type failureBody struct {
	Success bool           `json:"success"`
	Error   string         `json:"error"`
	Details []rules.Detail `json:"details,omitempty"`
}

func refused(status int, text string, details ...rules.Detail) response {
	return response{status: status, body: failureBody{Error: text, Details: details}}
}

func methodNotAllowed() response {
	answer := refused(http.StatusMethodNotAllowed, "Method not allowed")
	answer.header = http.Header{"Allow": {http.MethodPost}}
	return answer
}

// write sends the response, and returns it for the record.
func (a response) write(w http.ResponseWriter) *webhook.Response {
	body, err := jsontext.Marshal(a.body)
	if err != nil { // unreachable: the store's contents were decoded from JSON
		a.status, body = http.StatusInternalServerError, []byte(`{"success":false,"error":"internal error"}`)
	}
	body = append(body, '\n')
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h.Set("Server", ServerName)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	sent := webhook.HeaderOf(h)
	_ = failpoint.Hit("sandbox/before-answer") // what it says is done
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that has disconnected needs no response
	return &webhook.Response{Status: a.status, Header: sent, Body: body}
}
