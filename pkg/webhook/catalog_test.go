package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// counts is how many events the catalog has, and how many of them have a
// sample. It is the one place to change when an event is added.
var counts = map[string]struct{ events, samples int }{
	"workskedge/inbound":  {34, 34},
	"workskedge/outbound": {37, 37},
	"workskedge/compact":  {34, 26},
	"worksome/worksome":   {17, 1},
	"workmarket/template": {35, 35},
}

func TestTheCatalogIsComplete(t *testing.T) {
	t.Parallel()
	events, samples := map[string]int{}, map[string]int{}
	for _, d := range webhook.Events("", "") {
		key := string(d.Platform) + "/" + string(d.Form)
		events[key]++
		if d.Sample() != nil {
			samples[key]++
		}
		if !slices.Contains(webhook.Platforms(), d.Platform) || !slices.Contains(webhook.Forms(), d.Form) {
			t.Errorf("%v: a platform or form that is not listed", d)
		}
	}
	for key, want := range counts {
		if events[key] != want.events || samples[key] != want.samples {
			t.Errorf("%s has %d events and %d samples, want %d and %d", key, events[key], samples[key], want.events, want.samples)
		}
	}
	for key := range events {
		if _, known := counts[key]; !known {
			t.Errorf("%s has %d events and no row in the table", key, events[key])
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

func TestEverySchemaFileSaysWhatItIs(t *testing.T) {
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
	if got := len(webhook.Events("", "")); got != events {
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

func TestEveryPropertyHasADescription(t *testing.T) {
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
	for _, d := range webhook.Events("", "") {
		for _, p := range d.Properties() {
			if p.Description == "" {
				t.Errorf("%v: %s has no description", d, p.Path)
			}
		}
	}
}

func TestEveryReferenceResolves(t *testing.T) {
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

func TestEverySampleIsItsOwnEvent(t *testing.T) {
	t.Parallel()
	for _, d := range webhook.Events("", "") {
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

func TestEventsAreChosenByPlatformAndForm(t *testing.T) {
	t.Parallel()
	all := webhook.Events("", "")
	if !slices.Equal(all, webhook.Events("", "")) || len(all) == 0 {
		t.Errorf("%d events of any platform, %d in the catalog", len(all), len(webhook.Events("", "")))
	}
	for _, d := range webhook.Events("", webhook.Outbound) {
		if d.Form != webhook.Outbound {
			t.Errorf("%v among the outbound events", d)
		}
	}
	if got := webhook.Events("nowhere", ""); len(got) != 0 {
		t.Errorf("%d events of a platform that is not there", len(got))
	}
	for _, d := range all {
		if got, err := webhook.Lookup(d.Platform, d.Form, d.Type); err != nil || got != d {
			t.Errorf("Lookup(%v) = %v, %v", d, got, err)
		}
		if got, err := webhook.Lookup("", "", d.Type); err != nil || got.Type != d.Type {
			t.Errorf("Lookup of %s anywhere = %v, %v", d.Type, got, err)
		}
	}
}

func TestAnUnknownEventGetsTheNearestName(t *testing.T) {
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
		_, err := webhook.Lookup("", test.form, test.name)
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
