package rules

import (
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

var vendorMembers = []string{
	"type", "primary_contact_name", "primary_contact_email", "primary_contact_phone",
	"address", "address_line2", "city", "state", "zip_code", "country",
	"rating", "regions", "notes", "approval_status", "insurance_expiry_date", "compliance_expiry_date",
}

// vendor applies vendor.created, .updated and .deleted.
func (c *Call) vendor() (*store.Record, error) {
	name := text(c.Data, "vendor_name")
	quoted := strconv.Quote(name)
	return c.applyTo(&subject{
		kind: store.Vendor, key: name, name: name, initial: store.Fields{"vendor_name": name},
		fill:   c.fillVendor,
		member: "vendor_name",
		taken:  "a vendor named " + quoted + " already exists: update it with vendor.updated",
		absent: "there is no vendor named " + quoted,
	})
}

// fillVendor accepts trade_specialty as a list, and as text with commas.
func (c *Call) fillVendor(r *store.Record) error {
	copyMembers(r.Fields, c.Data, vendorMembers)
	mergeFields(r.Fields, c.Data, "custom_fields")
	switch trades := c.Data["trade_specialty"].(type) {
	case string:
		r.Fields["trade_specialty"] = splitList(trades)
	case []any:
		r.Fields["trade_specialty"] = trades
	case nil:
		copyMembers(r.Fields, c.Data, []string{"trade_specialty"}) // an explicit null clears it
	}
	return nil
}

func splitList(text string) []any {
	list := []any{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
