// Package rules says what each inbound event does: an event and a transaction
// come in; an answer, and the changes that others are told of, come out.
//
//	result, err := rules.Apply(rules.Call{Tx: tx, Company: "comp_1", Event: event, Now: now, NewID: newID})
//	var refusal *rules.Error
//	if errors.As(err, &refusal) { … } // nothing was changed, and why
//
// The facts are those of WorkSkedge's page, Inbound Webhooks. The event has
// been linted without errors, and an error undoes the transaction.
package rules

import (
	"fmt"
	"net/http"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Call is one inbound event.
type Call struct {
	Tx      *store.Tx
	Company string // its ID
	Actor   string // who does it, for created_by and the like: "user_…"
	Event   webhook.Event
	Data    store.Fields // the event's data, decoded
	Now     time.Time
	NewID   func(prefix string) string // "wo" → "wo_…"
}

// Result is what an event did.
type Result struct {
	Message  string         // "Work order created successfully"
	RecordID string         // of the record that it was about; "" for none
	Search   bool           // it was a search, and Results is its answer
	Results  []store.Fields // found by a search
	Changes  []Change       // in the order in which they were made
}

// Action is what became of a record.
type Action string

// The actions.
const (
	Created Action = "created"
	Updated Action = "updated"
	Deleted Action = "deleted"
	Closed  Action = "closed" // projects
)

// Change is what became of one record. Which events it raises follows from
// Before and After, a changed status for instance.
type Change struct {
	Action Action
	Before *store.Record // nil when it was created
	After  *store.Record // nil when it was deleted
}

// Record returns the record as it is, or as it was last.
func (c Change) Record() store.Record {
	if c.After != nil {
		return *c.After
	}
	return *c.Before
}

// Detail is one thing that is wrong with an event.
type Detail struct {
	Pointer string `json:"pointer"` // JSON Pointer in the body: /data/project_code
	Message string `json:"message"`
}

// Error is why an event was not carried out.
type Error struct {
	Status  int    // 400 or 404
	Message string // one sentence
	Details []Detail
}

func (e *Error) Error() string { return e.Message }

// bad refuses an event for one member of its data.
func bad(pointer, format string, args ...any) *Error {
	text := fmt.Sprintf(format, args...)
	return &Error{Status: http.StatusBadRequest, Message: text, Details: []Detail{{pointer, text}}}
}

// missing refuses an event that names a record that there is not.
func missing(pointer, format string, args ...any) *Error {
	r := bad(pointer, format, args...)
	r.Status = http.StatusNotFound
	return r
}
