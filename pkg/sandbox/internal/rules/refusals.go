package rules

import (
	"strconv"
	"strings"
	"sync"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Rule is a reason for which an event is refused.
type Rule struct {
	ID      string
	Refused string // what is refused
	Section string // of WorkSkedge's Webhooks page, which documents the rule; "" for a rule of the sandbox
}

// The rules that WorkSkedge documents.
var (
	ruleOperation = Rule{"operation", "an event type that the endpoint does not accept", "Operation Patterns"}
	ruleData      = Rule{"data", "an event whose data is not an object", "Common Error Codes"}
	ruleRequired  = Rule{"required", "an event without a required member, or with a blank one", "Common Error Codes"}
	ruleUnknown   = Rule{"unknown-record", "an event that names no existing record where it must identify one", "Required Fields by Operation Type"}
	ruleOpenWork  = Rule{"open-work-orders", "project.closed while work orders are open, without close_work_orders", "Close Project"}
	ruleSkill     = Rule{"unknown-skill", "an employee with a skill that is not in the company's library", "Employee Skills Requirement"}
	ruleNoReport  = Rule{"no-pending-report", "report.completion_approved without a completion report that waits for approval", "Approve Completion Report"}
	ruleStatus    = Rule{"timesheet-status", "a timesheet with a status other than draft, submitted, locked and processed", "TimesheetData Fields"}
	ruleLocked    = Rule{"timesheet-locked", "a change to the entries, notes or hours of a timesheet that is locked or processed", "timesheet.locked"}
	ruleEntry     = Rule{"timesheet-entry", "an entry on another day than its timesheet, or with hours that are not from 0 to 24", "TimesheetEntryData Fields"}
	ruleNeedsWork = Rule{"requires-work-order", "an entry without a work order, of a work type that requires one", "Work Type Support"}
	ruleSearch    = Rule{"search-field", "a search in a field that cannot be searched", "Search Operations"}
)

// The rules that only the sandbox has, which [Call.Lenient] turns off.
var (
	ruleExists      = Rule{ID: "record-exists", Refused: "the creation of a record that exists"}
	ruleNameTaken   = Rule{ID: "name-taken", Refused: "a new name for a customer, location or contact that another one has"}
	ruleReference   = Rule{ID: "unknown-reference", Refused: "an employee, location or work order that a record refers to and that does not exist"}
	ruleWorkType    = Rule{ID: "unknown-work-type", Refused: "an entry of a work type that the company does not have"}
	ruleClosed      = Rule{ID: "closed-project", Refused: "a closed project that is closed again or gets an open work order"}
	ruleHasProjects = Rule{ID: "customer-has-projects", Refused: "customer.deleted while the customer has projects"}
	ruleAmbiguous   = Rule{ID: "ambiguous-phase", Refused: "work_order.deleted by project and phase where several work orders have the phase"}
	rulePending     = Rule{ID: "pending-report", Refused: "a completion report while another one of the work order waits for approval"}
	ruleStep        = Rule{ID: "timesheet-step", Refused: "a status of a timesheet that skips or goes back a step, as from draft to locked"}
	ruleProcessed   = Rule{ID: "timesheet-processed", Refused: "timesheet.deleted once the timesheet is processed"}
	ruleDates       = Rule{ID: "time-off-dates", Refused: "time off that ends before it begins"}
	ruleContact     = Rule{ID: "contact-name", Refused: "a contact of a project without first_name and last_name"}
)

// Rules returns every rule: first those that WorkSkedge documents.
func Rules() []Rule {
	return []Rule{
		ruleOperation, ruleData, ruleRequired, ruleUnknown, ruleOpenWork, ruleSkill, ruleNoReport, ruleStatus, ruleLocked, ruleEntry, ruleNeedsWork, ruleSearch,
		ruleExists, ruleNameTaken, ruleReference, ruleWorkType, ruleClosed, ruleHasProjects, ruleAmbiguous, rulePending, ruleStep, ruleProcessed,
		ruleDates, ruleContact,
	}
}

// IsDocumented reports whether WorkSkedge documents the rule.
func (r Rule) IsDocumented() bool { return r.Section != "" }

// Detail is one fault of an event.
type Detail struct {
	Pointer string `json:"pointer"` // JSON Pointer into the body: /data/project_code
	Message string `json:"message"`
}

// Error is why an event is refused. WorkSkedge documents the status 400 for it
// (Common Error Codes).
type Error struct {
	Rule    Rule
	Message string // one sentence
	Details []Detail
}

func (e *Error) Error() string { return e.Message }

// refuse refuses the event by a rule, because of one member of its data. It
// returns nil if only the sandbox has the rule and it is turned off.
func (c *Call) refuse(r Rule, member, text string) error {
	if c.Lenient && !r.IsDocumented() {
		return nil
	}
	return &Error{Rule: r, Message: text, Details: []Detail{{pointer(member), text}}}
}

// pointer returns the JSON Pointer of a member of data. WorkSkedge's member
// names contain nothing that needs an escape.
func pointer(member string) string { return "/data/" + member }

// item names an item of a list in data, as member of the refusals above.
func item(list string, n int) string { return list + "/" + strconv.Itoa(n) }

// unknown refuses an event of a type that is not applied.
func (c *Call) unknown() error {
	text := "event_type " + strconv.Quote(c.Event.Type) + " has no inbound operation"
	return &Error{Rule: ruleOperation, Message: text, Details: []Detail{{"/event_type", text}}}
}

// required maps the types of inbound events to the members of data that the
// catalog requires, so that the linter and the sandbox require the same.
var required = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for _, d := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, webhook.Inbound) {
		for _, p := range d.Properties() {
			if name, ok := strings.CutPrefix(p.Path, "data."); ok && p.Required && !strings.Contains(name, ".") {
				all[d.Type] = append(all[d.Type], name)
			}
		}
	}
	return all
})

// checkRequired refuses an event of a type if a required member of the data is
// missing or blank.
func (c *Call) checkRequired(eventType string, data store.Fields) error {
	for _, name := range required()[eventType] {
		if text(data, name) == "" {
			return c.refuse(ruleRequired, name, name+" is required for "+eventType)
		}
	}
	return nil
}
