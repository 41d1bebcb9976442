package rules

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// customer carries out customer.created, .updated and .deleted.
func (c *Call) customer(verb string) (Result, error) {
	switch verb {
	case "created":
		return c.createCustomer()
	case "updated":
		return c.updateCustomer()
	case "deleted":
		return c.deleteCustomer()
	}
	return c.unknown()
}

func (c *Call) createCustomer() (Result, error) {
	name, err := c.required("name")
	if err != nil {
		return Result{}, err
	}
	r := c.fresh(store.Customer, "cust", name, name)
	take(r.Fields, c.Data, "name", "type", "email", "phone", "website", "status", "account_manager_emp_number", "notes", "custom_fields")
	if err := c.manager(c.Data, "account_manager_emp_number"); err != nil {
		return Result{}, err
	}
	change, err := c.create(r)
	if errors.Is(err, store.ErrTaken) {
		return Result{}, bad(pointer("name"), "there is a customer named %q already: update it with customer.updated", name)
	}
	return Result{Message: "Customer created successfully", RecordID: r.ID, Changes: []Change{change}}, err
}

// customerNamed finds the customer that an event names.
func (c *Call) customerNamed() (store.Record, error) {
	name, err := c.required("customer_name")
	if err != nil {
		return store.Record{}, err
	}
	r, ok, err := c.find(store.Customer, name)
	if err == nil && !ok {
		err = missing(pointer("customer_name"), "there is no customer named %q", name)
	}
	return r, err
}

func (c *Call) updateCustomer() (Result, error) {
	before, err := c.customerNamed()
	if err != nil {
		return Result{}, err
	}
	if err := c.manager(c.Data, "account_manager_emp_number"); err != nil {
		return Result{}, err
	}
	after := before.Clone()
	take(after.Fields, c.Data, "type", "email", "phone", "website", "status", "account_manager_emp_number", "notes")
	mergeFields(after.Fields, c.Data, "custom_fields")
	if name := text(c.Data, "name"); name != "" {
		after.Key, after.Name, after.Fields["name"] = name, name, name
	}
	changes, err := c.updated(before, after)
	if errors.Is(err, store.ErrTaken) {
		return Result{}, bad(pointer("name"), "there is another customer named %q", after.Name)
	}
	return Result{Message: "Customer updated successfully", RecordID: before.ID, Changes: changes}, err
}

// deleteCustomer takes its locations and contacts along. Projects keep it.
func (c *Call) deleteCustomer() (Result, error) {
	r, err := c.customerNamed()
	if err != nil {
		return Result{}, err
	}
	projects, err := c.Tx.List(store.Query{Company: c.Company, Kind: store.Project, Parent: r.ID, Limit: 10})
	if err != nil {
		return Result{}, err
	}
	if len(projects) > 0 {
		var codes []string
		for _, p := range projects {
			codes = append(codes, p.Key)
		}
		return Result{}, bad(pointer("customer_name"), "the customer %q has projects: %s", r.Name, strings.Join(codes, ", "))
	}
	var changes []Change
	for _, kind := range []store.Kind{store.Contact, store.Location} {
		more, err := c.removeAll(store.Query{Company: c.Company, Kind: kind, Parent: r.ID})
		if err != nil {
			return Result{}, err
		}
		changes = append(changes, more...)
	}
	change, err := c.remove(r)
	return Result{Message: "Customer deleted successfully", RecordID: r.ID, Changes: append(changes, change)}, err
}

// ensureCustomer finds a customer, or makes it from the customer_ members of
// an event.
func (c *Call) ensureCustomer(name string, extra store.Fields) (store.Record, []Change, error) {
	r, ok, err := c.find(store.Customer, name)
	if ok || err != nil {
		return r, nil, err
	}
	r = c.fresh(store.Customer, "cust", name, name)
	r.Fields["name"] = name
	takePrefixed(r.Fields, extra, "customer_", "type", "email", "phone", "website", "status", "notes")
	change, err := c.create(r)
	return r, []Change{change}, err
}

// location carries out location.created, .updated and .deleted.
func (c *Call) location(verb string) (Result, error) {
	customer, err := c.customerNamed()
	if err != nil {
		return Result{}, err
	}
	if verb == "created" {
		name, err := c.required("name")
		if err != nil {
			return Result{}, err
		}
		r := c.freshLocation(customer, name)
		take(r.Fields, c.Data, locationFields()...)
		change, err := c.create(r)
		if errors.Is(err, store.ErrTaken) {
			return Result{}, bad(pointer("name"), "the customer %q has a location named %q already", customer.Name, name)
		}
		return Result{Message: "Location created successfully", RecordID: r.ID, Changes: []Change{change}}, err
	}
	name, err := c.required("location_name")
	if err != nil {
		return Result{}, err
	}
	before, err := c.locationNamed(customer, name)
	switch {
	case err != nil:
		return Result{}, err
	case verb == "deleted":
		change, err := c.remove(before)
		return Result{Message: "Location deleted successfully", RecordID: before.ID, Changes: []Change{change}}, err
	case verb != "updated":
		return c.unknown()
	}
	after := before.Clone()
	take(after.Fields, c.Data, locationFields()...)
	if name := text(c.Data, "name"); name != "" {
		after.Key, after.Name, after.Fields["name"] = store.Key(customer.ID, name), name, name
	}
	changes, err := c.updated(before, after)
	if errors.Is(err, store.ErrTaken) {
		return Result{}, bad(pointer("name"), "the customer %q has another location named %q", customer.Name, after.Name)
	}
	return Result{Message: "Location updated successfully", RecordID: before.ID, Changes: changes}, err
}

func locationFields() []string {
	return []string{"address_line_1", "address_line_2", "city", "province", "postal_code", "country", "phone", "notes", "custom_fields"}
}

func (c *Call) freshLocation(customer store.Record, name string) store.Record {
	r := c.fresh(store.Location, "loc", store.Key(customer.ID, name), name)
	r.Parent = customer.ID
	r.Fields["name"], r.Fields["customer_id"] = name, customer.ID
	return r
}

func (c *Call) locationNamed(customer store.Record, name string) (store.Record, error) {
	r, ok, err := c.find(store.Location, store.Key(customer.ID, name))
	if err == nil && !ok {
		err = missing(pointer("location_name"), "the customer %q has no location named %q", customer.Name, name)
	}
	return r, err
}

// ensureLocation finds a customer's location, or makes it from the location_
// members of an event.
func (c *Call) ensureLocation(customer store.Record, name string, extra store.Fields) (store.Record, []Change, error) {
	r, ok, err := c.find(store.Location, store.Key(customer.ID, name))
	if ok || err != nil {
		return r, nil, err
	}
	r = c.freshLocation(customer, name)
	takePrefixed(r.Fields, extra, "location_", locationFields()...)
	change, err := c.create(r)
	return r, []Change{change}, err
}

// manager refuses an event that names an employee who is not there.
func (c *Call) manager(f store.Fields, name string) error {
	if !has(f, name) {
		return nil
	}
	_, err := c.employeeNamed(text(f, name), pointer(name))
	return err
}

// removeAll deletes what a query picks.
func (c *Call) removeAll(q store.Query) (changes []Change, err error) {
	list, err := c.Tx.List(q)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		change, err := c.remove(r)
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// updated is update as a list of changes: none where nothing changed.
func (c *Call) updated(before, after store.Record) ([]Change, error) {
	change, changed, err := c.update(before, after)
	if err != nil || !changed {
		return nil, err
	}
	return []Change{change}, nil
}

// takePrefixed copies those of the names that an event has behind a prefix.
func takePrefixed(into, from store.Fields, prefix string, names ...string) {
	for _, name := range names {
		if v, ok := from[prefix+name]; ok {
			into[name] = v
		}
	}
}

// mergeFields puts the members of an object into the object of that name: null
// removes one, and null for the whole removes all.
func mergeFields(into, from store.Fields, name string) {
	given, there := from[name]
	if !there {
		return
	}
	members, isObject := given.(map[string]any)
	if !isObject {
		into[name] = given
		return
	}
	merged, _ := into[name].(map[string]any)
	if merged == nil {
		merged = map[string]any{}
	}
	for member, value := range members {
		if value == nil {
			delete(merged, member)
		} else {
			merged[member] = value
		}
	}
	into[name] = merged
}

// conflict is a refusal of several details.
func conflict(message string, details ...Detail) *Error {
	return &Error{Status: http.StatusBadRequest, Message: message, Details: details}
}

// at is the pointer of an item in a list of data.
func at(name string, n int) string { return fmt.Sprintf("%s/%d", pointer(name), n) }
