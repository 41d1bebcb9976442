package sandbox

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

const companiesYAML = `
companies:
  - id: comp_1
    api_keys: [{key: key_1, secret: s3cret, name: erp}]
    subscriptions:
      - {url: "http://127.0.0.1:3000", events: [work_order], form: compact, secret: s3cret, api_key: key_1}
    skills: [Welding]
    employees: [{emp_number: EMP-1, name: Ann, email: a@example.com, employee_type: site_lead, employee_skills: [Welding], grade: 2.50}]
    work_types: [{code: NAP, name: Nap, multiplier: 0.5, default: true}]
    custom_fields: {work_order: [permit_number]}
`

func TestReadCompanies(t *testing.T) {
	t.Parallel()
	companies, err := ReadCompanies([]byte(companiesYAML))
	if err != nil {
		t.Fatal(err)
	}
	want := []Company{{
		ID:            "comp_1",
		Keys:          []Key{{Key: "key_1", Secret: "s3cret", Name: "erp"}},
		Subscriptions: []Subscription{{URL: "http://127.0.0.1:3000", Events: []string{"work_order"}, Form: webhook.Compact, Secret: "s3cret", APIKey: "key_1"}},
		Skills:        []string{"Welding"},
		Employees: []map[string]any{{
			"emp_number": "EMP-1", "name": "Ann", "email": "a@example.com", "employee_type": "site_lead", "employee_skills": []any{"Welding"}, "grade": json.Number("2.5"),
		}},
		WorkTypes:    []WorkType{{Code: "NAP", Name: "Nap", Multiplier: 0.5, Default: true}},
		CustomFields: map[string][]string{"work_order": {"permit_number"}},
	}}
	if !reflect.DeepEqual(companies, want) {
		t.Errorf("companies\n%+v\nwant\n%+v", companies, want)
	}
	box, err := New(t.Context(), Config{Companies: companies})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	subs, err := box.Subscriptions(t.Context())
	if err != nil || len(subs) != 1 || !subs[0].HasAPIKey || subs[0].Form != webhook.Compact {
		t.Errorf("subscriptions %+v, %v", subs, err)
	}
	if got := box.Companies()[0].Keys[0]; got.Key != "key_1" || got.Name != "erp" {
		t.Errorf("key %+v", got)
	}
}

func TestReadCompaniesErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ raw, want string }{
		"empty":                    {"", "the configuration names no companies"},
		"no companies":             {"companies: []\n---\ncompanies: 1", "the configuration names no companies"},
		"unknown member":           {"companies:\n  - ident: x\n", "line 2: unknown member ident"},
		"syntax":                   {"companies: [", "line 1"},
		"wrong type":               {"companies:\n  - skills: 5\n", "line 2: a number where a list is expected"},
		"list for a company":       {"companies:\n  - [a, b]\n", "line 2"},
		"too large":                {strings.Repeat("#", maxConfig+1), "larger than"},
		"anchor that holds itself": {"companies:\n  - employees: [&a {x: *a}]\n", "anchor 'a' value contains itself"},
		"list at the top":          {"- companies\n", "line 1"},
		"employee not JSON":        {"companies:\n  - employees: [{emp_number: .nan}]\n", "employee 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := ReadCompanies([]byte(test.raw)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestNewRefusesCompanies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		company Company
		want    string
	}{
		"blank secret":          {Company{Keys: []Key{{Key: "k", Secret: " "}}}, "the secret of an API key"},
		"key with space":        {Company{Keys: []Key{{Key: " k", Secret: "s"}}}, "leading or trailing space"},
		"key configured twice":  {Company{Keys: []Key{{Key: "k", Secret: "s"}, {Key: "k", Secret: "t"}}}, "configured twice"},
		"private target":        {Company{Subscriptions: []Subscription{{URL: "http://10.0.0.1/"}}}, "private or special address"},
		"unknown form":          {Company{Subscriptions: []Subscription{{URL: "http://127.0.0.1/", Form: "inbound"}}}, "unknown form of a subscription"},
		"malformed glob":        {Company{Subscriptions: []Subscription{{URL: "http://127.0.0.1/", Events: []string{"["}}}}, "is not a valid glob"},
		"employee without name": {Company{Employees: []map[string]any{{"emp_number": "E"}}}, "name is required"},
		"unknown skill":         {Company{Skills: []string{}, Employees: []map[string]any{{"emp_number": "E", "name": "n", "email": "e", "employee_type": "t", "employee_skills": []any{"Magic"}}}}, "Magic"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box, err := New(t.Context(), Config{Companies: []Company{test.company}})
			if err == nil {
				_ = box.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

// FuzzReadCompanies: an error does not begin with the decoder's name, and
// employees consist of what JSON decodes to, as the rules know no other types.
func FuzzReadCompanies(f *testing.F) {
	f.Add([]byte(companiesYAML))
	f.Add([]byte("companies: &a [*a]"))
	f.Add([]byte("companies:\n  - employees: [{a: 2026-01-15, b: 0x1f, c: [1, {d: null}]}]\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		companies, err := ReadCompanies(raw)
		if err != nil {
			if strings.HasPrefix(err.Error(), "yaml:") || len(companies) > 0 {
				t.Errorf("%d companies, error %q", len(companies), err)
			}
			return
		}
		if len(companies) == 0 {
			t.Error("neither companies nor an error")
		}
		for _, c := range companies {
			for _, employee := range c.Employees {
				checkJSONTypes(t, employee)
			}
		}
	})
}

func checkJSONTypes(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil, string, bool, json.Number:
	case []any:
		for _, item := range v {
			checkJSONTypes(t, item)
		}
	case map[string]any:
		for _, member := range v {
			checkJSONTypes(t, member)
		}
	default:
		t.Errorf("a value of type %T", v)
	}
}
