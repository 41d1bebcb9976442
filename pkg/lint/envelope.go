package lint

import (
	"cmp"

	"github.com/wskdev/wsk/pkg/internal/classify"
	"github.com/wskdev/wsk/pkg/webhook"
)

// envelope is where the members of a payload are. What is not JSON can mislead
// it; the schema checker reports that.
type envelope struct {
	root, data       span
	eventType, event span
	hasType          bool // it has a member "type", as records have
	members          classify.Members

	fields []part // the first members of data, if it is an object
	rest   int    // where the others begin
}

// maxFields is how many members of data an envelope remembers. No documented
// event has as many.
const maxFields = 128

// envelopeOf reads an envelope. The place for its fields is taken from an
// envelope that is not needed any more.
func envelopeOf(raw []byte, old envelope) envelope {
	e := envelope{root: span{at: skipSpace(raw, 0), end: len(raw)}, fields: old.fields[:0]}
	walk := partsOf(raw, e.root)
	for walk.keyed {
		name, ok := walk.name()
		if !ok {
			break
		}
		value := span{at: walk.at}
		text := textAt(raw, name)
		if string(text) == "data" {
			value.end = e.readData(raw, walk.at)
		} else {
			value.end = skipValue(raw, walk.at)
		}
		if walk.at = value.end; value.end == value.at {
			break
		}
		switch string(text) {
		case "event_type":
			e.eventType, e.members.EventType = value, true
		case "event":
			e.event, e.members.Event = value, true
		case "data":
			e.data = value
		case "event_id":
			e.members.EventID = true
		case "company_id":
			e.members.CompanyID = true
		case "timestamp":
			e.members.Timestamp = true
		case "type":
			e.hasType = true
		}
	}
	return e
}

// readData remembers the members of data, if it is an object, and returns its end.
func (e *envelope) readData(raw []byte, at int) int {
	walk := partsOf(raw, span{at: at})
	if !walk.keyed {
		return skipValue(raw, at)
	}
	e.fields, e.rest = e.fields[:0], walk.at
	for {
		field, ok := walk.next()
		if !ok {
			break
		}
		if len(e.fields) < maxFields {
			e.fields, e.rest = append(e.fields, field), walk.at
		}
	}
	if walk.at < len(raw) && raw[walk.at] == '}' {
		return walk.at + 1
	}
	return skipValue(raw, at)
}

// walkData iterates over data, or over the object in it that a path of names leads
// to.
func (e *envelope) walkData(raw []byte, path ...string) parts {
	walk := partsOf(raw, e.data)
	if walk.keyed {
		walk.known, walk.at = e.fields, e.rest
	}
	for _, name := range path {
		var object span
		find(walk, member{name, &object})
		walk = partsOf(raw, object)
	}
	return walk
}

// scope is the platform and form whose events a payload is checked against.
type scope struct {
	platform webhook.Platform
	form     webhook.Form
}

// scopeOf returns the scope that is configured, or else the one that the
// envelope shows. If only the platform or only the form is configured, it
// decides the other where only one is possible.
func (c Config) scopeOf(raw []byte, e envelope) scope {
	s := scope{c.Platform, c.Form}
	if s.form == "" {
		s.form = e.form(raw)
		switch {
		case s.platform == webhook.Worksome:
			s.form = webhook.WorksomeForm
		case s.platform == webhook.WorkMarket:
			s.form = webhook.Template
		case s.platform == webhook.WorkSkedge && s.form == webhook.WorksomeForm:
			s.form = webhook.Compact
		}
	}
	if s.platform == "" {
		s.platform = webhook.WorkSkedge
		switch s.form {
		case webhook.WorksomeForm:
			s.platform = webhook.Worksome
		case webhook.Template:
			s.platform = webhook.WorkMarket
		}
	}
	return s
}

func (e envelope) form(raw []byte) webhook.Form {
	if isText(raw, e.event) {
		e.members.Type = string(textAt(raw, e.event))
	}
	form, _ := e.members.Form() // checkEnvelope reports what is wrong with the members
	return cmp.Or(webhook.Form(form), webhook.Inbound)
}

// eventName is the member that names the event: event_type or event.
type eventName struct {
	member string
	value  span // does not exist if neither is present
}

func (e envelope) nameOf(f webhook.Form) eventName {
	isShort := f == webhook.Compact || f == webhook.WorksomeForm
	if e.event.exists() && (isShort || !e.eventType.exists()) {
		return eventName{"event", e.event}
	}
	return eventName{"event_type", e.eventType}
}

// describe returns the type of a value, with its article.
func describe(raw []byte, at int) string {
	if at >= len(raw) {
		return "nothing"
	}
	switch raw[at] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
