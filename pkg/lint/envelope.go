package lint

import (
	"cmp"

	"github.com/wskdev/wsk/pkg/webhook"
)

// envelope is where a payload's members are. It may be fooled by what is not
// JSON; the engine finds that out.
type envelope struct {
	root, data  span
	long, short span // event_type, event
	members     webhook.Members
}

func envelopeOf(raw []byte) envelope {
	e := envelope{root: span{at: skipSpace(raw, 0), end: len(raw)}}
	walk := partsOf(raw, e.root)
	for walk.keyed {
		member, ok := walk.next()
		if !ok {
			break
		}
		switch string(textAt(raw, member.name)) {
		case "event_type":
			e.long, e.members.EventType = member.value, true
		case "event":
			e.short, e.members.Event = member.value, true
		case "data":
			e.data = member.value
		case "event_id":
			e.members.EventID = true
		case "company_id":
			e.members.CompanyID = true
		case "timestamp":
			e.members.Timestamp = true
		}
	}
	return e
}

// kind is the platform and the form that a payload is held against.
type kind struct {
	platform webhook.Platform
	form     webhook.Form
}

// kindOf reads platform and form off the members; what was asked for goes
// first, and either of them settles the other where only one is left.
func (c Config) kindOf(raw []byte, e envelope) kind {
	k := kind{c.Platform, c.Form}
	if k.form == "" {
		k.form = e.form(raw)
		switch {
		case k.platform == webhook.Worksome:
			k.form = webhook.WorksomeForm
		case k.platform == webhook.WorkMarket:
			k.form = webhook.Template
		case k.platform == webhook.WorkSkedge && k.form == webhook.WorksomeForm:
			k.form = webhook.Compact
		}
	}
	if k.platform == "" {
		k.platform = webhook.WorkSkedge
		switch k.form {
		case webhook.WorksomeForm:
			k.platform = webhook.Worksome
		case webhook.Template:
			k.platform = webhook.WorkMarket
		}
	}
	return k
}

func (e envelope) form(raw []byte) webhook.Form {
	if isText(raw, e.short) {
		e.members.Type = string(textAt(raw, e.short))
	}
	_, form, _ := e.members.Classify() // the checker reports what is wrong with the members
	return cmp.Or(form, webhook.Inbound)
}

// typeOf finds the value that names the event, and the member's name.
func (e envelope) typeOf(f webhook.Form) (at span, member string) {
	short := f == webhook.Compact || f == webhook.WorksomeForm
	if e.short.exists() && (short || !e.long.exists()) {
		return e.short, "event"
	}
	return e.long, "event_type"
}

// describe names the type of a value.
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
