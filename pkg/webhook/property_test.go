package webhook_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

func lookup(t testing.TB, f webhook.Form, name string) webhook.Definition {
	t.Helper()
	d, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, f, name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDefinitionProperties(t *testing.T) {
	t.Parallel()
	d := lookup(t, webhook.Inbound, "work_order.created")
	for _, want := range []webhook.Property{
		{Path: "event_type", Types: []string{"string"}, Required: true, Values: []string{"work_order.created"}, Closed: true},
		{Path: "timestamp", Types: []string{"string"}, Required: true, Format: "date-time"},
		{Path: "data", Types: []string{"object"}, Required: true},
		{Path: "data.project_code", Types: []string{"string"}, Required: true},
		{Path: "data.priority", Types: []string{"string"}, Values: []string{"normal", "high", "urgent"}},
		{Path: "data.start_time", Types: []string{"string"}, Format: "time-of-day"},
		{Path: "data.days_hours_required", Types: []string{"string", "number"}},
		{Path: "data.required_headcount", Types: []string{"integer"}, AliasOf: "people_required"},
		{Path: "data.people_skill_requirements.*", Types: []string{"integer"}},
		{Path: "data.equipment[]", Types: []string{"string"}},
		{Path: "data.scope_of_work.checklists[].items[].status", Types: []string{"string"}, Values: []string{"pending", "complete"}, Closed: true},
		{Path: "data.scope_of_work.checklists[].items[].completed", Types: []string{"boolean"}, AliasOf: "status"},
	} {
		got, err := d.Property(want.Path)
		if got.Description == "" {
			t.Errorf("%s has no description", want.Path)
		}
		got.Description = ""
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

func TestDefinitionProperties_order(t *testing.T) {
	t.Parallel()
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		var paths []string
		for _, p := range d.Properties() {
			parent := p.Path
			if i := strings.LastIndexAny(strings.TrimSuffix(p.Path, "[]"), "."); i >= 0 {
				parent = p.Path[:i]
			}
			if parent != p.Path && !slices.Contains(paths, parent) {
				t.Errorf("%v: %s comes before %s", d, p.Path, parent)
			}
			paths = append(paths, p.Path)
		}
	}
}

// TestDefinitionProperty writes paths as the list has them, and with
// indexes and free names filled in, in turns; of so many events a part each.
func TestDefinitionProperty(t *testing.T) {
	t.Parallel()
	for turn, d := range webhook.DefaultCatalog().Events("", "") {
		for i, p := range d.Properties() {
			if (turn+i)%8 != 0 {
				continue
			}
			free := strings.ReplaceAll(p.Path, "*", `a\.name`)
			path := []string{p.Path, strings.ReplaceAll(free, "[]", ".0"), strings.ReplaceAll(free, "[]", "[17]")}[i%3]
			if got, err := d.Property(path); err != nil || got.Path != p.Path {
				t.Errorf("%v: %s finds %q, %v", d, path, got.Path, err)
			}
		}
	}
}

func TestDefinitionProperty_of_an_unknown_path(t *testing.T) {
	t.Parallel()
	d := lookup(t, webhook.Inbound, "work_order.created")
	for name, want := range map[string]string{
		"priority": "data.priority",
		"scope_of_work.checklists.2.items[0].status": "data.scope_of_work.checklists.2.items.0.status",
		"custom_fields.permit":                       "data.custom_fields.permit",
		`custom_fields.hot\.work`:                    `data.custom_fields.hot\.work`,
		"equipment[3]":                               "data.equipment.3",
		"data.priorty":                               "data.priority",
		"priorty":                                    "data.priority",
		"data.equipment.first":                       "data.equipment.0",
		"data.scope_of_work.checklists.4.items.1.statuss": "data.scope_of_work.checklists.4.items.1.status",
		"event_typ":                      "event_type",
		"tiemstamp":                      "timestamp",
		"data.zzzzzzzzzzzzzzzzzzzzzzzzz": "",
		"nothing.like.it.anywhere":       "",
	} {
		_, err := d.Property(name)
		var unknown *webhook.UnknownError
		if !errors.As(err, &unknown) || unknown.Name != name {
			t.Errorf("%s: %v, want an UnknownError", name, err)
			continue
		}
		if unknown.Nearest != want {
			t.Errorf("%s: nearest %q, want %q", name, unknown.Nearest, want)
		}
		if want != "" {
			if _, err := d.Property(unknown.Nearest); err != nil {
				t.Errorf("%s: the suggestion %q is unknown as well", name, unknown.Nearest)
			}
		}
	}
	for _, name := range []string{"", ".", "data.equipment.-1", "data.equipment.01", "data.equipment[]x", "data.priority.x"} {
		if p, err := d.Property(name); err == nil {
			t.Errorf("%q finds %s", name, p.Path)
		}
	}
}
