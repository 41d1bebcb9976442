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
	event  string              // the type of the event that is sent
	spell  func([]byte) []byte // how its body is written
	first  *webhook.Record     // the answer to the valid event
	taken  map[string]bool     // cases whose request was answered with 2xx although it should not

	mu       sync.Mutex
	seen     []exchange
	timeouts int
}

// exchange is one request and what came of it.
type exchange struct {
	shot   *shot
	record *webhook.Record
}

func newSession(c Config) (*session, error) {
	s := &session{
		config: c, scheme: webhook.SchemeFor(c.Platform), event: "work_order.created",
		spell: func(raw []byte) []byte { return raw }, taken: map[string]bool{},
		client: deliver.Client{Transport: c.Transport, Now: c.Now, NewID: c.NewID, UserAgent: c.UserAgent},
	}
	if c.Platform == webhook.Worksome {
		s.event = "hireUpdated"
	}
	if _, err := s.sample(); err != nil {
		return nil, err
	}
	_, err := s.scheme.Digest(webhook.Message{}, c.Secret)
	return s, err
}

// form is the shape of the envelopes that a platform sends.
func (s *session) form() webhook.Form {
	if s.config.Platform == webhook.Worksome {
		return webhook.WorksomeForm
	}
	return webhook.Outbound
}

// sample is the event as the catalog has it, without what is long, and without
// what comes out otherwise when a receiver parses and writes it again: a number
// with a zero at its end, a slash.
func (s *session) sample() (map[string]any, error) {
	d, err := webhook.Lookup(s.config.Platform, s.form(), s.event)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(d.Sample()))
	decoder.UseNumber()
	var sample map[string]any
	if err := decoder.Decode(&sample); err != nil {
		return nil, fmt.Errorf("the sample of %s: %w", s.event, err)
	}
	for _, name := range []string{"additional_labor_cost", "travel_time_hours", "specialty_materials", "equipment", "scope_of_work", "scheduler_notes"} {
		delete(member(sample, "data"), name)
	}
	return sample, nil
}

func member(of map[string]any, name string) map[string]any {
	m, _ := of[name].(map[string]any)
	return m
}

// body writes a new event, changed by edit, in the spelling that JavaScript, Go
// and PHP share: no spaces, sorted names, no character that one of them
// escapes.
func (s *session) body(edit func(envelope, data map[string]any)) []byte {
	envelope, _ := s.sample() // newSession has tried it
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
	raw, _ := json.Marshal(envelope) // it came out of JSON
	return raw
}

// valid is a new event in the spelling that the receiver takes.
func (s *session) valid() []byte { return s.spell(s.body(nil)) }

// good is a request that is right in every way.
func (s *session) good(what string, body []byte) *shot { return s.signed(what, body, s.config.Now()) }

// signed is a request for body that was signed at a time.
func (s *session) signed(what string, body []byte, at time.Time) *shot {
	return s.stamped(what, body, webhook.FormatTimestamp(at))
}

// stamped is a request for body with any text for a timestamp, signed rightly.
func (s *session) stamped(what string, body []byte, stamp string) *shot {
	m := webhook.Message{Body: body, Timestamp: stamp, ID: "whk_" + s.config.NewID()}
	lines, _ := s.scheme.Headers(m, s.config.Secret) // newSession has tried it
	h := append(deliver.Outbound(s.config.Platform, s.event), lines...)
	return &shot{what: what, header: h, body: body, right: lines.Get(s.scheme.SignatureHeader())}
}

// forged is a good request with another signature.
func (s *session) forged(what, signature string) *shot {
	good := s.good(what, s.valid())
	good.header = good.header.With(s.scheme.SignatureHeader(), signature)
	return good
}

// fire sends a request and remembers what came of it.
func (s *session) fire(ctx context.Context, shot *shot) (*webhook.Record, error) {
	d := deliver.Delivery{
		URL: s.config.URL, Method: shot.method, Header: shot.header, Timeout: s.config.Timeout,
		Event:     webhook.Event{Platform: s.config.Platform, Form: s.form(), Type: s.event, Raw: shot.body},
		WebhookID: shot.header.Get(webhook.HeaderID),
	}
	r, err := s.client.Attempt(ctx, d, shot.attempt)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, exchange{shot, &r})
	if r.Response == nil && r.Duration >= s.config.Timeout {
		s.timeouts++
	}
	return &r, err
}

// spaced writes JSON as Python's json.dumps does: a space behind each comma
// and colon.
func spaced(raw []byte) []byte {
	out := make([]byte, 0, len(raw)+len(raw)/8)
	quoted, escaped := false, false
	for _, c := range raw {
		out = append(out, c)
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}
