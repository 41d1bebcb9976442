package rules

import (
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// customerMembers and locationMembers are also members of project.created and
// project.updated, as customer_… and location_….
var (
	customerMembers = []string{"type", "email", "phone", "website", "status", "notes"}
	locationMembers = []string{"address_line_1", "address_line_2", "city", "province", "postal_code", "country", "phone", "notes"}
	contactMembers  = []string{"title", "email", "phone", "phone_ext", "mobile", "is_primary", "contact_tags", "notes"}
)

// customer applies customer.created, .updated and .deleted.
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
	s := customerSubject(text(c.Data, member))
	s.member, s.fill = member, c.fillCustomer
	return c.applyTo(s)
}

func customerSubject(name string) *subject {
	quoted := strconv.Quote(name)
	return &subject{
		kind: store.Customer, key: name, name: name, initial: store.Fields{"name": name},
		member:  "customer_name",
		taken:   "a customer named " + quoted + " already exists: update it with customer.updated",
		absent:  "there is no customer named " + quoted,
		another: "there is another customer named ",
	}
}

func (c *Call) fillCustomer(r *store.Record) error {
	copyMembers(r.Fields, c.Data, customerMembers)
	copyMembers(r.Fields, c.Data, []string{"account_manager_emp_number"})
	mergeFields(r.Fields, c.Data, "custom_fields")
	if name := text(c.Data, "name"); name != "" {
		r.Key, r.Name, r.Fields["name"] = name, name, name
	}
	return c.checkManager("account_manager_emp_number")
}

// checkManager refuses an event if a member names an employee who does not
// exist.
func (c *Call) checkManager(member string) error {
	if !has(c.Data, member) {
		return nil
	}
	_, err := c.employeeReferred(text(c.Data, member), member)
	return err
}

// customerNamed returns the customer that an event names.
func (c *Call) customerNamed() (*store.Record, error) {
	return c.existing(customerSubject(text(c.Data, "customer_name")))
}

// deleteCustomer also deletes the customer's locations and contacts. It refuses
// while the customer has projects.
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
		if err := c.refuse(ruleHasProjects, "customer_name", "the customer "+strconv.Quote(r.Name)+" has projects: "+keys(projects)); err != nil {
			return nil, err
		}
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

// location applies location.created, .updated and .deleted.
func (c *Call) location() (*store.Record, error) {
	customer, err := c.customerNamed()
	if err != nil {
		return nil, err
	}
	member := "location_name"
	if c.verb == "created" {
		member = "name"
	}
	s := locationSubject(customer, text(c.Data, member))
	s.member, s.fill = member, c.fillLocation
	return c.applyTo(s)
}

func locationSubject(customer *store.Record, name string) *subject {
	owner, quoted := "the customer "+strconv.Quote(customer.Name)+" has ", strconv.Quote(name)
	return &subject{
		kind: store.Location, key: store.Key(customer.ID, name), name: name, parent: customer.ID,
		initial: store.Fields{"name": name, "customer_id": customer.ID},
		member:  "location_name",
		taken:   owner + "a location named " + quoted + " already",
		absent:  owner + "no location named " + quoted,
		another: owner + "another location named ",
	}
}

func (c *Call) fillLocation(r *store.Record) error {
	copyMembers(r.Fields, c.Data, locationMembers)
	mergeFields(r.Fields, c.Data, "custom_fields")
	if name := text(c.Data, "name"); name != "" {
		r.Key, r.Name, r.Fields["name"] = store.Key(r.Parent, name), name, name
	}
	return nil
}

// contact applies contact.created, .updated and .deleted.
func (c *Call) contact() (*store.Record, error) {
	customer, err := c.customerNamed()
	if err != nil {
		return nil, err
	}
	s := contactSubject(customer, text(c.Data, "first_name"), text(c.Data, "last_name"), c.Data)
	if name := text(c.Data, "location_name"); name != "" {
		l := locationSubject(customer, name)
		location, err := c.find(l.kind, l.key)
		if location == nil && err == nil {
			err = c.refuse(ruleReference, l.member, l.absent)
		}
		if err != nil {
			return nil, err
		}
		fillContact := s.fill
		s.fill = func(r *store.Record) error {
			if location != nil {
				r.Fields["location_id"] = location.ID
			}
			return fillContact(r)
		}
	}
	return c.applyTo(s)
}

func contactSubject(customer *store.Record, first, last string, given store.Fields) *subject {
	owner, name := "the customer "+strconv.Quote(customer.Name)+" has ", strings.TrimSpace(first+" "+last)
	return &subject{
		kind: store.Contact, key: store.Key(customer.ID, first, last), name: name, parent: customer.ID,
		initial: store.Fields{"first_name": first, "last_name": last, "customer_id": customer.ID},
		fill: func(r *store.Record) error {
			copyMembers(r.Fields, given, contactMembers)
			return nil
		},
		member: "last_name",
		taken:  owner + "a contact named " + name + " already",
		absent: owner + "no contact named " + name,
	}
}

// ensureContact updates or creates a contact of a customer. given contains its
// members, and place is their path in the event's data.
func (c *Call) ensureContact(customer *store.Record, given store.Fields, place string) (*store.Record, error) {
	first, last := text(given, "first_name"), text(given, "last_name")
	if first == "" || last == "" {
		if err := c.refuse(ruleContact, place, "a contact needs first_name and last_name"); err != nil {
			return nil, err
		}
	}
	s := contactSubject(customer, first, last, given)
	r, err := c.find(s.kind, s.key)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return c.createSubject(s)
	}
	return r, c.updateSubject(r, s)
}
