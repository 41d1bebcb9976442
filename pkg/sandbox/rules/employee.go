package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// employee carries out employee.created, .updated and .deleted.
func (c *Call) employee(verb string) (Result, error) {
	number, err := c.required("emp_number")
	if err != nil {
		return Result{}, err
	}
	switch verb {
	case "created":
		return c.createEmployee(number)
	case "updated", "deleted":
	default:
		return c.unknown()
	}
	before, err := c.employeeNamed(number, pointer("emp_number"))
	if err != nil {
		return Result{}, err
	}
	if verb == "deleted" {
		change, err := c.remove(before)
		return Result{Message: "Employee deleted successfully", RecordID: before.ID, Changes: []Change{change}}, err
	}
	after := before.Clone()
	if err := c.takeEmployee(after.Fields); err != nil {
		return Result{}, err
	}
	if name := text(c.Data, "name"); name != "" {
		after.Name, after.Fields["name"] = name, name
	}
	changes, err := c.updated(before, after)
	return Result{Message: "Employee updated successfully", RecordID: before.ID, Changes: changes}, err
}

func (c *Call) createEmployee(number string) (Result, error) {
	for _, name := range []string{"name", "email", "employee_type"} {
		if _, err := c.required(name); err != nil {
			return Result{}, err
		}
	}
	r := c.fresh(store.Employee, "emp", number, text(c.Data, "name"))
	r.Fields["emp_number"], r.Fields["name"] = number, r.Name
	if err := c.takeEmployee(r.Fields); err != nil {
		return Result{}, err
	}
	change, err := c.create(r)
	if errors.Is(err, store.ErrTaken) {
		return Result{}, bad(pointer("emp_number"), "there is an employee %s already: update them with employee.updated", number)
	}
	return Result{Message: processed, RecordID: r.ID, Changes: []Change{change}}, err
}

// takeEmployee copies what an event says of an employee. Skills must be there;
// departments and roles are made on the way.
func (c *Call) takeEmployee(into store.Fields) error {
	take(into, c.Data, "email", "phone", "employee_type", "start_date", "emergency_contact_name", "emergency_contact_phone", "emergency_contact_relationship")
	mergeFields(into, c.Data, "custom_fields")
	if err := c.skills(); err != nil {
		return err
	}
	take(into, c.Data, "employee_skills")
	for _, made := range []struct {
		member, id, prefix string
		kind               store.Kind
	}{{"department_name", "department_id", "dept", store.Department}, {"role_name", "role_id", "role", store.Role}} {
		if _, given := c.Data[made.member]; !given {
			continue
		}
		name := text(c.Data, made.member)
		if name == "" {
			delete(into, made.member)
			delete(into, made.id)
			continue
		}
		r, ok, err := c.find(made.kind, name)
		if err == nil && !ok {
			r = c.fresh(made.kind, made.prefix, name, name)
			err = c.Tx.Put(r)
		}
		if err != nil {
			return err
		}
		into[made.member], into[made.id] = name, r.ID
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
		_, ok, err := c.find(store.Skill, name)
		if err != nil {
			return err
		}
		if !ok {
			unknown = append(unknown, name)
			details = append(details, Detail{at("employee_skills", n), fmt.Sprintf("there is no skill %q", name)})
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return conflict("these skills are not in the company's library: "+strings.Join(unknown, ", "), details...)
}

// employeeNamed finds an employee by number; where is the member that names
// them.
func (c *Call) employeeNamed(number, where string) (store.Record, error) {
	r, ok, err := c.find(store.Employee, number)
	if err == nil && !ok {
		err = missing(where, "there is no employee %q", number)
	}
	return r, err
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

// timeOff carries out time_off.created, .updated and .deleted.
func (c *Call) timeOff(verb string) (Result, error) {
	number, err := c.required("emp_number")
	if err != nil {
		return Result{}, err
	}
	var dates [2]string
	for i, name := range []string{"start_date", "end_date"} {
		if dates[i], err = c.required(name); err != nil {
			return Result{}, err
		}
	}
	if dates[1] < dates[0] { // both are YYYY-MM-DD
		return Result{}, bad(pointer("end_date"), "end_date %s is before start_date %s", dates[1], dates[0])
	}
	employee, err := c.employeeNamed(number, pointer("emp_number"))
	if err != nil {
		return Result{}, err
	}
	before, ok, err := c.find(store.TimeOff, store.Key(number, dates[0], dates[1]))
	switch {
	case err != nil:
		return Result{}, err
	case verb == "created" && ok:
		return Result{}, bad(pointer("start_date"), "%s has a request for %s to %s already", number, dates[0], dates[1])
	case verb == "created":
		r := c.fresh(store.TimeOff, "to", store.Key(number, dates[0], dates[1]), employee.Name)
		r.Parent = employee.ID
		r.Fields["emp_number"], r.Fields["start_date"], r.Fields["end_date"] = number, dates[0], dates[1]
		r.Fields["time_off_type"], r.Fields["status"] = "vacation", "approved"
		c.takeTimeOff(r.Fields)
		change, err := c.create(r)
		return Result{Message: "Time off request processed successfully", RecordID: r.ID, Changes: []Change{change}}, err
	case !ok:
		return Result{}, missing(pointer("start_date"), "%s has no request for %s to %s", number, dates[0], dates[1])
	case verb == "deleted":
		change, err := c.remove(before)
		return Result{Message: "Time off request deleted successfully", RecordID: before.ID, Changes: []Change{change}}, err
	case verb != "updated":
		return c.unknown()
	}
	after := before.Clone()
	c.takeTimeOff(after.Fields)
	changes, err := c.updated(before, after)
	return Result{Message: "Time off request updated successfully", RecordID: before.ID, Changes: changes}, err
}

// takeTimeOff copies what can be said of a request; a type or status of null
// leaves it as it is.
func (c *Call) takeTimeOff(into store.Fields) {
	take(into, c.Data, "start_time", "end_time", "reason", "notes")
	for _, name := range []string{"time_off_type", "status"} {
		if has(c.Data, name) {
			into[name] = c.Data[name]
		}
	}
}
