package rules

import (
	"errors"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// report carries out report.daily_submitted, .completion_submitted and
// .completion_approved.
func (c *Call) report(verb string) (Result, error) {
	if _, err := c.required("work_order_number"); err != nil {
		return Result{}, err
	}
	order, err := c.workOrderNamed(false)
	if err != nil {
		return Result{}, err
	}
	switch verb {
	case "daily_submitted":
		return c.submitDaily(order)
	case "completion_submitted":
		return c.submitCompletion(order)
	case "completion_approved":
		return c.approveCompletion(order)
	}
	return c.unknown()
}

// freshReport begins a report of a day.
func (c *Call) freshReport(order store.Record, kind, day, status string) (store.Record, error) {
	r := c.fresh(store.Report, "rpt", store.Key(order.ID, kind, day), order.Name)
	r.Parent = order.ID
	r.Fields["work_order_id"], r.Fields["type"], r.Fields["report_date"], r.Fields["status"] = order.ID, kind, day, status
	if number := text(c.Data, "submitted_by"); number != "" {
		employee, err := c.employeeNamed(number, pointer("submitted_by"))
		if err != nil {
			return r, err
		}
		r.Fields["submitted_by"], r.Fields["submitted_by_id"] = number, employee.ID
	}
	r.Fields["is_auto_approved"] = yes(c.Data, "is_auto_approved")
	return r, nil
}

func (c *Call) submitDaily(order store.Record) (Result, error) {
	day, err := c.required("report_date")
	if err != nil {
		return Result{}, err
	}
	status := "pending"
	if yes(c.Data, "is_auto_approved") {
		status = "approved"
	}
	r, err := c.freshReport(order, "daily", day, status)
	if err != nil {
		return Result{}, err
	}
	take(r.Fields, c.Data, "notes", "work_completed", "materials_used", "hours_worked", "weather_conditions", "safety_incidents")
	change, err := c.create(r)
	if errors.Is(err, store.ErrTaken) {
		return Result{}, bad(pointer("report_date"), "the work order %s has a daily report for %s already", order.Key, day)
	}
	return Result{Message: processed, RecordID: r.ID, Changes: []Change{change}}, err
}

// submitCompletion waits for approval, unless it needs none and approves
// itself: then the work order is completed.
func (c *Call) submitCompletion(order store.Record) (Result, error) {
	day := text(c.Data, "report_date")
	if day == "" {
		day = c.Now.Format(time.DateOnly)
	}
	needed, given := c.Data["requires_approval"].(bool)
	needed = needed || !given
	closes := !needed && yes(c.Data, "is_auto_approved")
	status := "pending"
	if closes {
		status = "approved"
	}
	pending, err := c.pendingCompletion(order)
	switch {
	case err != nil:
		return Result{}, err
	case pending != nil:
		return Result{}, bad(pointer("work_order_number"), "the work order %s has a completion report that waits for approval", order.Key)
	}
	r, err := c.freshReport(order, "completion", day, status)
	if err != nil {
		return Result{}, err
	}
	r.Fields["requires_approval"] = needed
	take(r.Fields, c.Data, "completion_summary", "scope_checklist", "completion_checklist")
	change, err := c.create(r)
	if errors.Is(err, store.ErrTaken) {
		return Result{}, bad(pointer("report_date"), "the work order %s has a completion report for %s already", order.Key, day)
	}
	result := Result{Message: processed, RecordID: r.ID, Changes: []Change{change}}
	if err != nil || !closes {
		return result, err
	}
	more, err := c.complete(order)
	result.Changes = append(result.Changes, more...)
	return result, err
}

// pendingCompletion finds the completion report that waits, or nil.
func (c *Call) pendingCompletion(order store.Record) (*store.Record, error) {
	list, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.Report, Parent: order.ID})
	for _, r := range list {
		if text(r.Fields, "type") == "completion" && text(r.Fields, "status") == "pending" {
			return &r, err
		}
	}
	return nil, err
}

func (c *Call) approveCompletion(order store.Record) (Result, error) {
	before, err := c.pendingCompletion(order)
	switch {
	case err != nil:
		return Result{}, err
	case before == nil:
		return Result{}, bad(pointer("work_order_number"), "the work order %s has no completion report that waits for approval", order.Key)
	}
	after := before.Clone()
	after.Fields["status"], after.Fields["approved_at"] = "approved", c.Now.UTC().Format(time.RFC3339)
	if number := text(c.Data, "approved_by"); number != "" {
		employee, err := c.employeeNamed(number, pointer("approved_by"))
		if err != nil {
			return Result{}, err
		}
		after.Fields["approved_by"], after.Fields["approved_by_id"] = number, employee.ID
	}
	take(after.Fields, c.Data, "approval_notes")
	changes, err := c.updated(*before, after)
	if err != nil {
		return Result{}, err
	}
	more, err := c.complete(order)
	return Result{Message: processed, RecordID: before.ID, Changes: append(changes, more...)}, err
}
