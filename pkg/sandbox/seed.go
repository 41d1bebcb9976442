package sandbox

import (
	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// withDefaults completes what a new company has from the start.
func withDefaults(s rules.Seeds) rules.Seeds {
	if s.Skills == nil {
		s.Skills = defaultSkills()
	}
	if s.Employees == nil {
		s.Employees = defaultEmployees()
	}
	if s.WorkTypes == nil {
		s.WorkTypes = rules.DefaultWorkTypes()
	}
	return s
}

// defaultSkills are those that the samples of the catalog and of the documents
// name, so that each sample can be sent as it is.
func defaultSkills() []string {
	return []string{
		"Concrete", "Framing", "Safety Management", "Project Planning", "Budget Management", "Project Management",
		"Concrete Finisher", "Equipment Operator", "Electrical", "HVAC", "Pipefitter", "Brazing", "Refrigeration Technician",
	}
}

// defaultEmployees are those that the samples refer to and none creates.
func defaultEmployees() []store.Fields {
	var list []store.Fields
	for _, e := range [][4]string{
		{"EMP-1001", "Imke Brandt", "imke.brandt@example.com", "site_lead"},
		{"EMP-2001", "Sefu Okafor", "sefu.okafor@example.com", "project_owner"},
		{"EMP-2002", "Livia Moretti", "livia.moretti@example.com", "project_owner"},
		{"EMP-3050", "Paulina Reyes", "paulina.reyes@example.com", "office"},
		{"EMP-3058", "Jonas Weller", "jonas.weller@example.com", "office"},
		{"EMP-3102", "Adaeze Nwosu", "adaeze.nwosu@example.com", "project_owner"},
		{"EMP-3116", "Callum Byrne", "callum.byrne@example.com", "site_worker"},
		{"EMP-3187", "Yusuf Demir", "yusuf.demir@example.com", "site_lead"},
	} {
		list = append(list, store.Fields{"emp_number": e[0], "name": e[1], "email": e[2], "employee_type": e[3]})
	}
	return list
}
