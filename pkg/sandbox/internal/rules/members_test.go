package rules

import (
	"slices"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// TestMembers compares the names that the rules copy from events with the
// catalog's schemas: a misspelled name would copy nothing.
func TestMembers(t *testing.T) {
	t.Parallel()
	// The outbound events have these, so the rules take them although WorkSkedge
	// does not list them for the inbound ones.
	undocumented := []string{
		"project.created data.start_date", "project.created data.end_date", "project.created data.location_phone",
		"work_order.created data.travel_time_hours", "work_order.created data.additional_labor_cost",
	}
	var aliases, targets []string
	for alias, name := range workOrderAliases {
		aliases, targets = append(aliases, alias), append(targets, name)
	}
	for _, test := range []struct {
		event, prefix string
		names         []string
	}{
		{event: "customer.created", names: customerMembers},
		{event: "project.created", prefix: "customer_", names: customerMembers},
		{event: "location.created", names: locationMembers},
		{event: "project.created", prefix: "location_", names: locationMembers},
		{event: "contact.created", names: contactMembers},
		{event: "vendor.created", names: append([]string{"trade_specialty"}, vendorMembers...)},
		{event: "employee.created", names: employeeMembers},
		{event: "time_off.created", names: append([]string{"time_off_type", "status"}, timeOffMembers...)},
		{event: "project.created", names: projectMembers},
		{event: "work_order.created", names: append([]string{"status", "priority", "scope_of_work", "scheduler_notes"}, workOrderMembers...)},
		{event: "work_order.created", names: aliases},
		{event: "work_order.created", names: targets},
		{event: "timesheet.created", prefix: "entries[].", names: entryMembers},
		{event: "report.daily_submitted", names: dailyMembers},
		{event: "report.completion_submitted", names: completionMembers},
	} {
		t.Run(test.event+" "+test.prefix, func(t *testing.T) {
			t.Parallel()
			definition, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, test.event)
			if err != nil {
				t.Fatal(err)
			}
			var known []string
			for _, p := range definition.Properties() {
				known = append(known, p.Path)
			}
			for _, name := range test.names {
				if path := "data." + test.prefix + name; !slices.Contains(known, path) && !slices.Contains(undocumented, test.event+" "+path) {
					t.Errorf("%s has no member %s", test.event, path)
				}
			}
		})
	}
}
