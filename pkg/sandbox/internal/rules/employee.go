package rules

import (
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

var employeeMembers = []string{
	"email", "phone", "employee_type", "start_date", "employee_skills",
	"emergency_contact_name", "emergency_contact_phone", "emergency_contact_relationship",
}

// employee applies employee.created, .updated and .deleted.
func (c *Call) employee() (*store.Record, error) {
	s := employeeSubject(text(c.Data, "emp_number"))
	s.fill = c.fillEmployee
	return c.applyTo(s)
}

func employeeSubject(number string) *subject {
	return &subject{
		kind: store.Employee, key: number, initial: store.Fields{"emp_number": number},
		member: "emp_number",
		taken:  "employee " + number + " already exists: update them with employee.updated",
		absent: "there is no employee " + strconv.Quote(number),
	}
}

// employeeNamed returns the employee whose number is in a member of the event.
func (c *Call) employeeNamed(number, member string) (*store.Record, error) {
	s := employeeSubject(number)
	s.member = member
	return c.existing(s)
}

// employeeReferred is employeeNamed for a member that does not identify the
// record of the event, such as its site lead. It returns nil for an employee who
// does not exist if that is not refused.
func (c *Call) employeeReferred(number, member string) (*store.Record, error) {
	s := employeeSubject(number)
	r, err := c.find(s.kind, s.key)
	if r == nil && err == nil {
		err = c.refuse(ruleReference, member, s.absent)
	}
	return r, err
}

// fillEmployee creates departments and roles that do not exist. Skills must
// exist.
func (c *Call) fillEmployee(r *store.Record) error {
	copyMembers(r.Fields, c.Data, employeeMembers)
	mergeFields(r.Fields, c.Data, "custom_fields")
	if name := text(c.Data, "name"); name != "" {
		r.Name, r.Fields["name"] = name, name
	}
	if err := c.checkSkills(); err != nil {
		return err
	}
	if err := c.join(r, store.Department, "department_name", "department_id"); err != nil {
		return err
	}
	return c.join(r, store.Role, "role_name", "role_id")
}

// checkSkills refuses an event that names skills which the company does not
// have, and lists them all.
func (c *Call) checkSkills() error {
	list, _ := c.Data["employee_skills"].([]any)
	var unknown []string
	var details []Detail
	for n, entry := range list {
		name, _ := entry.(string)
		skill, err := c.find(store.Skill, name)
		if err != nil {
			return err
		}
		if skill == nil {
			unknown = append(unknown, name)
			details = append(details, Detail{pointer(item("employee_skills", n)), "there is no skill " + strconv.Quote(name)})
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return &Error{Rule: ruleSkill, Message: "these skills are not in the company's library: " + strings.Join(unknown, ", "), Details: details}
}

// join links an employee to the department or role that the event names, if it
// names one. A new department or role raises no event.
func (c *Call) join(r *store.Record, k store.Kind, nameMember, idMember string) error {
	if _, given := c.Data[nameMember]; !given {
		return nil
	}
	name := text(c.Data, nameMember)
	if name == "" {
		delete(r.Fields, nameMember)
		delete(r.Fields, idMember)
		return nil
	}
	group, err := c.find(k, name)
	if group == nil && err == nil {
		group = c.newRecord(k, name, name)
		err = c.Tx.Put(group)
	}
	if err != nil {
		return err
	}
	r.Fields[nameMember], r.Fields[idMember] = name, group.ID
	return nil
}
