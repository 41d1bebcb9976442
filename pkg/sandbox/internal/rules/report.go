package rules

import (
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// report carries out report.daily_submitted, .completion_submitted and
// .completion_approved.
func (c *Call) report() (*store.Record, error) {
	if _, err := c.required("work_order_number"); err != nil {
		return nil, err
	}
	order, err := c.workOrderNamed(false)
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

// reportSubject is a new report of a day.
func (c *Call) reportSubject(order *store.Record, kind, day, members string, approved bool) *subject {
	status := "pending"
	if approved {
		status = "approved"
	}
	return &subject{
		kind: store.Report, key: store.Key(order.ID, kind, day), name: order.Name, parent: order.ID,
		own: store.Fields{
			"work_order_id": order.ID, "type": kind, "report_date": day, "status": status, "is_auto_approved": yes(c.Data, "is_auto_approved"),
		},
		take: func(r *store.Record) error {
			take(r.Fields, c.Data, members)
			return c.sign(r, "submitted_by")
		},
		member: "report_date",
		taken:  "the work order " + order.Key + " has a " + kind + " report for " + day + " already",
	}
}

// sign puts the employee into a report whom a member of the event names, if it
// does.
func (c *Call) sign(r *store.Record, member string) error {
	number := text(c.Data, member)
	if number == "" {
		return nil
	}
	employee, err := c.employeeNamed(number, member)
	if err != nil {
		return err
	}
	r.Fields[member], r.Fields[member+"_id"] = number, employee.ID
	return nil
}

func (c *Call) submitDaily(order *store.Record) (*store.Record, error) {
	day, err := c.required("report_date")
	if err != nil {
		return nil, err
	}
	const members = "notes work_completed materials_used hours_worked weather_conditions safety_incidents"
	return c.make(c.reportSubject(order, "daily", day, members, yes(c.Data, "is_auto_approved")))
}

// submitCompletion waits for approval, unless it needs none and approves
// itself: then the work order is completed.
func (c *Call) submitCompletion(order *store.Record) (*store.Record, error) {
	day := text(c.Data, "report_date")
	if day == "" {
		day = c.Now.Format(time.DateOnly)
	}
	needed, given := c.Data["requires_approval"].(bool)
	needed = needed || !given
	closes := !needed && yes(c.Data, "is_auto_approved")
	pending, err := c.pendingCompletion(order)
	switch {
	case err != nil:
		return nil, err
	case pending != nil:
		return nil, bad("work_order_number", "the work order "+order.Key+" has a completion report that waits for approval")
	}
	s := c.reportSubject(order, "completion", day, "completion_summary scope_checklist completion_checklist", closes)
	s.own["requires_approval"] = needed
	r, err := c.make(s)
	if err == nil && closes {
		err = c.setStatus(order, "completed")
	}
	return r, err
}

// pendingCompletion finds the completion report that waits, or nil.
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
		return nil, bad("work_order_number", "the work order "+order.Key+" has no completion report that waits for approval")
	}
	after := before.Clone()
	after.Fields["status"], after.Fields["approved_at"] = "approved", c.Now.UTC().Format(time.RFC3339)
	if err := c.sign(after, "approved_by"); err != nil {
		return nil, err
	}
	take(after.Fields, c.Data, "approval_notes")
	if err := c.update(before, after); err != nil {
		return nil, err
	}
	return before, c.setStatus(order, "completed")
}
