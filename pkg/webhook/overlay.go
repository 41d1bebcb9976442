package webhook

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// maxSchemaFile bounds a schema file of one's own, in bytes.
const maxSchemaFile = 1 << 20

// Overlay is the catalog with schemas of one's own before it: events that the
// documents do not know, and fields that a company has added to theirs. The nil
// Overlay is the catalog alone.
type Overlay struct {
	files map[string][]byte
	own   []Definition
}

// NewOverlay reads the .json files of a folder: <platform>/<form>/<event>.json,
// as the catalog has them, and the parts that they share at any other place.
// The error names the file that cannot be read, is no JSON, or stands under a
// platform or form that there is not.
func NewOverlay(files fs.FS) (*Overlay, error) {
	o := &Overlay{files: map[string][]byte{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		return o.take(files, name, entry)
	})
	if err != nil {
		return nil, fmt.Errorf("reading schemas: %w", err)
	}
	if len(o.own) == 0 {
		return nil, fmt.Errorf("reading schemas: there is no PLATFORM/FORM/EVENT.json, such as workskedge/inbound/work_order.created.json")
	}
	return o, nil
}

func (o *Overlay) take(files fs.FS, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	switch {
	case err != nil:
		return err
	case info.Size() > maxSchemaFile:
		return fmt.Errorf("%s is larger than 1 MiB", name)
	}
	raw, err := fs.ReadFile(files, name)
	if err == nil {
		err = CheckJSON(raw)
	}
	if err == nil && !gjson.ParseBytes(raw).IsObject() {
		err = syntaxAt(raw, 0, "a schema is an object")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	o.files[name] = raw
	d, ok := definitionOf(name)
	if !ok {
		return nil
	}
	if !slices.Contains(Platforms(), d.Platform) {
		return fmt.Errorf("%s: %w", name, Unknown("platform", string(d.Platform), names(Platforms())))
	}
	if !slices.Contains(Forms(), d.Form) {
		return fmt.Errorf("%s: %w", name, Unknown("form", string(d.Form), names(Forms())))
	}
	d.own = o
	o.own = append(o.own, d)
	return nil
}

func names[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = string(item)
	}
	return out
}

// read returns a file of one's own, else the catalog's of that name. A name
// that a schema of one's own got wrong gives an empty schema: linting by it
// says so.
func (o *Overlay) read(name string) []byte {
	if o != nil && o.files[name] != nil {
		return o.files[name]
	}
	raw, err := schemas.ReadFile("schemas/" + name)
	switch {
	case err == nil:
		return raw
	case o == nil:
		panic(fmt.Sprintf("the catalog names a file that is not there: %v", err)) // a fault of the build, held by a test
	}
	return []byte("{}")
}

// Catalog is [Catalog] with one's own events: by platform, form and type.
func (o *Overlay) Catalog() []Definition {
	list := builtIn()
	if o == nil {
		return list
	}
	// Both come from walks, so both are in order already.
	merged, own := make([]Definition, 0, len(list)+len(o.own)), o.own
	for _, d := range list {
		file := d.file()
		for len(own) > 0 && own[0].file() < file {
			merged, own = append(merged, own[0]), own[1:]
		}
		if len(own) > 0 && own[0].file() == file {
			d, own = own[0], own[1:]
		}
		merged = append(merged, d)
	}
	return append(merged, own...)
}

// Events is [Events] with one's own.
func (o *Overlay) Events(p Platform, f Form) []Definition {
	events := []Definition{}
	for _, d := range o.Catalog() {
		if (p == "" || d.Platform == p) && (f == "" || d.Form == f) {
			events = append(events, d)
		}
	}
	return events
}

// Lookup is [Lookup] with one's own events.
func (o *Overlay) Lookup(p Platform, f Form, eventType string) (Definition, error) {
	if d := (Definition{Platform: p, Form: f, Type: eventType}); p != "" && f != "" && !strings.Contains(eventType, "/") { // no need to list them all
		if o != nil && o.files[d.file()] != nil {
			d.own = o
			return d, nil
		}
		if _, err := fs.Stat(schemas, "schemas/"+d.file()); err == nil {
			return d, nil
		}
	}
	events := o.Events(p, f)
	names := make([]string, len(events))
	for i, d := range events {
		if names[i] = d.Type; d.Type == eventType {
			return d, nil
		}
	}
	kind := "event"
	if f != "" {
		kind = string(f) + " event"
	}
	slices.Sort(names) // forms share names
	return Definition{}, Unknown(kind, eventType, slices.Compact(names))
}
