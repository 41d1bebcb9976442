package rules

import (
	"errors"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// contact carries out contact.created, .updated and .deleted.
func (c *Call) contact(verb string) (Result, error) {
	customer, err := c.customerNamed()
	if err != nil {
		return Result{}, err
	}
	first, err := c.required("first_name")
	if err != nil {
		return Result{}, err
	}
	last, err := c.required("last_name")
	if err != nil {
		return Result{}, err
	}
	location := ""
	if name := text(c.Data, "location_name"); name != "" {
		r, err := c.locationNamed(customer, name)
		if err != nil {
			return Result{}, err
		}
		location = r.ID
	}
	before, ok, err := c.find(store.Contact, store.Key(customer.ID, first, last))
	switch {
	case err != nil:
		return Result{}, err
	case verb == "created" && ok:
		return Result{}, bad(pointer("last_name"), "the customer %q has a contact named %s %s already", customer.Name, first, last)
	case verb == "created":
		r := c.freshContact(customer, first, last)
		take(r.Fields, c.Data, contactFields()...)
		if location != "" {
			r.Fields["location_id"] = location
		}
		change, err := c.create(r)
		return Result{Message: "Contact created successfully", RecordID: r.ID, Changes: []Change{change}}, err
	case !ok:
		return Result{}, missing(pointer("last_name"), "the customer %q has no contact named %s %s", customer.Name, first, last)
	case verb == "deleted":
		change, err := c.remove(before)
		return Result{Message: "Contact deleted successfully", RecordID: before.ID, Changes: []Change{change}}, err
	case verb != "updated":
		return c.unknown()
	}
	after := before.Clone()
	take(after.Fields, c.Data, contactFields()...)
	if location != "" {
		after.Fields["location_id"] = location
	}
	changes, err := c.updated(before, after)
	return Result{Message: "Contact updated successfully", RecordID: before.ID, Changes: changes}, err
}

func contactFields() []string {
	return []string{"title", "email", "phone", "phone_ext", "mobile", "is_primary", "contact_tags", "notes"}
}

func (c *Call) freshContact(customer store.Record, first, last string) store.Record {
	r := c.fresh(store.Contact, "cont", store.Key(customer.ID, first, last), first+" "+last)
	r.Parent = customer.ID
	r.Fields["first_name"], r.Fields["last_name"], r.Fields["customer_id"] = first, last, customer.ID
	return r
}

// ensureContact finds a customer's contact by name and brings it up to date,
// or makes it.
func (c *Call) ensureContact(customer store.Record, given store.Fields, where string) (store.Record, []Change, error) {
	first, last := text(given, "first_name"), text(given, "last_name")
	if first == "" || last == "" {
		return store.Record{}, nil, bad(where, "a contact needs first_name and last_name")
	}
	before, ok, err := c.find(store.Contact, store.Key(customer.ID, first, last))
	if err != nil {
		return before, nil, err
	}
	if !ok {
		r := c.freshContact(customer, first, last)
		take(r.Fields, given, contactFields()...)
		change, err := c.create(r)
		return r, []Change{change}, err
	}
	after := before.Clone()
	take(after.Fields, given, contactFields()...)
	changes, err := c.updated(before, after)
	return after, changes, err
}

// vendor carries out vendor.created, .updated and .deleted.
func (c *Call) vendor(verb string) (Result, error) {
	name, err := c.required("vendor_name")
	if err != nil {
		return Result{}, err
	}
	before, ok, err := c.find(store.Vendor, name)
	switch {
	case err != nil:
		return Result{}, err
	case verb == "created":
		r := c.fresh(store.Vendor, "vnd", name, name)
		r.Fields["vendor_name"] = name
		c.takeVendor(r.Fields)
		change, err := c.create(r)
		if errors.Is(err, store.ErrTaken) {
			return Result{}, bad(pointer("vendor_name"), "there is a vendor named %q already: update it with vendor.updated", name)
		}
		return Result{Message: "Vendor created successfully", RecordID: r.ID, Changes: []Change{change}}, err
	case !ok:
		return Result{}, missing(pointer("vendor_name"), "there is no vendor named %q", name)
	case verb == "deleted":
		change, err := c.remove(before)
		return Result{Message: "Vendor deleted successfully", RecordID: before.ID, Changes: []Change{change}}, err
	case verb != "updated":
		return c.unknown()
	}
	after := before.Clone()
	c.takeVendor(after.Fields)
	changes, err := c.updated(before, after)
	return Result{Message: "Vendor updated successfully", RecordID: before.ID, Changes: changes}, err
}

// takeVendor copies what an event says of a vendor. Its trades may come as one
// text, with commas.
func (c *Call) takeVendor(into store.Fields) {
	take(into, c.Data, "type", "primary_contact_name", "primary_contact_email", "primary_contact_phone", "address", "address_line2",
		"city", "state", "zip_code", "country", "rating", "regions", "notes", "approval_status", "insurance_expiry_date", "compliance_expiry_date")
	mergeFields(into, c.Data, "custom_fields")
	switch trades := c.Data["trade_specialty"].(type) {
	case string:
		into["trade_specialty"] = splitList(trades)
	case []any:
		into["trade_specialty"] = trades
	}
}
