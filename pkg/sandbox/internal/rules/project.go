package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

var projectMembers = []string{
	"description", "account_manager_emp_number", "internal_manager_emp_number",
	"priority", "color_index", "equipment", "docs", "start_date", "end_date",
}

// project applies project.created, .updated, .deleted and .closed.
func (c *Call) project() (*store.Record, error) {
	var apply func(*store.Record) error
	switch c.verb {
	case "created":
		return c.createProject()
	case "updated":
		apply = c.updateProject
	case "deleted":
		apply = c.deleteProject
	case "closed":
		apply = c.closeProject
	default:
		return nil, c.unknown()
	}
	r, err := c.projectNamed(text(c.Data, "project_code"))
	if err != nil {
		return nil, err
	}
	return r, apply(r)
}

func (c *Call) projectNamed(code string) (*store.Record, error) {
	return c.findOrRefuse(store.Project, code, "project_code", "there is no project with the code "+strconv.Quote(code))
}

// createProject also creates the customer, the location and the contacts, if
// they do not exist. WorkSkedge does not call the code and the name required
// (Create Project): a project without a code gets one, and one without a name
// is called by its code.
func (c *Call) createProject() (*store.Record, error) {
	code := text(c.Data, "project_code")
	existing, err := c.find(store.Project, code)
	switch {
	case err == nil && existing != nil:
		err = c.refuse(ruleExists, "project_code", "a project with the code "+strconv.Quote(code)+" already exists: change it with project.updated")
	case err == nil && code == "":
		code, err = c.nextKey(store.Project, "PRJ")
	}
	switch {
	case err != nil:
		return nil, err
	case existing != nil:
		return existing, c.updateProject(existing)
	}
	name := cmp.Or(text(c.Data, "project_name"), code)
	r := c.newRecord(store.Project, code, name)
	r.Fields["project_name"], r.Fields["project_code"], r.Fields["status"] = name, code, "active"
	if err := c.linkPlace(r, text(c.Data, "customer_name"), text(c.Data, "location_name")); err != nil {
		return nil, err
	}
	if err := c.fillProject(r); err != nil {
		return nil, err
	}
	return r, c.create(r)
}

// linkPlace links a project to a customer and a location, which it creates if they
// do not exist. An empty locationName keeps the location, unless the customer
// is another one.
func (c *Call) linkPlace(r *store.Record, customerName, locationName string) error {
	customer, err := c.ensure(customerSubject(customerName), "customer_", customerMembers)
	if err != nil {
		return err
	}
	moved := r.Parent != customer.ID
	r.Parent, r.Fields["customer_id"] = customer.ID, customer.ID
	switch {
	case locationName == "" && moved:
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

// fillProject copies the members of the project itself, and links its contacts.
func (c *Call) fillProject(r *store.Record) error {
	for _, member := range []string{"account_manager_emp_number", "internal_manager_emp_number"} {
		if err := c.checkManager(member); err != nil {
			return err
		}
	}
	copyMembers(r.Fields, c.Data, projectMembers)
	mergeFields(r.Fields, c.Data, "custom_fields")
	return c.linkContacts(r)
}

// linkContacts updates or creates the contacts that the event lists, at the
// project's customer, and links them to the project.
func (c *Call) linkContacts(r *store.Record) error {
	list, given := c.Data["contacts"].([]any)
	if !given {
		return nil
	}
	customer, err := c.Tx.Get(c.Company, text(r.Fields, "customer_id"))
	if err != nil {
		return fmt.Errorf("the customer of project %s: %w", r.Key, err)
	}
	ids := []any{}
	for n, entry := range list {
		fields, _ := entry.(map[string]any)
		contact, err := c.ensureContact(customer, fields, item("contacts", n))
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

// updateProject changes a project, and the members of its customer and location
// that the event has. Other names for these move the project there.
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
		if err := c.linkPlace(after, customerName, locationName); err != nil {
			return err
		}
	}
	if err := c.updateLinked(text(after.Fields, "customer_id"), "customer_", customerMembers); err != nil {
		return err
	}
	if err := c.updateLinked(text(after.Fields, "location_id"), "location_", locationMembers); err != nil {
		return err
	}
	if name := text(c.Data, "project_name"); name != "" {
		after.Name, after.Fields["project_name"] = name, name
	}
	if err := c.fillProject(after); err != nil {
		return err
	}
	return c.update(before, after)
}

// updateLinked copies the members that have a prefix in the event into the
// project's customer or location, which has the given ID.
func (c *Call) updateLinked(id, prefix string, members []string) error {
	before, err := c.get(id)
	if before == nil || err != nil {
		return err
	}
	after := before.Clone()
	copyPrefixed(after.Fields, c.Data, prefix, members)
	return c.update(before, after)
}

// deleteProject also deletes its work orders and their reports.
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

// closeProject refuses while work orders are open, unless close_work_orders
// asks to complete them.
func (c *Call) closeProject(before *store.Record) error {
	if text(before.Fields, "status") == "closed" {
		if err := c.refuse(ruleClosed, "project_code", "the project "+before.Key+" is already closed"); err != nil {
			return err
		}
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
	if len(open) > 0 && !isTrue(c.Data, "close_work_orders") {
		return c.refuse(ruleOpenWork, "project_code", "the project "+before.Key+" has open work orders: "+keys(open)+"; close_work_orders closes them as well")
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
