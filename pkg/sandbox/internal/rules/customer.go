package rules

import (
	"strconv"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// customerMembers are those that a project's event has as well, as customer_….
const customerMembers = "type email phone website status notes"

// locationMembers are those that a project's event has as well, as location_….
const locationMembers = "address_line_1 address_line_2 city province postal_code country phone notes"

// customer carries out customer.created, .updated and .deleted.
func (c *Call) customer() (*store.Record, error) {
	member := "customer_name"
	switch c.verb {
	case "created":
		member = "name"
	case "updated":
	case "deleted":
		return c.deleteCustomer()
	default:
		return nil, c.unknown()
	}
	name, err := c.required(member)
	if err != nil {
		return nil, err
	}
	s := customerSubject(name)
	s.member, s.take = member, c.takeCustomer
	return c.keep(s)
}

func customerSubject(name string) *subject {
	quoted := strconv.Quote(name)
	return &subject{
		kind: store.Customer, key: name, name: name, own: store.Fields{"name": name},
		member:  "customer_name",
		taken:   "there is a customer named " + quoted + " already: update it with customer.updated",
		absent:  "there is no customer named " + quoted,
		another: "there is another customer named ",
	}
}

func (c *Call) takeCustomer(r *store.Record) error {
	take(r.Fields, c.Data, customerMembers+" account_manager_emp_number")
	mergeFields(r.Fields, c.Data, "custom_fields")
	if name := text(c.Data, "name"); name != "" {
		r.Key, r.Name, r.Fields["name"] = name, name, name
	}
	return c.manager("account_manager_emp_number")
}

// manager refuses an event that names an employee who is not there.
func (c *Call) manager(member string) error {
	if !has(c.Data, member) {
		return nil
	}
	_, err := c.employeeNamed(text(c.Data, member), member)
	return err
}

// customerNamed finds the customer that an event names.
func (c *Call) customerNamed() (*store.Record, error) {
	name, err := c.required("customer_name")
	if err != nil {
		return nil, err
	}
	return c.existing(customerSubject(name))
}

// deleteCustomer takes its locations and contacts along. Projects keep it.
func (c *Call) deleteCustomer() (*store.Record, error) {
	r, err := c.customerNamed()
	if err != nil {
		return nil, err
	}
	projects, err := c.children(store.Project, r)
	if err != nil {
		return nil, err
	}
	if len(projects) > 0 {
		return nil, bad("customer_name", "the customer "+strconv.Quote(r.Name)+" has projects: "+keys(projects))
	}
	for _, kind := range []store.Kind{store.Contact, store.Location} {
		list, err := c.children(kind, r)
		if err != nil {
			return nil, err
		}
		for _, part := range list {
			if err := c.remove(part); err != nil {
				return nil, err
			}
		}
	}
	return r, c.remove(r)
}

// location carries out location.created, .updated and .deleted.
func (c *Call) location() (*store.Record, error) {
	customer, err := c.customerNamed()
	if err != nil {
		return nil, err
	}
	member := "location_name"
	if c.verb == "created" {
		member = "name"
	}
	name, err := c.required(member)
	if err != nil {
		return nil, err
	}
	s := locationSubject(customer, name)
	s.member, s.take = member, c.takeLocation
	return c.keep(s)
}

func locationSubject(customer *store.Record, name string) *subject {
	whose, quoted := "the customer "+strconv.Quote(customer.Name)+" has ", strconv.Quote(name)
	return &subject{
		kind: store.Location, key: store.Key(customer.ID, name), name: name, parent: customer.ID,
		own:     store.Fields{"name": name, "customer_id": customer.ID},
		member:  "location_name",
		taken:   whose + "a location named " + quoted + " already",
		absent:  whose + "no location named " + quoted,
		another: whose + "another location named ",
	}
}

func (c *Call) takeLocation(r *store.Record) error {
	take(r.Fields, c.Data, locationMembers)
	mergeFields(r.Fields, c.Data, "custom_fields")
	if name := text(c.Data, "name"); name != "" {
		r.Key, r.Name, r.Fields["name"] = store.Key(r.Parent, name), name, name
	}
	return nil
}
