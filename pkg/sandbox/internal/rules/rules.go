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
	"net/http"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
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

	verb    string   // what stands behind the dot of the event's type
	changes []Change // so far
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
func (c Change) Record() *store.Record {
	if c.After != nil {
		return c.After
	}
	return c.Before
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
func bad(member, text string) error { return refuse(http.StatusBadRequest, member, text) }

// missing refuses an event that names a record that there is not.
func missing(member, text string) error { return refuse(http.StatusNotFound, member, text) }

// refuse makes a refusal, for thirty places that have one.
//
//go:noinline // thirty copies are a good part of the package
func refuse(status int, member, text string) error {
	return &Error{Status: status, Message: text, Details: []Detail{{pointer(member), text}}}
}

// pointer is the JSON Pointer of a member of data. The members of the platform
// are plain words, so nothing in them needs an escape.
func pointer(member string) string { return "/data/" + member }

// at is an item in a list of data.
func at(list string, n int) string { return list + "/" + strconv.Itoa(n) }
