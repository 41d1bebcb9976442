package webhook

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"
)

// schemaFiles holds one JSON Schema per event, <platform>/<form>/<event>.json,
// and the parts that they share in <platform>/defs.json.
//
//go:embed schemas
var schemaFiles embed.FS

// maxSchemaFile is the largest custom schema file, in bytes.
const maxSchemaFile = 1 << 20

// Catalog is a set of events with their schemas and samples. A Catalog is
// read-only and safe for concurrent use.
type Catalog struct {
	custom map[string][]byte // files that precede the built-in ones, by name
	events []Definition      // by platform, form and type
}

// DefaultCatalog returns the events that WorkSkedge, Work Market and Worksome
// document.
func DefaultCatalog() *Catalog { return builtIn() }

var builtIn = sync.OnceValue(func() *Catalog {
	c := &Catalog{}
	err := fs.WalkDir(schemaFiles, "schemas", func(name string, _ fs.DirEntry, err error) error {
		if d, ok := c.definition(strings.TrimPrefix(name, "schemas/")); ok {
			c.events = append(c.events, d)
		}
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("reading the embedded schemas: %v", err)) // the program was built without its files
	}
	return c
})

// NewCatalog returns the default catalog with custom schemas in front of it:
// events that the platforms do not document, and schemas that replace the
// built-in ones of the same name. It reads every .json file of a folder once.
// PLATFORM/FORM/EVENT.json is an event's schema; other files hold parts that
// the schemas refer to.
//
// The error names a file that cannot be read, is larger than 1 MiB, is not a
// JSON object, or is in the folder of an unknown platform or form; it is also an
// error when there is no event at all.
func NewCatalog(schemas fs.FS) (*Catalog, error) {
	c := &Catalog{custom: map[string][]byte{}}
	custom := map[string]Definition{}
	err := fs.WalkDir(schemas, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		raw, err := readSchema(schemas, name, entry)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.custom[name] = raw
		if d, ok := c.definition(name); ok {
			if err := d.check(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			custom[name] = d
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading schemas: %w", err)
	}
	if len(custom) == 0 {
		return nil, errors.New("reading schemas: the folder has no PLATFORM/FORM/EVENT.json, such as workskedge/inbound/work_order.created.json")
	}
	for _, d := range builtIn().events {
		if _, replaced := custom[d.file()]; !replaced {
			custom[d.file()] = Definition{Platform: d.Platform, Form: d.Form, Type: d.Type, catalog: c}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		c.events = append(c.events, custom[name])
	}
	return c, nil
}

func readSchema(schemas fs.FS, name string, entry fs.DirEntry) ([]byte, error) {
	info, err := entry.Info()
	switch {
	case err != nil:
		return nil, err
	case info.Size() > maxSchemaFile:
		return nil, errors.New("the file is larger than 1 MiB")
	}
	raw, err := fs.ReadFile(schemas, name)
	if err != nil {
		return nil, err
	}
	if err := CheckJSON(raw); err != nil {
		return nil, err
	}
	if !gjson.ParseBytes(raw).IsObject() {
		return nil, syntaxAt(raw, 0, "a schema is an object")
	}
	return raw, nil
}

// ReadFile returns a file of the catalog by its name:
// workskedge/inbound/work_order.created.json, workskedge/defs.json. The error
// for a file that does not exist is [fs.ErrNotExist].
func (c *Catalog) ReadFile(name string) ([]byte, error) {
	if raw, ok := c.custom[name]; ok {
		return bytes.Clone(raw), nil
	}
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return schemaFiles.ReadFile("schemas/" + name)
}

// Platforms returns the platforms that the catalog has events of. It is the same
// list for every catalog.
func (c *Catalog) Platforms() []Platform { return slices.Clone(platforms) }

// Forms returns the forms that the catalog has events in, inbound first. It is the
// same list for every catalog.
func (c *Catalog) Forms() []Form { return slices.Clone(forms) }

// Events lists the events of one platform and form, by platform, form and type.
// An empty platform or form stands for any.
func (c *Catalog) Events(p Platform, f Form) []Definition {
	events := []Definition{}
	for _, d := range c.events {
		if (p == "" || d.Platform == p) && (f == "" || d.Form == f) {
			events = append(events, d)
		}
	}
	return events
}

// Lookup finds an event. An empty platform or form stands for any, and the
// first match in the order of [Catalog.Events] is returned. The error for an
// unknown type is an [*UnknownError].
func (c *Catalog) Lookup(p Platform, f Form, eventType string) (Definition, error) {
	events := c.Events(p, f)
	var names []string
	for _, d := range events {
		if d.Type == eventType {
			return d, nil
		}
		names = append(names, d.Type)
	}
	kind := "event"
	if f != "" {
		kind = string(f) + " event"
	}
	slices.Sort(names) // forms share names
	return Definition{}, Unknown(kind, eventType, slices.Compact(names))
}

// Definition is one event of a catalog: a type in one form on one platform.
// What its methods return comes from the event's schema. They return nothing
// for a Definition that is not in its catalog.
type Definition struct {
	Platform Platform
	Form     Form
	Type     string // "work_order.created"

	catalog *Catalog // nil: the default one
}

// definition reads platform, form and type from the name of a file.
func (c *Catalog) definition(name string) (Definition, bool) {
	parts := strings.Split(name, "/")
	eventType, isJSON := strings.CutSuffix(parts[len(parts)-1], ".json")
	if len(parts) != 3 || !isJSON {
		return Definition{}, false
	}
	d := Definition{Platform: Platform(parts[0]), Form: Form(parts[1]), Type: eventType}
	if c.custom != nil { // definitions of the default catalog are comparable with literals
		d.catalog = c
	}
	return d, true
}

// check returns an error for an unknown platform or form.
func (d Definition) check() error {
	if !slices.Contains(platforms, d.Platform) {
		return Unknown("platform", string(d.Platform), stringsOf(platforms))
	}
	if !slices.Contains(forms, d.Form) {
		return Unknown("form", string(d.Form), stringsOf(forms))
	}
	return nil
}

func stringsOf[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = string(item)
	}
	return out
}

func (d Definition) file() string {
	return path.Join(string(d.Platform), string(d.Form), d.Type+".json")
}

// read returns a file of the definition's catalog, or nil. A custom schema may
// refer to a file that does not exist; linting by it reports that.
func (d Definition) read(name string) []byte {
	c := d.catalog
	if c == nil {
		c = DefaultCatalog()
	}
	raw, err := c.ReadFile(name)
	if err != nil {
		return nil
	}
	return raw
}

// IsCustom reports whether the schema comes from the files that were given to
// [NewCatalog].
func (d Definition) IsCustom() bool {
	return d.catalog != nil && d.catalog.custom[d.file()] != nil
}

// Schema returns the event's JSON Schema (draft 2020-12) for the whole
// envelope, as its file has it.
func (d Definition) Schema() []byte { return d.read(d.file()) }

// Description returns what the event means, in one or two sentences.
func (d Definition) Description() string {
	return gjson.GetBytes(d.Schema(), "description").String()
}

// Sample returns a complete envelope of the event in compact JSON, or nil when
// the platform documents no payload for it.
func (d Definition) Sample() []byte {
	sample := gjson.GetBytes(d.Schema(), "examples.0")
	if !sample.Exists() {
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(sample.Raw)); err != nil {
		return nil // schemas are checked to be JSON, so this cannot happen
	}
	return b.Bytes()
}

// Bundle returns the event's schema in one piece: the shared parts that it
// refers to are under its own $defs, so that any validator can read it alone.
// It is indented by two spaces.
func (d Definition) Bundle() []byte {
	b := bundler{definition: d, parts: map[string][]byte{}}
	root := b.rewrite(d.Schema(), d.file())
	var out bytes.Buffer
	out.Write(bytes.TrimSuffix(bytes.TrimSpace(root), []byte("}")))
	for i, name := range slices.Sorted(maps.Keys(b.parts)) {
		if i == 0 {
			out.WriteString(`,"$defs":{`)
		} else {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:%s", name, b.parts[name])
	}
	if len(b.parts) > 0 {
		out.WriteByte('}')
	}
	out.WriteByte('}')
	var indented bytes.Buffer
	if err := json.Indent(&indented, out.Bytes(), "", "  "); err != nil {
		panic("bundling " + d.file() + ": " + err.Error()) // a test bundles the whole catalog
	}
	indented.WriteByte('\n')
	return indented.Bytes()
}

// bundler collects the parts that a schema refers to.
type bundler struct {
	definition Definition
	parts      map[string][]byte
}

// rewrite makes every $ref of a file's text refer to the bundle, and collects
// what it referred to.
func (b *bundler) rewrite(raw []byte, file string) []byte {
	const key = `"$ref":"`
	var compact, out bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return []byte("{}") // a reference to a part that does not exist
	}
	rest := compact.Bytes()
	for {
		before, after, found := bytes.Cut(rest, []byte(key))
		out.Write(before)
		if !found {
			return out.Bytes()
		}
		var ref []byte
		ref, rest, _ = bytes.Cut(after, []byte(`"`))
		target, pointer := resolve(file, string(ref))
		part := path.Base(pointer)
		if base := strings.TrimSuffix(path.Base(target), ".json"); base != "defs" { // two files may use one name
			part = base + "_" + part
		}
		out.WriteString(key + "#/$defs/" + part + `"`)
		if _, done := b.parts[part]; !done {
			b.parts[part] = nil // a part may refer to itself
			b.parts[part] = b.rewrite([]byte(gjson.GetBytes(b.definition.read(target), gjsonPath(pointer)).Raw), target)
		}
	}
}

// resolve returns the file and the JSON Pointer that a $ref in a file means.
func resolve(file, ref string) (target, pointer string) {
	name, pointer, _ := strings.Cut(ref, "#")
	if name == "" {
		return file, pointer
	}
	return path.Join(path.Dir(file), name), pointer
}

// gjsonPath turns a JSON Pointer of a catalog's file into a path of gjson.
func gjsonPath(pointer string) string {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, step := range steps {
		steps[i] = gjson.Escape(step)
	}
	return strings.Join(steps, ".")
}
