package rules

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// project carries out project.created, .updated, .deleted, .closed and
// .search.
func (c *Call) project(verb string) (Result, error) {
	switch verb {
	case "created":
		return c.createProject()
	case "search":
		return c.searchProjects()
	case "updated", "deleted", "closed":
	default:
		return c.unknown()
	}
	code, err := c.required("project_code")
	if err != nil {
		return Result{}, err
	}
	before, err := c.projectNamed(code)
	if err != nil {
		return Result{}, err
	}
	switch verb {
	case "updated":
		return c.updateProject(before)
	case "deleted":
		return c.deleteProject(before)
	}
	return c.closeProject(before)
}

func (c *Call) projectNamed(code string) (store.Record, error) {
	r, ok, err := c.find(store.Project, code)
	if err == nil && !ok {
		err = missing(pointer("project_code"), "there is no project with the code %q", code)
	}
	return r, err
}

// createProject makes customer, location and contacts on the way.
func (c *Call) createProject() (Result, error) {
	var given [4]string
	for i, name := range []string{"project_name", "project_code", "customer_name", "location_name"} {
		var err error
		if given[i], err = c.required(name); err != nil {
			return Result{}, err
		}
	}
	name, code := given[0], given[1]
	if _, taken, err := c.find(store.Project, code); taken || err != nil {
		if err == nil {
			err = bad(pointer("project_code"), "there is a project with the code %q already: change it with project.updated", code)
		}
		return Result{}, err
	}
	r := c.fresh(store.Project, "proj", code, name)
	r.Fields["project_name"], r.Fields["project_code"], r.Fields["status"] = name, code, "active"
	changes, err := c.place(&r, given[2], given[3])
	if err != nil {
		return Result{}, err
	}
	if err := c.takeProject(&r); err != nil {
		return Result{}, err
	}
	more, err := c.contacts(&r)
	if err != nil {
		return Result{}, err
	}
	changes = append(changes, more...)
	change, err := c.create(r)
	return Result{Message: processed, RecordID: r.ID, Changes: append(changes, change)}, err
}

// place puts a project at a customer's location; both are made where they are
// not there.
func (c *Call) place(r *store.Record, customerName, locationName string) ([]Change, error) {
	customer, changes, err := c.ensureCustomer(customerName, c.Data)
	if err != nil {
		return nil, err
	}
	r.Parent, r.Fields["customer_id"] = customer.ID, customer.ID
	if locationName == "" {
		return changes, nil
	}
	location, more, err := c.ensureLocation(customer, locationName, c.Data)
	r.Fields["location_id"] = location.ID
	return append(changes, more...), err
}

// takeProject copies what an event says of a project itself.
func (c *Call) takeProject(r *store.Record) error {
	for _, name := range []string{"account_manager_emp_number", "internal_manager_emp_number"} {
		if err := c.manager(c.Data, name); err != nil {
			return err
		}
	}
	take(r.Fields, c.Data, "description", "account_manager_emp_number", "internal_manager_emp_number", "priority", "color_index",
		"equipment", "docs", "start_date", "end_date")
	mergeFields(r.Fields, c.Data, "custom_fields")
	return nil
}

// contacts brings the contacts of a project's customer up to date, and links
// them.
func (c *Call) contacts(r *store.Record) (changes []Change, err error) {
	list, given := c.Data["contacts"].([]any)
	if !given {
		return nil, nil
	}
	customer, err := c.Tx.Get(c.Company, text(r.Fields, "customer_id"))
	if err != nil {
		return nil, fmt.Errorf("the customer of project %s: %w", r.Key, err)
	}
	ids := []any{}
	for n, item := range list {
		fields, _ := item.(map[string]any)
		contact, more, err := c.ensureContact(customer, fields, at("contacts", n))
		if err != nil {
			return nil, err
		}
		changes, ids = append(changes, more...), append(ids, contact.ID)
	}
	r.Fields["contact_ids"] = ids
	return changes, nil
}

// updateProject changes the project, and what it says of customer and
// location; other names for these move it there.
func (c *Call) updateProject(before store.Record) (Result, error) {
	after := before.Clone()
	customer, err := c.Tx.Get(c.Company, text(before.Fields, "customer_id"))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Result{}, err
	}
	customerName, locationName := text(c.Data, "customer_name"), text(c.Data, "location_name")
	var changes []Change
	switch {
	case customerName != "" || locationName != "":
		if customerName == "" {
			customerName = customer.Name
		}
		if changes, err = c.place(&after, customerName, locationName); err != nil {
			return Result{}, err
		}
	}
	more, err := c.updatePlace(after)
	if err != nil {
		return Result{}, err
	}
	changes = append(changes, more...)
	if err := c.takeProject(&after); err != nil {
		return Result{}, err
	}
	if name := text(c.Data, "project_name"); name != "" {
		after.Name, after.Fields["project_name"] = name, name
	}
	if more, err = c.contacts(&after); err != nil {
		return Result{}, err
	}
	changes = append(changes, more...)
	own, err := c.updated(before, after)
	return Result{Message: "Project updated successfully", RecordID: before.ID, Changes: append(changes, own...)}, err
}

// updatePlace writes the customer_ and location_ members of an event into the
// project's customer and location.
func (c *Call) updatePlace(project store.Record) (changes []Change, err error) {
	for _, part := range []struct {
		id, prefix string
		names      []string
	}{
		{"customer_id", "customer_", []string{"type", "email", "phone", "website", "status", "notes"}},
		{"location_id", "location_", locationFields()},
	} {
		id := text(project.Fields, part.id)
		if id == "" {
			continue
		}
		before, err := c.Tx.Get(c.Company, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		after := before.Clone()
		takePrefixed(after.Fields, c.Data, part.prefix, part.names...)
		more, err := c.updated(before, after)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
	}
	return changes, nil
}

// deleteProject takes its work orders and their reports along.
func (c *Call) deleteProject(r store.Record) (Result, error) {
	orders, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.WorkOrder, Parent: r.ID})
	if err != nil {
		return Result{}, err
	}
	var changes []Change
	for _, order := range orders {
		change, err := c.removeWorkOrder(order)
		if err != nil {
			return Result{}, err
		}
		changes = append(changes, change)
	}
	change, err := c.remove(r)
	return Result{Message: "Project deleted successfully", RecordID: r.ID, Changes: append(changes, change)}, err
}

// closeProject refuses while work orders are open, unless it is told to
// complete them.
func (c *Call) closeProject(before store.Record) (Result, error) {
	if text(before.Fields, "status") == "closed" {
		return Result{}, bad(pointer("project_code"), "the project %s is closed already", before.Key)
	}
	orders, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.WorkOrder, Parent: before.ID})
	if err != nil {
		return Result{}, err
	}
	var open []store.Record
	var numbers []string
	for _, order := range orders {
		if isOpen(order) {
			open, numbers = append(open, order), append(numbers, order.Key)
		}
	}
	if len(open) > 0 && !yes(c.Data, "close_work_orders") {
		text := fmt.Sprintf("the project %s has open work orders: %s; close_work_orders closes them as well", before.Key, strings.Join(numbers, ", "))
		return Result{}, bad(pointer("project_code"), "%s", text)
	}
	var changes []Change
	for _, order := range open {
		more, err := c.complete(order)
		if err != nil {
			return Result{}, err
		}
		changes = append(changes, more...)
	}
	after := before.Clone()
	after.Updated = c.Now
	after.Fields["status"], after.Fields["closed_at"] = "closed", c.Now.UTC().Format(time.RFC3339)
	after.Fields["updated_by"] = c.Actor
	err = c.Tx.Put(after)
	return Result{Message: "Project closed successfully", RecordID: before.ID, Changes: append(changes, Change{Closed, &before, &after})}, err
}
