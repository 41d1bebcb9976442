package rules

import (
	"cmp"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

var (
	dailyMembers      = []string{"notes", "work_completed", "materials_used", "hours_worked", "weather_conditions", "safety_incidents"}
	completionMembers = []string{"completion_summary", "scope_checklist", "completion_checklist"}
)

// report applies report.daily_submitted, .completion_submitted and
// .completion_approved.
func (c *Call) report() (*store.Record, error) {
	order, err := c.workOrderNamed()
	if err != nil {
		return nil, err
	}
	switch c.verb {
	case "daily_submitted":
		return c.submitDaily(order)
	case "completion_submitted":
		return c.submitCompletion(order)
	case "completion_approved":
		return c.approveCompletion(order)
	}
	return nil, c.unknown()
}

// reportSubject is a new report of a type, daily or completion, for a day. A day
// may have several.
func (c *Call) reportSubject(order *store.Record, reportType, day string, members []string, approved bool) *subject {
	status := "pending"
	if approved {
		status = "approved"
	}
	return &subject{
		kind: store.Report, name: order.Name, parent: order.ID,
		initial: store.Fields{
			"work_order_id": order.ID, "type": reportType, "report_date": day, "status": status, "is_auto_approved": isTrue(c.Data, "is_auto_approved"),
		},
		fill: func(r *store.Record) error {
			copyMembers(r.Fields, c.Data, members)
			return c.linkEmployee(r, "submitted_by")
		},
	}
}

// linkEmployee links a report to the employee whom a member of the event names,
// if it names one.
func (c *Call) linkEmployee(r *store.Record, member string) error {
	number := text(c.Data, member)
	if number == "" {
		return nil
	}
	employee, err := c.employeeReferred(number, member)
	if err != nil {
		return err
	}
	r.Fields[member] = number
	if employee != nil {
		r.Fields[member+"_id"] = employee.ID
	}
	return nil
}

func (c *Call) submitDaily(order *store.Record) (*store.Record, error) {
	return c.createSubject(c.reportSubject(order, "daily", text(c.Data, "report_date"), dailyMembers, isTrue(c.Data, "is_auto_approved")))
}

// submitCompletion stores a report that waits for approval. A report that needs
// no approval and is auto-approved completes the work order at once.
func (c *Call) submitCompletion(order *store.Record) (*store.Record, error) {
	day := cmp.Or(text(c.Data, "report_date"), c.Now.Format(time.DateOnly))
	needsApproval, given := c.Data["requires_approval"].(bool)
	needsApproval = needsApproval || !given
	completes := !needsApproval && isTrue(c.Data, "is_auto_approved")
	pending, err := c.pendingCompletion(order)
	switch {
	case err != nil:
		return nil, err
	case pending != nil:
		if err := c.refuse(rulePending, "work_order_number", "the work order "+order.Key+" has a completion report that waits for approval"); err != nil {
			return nil, err
		}
	}
	s := c.reportSubject(order, "completion", day, completionMembers, completes)
	s.initial["requires_approval"] = needsApproval
	r, err := c.createSubject(s)
	if err == nil && completes {
		err = c.setStatus(order, "completed")
	}
	return r, err
}

// pendingCompletion returns the completion report that waits for approval, or
// nil.
func (c *Call) pendingCompletion(order *store.Record) (*store.Record, error) {
	list, err := c.children(store.Report, order)
	for _, r := range list {
		if text(r.Fields, "type") == "completion" && text(r.Fields, "status") == "pending" {
			return r, err
		}
	}
	return nil, err
}

func (c *Call) approveCompletion(order *store.Record) (*store.Record, error) {
	before, err := c.pendingCompletion(order)
	switch {
	case err != nil:
		return nil, err
	case before == nil:
		return nil, c.refuse(ruleNoReport, "work_order_number", "the work order "+order.Key+" has no completion report that waits for approval")
	}
	after := before.Clone()
	after.Fields["status"], after.Fields["approved_at"] = "approved", c.Now.UTC().Format(time.RFC3339)
	if err := c.linkEmployee(after, "approved_by"); err != nil {
		return nil, err
	}
	copyMembers(after.Fields, c.Data, []string{"approval_notes"})
	if err := c.update(before, after); err != nil {
		return nil, err
	}
	return before, c.setStatus(order, "completed")
}
