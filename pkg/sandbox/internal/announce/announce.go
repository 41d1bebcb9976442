// Package announce turns changes of a sandbox's records into the events that
// subscribers receive: changes come in, payloads of the catalog's events go
// out.
//
//	a := announce.New()
//	events, err := a.Events(announce.Context{Tx: tx, Company: "comp_1", Form: webhook.Outbound, Now: now}, result.Changes)
//	for _, e := range events {
//		body := announce.Envelope(e, "evt_1", "comp_1", now)
//	}
//
// Each kind of record has one view, with every member that some event has. The
// event's schema in the catalog says which of them its payload carries, and in
// which order.
package announce

import (
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Context is the state from which changes are announced.
type Context struct {
	Tx      *store.Tx
	Company string
	Form    webhook.Form // outbound or compact
	Now     time.Time

	// UserName returns the name of a user by the ID that records keep; may be nil.
	UserName func(id string) string
}

// Event is an event that subscribers receive.
type Event struct {
	Type string
	Form webhook.Form
	Data []byte // the JSON of its data member
}

// Announcer caches what it has read of the catalog. It is safe for concurrent
// use.
type Announcer struct {
	shapes sync.Map // form and type → *shape
}

// New returns an announcer.
func New() *Announcer { return &Announcer{} }

// Events returns the events that changes raise in a form, in the order of the
// changes. A change that the form has no event for raises none.
func (a *Announcer) Events(c Context, changes []rules.Change) ([]Event, error) {
	v := newViewer(c, changes)
	var events []Event
	for _, change := range changes {
		for _, r := range raisedBy(change, c.Form) {
			shape := a.shape(c.Form, r.event)
			data := v.payload(change, r)
			if differences, ok := data["changes"].(store.Fields); ok {
				keepKnown(differences, shape, change)
			}
			events = append(events, Event{Type: r.event, Form: c.Form, Data: shape.write(data)})
		}
	}
	if data := v.batch(changes); data != nil {
		const batch = "timesheets.processed.batch"
		events = append(events, Event{Type: batch, Form: c.Form, Data: a.shape(c.Form, batch).write(data)})
	}
	return events, *v.err
}

// Envelope puts an event into the envelope of its form.
func Envelope(e Event, id, company string, at time.Time) []byte {
	definition := webhook.Definition{Platform: webhook.WorkSkedge, Form: e.Form, Type: e.Type}
	raw, _ := payload.New(definition, e.Data, payload.Head{ID: id, Time: at, CompanyID: company}) // e.Data is JSON: this package wrote it
	return raw
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
