package sandbox

import (
	"strings"
	"testing"
)

const aConfig = `
companies:
  - id: comp_1
    api_keys: [{key: key_1, secret: s3cret, name: erp}]
    subscriptions:
      - {url: "http://127.0.0.1:3000", events: [work_order], form: compact, secret: s3cret, api_key: key_1}
    skills: [Welding]
    employees: [{emp_number: EMP-1, name: Ann, email: a@example.com, employee_type: site_lead, employee_skills: [Welding]}]
    work_types: [{code: NAP, name: Nap, multiplier: 0.5, default: true}]
    custom_fields: {work_order: [permit_number]}
`

func TestCompaniesAreReadFromYAML(t *testing.T) {
	t.Parallel()
	companies, err := ReadCompanies([]byte(aConfig))
	if err != nil {
		t.Fatal(err)
	}
	box, err := New(t.Context(), Config{Companies: companies})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	subs, err := box.Subscriptions(t.Context())
	if err != nil || len(subs) != 1 || !subs[0].HasAPIKey || subs[0].Form != "compact" {
		t.Errorf("subscriptions %+v, %v", subs, err)
	}
	if got := box.Companies()[0].Keys[0]; got.Key != "key_1" || got.Name != "erp" {
		t.Errorf("key %+v", got)
	}
}

func TestAConfigurationThatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                 "the configuration names no companies",
		"companies:\n  - ident: x\n":       "line 2: field ident not found",
		"companies: [":                     "line 1",
		"companies:\n  - skills: 5\n":      "line 2: cannot unmarshal",
		strings.Repeat("#", MaxConfig+1):   "larger than",
		"companies:\n  - [a, b]\n":         "line 2",
		"key: &a [*a]\ncompanies: [*a]\n":  "",
		"- companies\n":                    "line 1",
		"companies: []\n---\ncompanies: 1": "the configuration names no companies",
	} {
		if _, err := ReadCompanies([]byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", raw, err, want)
		}
	}
	for name, c := range map[string]Company{
		"a blank secret":       {Keys: []Key{{Key: "k", Secret: " "}}},
		"a key with space":     {Keys: []Key{{Key: " k", Secret: "s"}}},
		"a key that is twice":  {Keys: []Key{{Key: "k", Secret: "s"}, {Key: "k", Secret: "t"}}},
		"a private target":     {Subscriptions: []Subscription{{URL: "http://10.0.0.1/"}}},
		"an unknown form":      {Subscriptions: []Subscription{{URL: "http://127.0.0.1/", Form: "inbound"}}},
		"a bad glob":           {Subscriptions: []Subscription{{URL: "http://127.0.0.1/", Events: []string{"["}}}},
		"an employee, unnamed": {Employees: []map[string]any{{"emp_number": "E"}}},
	} {
		if box, err := New(t.Context(), Config{Companies: []Company{c}}); err == nil {
			t.Errorf("%s was taken", name)
			_ = box.Close()
		}
	}
}

func FuzzReadCompanies(f *testing.F) {
	f.Add([]byte(aConfig))
	f.Add([]byte("companies: &a [*a]"))
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _ = ReadCompanies(raw) })
}
