package rules

import "github.com/wskdev/wsk/pkg/sandbox/internal/store"

var timeOffMembers = []string{"start_time", "end_time", "reason", "notes"}

// timeOff applies time_off.created, .updated and .deleted. A request is
// identified by its employee and its days.
func (c *Call) timeOff() (*store.Record, error) {
	number, start, end := text(c.Data, "emp_number"), text(c.Data, "start_date"), text(c.Data, "end_date")
	if end < start { // both are YYYY-MM-DD
		if err := c.refuse(ruleDates, "end_date", "end_date "+end+" is before start_date "+start); err != nil {
			return nil, err
		}
	}
	employee, err := c.employeeNamed(number, "emp_number")
	if err != nil {
		return nil, err
	}
	dates := start + " to " + end
	return c.applyTo(&subject{
		kind: store.TimeOff, key: store.Key(number, start, end), name: employee.Name, parent: employee.ID,
		initial: store.Fields{"emp_number": number, "start_date": start, "end_date": end, "time_off_type": "vacation", "status": "approved"},
		fill:    c.fillTimeOff,
		member:  "start_date",
		taken:   number + " has a request for " + dates + " already",
		absent:  number + " has no request for " + dates,
	})
}

func (c *Call) fillTimeOff(r *store.Record) error {
	copyMembers(r.Fields, c.Data, timeOffMembers)
	copyValues(r.Fields, c.Data, []string{"time_off_type", "status"}) // these always have a value
	return nil
}
