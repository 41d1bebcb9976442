package webhook_test

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/webhook"
)

// oracle compiles the catalog with a library that the product does not use, so
// that the schemas are right by someone else's reading too.
func oracle(t *testing.T) map[webhook.Definition]*jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // what is not added cannot be had
	timeOfDay := regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$`)
	c.RegisterFormat(&jsonschema.Format{Name: "time-of-day", Validate: func(v any) error {
		if text, ok := v.(string); ok && !timeOfDay.MatchString(text) {
			return errors.New("not HH:MM or HH:MM:SS")
		}
		return nil
	}})
	eachSchema(t, func(name string, raw []byte) {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err == nil {
			err = c.AddResource("https://wsk.dev/schemas/"+name, doc)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	})
	compiled := map[webhook.Definition]*jsonschema.Schema{}
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		schema, err := c.Compile(gjson.GetBytes(d.Schema(), "$id").String())
		if err != nil {
			t.Fatalf("%v: %v", d, err)
		}
		compiled[d] = schema
	}
	return compiled
}

// document is the sample as the library takes it, to change at will.
func document(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

func TestDefaultCatalog_by_another_validator(t *testing.T) {
	t.Parallel()
	compiled := oracle(t)
	t.Run("every sample passes its schema", func(t *testing.T) { samplesPass(t, compiled) })
	t.Run("no spoiled sample does", func(t *testing.T) { spoiledSamplesFail(t, compiled) })
	t.Run("the properties are those of the schema", func(t *testing.T) { propertiesAgree(t, compiled) })
}

func samplesPass(t *testing.T, compiled map[webhook.Definition]*jsonschema.Schema) {
	for d, schema := range compiled {
		if sample := d.Sample(); sample != nil {
			if err := schema.Validate(document(t, sample)); err != nil {
				t.Errorf("%v: %v", d, err)
			}
		}
	}
}

// spoiledSamplesFail shows that the schemas say something: a member that is
// required and gone, another event's name, a wrong type.
func spoiledSamplesFail(t *testing.T, compiled map[webhook.Definition]*jsonschema.Schema) {
	for d, schema := range compiled {
		sample := d.Sample()
		if sample == nil {
			continue
		}
		refuses := func(how string, spoil func(envelope, data map[string]any)) {
			doc := document(t, sample)
			data, _ := doc["data"].(map[string]any)
			spoil(doc, data)
			if schema.Validate(doc) == nil {
				t.Errorf("%v is valid %s", d, how)
			}
		}
		for _, p := range d.Properties() {
			steps := jsonpath.Split(p.Path)
			name := steps[len(steps)-1]
			switch {
			case len(steps) == 1 && p.Required:
				refuses("without "+p.Path, func(e, _ map[string]any) { delete(e, name) })
				refuses("with a list as "+p.Path, func(e, _ map[string]any) { e[name] = []any{} })
			case len(steps) == 2 && steps[0] == "data" && p.Required:
				refuses("without "+p.Path, func(_, data map[string]any) { delete(data, name) })
			}
			if len(steps) == 2 && steps[0] == "data" && (p.Format == "date" || p.Format == "time-of-day" || p.Format == "date-time") {
				refuses("with words as "+p.Path, func(_, data map[string]any) { data[name] = "soon" })
			}
			if len(steps) == 2 && steps[0] == "data" && len(p.Types) > 0 && !slices.Contains(p.Types, "boolean") {
				refuses("with a boolean as "+p.Path, func(_, data map[string]any) { data[name] = true })
			}
		}
		for _, name := range []string{"event_type", "event"} {
			if gjson.GetBytes(sample, name).Exists() {
				refuses("as another event", func(e, _ map[string]any) { e[name] = "another.event" })
			}
		}
		if gjson.GetBytes(sample, "timestamp").Exists() {
			refuses("with a timestamp that is none", func(e, _ map[string]any) { e["timestamp"] = "2026-13-40" })
		}
	}
}

func propertiesAgree(t *testing.T, compiled map[webhook.Definition]*jsonschema.Schema) {
	for d, schema := range compiled {
		known := map[string]webhook.Property{}
		for _, p := range d.Properties() {
			known[p.Path] = p
		}
		for name, property := range schema.Properties {
			p, found := known[name]
			if !found || p.Required != slices.Contains(schema.Required, name) {
				t.Errorf("%v: %s is %+v, required %v", d, name, p, schema.Required)
			}
			for inner := range property.Properties {
				if _, found := known[name+"."+inner]; !found {
					t.Errorf("%v: %s.%s is not among the properties", d, name, inner)
				}
			}
		}
	}
}
