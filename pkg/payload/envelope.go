// Package payload composes and edits the payloads of events: the JSON bodies
// that webhooks carry.
//
// A definition from the catalog and a data object go in, and a complete
// envelope in the definition's form comes out. [Wrap] puts an envelope around
// the data where there is none yet, and [New] always does. [Sample] makes a new
// event from the catalog's sample. [Set] and [Delete] change one place of a
// payload. Every byte that a function is not asked to change stays as it is,
// because receivers verify a signature over the bytes. [KindOf] distinguishes
// payloads and records apart.
//
//	func projectCreated(data []byte, description string, now time.Time) ([]byte, error) {
//		definition, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, "project.created")
//		if err != nil {
//			return nil, err
//		}
//		raw, err := payload.Wrap(definition, data, payload.Head{Time: now, Source: "erp"})
//		if err != nil {
//			return nil, err // data is not a JSON object
//		}
//		return payload.Set(raw, "data.description", payload.String(description))
//	}
//
// The package depends on the standard library, gjson and pkg/webhook only. It
// reads no clock and makes no ids: both are arguments.
//
// This package is stable.
package payload

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/webhook"
)

// ErrNoSample is the error for an event without a documented payload.
var ErrNoSample = errors.New("the event is documented by name only, without a sample")

// Head holds the members of an envelope that differ from one event to the
// next. A form uses the members that it has and ignores the others.
type Head struct {
	ID        string    // event_id, of the form outbound
	Time      time.Time // timestamp, of every form but worksome; written in UTC, to the second
	Source    string    // source, of the form inbound
	CompanyID string    // company_id, of the form outbound; default: that of the event's sample
}

// defaultCompany is the company_id of an outbound envelope whose event has no
// sample to take one from.
const defaultCompany = "comp_wsk"

// Wrap returns raw unchanged when it is an envelope of the event already, and
// otherwise puts the data object raw into a new envelope. The error is a
// [*webhook.SyntaxError] when raw is not JSON; other errors say that raw is an
// envelope of another form or event, or not an object.
func Wrap(d webhook.Definition, raw []byte, h Head) ([]byte, error) {
	event, err := webhook.ParseEvent(raw)
	var shape *webhook.EnvelopeError
	if err != nil && !errors.As(err, &shape) {
		return nil, err
	}
	root := gjson.ParseBytes(raw)
	has := map[string]bool{}
	root.ForEach(func(name, _ gjson.Result) bool {
		has[name.String()] = true
		return true
	})
	isEnvelope := has["event_type"] || has["event"] && has["data"]
	switch {
	case isEnvelope && err != nil:
		return nil, err
	case isEnvelope && event.Form != d.Form:
		return nil, fmt.Errorf("this is an envelope of the form %s (%s); %s takes the form %s", event.Form, event.Type, d.Type, d.Form)
	case isEnvelope && event.Type != d.Type:
		return nil, fmt.Errorf("the envelope is of %s, not of %s: name that event, or give its data object alone", event.Type, d.Type)
	case isEnvelope:
		return raw, nil
	case !root.IsObject():
		return nil, err
	case root.Get("data").IsObject() && (has["timestamp"] || has["source"]):
		member := "event"
		if d.Form == webhook.Inbound || d.Form == webhook.Outbound {
			member = "event_type"
		}
		return nil, fmt.Errorf("there is an envelope around the data, but it has no %s", member)
	}
	return New(d, raw, h)
}

// New puts data, which must be JSON, into a new envelope of the event. The bytes
// of data are kept; space around it is dropped. The error is a
// [*webhook.SyntaxError] when data is not JSON.
func New(d webhook.Definition, data []byte, h Head) ([]byte, error) {
	if err := webhook.CheckJSON(data); err != nil {
		return nil, err
	}
	members, err := jsontext.Marshal(h.members(d))
	if err != nil {
		return nil, err
	}
	head := members[:len(members)-len("}")]
	return slices.Concat(head, []byte(`,"data":`), bytes.TrimSpace(data), []byte("}")), nil
}

// members is an envelope without its data, in the order of the documentation.
type members struct {
	ID        string  `json:"event_id,omitempty"`
	EventType string  `json:"event_type,omitempty"`
	Event     string  `json:"event,omitempty"`
	Timestamp string  `json:"timestamp,omitempty"`
	Source    *string `json:"source,omitempty"` // a pointer: an empty source is written
	Company   string  `json:"company_id,omitempty"`
}

func (h Head) members(d webhook.Definition) members {
	switch d.Form {
	case webhook.Outbound:
		company := h.CompanyID
		if company == "" {
			company = cmp.Or(gjson.GetBytes(d.Sample(), "company_id").String(), defaultCompany)
		}
		return members{ID: h.ID, EventType: d.Type, Timestamp: h.timestamp(), Company: company}
	case webhook.Compact:
		return members{Event: d.Type, Timestamp: h.timestamp()}
	case webhook.WorksomeForm:
		return members{Event: d.Type}
	}
	return members{EventType: d.Type, Timestamp: h.timestamp(), Source: &h.Source}
}

func (h Head) timestamp() string { return h.Time.UTC().Format(time.RFC3339) }

// Sample returns the catalog's sample of an event with the id and the time of
// h, and with its source where the form is inbound. Every other byte of the
// sample stays. The error is [ErrNoSample] when there is no sample.
func Sample(d webhook.Definition, h Head) ([]byte, error) {
	raw := d.Sample()
	if raw == nil {
		return nil, fmt.Errorf("%s: %w", d.Type, ErrNoSample)
	}
	if d.Form == webhook.Inbound {
		return Wrap(d, []byte(gjson.GetBytes(raw, "data").Raw), h)
	}
	var err error
	if d.Form == webhook.Outbound {
		if raw, err = Set(raw, "event_id", String(h.ID)); err != nil {
			return nil, err
		}
	}
	if d.Form == webhook.Outbound || d.Form == webhook.Compact {
		raw, err = Set(raw, "timestamp", String(h.timestamp()))
	}
	return raw, err
}
