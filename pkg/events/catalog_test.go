package events_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/events"
	"github.com/wskdev/wsk/pkg/events/workskedge"
	"github.com/wskdev/wsk/pkg/events/worksome"
	"github.com/wskdev/wsk/pkg/webhook"
)

// create returns a pointer to a new event, or nil.
func create(d webhook.Definition) events.Event {
	switch d.Platform {
	case webhook.WorkSkedge:
		return workskedge.New(d.Form, d.Type)
	case webhook.Worksome:
		return worksome.New(d.Form, d.Type)
	}
	return nil
}

// definitions lists the events of the platforms that send events. Work Market
// has templates.
func definitions() []webhook.Definition {
	return slices.DeleteFunc(webhook.DefaultCatalog().Events("", ""), func(d webhook.Definition) bool {
		return d.Form == webhook.Template
	})
}

// forEvents runs a test for every event of the catalog.
func forEvents(t *testing.T, test func(t *testing.T, d webhook.Definition)) {
	t.Helper()
	all := definitions()
	if len(all) == 0 {
		t.Fatal("the catalog is empty")
	}
	for _, d := range all {
		t.Run(string(d.Platform)+"/"+string(d.Form)+"/"+d.Type, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

// sample returns an event's sample, or an envelope without data.
func sample(t *testing.T, d webhook.Definition) map[string]any {
	t.Helper()
	raw := d.Sample()
	if raw == nil {
		raw = []byte(`{"event":"` + d.Type + `","data":{"id":"a","tags":["b",null,{"c":1.5}]}}`)
	}
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// member is one place of a payload and the way to change it.
type member struct {
	pointer, path string
	set           func(v any)
	remove        func() // nil for an item of a list
	restore       func()
	value         any
}

// members lists every member and item below a value.
func members(at any, pointer, path string) []member {
	var list []member
	switch at := at.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(at)) {
			value := at[name]
			restore := func() { at[name] = value }
			m := member{pointer + "/" + name, strings.TrimPrefix(path+"."+name, "."), func(v any) { at[name] = v }, func() { delete(at, name) }, restore, value}
			list = append(append(list, m), members(value, m.pointer, m.path)...)
		}
	case []any:
		for i, value := range at {
			restore := func() { at[i] = value }
			m := member{pointer + "/" + strconv.Itoa(i), path + "." + strconv.Itoa(i), func(v any) { at[i] = v }, nil, restore, value}
			list = append(append(list, m), members(value, m.pointer, m.path)...)
		}
	}
	return list
}

func TestEvent_of_each_definition(t *testing.T) {
	t.Parallel()
	forEvents(t, func(t *testing.T, d webhook.Definition) {
		event := create(d)
		if event == nil {
			t.Fatal("the event has no type: run go run ./cmd/gen")
		}
		if got := event.Definition(); got != d {
			t.Errorf("its type says that it is %+v", got)
		}
		if reflect.TypeOf(create(d)) != reflect.TypeOf(event) || create(d) == event {
			t.Error("New does not return a new event")
		}
	})
}

// roundTrip decodes a tree into the event's type, by json.Unmarshal as a user
// does, and returns the tree that is encoded from it.
func roundTrip(t *testing.T, d webhook.Definition, tree map[string]any) map[string]any {
	t.Helper()
	event := create(d)
	raw := encode(t, tree)
	if err := json.Unmarshal(raw, event); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	var again map[string]any
	if err := json.Unmarshal(encode(t, event), &again); err != nil {
		t.Fatal(err)
	}
	return again
}

func TestEvent_round_trip(t *testing.T) {
	t.Parallel()
	forEvents(t, func(t *testing.T, d webhook.Definition) {
		tree := sample(t, d)
		if got := roundTrip(t, d, tree); !reflect.DeepEqual(got, tree) {
			t.Errorf("got  %s\nwant %s", encode(t, got), encode(t, tree))
		}
		unknown, err := events.Unknown(encode(t, tree), create(d))
		if err != nil || len(unknown) != 0 {
			t.Errorf("the type does not have %v, %v", unknown, err)
		}
	})
}

// A member that may be missing can be absent and null, and is encoded so.
func TestEvent_round_trip_without_a_member(t *testing.T) {
	t.Parallel()
	forEvents(t, func(t *testing.T, d webhook.Definition) {
		tree, at := sample(t, d), places(d)
		for _, m := range members(tree, "", "") {
			p := at(m.path)
			if !p.documented || m.remove == nil {
				continue // below a member of any type, or an item of a list
			}
			if !p.Required && !p.inMap || allows(p.Property, nil) { // {"Welder": null} is no count
				m.set(nil)
				if got := roundTrip(t, d, tree); !reflect.DeepEqual(got, tree) {
					t.Errorf("%s is null: got %s", m.pointer, encode(t, got))
				}
			}
			if !p.Required {
				m.remove()
				if got := roundTrip(t, d, tree); !reflect.DeepEqual(got, tree) {
					t.Errorf("%s is absent: got %s", m.pointer, encode(t, got))
				}
			}
			m.restore()
		}
	})
}

// place is what the schema says about a path, if it says anything.
type place struct {
	webhook.Property
	documented bool
	inMap      bool // a member of an object that has any names
	untyped    bool // a member of an object that may have any other members
}

// places returns a function that looks up paths of an event's envelope.
func places(d webhook.Definition) func(path string) place {
	known := map[string]place{}
	find := func(path string) (webhook.Property, bool) {
		p, err := d.Property(path)
		return p, err == nil
	}
	return func(path string) place {
		if p, ok := known[path]; ok {
			return p
		}
		var p place
		p.Property, p.documented = find(path)
		p.inMap = strings.HasSuffix(p.Path, ".*")
		if parent := path[:max(strings.LastIndexByte(path, '.'), 0)]; parent != "" {
			other, ok := find(parent + ".any name")
			p.untyped = ok && (len(other.Types) == 0 || strings.HasSuffix(other.Path, "custom_fields.*"))
		}
		known[path] = p
		return p
	}
}

// allows reports whether the types of a property allow a value.
func allows(p webhook.Property, value any) bool {
	if len(p.Types) == 0 {
		return true
	}
	return slices.ContainsFunc(p.Types, func(name string) bool {
		switch value := value.(type) {
		case nil:
			return name == "null"
		case bool:
			return name == "boolean"
		case string:
			return name == "string"
		case float64:
			return name == "number" || name == "integer" && value == float64(int64(value))
		case []any:
			return name == "array"
		}
		return name == "object"
	})
}

func TestEvent_member_of_another_type(t *testing.T) {
	t.Parallel()
	others := []any{true, "text", 1.5, 1.0, []any{true}, map[string]any{"a": true}, nil}
	forEvents(t, func(t *testing.T, d webhook.Definition) {
		tree, at := sample(t, d), places(d)
		for _, m := range members(tree, "", "") {
			p := at(m.path)
			if !p.documented || p.untyped {
				continue
			}
			for _, other := range others {
				if allows(p.Property, other) || other == nil && !p.Required && m.remove != nil && !p.inMap {
					continue // fits, or is the null of a member that may be missing
				}
				m.set(other)
				raw := encode(t, tree)
				var failure *events.MemberError
				err := json.Unmarshal(raw, create(d))
				if !errors.As(err, &failure) || failure.Pointer != m.pointer {
					t.Errorf("%s = %v: error %v, want one about it", m.pointer, other, err)
				}
			}
			m.restore()
		}
	})
}

// Every place that the schema describes has a field, whether the sample has it
// or not.
func TestUnknown_of_each_property(t *testing.T) {
	t.Parallel()
	forEvents(t, func(t *testing.T, d webhook.Definition) {
		for _, p := range d.Properties() {
			raw := "null"
			switch {
			case slices.Contains(p.Types, "object"):
				raw = "{}"
			case slices.Contains(p.Types, "array"):
				raw = "[]"
			case slices.Contains(p.Types, "string"):
				raw = `"x"`
			case slices.Contains(p.Types, "number"), slices.Contains(p.Types, "integer"):
				raw = "1"
			case slices.Contains(p.Types, "boolean"):
				raw = "true"
			}
			steps := strings.Split(strings.ReplaceAll(p.Path, "[]", ".[]"), ".")
			for _, step := range slices.Backward(steps) {
				if step == "[]" {
					raw = "[" + raw + "]"
				} else {
					raw = `{"` + step + `":` + raw + `}`
				}
			}
			unknown, err := events.Unknown([]byte(raw), create(d))
			if err != nil || len(unknown) > 0 {
				t.Errorf("%s: unknown are %v, %v", raw, unknown, err)
			}
		}
	})
}

func TestEvent_with_more_members(t *testing.T) {
	t.Parallel()
	forEvents(t, func(t *testing.T, d webhook.Definition) {
		tree, at := sample(t, d), places(d)
		for _, m := range members(tree, "", "") {
			object, ok := m.value.(map[string]any)
			if !ok || len(object) == 0 || !at(m.path+"."+slices.Sorted(maps.Keys(object))[0]).documented || at(m.path+".surprise").inMap {
				continue // members of any name are documented here
			}
			object["surprise"] = []any{1.0}
			raw := encode(t, tree)
			unknown, err := events.Unknown(raw, create(d))
			if err != nil || len(unknown) != 1 || string(unknown[m.pointer+"/surprise"]) != "[1]" {
				t.Errorf("%s: unknown are %s, %v", m.pointer, encode(t, unknown), err)
			}
			if err := json.Unmarshal(raw, create(d)); err != nil {
				t.Errorf("%s: %v", m.pointer, err)
			}
			delete(object, "surprise")
		}
	})
}

func TestParse_each_sample(t *testing.T) {
	t.Parallel()
	forEvents(t, func(t *testing.T, d webhook.Definition) {
		parse := workskedge.Parse
		if d.Platform == webhook.Worksome {
			parse = worksome.Parse
		}
		event, err := parse(encode(t, sample(t, d)))
		if err != nil || event.Definition() != d {
			t.Errorf("%T, %v", event, err)
		}
	})
}
