package rules

import (
	"strings"
)

// Apply carries out an event in the call's transaction. The error is a
// *Error for what the platform does not take.
func Apply(c Call) (Result, error) {
	family, verb, _ := strings.Cut(c.Event.Type, ".")
	switch family {
	case "project":
		return c.project(verb)
	case "work_order":
		return c.workOrder(verb)
	case "report":
		return c.report(verb)
	case "employee":
		return c.employee(verb)
	case "vendor":
		return c.vendor(verb)
	case "customer":
		return c.customer(verb)
	case "location":
		return c.location(verb)
	case "contact":
		return c.contact(verb)
	case "time_off":
		return c.timeOff(verb)
	case "timesheet":
		return c.timesheet(verb)
	case "test":
		return Result{Message: processed}, nil // it changes nothing
	}
	return c.unknown()
}

// processed is what the page answers to most events that create.
const processed = "Webhook processed successfully"

func (c *Call) unknown() (Result, error) {
	return Result{}, bad("/event_type", "event_type %q has no inbound operation", c.Event.Type)
}
