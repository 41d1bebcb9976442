package rules

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// family is what the events have in common whose types begin alike.
type family struct {
	name string
	noun string                               // begins an answer: "Vendor updated successfully"
	made string                               // the answer to created, and without a noun to all
	do   func(c *Call) (*store.Record, error) // returns what the event is about
}

// processed is what the page answers to most events that create.
const processed = "Webhook processed successfully"

func families() []family {
	return []family{
		{"project", "Project", processed, (*Call).project},
		{"work_order", "Work order", processed, (*Call).workOrder},
		{"report", "", processed, (*Call).report},
		{"employee", "Employee", processed, (*Call).employee},
		{"vendor", "Vendor", "Vendor created successfully", (*Call).vendor},
		{"customer", "Customer", "Customer created successfully", (*Call).customer},
		{"location", "Location", "Location created successfully", (*Call).location},
		{"contact", "Contact", "Contact created successfully", (*Call).contact},
		{"time_off", "Time off request", "Time off request processed successfully", (*Call).timeOff},
		{"timesheet", "Timesheet", "Timesheet created successfully", (*Call).timesheet},
		{"test", "", processed, func(*Call) (*store.Record, error) { return nil, nil }}, // it changes nothing
	}
}

// Apply carries out an event in the call's transaction. The error is a
// *Error for what the platform does not take.
func Apply(c Call) (*Result, error) {
	switch c.Event.Type {
	case "project.search":
		return c.searchProjects()
	case "work_order.search":
		return c.searchWorkOrders()
	}
	name, verb, _ := strings.Cut(c.Event.Type, ".")
	c.verb = verb
	for _, f := range families() {
		if f.name != name {
			continue
		}
		about, err := f.do(&c)
		if err != nil {
			return nil, err
		}
		result := &Result{Message: f.noun + " " + verb + " successfully", Changes: c.changes}
		if verb == "created" || f.noun == "" {
			result.Message = f.made
		}
		if about != nil {
			result.RecordID = about.ID
		}
		return result, nil
	}
	return nil, c.unknown()
}

func (c *Call) unknown() error {
	text := "event_type " + strconv.Quote(c.Event.Type) + " has no inbound operation"
	return &Error{Status: http.StatusBadRequest, Message: text, Details: []Detail{{"/event_type", text}}}
}
