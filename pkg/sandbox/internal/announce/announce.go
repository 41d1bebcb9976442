// Package announce says what others are told of a change: changes of the
// sandbox's records come in, payloads of the catalog's events go out.
//
//	a := announce.New()
//	raised, err := a.Events(announce.Context{Tx: tx, Company: "comp_1", Form: webhook.Outbound, Now: now}, result.Changes)
//	for _, r := range raised {
//		body := announce.Envelope(r, "evt_1", "comp_1", now)
//	}
//
// A record is shown by one view for its kind, with every member that some event
// has. Which of them an event carries, and in which order, its schema in the
// catalog says: a new event of a known kind is a file there, and a row in the
// table of what raises it.
package announce

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Context is where and when changes are announced.
type Context struct {
	Tx      *store.Tx
	Company string
	Form    webhook.Form // outbound or compact
	Now     time.Time
}

// Raised is one event that others are told of.
type Raised struct {
	Type string
	Form webhook.Form
	Data []byte // the JSON of its data member
}

// Announcer keeps what it has read of the catalog. It is safe for concurrent
// use.
type Announcer struct {
	shapes sync.Map // form and type → *shape
}

// New returns an announcer.
func New() *Announcer { return &Announcer{} }

// Events returns the events that changes raise in a form, in the order of the
// changes. What a form has no event for raises none.
func (a *Announcer) Events(c Context, changes []rules.Change) ([]Raised, error) {
	v := &viewer{Context: c, past: map[string]*store.Record{}}
	for _, change := range changes {
		if id := change.Record().ID; v.past[id] == nil {
			v.past[id] = change.Before // nil: it was not there
		}
	}
	var raised []Raised
	raise := func(event string, data store.Fields) {
		raised = append(raised, Raised{event, c.Form, a.shape(c.Form, event).write(data)})
	}
	for _, change := range changes {
		t := teller{change, func(event string, extra store.Fields) {
			data := v.data(change, event, extra)
			if changed, ok := data["changes"].(store.Fields); ok {
				keepKnown(changed, a.shape(c.Form, event), change)
			}
			raise(event, data)
		}}
		t.all(c.Form)
	}
	if batch := v.batch(changes); batch != nil {
		raise("timesheets.processed.batch", batch)
	}
	return raised, v.fault
}

// Envelope puts an event into the envelope of its form, as compact JSON.
func Envelope(r Raised, id, company string, at time.Time) []byte {
	stamp := at.UTC().Format(time.RFC3339)
	var envelope any
	if r.Form == webhook.Compact {
		envelope = struct {
			Event     string          `json:"event"`
			Timestamp string          `json:"timestamp"`
			Data      json.RawMessage `json:"data"`
		}{r.Type, stamp, r.Data}
	} else {
		envelope = struct {
			ID        string          `json:"event_id"`
			Type      string          `json:"event_type"`
			Timestamp string          `json:"timestamp"`
			Company   string          `json:"company_id"`
			Data      json.RawMessage `json:"data"`
		}{id, r.Type, stamp, company, r.Data}
	}
	raw, _ := jsontext.Marshal(envelope) // texts, and JSON that was written here
	return raw
}
