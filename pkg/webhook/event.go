package webhook

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// Event is a payload with its envelope read. Members that the form does not
// have are empty. Raw is the payload as it came, never rewritten.
type Event struct {
	Platform  Platform
	Form      Form
	Type      string // "work_order.created"
	ID        string // event_id, outbound only
	Timestamp string // as written, RFC 3339 where it is right
	Source    string // inbound only
	CompanyID string // outbound only
	Raw       []byte
}

// EnvelopeError says that a payload is JSON but no envelope of a known form.
type EnvelopeError struct {
	Line, Column int
	Reason       string
}

func (e *EnvelopeError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// ParseEvent reads the envelope of a payload. The form is read off its
// members: event_id or company_id make it outbound, event_type alone inbound,
// event with a dotted type compact, and event without a dot worksome.
//
// The error is a [*SyntaxError] when raw is not JSON or names a member of the
// envelope twice, and an [*EnvelopeError] when it is JSON of another shape; the
// event then holds what could be read. raw is kept, not copied.
func ParseEvent(raw []byte) (Event, error) {
	if err := CheckJSON(raw); err != nil {
		return Event{}, err
	}
	event := Event{Raw: raw}
	fail := func(at gjson.Result, reason string) error {
		line, column := position(raw, at.Index)
		return &EnvelopeError{line, column, reason}
	}
	root := gjson.ParseBytes(raw)
	if !root.IsObject() {
		return event, fail(gjson.Result{}, "an event is a JSON object, and this is "+kindOf(root))
	}
	var fault error
	seen := make(map[string]bool, 6)
	gjson.ParseBytes(raw).ForEach(func(name, value gjson.Result) bool {
		text := name.String()
		place := event.place(text)
		if place == nil && text != "data" {
			return true
		}
		if seen[text] {
			fault = syntaxAt(raw, value.Index, fmt.Sprintf("the member %q occurs twice, and receivers differ in which one they take", text))
			return false
		}
		seen[text] = true
		switch {
		case place == nil:
		case value.Type == gjson.String:
			*place = value.String()
		case fault == nil:
			fault = fail(value, fmt.Sprintf("%s must be a string, is %s", text, kindOf(value)))
		}
		return true
	})
	if err := event.classify(seen); fault == nil && err != nil {
		fault = fail(gjson.Result{}, err.Error())
	}
	return event, fault
}

// place is where a member of the envelope goes, or nil.
func (e *Event) place(member string) *string {
	switch member {
	case "event_type", "event":
		return &e.Type
	case "event_id":
		return &e.ID
	case "timestamp":
		return &e.Timestamp
	case "source":
		return &e.Source
	case "company_id":
		return &e.CompanyID
	}
	return nil
}

// classify reads platform and form off the members that are there.
func (e *Event) classify(has map[string]bool) error {
	e.Platform = WorkSkedge
	switch {
	case has["event_type"] && has["event"]:
		return errors.New("event_type and event are both there: an envelope has one of them")
	case has["event_type"] && (has["event_id"] || has["company_id"]):
		e.Form = Outbound
	case has["event_type"]:
		e.Form = Inbound
	case has["event"] && strings.Contains(e.Type, "."):
		e.Form = Compact
	case has["event"]:
		e.Platform, e.Form = Worksome, WorksomeForm
	default:
		e.Platform = ""
		return errors.New("no event_type and no event: this is not an event's envelope")
	}
	return nil
}

// Data returns the bytes of the data member, or nil.
func (e Event) Data() []byte {
	data := gjson.GetBytes(e.Raw, "data")
	if !data.Exists() {
		return nil
	}
	return []byte(data.Raw)
}

func kindOf(v gjson.Result) string {
	switch {
	case v.IsObject():
		return "an object"
	case v.IsArray():
		return "a list"
	case v.IsBool():
		return "a boolean"
	case v.Type == gjson.Number:
		return "a number"
	case v.Type == gjson.String:
		return "a string"
	}
	return "null"
}
