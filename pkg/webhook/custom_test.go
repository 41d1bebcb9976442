package webhook

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

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

func TestOneFileMakesAnEvent(t *testing.T) {
	t.Parallel()
	o, err := NewCatalog(ownFiles())
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.Lookup(WorkSkedge, Inbound, "crane.booked")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := ParseEvent(d.Sample()); err != nil || e.Type != "crane.booked" {
		t.Errorf("sample: %v, %v", e.Type, err)
	}
	if p, err := d.Property("data.crane"); err != nil || p.Description != "Its name." {
		t.Errorf("property: %+v, %v", p, err)
	}
	if text := string(d.Bundle()); !strings.Contains(text, `"$ref": "#/$defs/parts_crane"`) || !strings.Contains(text, `"description": "Its name."`) {
		t.Errorf("bundle: %s", text)
	}
	if got, want := len(o.Events("", "")), len(Events("", ""))+1; got != want {
		t.Errorf("%d events, want %d", got, want)
	}
}

func TestOwnFileGoesBeforeTheCatalogs(t *testing.T) {
	t.Parallel()
	o, err := NewCatalog(ownFiles())
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.Lookup(WorkSkedge, Inbound, "work_order.created")
	if err != nil || d.Description() != "Ours." || d.Sample() != nil {
		t.Errorf("%q, sample %s, %v", d.Description(), d.Sample(), err)
	}
	if d, err := Lookup(WorkSkedge, Inbound, "work_order.created"); err != nil || d.Description() == "Ours." {
		t.Error("the catalog itself was changed")
	}
}

func TestOverlayNamesTheFileThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, want string }{
		"no JSON":            {"workskedge/inbound/a.json", "{", "workskedge/inbound/a.json: line 1, column 2"},
		"no object":          {"workskedge/inbound/a.json", "[]", "a schema is an object"},
		"a platform unknown": {"workskege/inbound/a.json", "{}", `did you mean "workskedge"?`},
		"a form unknown":     {"workskedge/inbond/a.json", "{}", `did you mean "inbound"?`},
		"nothing of use":     {"a.json", "{}", "the folder has no PLATFORM/FORM/EVENT.json"},
		"too large":          {"workskedge/inbound/a.json", strings.Repeat(" ", maxSchemaFile+1), "larger than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewCatalog(fstest.MapFS{c.file: {Data: []byte(c.text)}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestWrongReferenceOfOnesOwnDoesNotStopTheListing(t *testing.T) {
	t.Parallel()
	o, err := NewCatalog(fstest.MapFS{"workskedge/inbound/a.json": {Data: []byte(`{"properties":{"x":{"$ref":"../gone.json#/$defs/x"}}}`)}})
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
	if _, err := NewCatalog(root.FS()); err == nil || !strings.Contains(err.Error(), "test.connection.json") {
		t.Errorf("error %v, want one that names the link", err)
	}
}

func TestCatalogReadFile(t *testing.T) {
	t.Parallel()
	c, err := NewCatalog(ownFiles())
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
	d := Definition{Platform: WorkSkedge, Form: Inbound, Type: "no.such.event"}
	if d.Schema() != nil || d.Sample() != nil || d.Description() != "" || len(d.Properties()) != 0 || d.IsCustom() {
		t.Errorf("%s", d.Schema())
	}
}
