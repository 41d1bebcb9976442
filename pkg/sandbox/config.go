package sandbox

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultCompany is the ID of the company of a sandbox that is configured with
// none.
const DefaultCompany = "comp_sandbox"

// Config configures a sandbox. The zero value is one company with a generated
// key and secret, in memory, with the documented limits.
type Config struct {
	Companies []Company // default: one, see [DefaultCompany]
	Data      string    // path of the SQLite file that keeps the state; "": in memory until Close

	Limits        []deliver.Limit // per API key, counted from the start of the process; nil: [deliver.WorkSkedgeLimits]; empty: none
	RequireScheme string          // the only scheme accepted from source custom, timestamp.body or body; default: both
	Tolerance     time.Duration   // between a request's timestamp and now; default: [webhook.DefaultTolerance]; [webhook.AnyAge]: any
	Speed         float64         // divides the pauses between attempts; 1 or more, +Inf: no pauses; default: 1
	Timeout       time.Duration   // of one attempt; default: [deliver.DefaultTimeout]
	Lenient       bool            // the rules that WorkSkedge does not document are off, see [Rules]; the default of Tolerance is then [webhook.AnyAge]
	AllowTargets  bool            // deliver to public addresses as well as to this machine; private addresses are always refused

	Linter    *lint.Linter      // checks inbound events; default: the catalog's
	Transport http.RoundTripper // sends deliveries; default: one that refuses addresses by AllowTargets after resolving names
	Now       func() time.Time  // default: [time.Now]
	NewID     func() string     // random identifiers, of which IDs keep 16 characters; default: [rand.Text] in lower case

	Logger *slog.Logger // receives warnings of what does not stop the sandbox; default: discarded

	// The callbacks are called from several goroutines; each may be nil.
	Received  func(webhook.Record)           // after each request to Path has been answered
	Delivered func(Delivery, webhook.Record) // after each attempt, with the resulting delivery; must not call Close
	Broken    func(error)                    // when the disk no longer confirms writes; every event is answered with 503 from then on
}

// Company is one customer of the platform.
type Company struct {
	ID            string              `yaml:"id"`
	Keys          []Key               `yaml:"api_keys"`      // default: one, generated
	Subscriptions []Subscription      `yaml:"subscriptions"` // in addition to those of [Sandbox.Subscribe]
	Skills        []string            `yaml:"skills"`        // the skills library; default: the skills in the catalog's samples
	Employees     []map[string]any    `yaml:"employees"`     // members as in employee.created; default: the employees in the samples
	WorkTypes     []WorkType          `yaml:"work_types"`    // default: REG, OT, VAC, SICK, HOL
	CustomFields  map[string][]string `yaml:"custom_fields"` // the allowed names by kind of record, such as work_order; default: any
}

// Key is an API key and the secret that signs requests sent with it.
type Key struct {
	Key    string `json:"key"    yaml:"key"`    // default: generated
	Secret string `json:"secret" yaml:"secret"` // default: generated
	Name   string `json:"name"   yaml:"name"`   // shown to people; default: the user ID in created_by, user_…
}

// Subscription asks for a company's outbound events.
type Subscription struct {
	Company string       `json:"company" yaml:"-"`       // default: the first
	URL     string       `json:"url"     yaml:"url"`     // where events are delivered
	Events  []string     `json:"events"  yaml:"events"`  // types, globs, or categories as in the types or as WorkSkedge heads them: work_order.created, work_order.*, work_order, Work Order Events; default: all
	Form    webhook.Form `json:"form"    yaml:"form"`    // outbound or compact; default: outbound, or the one that alone has the events
	Secret  string       `json:"secret"  yaml:"secret"`  // signs the deliveries; default: the secret of the company's first key
	APIKey  string       `json:"api_key" yaml:"api_key"` // changes made with this key are not delivered (echo prevention)
}

// WorkType is a type of hours in timesheets.
type WorkType struct {
	Code              string  `yaml:"code"`
	Name              string  `yaml:"name"`
	Multiplier        float64 `yaml:"multiplier"` // of the pay; default: 1
	Billable          bool    `yaml:"billable"`
	RequiresWorkOrder bool    `yaml:"requires_work_order"`
	Default           bool    `yaml:"default"` // the type of entries that name none
}

// withDefaults returns a copy with every default filled in.
func (c Config) warn(text string) {
	if c.Logger != nil {
		c.Logger.Warn(text)
	}
}

func (c Config) withDefaults() (Config, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() string { return strings.ToLower(rand.Text()) }
	}
	if c.Limits == nil {
		c.Limits = deliver.WorkSkedgeLimits()
	}
	if c.Linter == nil {
		var err error
		if c.Linter, err = lint.New(lint.Config{Platform: webhook.WorkSkedge, Form: webhook.Inbound}); err != nil {
			return c, err
		}
	}
	if c.Lenient {
		c.Tolerance = cmp.Or(c.Tolerance, webhook.AnyAge)
	}
	c.Tolerance = cmp.Or(c.Tolerance, webhook.DefaultTolerance)
	c.Speed = cmp.Or(c.Speed, 1)
	c.Companies = cloneCompanies(c.Companies)
	if len(c.Companies) == 0 {
		c.Companies = []Company{{}}
	}
	for i := range c.Companies {
		c.Companies[i].ID = cmp.Or(c.Companies[i].ID, DefaultCompany)
	}
	return c, nil
}

// cloneCompanies copies what the set-up of a sandbox changes.
func cloneCompanies(list []Company) []Company {
	list = slices.Clone(list)
	for i := range list {
		list[i].Keys = slices.Clone(list[i].Keys)
	}
	return list
}

// check refuses a configuration that no sandbox can work with. Keys,
// subscriptions and employees are checked when they are stored.
func (c Config) check() error {
	if c.RequireScheme != "" && c.RequireScheme != webhook.TimestampBody && c.RequireScheme != webhook.BodyOnly {
		return webhook.Unknown("scheme of source custom", c.RequireScheme, []string{webhook.TimestampBody, webhook.BodyOnly})
	}
	if !(c.Speed >= 1) { // also refuses NaN
		return fmt.Errorf("a speed of %v: it divides pauses, so it must be 1 or more", c.Speed)
	}
	for _, l := range c.Limits {
		if l.Count < 1 || l.Per <= 0 {
			return fmt.Errorf("a limit of %d requests in %s lets nothing through", l.Count, l.Per)
		}
	}
	ids := map[string]bool{}
	for _, company := range c.Companies {
		if ids[company.ID] {
			return fmt.Errorf("two companies have the id %q", company.ID)
		}
		ids[company.ID] = true
	}
	return nil
}

type companiesFile struct {
	Companies []Company `yaml:"companies"`
}

// yamlFault returns in plain words what the YAML decoder says: it names Go types.
func yamlFault(err error) string {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ")
	text = unknownMember.ReplaceAllString(text, "unknown member $1")
	text = wrongType.ReplaceAllStringFunc(text, func(found string) string {
		types := wrongType.FindStringSubmatch(found)
		return yamlType(types[1]) + " where " + goType(types[2]) + " is expected"
	})
	return strings.ReplaceAll(text, "\n  ", "; ")
}

var (
	unknownMember = regexp.MustCompile(`field (\S+) not found in type [\w.]+`)
	wrongType     = regexp.MustCompile("cannot unmarshal !!(\\w+)(?: `[^`]*`)? into (\\S+)")
)

// yamlType names the type of a YAML tag.
func yamlType(tag string) string {
	switch tag {
	case "seq":
		return "a list"
	case "map":
		return "a block"
	case "int", "float":
		return "a number"
	case "bool":
		return "true or false"
	}
	return "text"
}

// goType names what a member of a configuration can be.
func goType(name string) string {
	switch {
	case strings.HasPrefix(name, "[]"):
		return "a list"
	case strings.HasPrefix(name, "float"):
		return "a number"
	case name == "bool":
		return "true or false"
	case name == "string":
		return "text"
	}
	return "a block"
}

const maxConfig = 1 << 20

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
// The members are those of [Company]. An unknown member is an error that names
// its line. A configuration of more than 1 MiB is an error.
func ReadCompanies(raw []byte) ([]Company, error) {
	if len(raw) > maxConfig {
		return nil, fmt.Errorf("the configuration is larger than %d bytes", maxConfig)
	}
	var file companiesFile
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(yamlFault(err))
	}
	if len(file.Companies) == 0 {
		return nil, errors.New("the configuration names no companies: companies: [{id: comp_1, …}]")
	}
	for _, company := range file.Companies {
		for i, employee := range company.Employees {
			fields, err := jsonFields(employee)
			if err != nil {
				return nil, fmt.Errorf("employee %d of %s: %w", i+1, company.ID, err)
			}
			company.Employees[i] = fields
		}
	}
	return file.Companies, nil
}

// jsonFields converts what YAML decodes to into what JSON decodes to, with
// json.Number for numbers.
func jsonFields(members map[string]any) (store.Fields, error) {
	text, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	return store.DecodeFields(text)
}

// sampleSkills are the skills that the samples of the catalog and of the
// documents name, so that every sample can be sent as it is.
var sampleSkills = []string{
	"Concrete", "Framing", "Safety Management", "Project Planning", "Budget Management", "Project Management",
	"Concrete Finisher", "Equipment Operator", "Electrical", "HVAC", "Pipefitter", "Brazing", "Refrigeration Technician",
}

// sampleEmployees are the employees that the samples refer to and none creates.
var sampleEmployees = []struct{ number, name, email, kind string }{
	{number: "EMP-1001", name: "Imke Brandt", email: "imke.brandt@example.com", kind: "site_lead"},
	{number: "EMP-2001", name: "Sefu Okafor", email: "sefu.okafor@example.com", kind: "project_owner"},
	{number: "EMP-2002", name: "Livia Moretti", email: "livia.moretti@example.com", kind: "project_owner"},
	{number: "EMP-3050", name: "Paulina Reyes", email: "paulina.reyes@example.com", kind: "office"},
	{number: "EMP-3058", name: "Jonas Weller", email: "jonas.weller@example.com", kind: "office"},
	{number: "EMP-3102", name: "Adaeze Nwosu", email: "adaeze.nwosu@example.com", kind: "project_owner"},
	{number: "EMP-3116", name: "Callum Byrne", email: "callum.byrne@example.com", kind: "site_worker"},
	{number: "EMP-3187", name: "Yusuf Demir", email: "yusuf.demir@example.com", kind: "site_lead"},
}
