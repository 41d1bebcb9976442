package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// MaxConfig is the largest configuration that is read, in bytes.
const MaxConfig = 1 << 20

// ReadCompanies reads companies from YAML:
//
//	companies:
//	  - id: comp_1
//	    api_keys: [{key: key_1, secret: s3cret, name: erp}]
//	    subscriptions:
//	      - {url: "http://127.0.0.1:3000", events: [work_order], form: outbound, secret: s3cret, api_key: key_1}
//	    skills: [Concrete]
//	    employees: [{emp_number: EMP-1, name: Ann, email: a@example.com, employee_type: site_lead}]
//	    work_types: [{code: REG, name: Regular Time, billable: true, requires_work_order: true, default: true}]
//	    custom_fields: {work_order: [permit_number]}
//
// Members that it does not know are an error that names the line.
func ReadCompanies(raw []byte) ([]Company, error) {
	if len(raw) > MaxConfig {
		return nil, fmt.Errorf("it is larger than %d bytes", MaxConfig)
	}
	var file struct {
		Companies []Company `yaml:"companies"`
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ")
		return nil, errors.New(strings.ReplaceAll(text, "\n  ", "; "))
	}
	if len(file.Companies) == 0 {
		return nil, errors.New("it names no companies: companies: [{id: comp_1, …}]")
	}
	for i := range file.Companies {
		for j, employee := range file.Companies[i].Employees {
			text, err := json.Marshal(employee) // as JSON has numbers
			if err == nil {
				file.Companies[i].Employees[j], err = store.DecodeFields(text)
			}
			if err != nil {
				return nil, fmt.Errorf("employee %d of %s: %w", j+1, file.Companies[i].ID, err)
			}
		}
	}
	return file.Companies, nil
}
