// Package rules applies inbound events to a company's records: an event and a
// transaction come in; the platform's response, and the changes that
// subscribers are notified of, come out.
//
//	result, err := rules.Apply(rules.Call{Tx: tx, Company: "comp_1", Event: event, Data: data, Now: now, NewID: newID})
//	var refusal *rules.Error
//	if errors.As(err, &refusal) {
//		… // the platform refuses the event; roll the transaction back
//	}
//
// The rules are those of WorkSkedge's page Inbound Webhooks, and our own where
// it is silent; [Rules] lists both. They expect an event that the linter found
// no errors in. After an error the transaction
// must be rolled back.
package rules

import (
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Call is one inbound event, and what it is applied to.
type Call struct {
	Tx      *store.Tx
	Company string // its ID
	Actor   string // the user who makes the changes, for created_by and the like: "user_…"
	Event   webhook.Event
	Data    store.Fields // the event's data, decoded; nil if it is not an object
	Now     time.Time
	NewID   func(prefix string) string // "wo" → "wo_…"
	Lenient bool                       // the rules that WorkSkedge does not document are off

	verb    string   // the part of the event's type after the dot
	changes []Change // so far
}

// Result is what an event did.
type Result struct {
	Message  string         // such as "Work order updated successfully"
	RecordID string         // of the record that the event is about; "" if there is none
	Search   bool           // the event was a search, and Results is its answer
	Results  []store.Fields // what a search found
	Changes  []Change       // in the order in which they were made
}

// Action is what happened to a record.
type Action string

// The actions.
const (
	Created Action = "created"
	Updated Action = "updated"
	Deleted Action = "deleted"
	Closed  Action = "closed" // of projects only
)

// Change is what happened to one record. Which events it raises follows from
// the two states of the record, such as a status that differs.
type Change struct {
	Action Action
	Before *store.Record // nil if the record was created
	After  *store.Record // nil if the record was deleted
}

// Record returns the record after the change, or before its deletion.
func (c Change) Record() *store.Record {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// family is what events share whose types have the same first part.
type family struct {
	noun    string                               // begins the messages of all but created: "Vendor updated successfully"
	created string                               // the message of created; of all verbs, if there is no noun
	apply   func(c *Call) (*store.Record, error) // returns the record that the event is about, if any
}

// processed is WorkSkedge's message for most events that create something.
const processed = "Webhook processed successfully"

// families are the events by the part of their type before the dot. Searches
// are apart.
var families = map[string]family{
	"project":    {noun: "Project", created: processed, apply: (*Call).project},
	"work_order": {noun: "Work order", created: processed, apply: (*Call).workOrder},
	"report":     {created: processed, apply: (*Call).report},
	"employee":   {noun: "Employee", created: processed, apply: (*Call).employee},
	"vendor":     {noun: "Vendor", created: "Vendor created successfully", apply: (*Call).vendor},
	"customer":   {noun: "Customer", created: "Customer created successfully", apply: (*Call).customer},
	"location":   {noun: "Location", created: "Location created successfully", apply: (*Call).location},
	"contact":    {noun: "Contact", created: "Contact created successfully", apply: (*Call).contact},
	"time_off":   {noun: "Time off request", created: "Time off request processed successfully", apply: (*Call).timeOff},
	"timesheet":  {noun: "Timesheet", created: "Timesheet created successfully", apply: (*Call).timesheet},
	"test":       {created: processed, apply: func(*Call) (*store.Record, error) { return nil, nil }},
}

// Apply applies an event in the call's transaction. The error is an [*Error] if
// the platform refuses the event.
func Apply(c Call) (*Result, error) {
	if c.Data == nil {
		const text = "data must be an object"
		return nil, &Error{Rule: ruleData, Message: text, Details: []Detail{{"/data", text}}}
	}
	if err := c.checkRequired(c.Event.Type, c.Data); err != nil {
		return nil, err
	}
	switch c.Event.Type {
	case "project.search":
		return c.searchProjects()
	case "work_order.search":
		return c.searchWorkOrders()
	}
	name, verb, _ := strings.Cut(c.Event.Type, ".")
	c.verb = verb
	f, known := families[name]
	if !known {
		return nil, c.unknown()
	}
	about, err := f.apply(&c)
	if err != nil {
		return nil, err
	}
	result := &Result{Message: f.created, Changes: c.changes}
	if verb != "created" && f.noun != "" {
		result.Message = f.noun + " " + verb + " successfully"
	}
	if about != nil {
		result.RecordID = about.ID
	}
	return result, nil
}
