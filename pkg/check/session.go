package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// session is one run against one receiver.
type session struct {
	config Config
	client deliver.Client
	scheme webhook.Scheme
	form   webhook.Form
	event  string              // the type of the event that is sent
	layout func([]byte) []byte // rewrites compact JSON the way the receiver accepts it
	first  *webhook.Record     // the exchange for the valid event

	accepted map[string]bool // the cases whose request should be refused but got 2xx

	mu        sync.Mutex
	exchanges []exchange
	timeouts  int
}

// exchange is one request and its record.
type exchange struct {
	request *request
	record  *webhook.Record
}

func newSession(c Config) (*session, error) {
	s := &session{
		config: c, scheme: webhook.SchemeFor(c.Platform), form: webhook.Outbound, event: "work_order.created",
		layout: compact, accepted: map[string]bool{},
		client: deliver.Client{Transport: c.Transport, Now: c.Now, NewID: c.NewID, UserAgent: c.UserAgent},
	}
	if c.Platform == webhook.Worksome {
		s.form, s.event = webhook.WorksomeForm, "hireUpdated"
	}
	if _, err := s.sample(); err != nil {
		return nil, err
	}
	_, err := s.scheme.Digest(webhook.Message{}, c.Secret)
	return s, err
}

// omittedMembers of the sample are long, or would not survive being parsed and
// serialized again: they contain a number such as 2.50, or a slash.
var omittedMembers = []string{"additional_labor_cost", "travel_time_hours", "specialty_materials", "equipment", "scope_of_work", "scheduler_notes"}

// sample returns the catalog's sample of the event, without omittedMembers.
func (s *session) sample() (map[string]any, error) {
	d, err := webhook.DefaultCatalog().Lookup(s.config.Platform, s.form, s.event)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(d.Sample()))
	decoder.UseNumber()
	var sample map[string]any
	if err := decoder.Decode(&sample); err != nil {
		return nil, fmt.Errorf("the sample of %s: %w", s.event, err)
	}
	for _, name := range omittedMembers {
		delete(member(sample, "data"), name)
	}
	return sample, nil
}

func member(object map[string]any, name string) map[string]any {
	m, _ := object[name].(map[string]any)
	return m
}

// body returns a new event, changed by edit, as compact JSON with sorted names
// and no character that JavaScript, Go or PHP would escape: each of them writes
// the same bytes.
func (s *session) body(edit func(envelope, data map[string]any)) []byte {
	envelope, _ := s.sample() // without error in newSession
	data := member(envelope, "data")
	if s.config.Platform == webhook.Worksome {
		member(data, "contract")["purchaseOrderNumber"] = "PO-" + s.config.NewID()
	} else {
		envelope["event_id"] = "evt_" + s.config.NewID()
		envelope["timestamp"] = s.config.Now().UTC().Format(time.RFC3339)
	}
	if edit != nil {
		edit(envelope, data)
	}
	raw, _ := json.Marshal(envelope) // it was decoded from JSON
	return raw
}

// validBody returns a new event in the layout that the receiver accepts.
func (s *session) validBody() []byte { return s.layout(s.body(nil)) }

// signed returns a valid request.
func (s *session) signed(name string, body []byte) *request {
	return s.signedAt(name, body, s.config.Now())
}

// signedAt returns a request with a valid signature and another timestamp.
func (s *session) signedAt(name string, body []byte, at time.Time) *request {
	return s.withTimestamp(name, body, webhook.FormatTimestamp(at))
}

// withTimestamp returns a request with a valid signature and any text as the
// timestamp.
func (s *session) withTimestamp(name string, body []byte, timestamp string) *request {
	m := webhook.Message{Body: body, Timestamp: timestamp, ID: "whk_" + s.config.NewID()}
	signing, _ := s.scheme.Headers(m, s.config.Secret) // without error in newSession
	header := append(deliver.Outbound(s.config.Platform, s.event), signing...)
	return &request{name: name, header: header, body: body, signature: signing.Get(s.scheme.SignatureHeader())}
}

// forged returns a request with the given signature.
func (s *session) forged(name, signature string) *request {
	r := s.signed(name, s.validBody())
	r.header = r.header.With(s.scheme.SignatureHeader(), signature)
	return r
}

// do sends a request and keeps the exchange.
func (s *session) do(ctx context.Context, req *request) (*webhook.Record, error) {
	d := deliver.Delivery{
		URL: s.config.URL, Method: req.method, Header: req.header, Timeout: s.config.Timeout, Unsigned: true, // the case has signed it
		Event:     webhook.Event{Platform: s.config.Platform, Form: s.form, Type: s.event, Raw: req.body},
		WebhookID: req.header.Get(webhook.HeaderID),
	}
	r, err := s.client.Attempt(ctx, d, req.attempt)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchanges = append(s.exchanges, exchange{request: req, record: &r})
	if r.Response == nil && r.Duration >= s.config.Timeout {
		s.timeouts++
	}
	return &r, err
}

// compact is the layout of JavaScript's JSON.stringify, Go and PHP.
func compact(raw []byte) []byte { return raw }

// spaced is the layout of Python's json.dumps: a space after each comma and
// colon.
func spaced(raw []byte) []byte {
	out := make([]byte, 0, len(raw)+len(raw)/8)
	inString, afterBackslash := false, false
	for _, c := range raw {
		out = append(out, c)
		switch {
		case afterBackslash:
			afterBackslash = false
		case inString && c == '\\':
			afterBackslash = true
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}
