package rules

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// employee carries out employee.created, .updated and .deleted.
func (c *Call) employee() (*store.Record, error) {
	number, err := c.required("emp_number")
	if err != nil {
		return nil, err
	}
	switch c.verb {
	case "created":
		if _, err := c.requiredAll("name", "email", "employee_type"); err != nil {
			return nil, err
		}
	case "updated", "deleted":
	default:
		return nil, c.unknown()
	}
	s := employeeSubject(number)
	s.take = c.takeEmployee
	return c.keep(s)
}

func employeeSubject(number string) *subject {
	return &subject{
		kind: store.Employee, key: number, own: store.Fields{"emp_number": number},
		member: "emp_number",
		taken:  "there is an employee " + number + " already: update them with employee.updated",
		absent: "there is no employee " + strconv.Quote(number),
	}
}

// employeeNamed finds the employee whose number a member of the event gives.
func (c *Call) employeeNamed(number, member string) (*store.Record, error) {
	s := employeeSubject(number)
	s.member = member
	return c.existing(s)
}

// takeEmployee makes departments and roles on the way. Skills must be there.
func (c *Call) takeEmployee(r *store.Record) error {
	take(r.Fields, c.Data, "email phone employee_type start_date emergency_contact_name emergency_contact_phone emergency_contact_relationship employee_skills")
	mergeFields(r.Fields, c.Data, "custom_fields")
	if name := text(c.Data, "name"); name != "" {
		r.Name, r.Fields["name"] = name, name
	}
	if err := c.skills(); err != nil {
		return err
	}
	for _, kind := range []store.Kind{store.Department, store.Role} {
		if err := c.join(r, kind); err != nil {
			return err
		}
	}
	return nil
}

// skills refuses an event that names skills which the company does not have,
// and lists them all.
func (c *Call) skills() error {
	list, _ := c.Data["employee_skills"].([]any)
	var unknown []string
	var details []Detail
	for n, item := range list {
		name, _ := item.(string)
		skill, err := c.find(store.Skill, name)
		if err != nil {
			return err
		}
		if skill == nil {
			unknown = append(unknown, name)
			details = append(details, Detail{pointer(at("employee_skills", n)), "there is no skill " + strconv.Quote(name)})
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return &Error{Status: http.StatusBadRequest, Message: "these skills are not in the company's library: " + strings.Join(unknown, ", "), Details: details}
}

// join puts an employee into the department or role that the event names, if it
// does. Nobody is told of one that was not there.
func (c *Call) join(r *store.Record, k store.Kind) error {
	member, id := string(k)+"_name", string(k)+"_id"
	if _, given := c.Data[member]; !given {
		return nil
	}
	name := text(c.Data, member)
	if name == "" {
		delete(r.Fields, member)
		delete(r.Fields, id)
		return nil
	}
	group, err := c.find(k, name)
	if group == nil && err == nil {
		group = c.fresh(k, name, name)
		err = c.Tx.Put(group)
	}
	if err != nil {
		return err
	}
	r.Fields[member], r.Fields[id] = name, group.ID
	return nil
}

// timeOff carries out time_off.created, .updated and .deleted.
func (c *Call) timeOff() (*store.Record, error) {
	given, err := c.requiredAll("emp_number", "start_date", "end_date")
	if err != nil {
		return nil, err
	}
	number, start, end := given[0], given[1], given[2]
	if end < start { // both are YYYY-MM-DD
		return nil, bad("end_date", "end_date "+end+" is before start_date "+start)
	}
	employee, err := c.employeeNamed(number, "emp_number")
	if err != nil {
		return nil, err
	}
	dates := start + " to " + end
	return c.keep(&subject{
		kind: store.TimeOff, key: store.Key(given...), name: employee.Name, parent: employee.ID,
		own:    store.Fields{"emp_number": number, "start_date": start, "end_date": end, "time_off_type": "vacation", "status": "approved"},
		take:   c.takeTimeOff,
		member: "start_date",
		taken:  number + " has a request for " + dates + " already",
		absent: number + " has no request for " + dates,
	})
}

func (c *Call) takeTimeOff(r *store.Record) error {
	take(r.Fields, c.Data, "start_time end_time reason notes")
	takeValues(r.Fields, c.Data, "time_off_type status")
	return nil
}
