// Package classify identifies a JSON object by its members: the payload of an
// event in one of the forms, a record, or a frame of a stream of records. It is
// internal and knows forms by their names alone, because package webhook itself
// depends on it.
package classify

import (
	"bytes"
	"errors"
	"strings"

	"github.com/tidwall/gjson"
)

// Members says which members an envelope has, of whatever JSON type, as far as
// they tell its form.
type Members struct {
	EventType, Event, EventID, CompanyID, Timestamp bool

	Type string // the value of event_type or event; "" where that is not a string
}

// Add records that the envelope has a member of that name.
func (m *Members) Add(name string) {
	switch name {
	case "event_type":
		m.EventType = true
	case "event":
		m.Event = true
	case "event_id":
		m.EventID = true
	case "company_id":
		m.CompanyID = true
	case "timestamp":
		m.Timestamp = true
	}
}

var (
	errTwoTypes = errors.New("event_type and event are both present: an envelope has one of them")
	errNoType   = errors.New("neither event_type nor event is present: this is not the envelope of an event")
)

// Form returns the name of the form that the members show, by the rules of
// webhook.ParseEvent.
//
// The error says that both or neither of event_type and event are present; with
// both, the answer is that for event_type.
func (m Members) Form() (string, error) {
	var err error
	if m.EventType && m.Event {
		err = errTwoTypes
	}
	switch {
	case m.EventType && (m.EventID || m.CompanyID):
		return "outbound", err
	case m.EventType:
		return "inbound", err
	case !m.Event:
		return "", errNoType
	case strings.Contains(m.Type, "."), m.Type == "" && m.Timestamp:
		return "compact", nil
	}
	return "worksome", nil
}

// IsRecord reports whether raw begins with a record: an object with the type
// "record" and a request. It does not check that the object is valid.
func IsRecord(raw []byte) bool {
	return typeOf(raw) == "record" && gjson.GetBytes(raw, "request").IsObject()
}

// IsFrame reports whether raw begins with the "ready" or "summary" line of a
// listener's stream, and not with an event whose payload has such a type. It
// does not check that the object is valid.
func IsFrame(raw []byte) bool {
	switch typeOf(raw) {
	case "ready", "summary":
		return !gjson.GetBytes(raw, "event").Exists() && !gjson.GetBytes(raw, "event_type").Exists()
	}
	return false
}

func typeOf(raw []byte) string {
	if !bytes.Contains(raw, []byte(`"type"`)) {
		return "" // without reading the members: most lines are payloads
	}
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return ""
	}
	return gjson.GetBytes(raw, "type").String()
}
