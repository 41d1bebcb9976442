package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// documented is how many events the platforms document, and how many of them with a
// payload. The catalog may have more.
var documented = map[string]struct{ events, samples int }{
	"workskedge/inbound":  {34, 34},
	"workskedge/outbound": {37, 37},
	"workskedge/compact":  {34, 26},
	"worksome/worksome":   {17, 1},
	"workmarket/template": {35, 35},
}

func TestDefaultCatalog_is_complete(t *testing.T) {
	t.Parallel()
	events, samples := map[string]int{}, map[string]int{}
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		key := string(d.Platform) + "/" + string(d.Form)
		events[key]++
		if d.Sample() != nil {
			samples[key]++
		}
		if !slices.Contains(webhook.DefaultCatalog().Platforms(), d.Platform) || !slices.Contains(webhook.DefaultCatalog().Forms(), d.Form) {
			t.Errorf("%v: a platform or form that is not listed", d)
		}
	}
	for key, want := range documented {
		if events[key] < want.events || samples[key] < want.samples {
			t.Errorf("%s has %d events and %d samples, want %d and %d or more", key, events[key], samples[key], want.events, want.samples)
		}
	}
}

// eachSchema calls f for every file below schemas.
func eachSchema(t *testing.T, f func(name string, raw []byte)) {
	t.Helper()
	files := os.DirFS("schemas")
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		f(name, raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDefaultCatalog_files_describe_their_event(t *testing.T) {
	t.Parallel()
	events := 0
	eachSchema(t, func(name string, raw []byte) {
		if err := webhook.CheckJSON(raw); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		schema := gjson.ParseBytes(raw)
		if got, want := schema.Get("$id").String(), "https://wsk.dev/schemas/"+name; got != want {
			t.Errorf("%s: $id %q, want %q", name, got, want)
		}
		if got, want := schema.Get("$schema").String(), "https://json-schema.org/draft/2020-12/schema"; got != want {
			t.Errorf("%s: $schema %q, want %q", name, got, want)
		}
		if schema.Get("description").String() == "" {
			t.Errorf("%s has no description", name)
		}
		if strings.Count(name, "/") != 2 {
			return
		}
		events++
		title := schema.Get("title").String()
		if strings.HasPrefix(name, "workmarket/") { // "Check In", as its page writes it
			title = strings.ToLower(strings.NewReplacer(" ", "_", "-", "_").Replace(title))
		}
		if want := strings.TrimSuffix(path.Base(name), ".json"); title != want {
			t.Errorf("%s: title %q, want %q", name, title, want)
		}
	})
	if got := len(webhook.DefaultCatalog().Events("", "")); got != events {
		t.Errorf("the catalog has %d events, and there are %d files", got, events)
	}
}

// eachObject calls f for every object in a JSON value, with its place.
func eachObject(place string, v gjson.Result, f func(place string, v gjson.Result)) {
	if v.IsObject() {
		f(place, v)
	}
	if v.IsObject() || v.IsArray() {
		v.ForEach(func(key, value gjson.Result) bool {
			eachObject(place+"/"+key.String(), value, f)
			return true
		})
	}
}

func TestDefaultCatalog_describes_every_property(t *testing.T) {
	t.Parallel()
	eachSchema(t, func(name string, raw []byte) {
		schema := gjson.ParseBytes(raw)
		eachObject("", schema, func(place string, v gjson.Result) {
			holder := path.Base(path.Dir(place))
			if strings.HasPrefix(place, "/examples/") || holder != "$defs" && (holder != "properties" || v.Get(`\$ref`).Exists()) {
				return // what a $ref leads to has one
			}
			if text := v.Get("description").String(); text == "" || text != strings.TrimSpace(text) {
				t.Errorf("%s#%s: description %q", name, place, text)
			}
		})
	})
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		for _, p := range d.Properties() {
			if p.Description == "" {
				t.Errorf("%v: %s has no description", d, p.Path)
			}
		}
	}
}

func TestDefaultCatalog_resolves_every_reference(t *testing.T) {
	t.Parallel()
	files := map[string]gjson.Result{}
	eachSchema(t, func(name string, raw []byte) { files[name] = gjson.ParseBytes(raw) })
	checked := 0
	for name, schema := range files {
		eachObject("", schema, func(place string, v gjson.Result) {
			ref := v.Get(`\$ref`)
			if strings.HasPrefix(place, "/examples/") || !ref.Exists() {
				return
			}
			checked++
			file, pointer, _ := strings.Cut(ref.String(), "#")
			target := schema
			if file != "" {
				target = files[path.Join(path.Dir(name), file)]
			}
			for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
				target = target.Get(gjson.Escape(step))
			}
			if !target.IsObject() {
				t.Errorf("%s#%s: nothing at %q", name, place, ref.String())
			}
		})
	}
	if checked == 0 {
		t.Error("no $ref was found")
	}
}

func TestDefinitionSample(t *testing.T) {
	t.Parallel()
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		examples := gjson.GetBytes(d.Schema(), "examples").Array()
		sample := d.Sample()
		if sample == nil && len(examples) == 0 {
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(examples[0].Raw)); err != nil || len(examples) != 1 || !bytes.Equal(sample, compact.Bytes()) {
			t.Errorf("%v: %d examples, and the sample is not the one: %v", d, len(examples), err)
		}
		if d.Form == webhook.Template {
			continue // values for a template's variables: no envelope
		}
		event, err := webhook.ParseEvent(sample)
		if err != nil || event.Platform != d.Platform || event.Form != d.Form || event.Type != d.Type {
			t.Errorf("%v: the sample is read as %s %s %s, %v", d, event.Platform, event.Form, event.Type, err)
		}
		if d.Description() == "" {
			t.Errorf("%v has no description", d)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	all := webhook.DefaultCatalog().Events("", "")
	if !slices.Equal(all, webhook.DefaultCatalog().Events("", "")) || len(all) == 0 {
		t.Errorf("%d events of any platform, %d in the catalog", len(all), len(webhook.DefaultCatalog().Events("", "")))
	}
	for _, d := range webhook.DefaultCatalog().Events("", webhook.Outbound) {
		if d.Form != webhook.Outbound {
			t.Errorf("%v among the outbound events", d)
		}
	}
	if got := webhook.DefaultCatalog().Events("nowhere", ""); len(got) != 0 {
		t.Errorf("%d events of a platform that is not there", len(got))
	}
	for _, d := range all {
		if got, err := webhook.DefaultCatalog().Lookup(d.Platform, d.Form, d.Type); err != nil || got != d {
			t.Errorf("Lookup(%v) = %v, %v", d, got, err)
		}
		if got, err := webhook.DefaultCatalog().Lookup("", "", d.Type); err != nil || got.Type != d.Type {
			t.Errorf("Lookup of %s anywhere = %v, %v", d.Type, got, err)
		}
	}
}

func TestLookup_of_an_unknown_event(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		form       webhook.Form
		name, want string
		text       string
	}{
		{webhook.Inbound, "workorder.created", "work_order.created", `unknown inbound event "workorder.created": did you mean "work_order.created"?`},
		{webhook.Inbound, "work_order.create", "work_order.created", "unknown inbound event"},
		{webhook.Inbound, "Work_Order.Created", "work_order.created", "unknown inbound event"},
		{webhook.Outbound, "work_order.status_change", "work_order.status_changed", "unknown outbound event"},
		{"", "nothing_of_the.kind", "", `unknown event "nothing_of_the.kind"`},
		{"", "", "", `unknown event ""`},
		{"nowhere", "work_order.created", "", `unknown nowhere event "work_order.created"`},
	} {
		_, err := webhook.DefaultCatalog().Lookup("", test.form, test.name)
		var unknown *webhook.UnknownError
		if !errors.As(err, &unknown) || unknown.Nearest != test.want || !strings.HasPrefix(err.Error(), test.text) {
			t.Errorf("%s %q: %v, want %q to be named", test.form, test.name, err, test.want)
			continue
		}
		if unknown.Name != test.name || !slices.IsSorted(unknown.Known) || len(slices.Compact(slices.Clone(unknown.Known))) != len(unknown.Known) {
			t.Errorf("%q: known are %q, want each name once", test.name, unknown.Known)
		}
	}
}

const ownSchema = `{"title":"crane.booked","description":"A crane was booked.","type":"object","properties":{
 "event_type":{"type":"string","const":"crane.booked"},"data":{"type":"object","properties":{"crane":{"$ref":"../../parts.json#/$defs/crane"}}}},
 "examples":[{"event_type":"crane.booked","timestamp":"2026-01-15T14:30:00Z","source":"x","data":{"crane":"K-1"}}]}`

func ownFiles() fstest.MapFS {
	return fstest.MapFS{
		"workskedge/inbound/crane.booked.json":       {Data: []byte(ownSchema)},
		"workskedge/inbound/work_order.created.json": {Data: []byte(`{"title":"work_order.created","description":"Ours.","properties":{"data":{"properties":{"permit":{"type":"string"}}}}}`)},
		"parts.json": {Data: []byte(`{"$defs":{"crane":{"type":"string","description":"Its name."}}}`)},
		"README.md":  {Data: []byte("no schema")},
	}
}

func TestNewCatalog_adds_an_event(t *testing.T) {
	t.Parallel()
	o, err := webhook.NewCatalog(ownFiles())
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.Lookup(webhook.WorkSkedge, webhook.Inbound, "crane.booked")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := webhook.ParseEvent(d.Sample()); err != nil || e.Type != "crane.booked" {
		t.Errorf("sample: %v, %v", e.Type, err)
	}
	if p, err := d.Property("data.crane"); err != nil || p.Description != "Its name." {
		t.Errorf("property: %+v, %v", p, err)
	}
	if text := string(d.Bundle()); !strings.Contains(text, `"$ref": "#/$defs/parts_crane"`) || !strings.Contains(text, `"description": "Its name."`) {
		t.Errorf("bundle: %s", text)
	}
	if got, want := len(o.Events("", "")), len(webhook.DefaultCatalog().Events("", ""))+1; got != want {
		t.Errorf("%d events, want %d", got, want)
	}
}

func TestNewCatalog_replaces_a_schema(t *testing.T) {
	t.Parallel()
	o, err := webhook.NewCatalog(ownFiles())
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.Lookup(webhook.WorkSkedge, webhook.Inbound, "work_order.created")
	if err != nil || d.Description() != "Ours." || d.Sample() != nil {
		t.Errorf("%q, sample %s, %v", d.Description(), d.Sample(), err)
	}
	if d, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, "work_order.created"); err != nil || d.Description() == "Ours." {
		t.Error("the catalog itself was changed")
	}
}

func TestNewCatalog_names_the_file_at_fault(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, want string }{
		"no JSON":            {"workskedge/inbound/a.json", "{", "workskedge/inbound/a.json: line 1, column 2"},
		"no object":          {"workskedge/inbound/a.json", "[]", "a schema is an object"},
		"a platform unknown": {"workskege/inbound/a.json", "{}", `did you mean "workskedge"?`},
		"a form unknown":     {"workskedge/inbond/a.json", "{}", `did you mean "inbound"?`},
		"nothing of use":     {"a.json", "{}", "the folder has no PLATFORM/FORM/EVENT.json"},
		"too large":          {"workskedge/inbound/a.json", strings.Repeat(" ", 1<<20+1), "larger than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := webhook.NewCatalog(fstest.MapFS{c.file: {Data: []byte(c.text)}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestNewCatalog_with_a_reference_to_nothing(t *testing.T) {
	t.Parallel()
	o, err := webhook.NewCatalog(fstest.MapFS{"workskedge/inbound/a.json": {Data: []byte(`{"properties":{"x":{"$ref":"../gone.json#/$defs/x"}}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.Lookup("", "", "a")
	if err != nil || len(d.Properties()) != 1 || len(d.Bundle()) == 0 {
		t.Errorf("%v, %v", d.Properties(), err)
	}
}

func TestNewCatalog_does_not_follow_a_link_out_of_the_folder(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "schema.json")
	folder := filepath.Join(dir, "workskedge", "inbound")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outside, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "test.connection.json")); err != nil {
		t.Skip(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	if _, err := webhook.NewCatalog(root.FS()); err == nil || !strings.Contains(err.Error(), "test.connection.json") {
		t.Errorf("error %v, want one that names the link", err)
	}
}

func TestCatalogReadFile(t *testing.T) {
	t.Parallel()
	c, err := webhook.NewCatalog(ownFiles())
	if err != nil {
		t.Fatal(err)
	}
	for name, exists := range map[string]bool{
		"workskedge/inbound/crane.booked.json": true, "parts.json": true, "workskedge/defs.json": true,
		"README.md": false, "../catalog.go": false, "": false, "/workskedge/defs.json": false, "workskedge/inbound/none.json": false,
	} {
		raw, err := c.ReadFile(name)
		if exists != (err == nil && len(raw) > 0) || !exists && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %d bytes, %v", name, len(raw), err)
		}
		clear(raw)
	}
	if raw, _ := c.ReadFile("parts.json"); len(raw) == 0 || raw[0] != '{' {
		t.Error("a caller changed the catalog")
	}
}

func TestDefinition_that_is_in_no_catalog(t *testing.T) {
	t.Parallel()
	d := webhook.Definition{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Type: "no.such.event"}
	if d.Schema() != nil || d.Sample() != nil || d.Description() != "" || len(d.Properties()) != 0 || d.IsCustom() {
		t.Errorf("%s", d.Schema())
	}
}

func TestDefinitionBundle(t *testing.T) {
	t.Parallel()
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		raw := d.Bundle()
		var schema struct {
			Defs map[string]json.RawMessage `json:"$defs"`
		}
		if err := json.Unmarshal(raw, &schema); err != nil {
			t.Errorf("%s %s: %v", d.Form, d.Type, err)
			continue
		}
		for part := range strings.SplitSeq(string(raw), `"$ref": "`) {
			name, ok := strings.CutPrefix(part, "#/$defs/")
			if !ok {
				continue
			}
			name, _, _ = strings.Cut(name, `"`)
			if schema.Defs[name] == nil {
				t.Errorf("%s %s refers to %s, which is not there", d.Form, d.Type, name)
			}
		}
	}
}
