package rules

import (
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// contact carries out contact.created, .updated and .deleted.
func (c *Call) contact() (*store.Record, error) {
	customer, err := c.customerNamed()
	if err != nil {
		return nil, err
	}
	names, err := c.requiredAll("first_name", "last_name")
	if err != nil {
		return nil, err
	}
	s := contactSubject(customer, names[0], names[1], c.Data)
	if name := text(c.Data, "location_name"); name != "" {
		location, err := c.existing(locationSubject(customer, name))
		if err != nil {
			return nil, err
		}
		said := s.take
		s.take = func(r *store.Record) error {
			r.Fields["location_id"] = location.ID
			return said(r)
		}
	}
	return c.keep(s)
}

func contactSubject(customer *store.Record, first, last string, given store.Fields) *subject {
	whose, name := "the customer "+strconv.Quote(customer.Name)+" has ", first+" "+last
	return &subject{
		kind: store.Contact, key: store.Key(customer.ID, first, last), name: name, parent: customer.ID,
		own: store.Fields{"first_name": first, "last_name": last, "customer_id": customer.ID},
		take: func(r *store.Record) error {
			take(r.Fields, given, "title email phone phone_ext mobile is_primary contact_tags notes")
			return nil
		},
		member: "last_name",
		taken:  whose + "a contact named " + name + " already",
		absent: whose + "no contact named " + name,
	}
}

// ensureContact brings a customer's contact up to date, or makes it; item is
// where the event says of it what is given.
func (c *Call) ensureContact(customer *store.Record, given store.Fields, item string) (*store.Record, error) {
	first, last := text(given, "first_name"), text(given, "last_name")
	if first == "" || last == "" {
		return nil, bad(item, "a contact needs first_name and last_name")
	}
	s := contactSubject(customer, first, last, given)
	r, err := c.find(s.kind, s.key)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return c.make(s)
	}
	return r, c.change(r, s)
}

// vendor carries out vendor.created, .updated and .deleted.
func (c *Call) vendor() (*store.Record, error) {
	name, err := c.required("vendor_name")
	if err != nil {
		return nil, err
	}
	quoted := strconv.Quote(name)
	return c.keep(&subject{
		kind: store.Vendor, key: name, name: name, own: store.Fields{"vendor_name": name},
		take:   c.takeVendor,
		member: "vendor_name",
		taken:  "there is a vendor named " + quoted + " already: update it with vendor.updated",
		absent: "there is no vendor named " + quoted,
	})
}

// takeVendor takes trades as one text, with commas, as well.
func (c *Call) takeVendor(r *store.Record) error {
	take(r.Fields, c.Data, "type primary_contact_name primary_contact_email primary_contact_phone address address_line2 city state zip_code "+
		"country rating regions notes approval_status insurance_expiry_date compliance_expiry_date")
	mergeFields(r.Fields, c.Data, "custom_fields")
	switch trades := c.Data["trade_specialty"].(type) {
	case string:
		r.Fields["trade_specialty"] = splitList(trades)
	case []any:
		r.Fields["trade_specialty"] = trades
	case nil:
		take(r.Fields, c.Data, "trade_specialty")
	}
	return nil
}

// splitList takes a text apart at its commas.
func splitList(text string) []any {
	list := []any{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
