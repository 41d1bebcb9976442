package rules

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// project carries out project.created, .updated, .deleted and .closed.
func (c *Call) project() (*store.Record, error) {
	do := (*Call).closeProject
	switch c.verb {
	case "created":
		return c.createProject()
	case "updated":
		do = (*Call).updateProject
	case "deleted":
		do = (*Call).deleteProject
	case "closed":
	default:
		return nil, c.unknown()
	}
	code, err := c.required("project_code")
	if err != nil {
		return nil, err
	}
	r, err := c.projectNamed(code)
	if err != nil {
		return nil, err
	}
	return r, do(c, r)
}

func (c *Call) projectNamed(code string) (*store.Record, error) {
	return c.known(store.Project, code, "project_code", "there is no project with the code "+strconv.Quote(code))
}

// createProject makes customer, location and contacts on the way.
func (c *Call) createProject() (*store.Record, error) {
	given, err := c.requiredAll("project_name", "project_code", "customer_name", "location_name")
	if err != nil {
		return nil, err
	}
	name, code := given[0], given[1]
	taken, err := c.find(store.Project, code)
	switch {
	case err != nil:
		return nil, err
	case taken != nil:
		return nil, bad("project_code", "there is a project with the code "+strconv.Quote(code)+" already: change it with project.updated")
	}
	r := c.fresh(store.Project, code, name)
	r.Fields["project_name"], r.Fields["project_code"], r.Fields["status"] = name, code, "active"
	if err := c.place(r, given[2], given[3]); err != nil {
		return nil, err
	}
	if err := c.takeProject(r); err != nil {
		return nil, err
	}
	return r, c.create(r)
}

// place puts a project at a customer's location; both are made where they are
// not there.
func (c *Call) place(r *store.Record, customerName, locationName string) error {
	customer, err := c.ensure(customerSubject(customerName), "customer_", customerMembers)
	if err != nil {
		return err
	}
	moved := r.Parent != customer.ID
	r.Parent, r.Fields["customer_id"] = customer.ID, customer.ID
	switch {
	case locationName == "" && moved: // it was the other customer's
		delete(r.Fields, "location_id")
		return nil
	case locationName == "":
		return nil
	}
	location, err := c.ensure(locationSubject(customer, locationName), "location_", locationMembers)
	if err != nil {
		return err
	}
	r.Fields["location_id"] = location.ID
	return nil
}

// takeProject copies what an event says of a project itself, and links its
// contacts.
func (c *Call) takeProject(r *store.Record) error {
	for _, member := range []string{"account_manager_emp_number", "internal_manager_emp_number"} {
		if err := c.manager(member); err != nil {
			return err
		}
	}
	take(r.Fields, c.Data, "description account_manager_emp_number internal_manager_emp_number priority color_index equipment docs start_date end_date")
	mergeFields(r.Fields, c.Data, "custom_fields")
	return c.contacts(r)
}

// contacts brings the contacts of a project's customer up to date, and links
// them.
func (c *Call) contacts(r *store.Record) error {
	list, given := c.Data["contacts"].([]any)
	if !given {
		return nil
	}
	customer, err := c.Tx.Get(c.Company, text(r.Fields, "customer_id"))
	if err != nil {
		return fmt.Errorf("the customer of project %s: %w", r.Key, err)
	}
	ids := []any{}
	for n, item := range list {
		fields, _ := item.(map[string]any)
		contact, err := c.ensureContact(customer, fields, at("contacts", n))
		if err != nil {
			return err
		}
		if !slices.Contains(ids, any(contact.ID)) {
			ids = append(ids, contact.ID)
		}
	}
	r.Fields["contact_ids"] = ids
	return nil
}

// updateProject changes the project, and what it says of customer and
// location; other names for these move it there.
func (c *Call) updateProject(before *store.Record) error {
	after := before.Clone()
	customerName, locationName := text(c.Data, "customer_name"), text(c.Data, "location_name")
	if customerName == "" && locationName != "" {
		customer, err := c.get(text(before.Fields, "customer_id"))
		if err != nil {
			return err
		}
		if customer != nil {
			customerName = customer.Name
		}
	}
	if customerName != "" || locationName != "" {
		if err := c.place(after, customerName, locationName); err != nil {
			return err
		}
	}
	if err := c.updatePlace(after, "customer_", customerMembers); err != nil {
		return err
	}
	if err := c.updatePlace(after, "location_", locationMembers); err != nil {
		return err
	}
	if name := text(c.Data, "project_name"); name != "" {
		after.Name, after.Fields["project_name"] = name, name
	}
	if err := c.takeProject(after); err != nil {
		return err
	}
	return c.update(before, after)
}

// updatePlace writes those members of the event that begin with a prefix into
// the project's customer or location.
func (c *Call) updatePlace(project *store.Record, prefix, members string) error {
	before, err := c.get(text(project.Fields, prefix+"id"))
	if before == nil || err != nil {
		return err
	}
	after := before.Clone()
	takePrefixed(after.Fields, c.Data, prefix, members)
	return c.update(before, after)
}

// deleteProject takes its work orders and their reports along.
func (c *Call) deleteProject(r *store.Record) error {
	orders, err := c.children(store.WorkOrder, r)
	if err != nil {
		return err
	}
	for _, order := range orders {
		if err := c.removeWorkOrder(order); err != nil {
			return err
		}
	}
	return c.remove(r)
}

// closeProject refuses while work orders are open, unless it is told to
// complete them.
func (c *Call) closeProject(before *store.Record) error {
	if text(before.Fields, "status") == "closed" {
		return bad("project_code", "the project "+before.Key+" is closed already")
	}
	orders, err := c.children(store.WorkOrder, before)
	if err != nil {
		return err
	}
	var open []*store.Record
	for _, order := range orders {
		if isOpen(order) {
			open = append(open, order)
		}
	}
	if len(open) > 0 && !yes(c.Data, "close_work_orders") {
		return bad("project_code", "the project "+before.Key+" has open work orders: "+keys(open)+"; close_work_orders closes them as well")
	}
	for _, order := range open {
		if err := c.setStatus(order, "completed"); err != nil {
			return err
		}
	}
	after := before.Clone()
	after.Fields["status"], after.Fields["closed_at"] = "closed", c.Now.UTC().Format(time.RFC3339)
	return c.replace(Closed, before, after)
}
