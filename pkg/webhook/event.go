package webhook

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/classify"
)

// Platform is a system that sends or receives webhooks.
type Platform string

// The platforms.
const (
	WorkSkedge Platform = "workskedge"
	WorkMarket Platform = "workmarket"
	Worksome   Platform = "worksome"
)

var platforms = []Platform{WorkSkedge, WorkMarket, Worksome}

// Form is the shape of an envelope: which members are around an event's data.
type Form string

// The forms.
const (
	// Inbound is what a client sends to WorkSkedge: event_type, timestamp,
	// source, data.
	Inbound Form = "inbound"
	// Outbound is what WorkSkedge sends: event_id, event_type, timestamp,
	// company_id, data.
	Outbound Form = "outbound"
	// Compact is the envelope of WorkSkedge's Event Catalog page: event,
	// timestamp, data.
	Compact Form = "compact"
	// WorksomeForm is what Worksome sends: event, data.
	WorksomeForm Form = "worksome"
	// Template is Work Market's: no envelope, but the variables that the template
	// of a webhook may use.
	Template Form = "template"
)

var forms = []Form{Inbound, Outbound, Compact, WorksomeForm, Template}

// Event is a payload with its envelope read. Members that the form does not
// have are empty. Raw is the payload as received, byte for byte.
type Event struct {
	Platform  Platform
	Form      Form
	Type      string // "work_order.created"
	ID        string // event_id, outbound only
	Timestamp string // as written; RFC 3339 where it is valid
	Source    string // inbound only
	CompanyID string // outbound only
	Raw       []byte
}

// EnvelopeError is the error for a payload that is JSON, but not an envelope of
// a known form.
type EnvelopeError struct {
	Line, Column int // from 1
	Reason       string
}

func (e *EnvelopeError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// ParseEvent reads the envelope of a payload. Platform and form follow from its
// members: event_type with event_id or company_id is outbound, and event_type
// alone inbound. event with a dotted type (work_order.created) is compact, and
// without a dot (hireUpdated) worksome; where the type is not a string or is
// empty, an envelope with a timestamp is compact, because Worksome's has none.
//
// The error is a [*SyntaxError] when raw is not JSON or has a member of the
// envelope twice, and an [*EnvelopeError] when it is JSON of another shape; the
// event then has what could be read. raw is kept, not copied.
func ParseEvent(raw []byte) (Event, error) {
	if err := CheckJSON(raw); err != nil {
		return Event{}, err
	}
	event := Event{Raw: raw}
	envelopeError := func(at gjson.Result, reason string) error {
		line, column := position(raw, at.Index)
		return &EnvelopeError{line, column, reason}
	}
	root := gjson.ParseBytes(raw)
	if !root.IsObject() {
		return event, envelopeError(gjson.Result{}, "an event is a JSON object, but this is "+describeType(root))
	}
	var found error
	var members classify.Members
	seen := make([]string, 0, 6)
	root.ForEach(func(name, value gjson.Result) bool {
		text := name.String()
		field := event.field(text)
		if field == nil && text != "data" {
			return true
		}
		if slices.Contains(seen, text) {
			found = syntaxAt(raw, value.Index, fmt.Sprintf("the member %q occurs twice, and receivers differ in which one they use", text))
			return false
		}
		seen = append(seen, text)
		members.Add(text)
		switch {
		case field == nil:
		case value.Type == gjson.String:
			*field = value.String()
		case found == nil:
			found = envelopeError(value, fmt.Sprintf("%s must be a string, is %s", text, describeType(value)))
		}
		return true
	})
	members.Type = event.Type
	form, err := members.Form()
	event.Form = Form(form)
	switch event.Form {
	case Inbound, Outbound, Compact:
		event.Platform = WorkSkedge
	case WorksomeForm:
		event.Platform = Worksome
	}
	if err != nil && found == nil {
		found = envelopeError(gjson.Result{}, err.Error())
	}
	return event, found
}

// field returns where a member of the envelope goes, or nil.
func (e *Event) field(member string) *string {
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

// Data returns the bytes of the data member, or nil.
func (e Event) Data() []byte {
	data := gjson.GetBytes(e.Raw, "data")
	if !data.Exists() {
		return nil
	}
	return []byte(data.Raw)
}

func describeType(v gjson.Result) string {
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
