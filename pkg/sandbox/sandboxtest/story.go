package sandboxtest

import "github.com/wskdev/wsk/pkg/webhook"

// Story returns a life of a company in inbound events: the sample of every inbound
// event of the catalog, each once, in an order in which a new sandbox accepts each,
// and between them the few events that prepare for a sample. Sent one by one, it
// fills a [Box] with what the samples are about.
func Story() []webhook.Event {
	sample := func(eventType string) webhook.Event { return Sample(webhook.Inbound, eventType) }
	type members = map[string]any
	school := func(more members) members {
		more["customer_name"] = "Lakeshore School District"
		return more
	}
	return []webhook.Event{
		sample("test.connection"),
		sample("employee.created"),
		sample("employee.updated"),

		sample("customer.created"),
		sample("location.created"),
		sample("location.updated"),
		Event("location.created", school(members{"name": "Portable Classrooms"})),
		sample("location.deleted"),
		sample("contact.created"),
		Event("location.created", school(members{"name": "Lakeshore High"})),
		sample("contact.updated"),
		Event("contact.created", school(members{"first_name": "Rufus", "last_name": "Delacroix"})),
		sample("contact.deleted"),
		sample("customer.updated"),
		Event("customer.created", members{"name": "Brackish Bay Fish Market"}),
		sample("customer.deleted"),

		sample("vendor.created"),
		sample("vendor.updated"),
		Event("vendor.created", members{"vendor_name": "Tidewater Crane Hire"}),
		sample("vendor.deleted"),

		sample("project.created"),
		sample("project.updated"),
		sample("project.search"),
		sample("work_order.created"),
		Event("work_order.created", members{"project_code": "HPC-2026-014", "phase_name": "Refrigeration Piping", "work_order_number": "WO-2026-0231"}),
		sample("work_order.updated"),
		sample("work_order.search"),
		Event("work_order.created", members{"project_code": "HPC-2026-014", "phase_name": "Dock Door Heaters", "work_order_number": "WO-2026-0258"}),
		sample("work_order.deleted"),

		sample("timesheet.created"),
		Event("timesheet.created", members{"emp_number": "EMP-3187", "timesheet_date": "2026-03-18"}),
		sample("timesheet.updated"),
		Event("timesheet.created", members{"emp_number": "EMP-3187", "timesheet_date": "2026-03-19"}),
		sample("timesheet.deleted"),
		sample("report.daily_submitted"),
		sample("report.completion_submitted"),
		sample("report.completion_approved"),

		sample("time_off.created"),
		Event("time_off.created", members{"emp_number": "EMP-3187", "start_date": "2026-07-06", "end_date": "2026-07-10"}),
		sample("time_off.updated"),
		sample("time_off.deleted"),

		sample("project.closed"),
		Event("project.created", school(members{"project_code": "LKS-2026-009", "project_name": "Boiler house", "location_name": "Lakeshore High"})),
		sample("project.deleted"),
		sample("employee.deleted"),
	}
}
