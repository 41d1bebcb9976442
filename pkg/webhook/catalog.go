package webhook

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/tidwall/gjson"
)

// schemas holds one file per event, <platform>/<form>/<event>.json, and the
// parts that they share in <platform>/defs.json.
//
//go:embed schemas
var schemas embed.FS

// Definition is one event of the catalog: a type name in one form on one
// platform. What it returns comes from the event's file.
type Definition struct {
	Platform Platform
	Form     Form
	Type     string

	own *Overlay // where its file is, when it is not the catalog's
}

// Catalog lists every event that is known, by platform, form and type. The
// list comes from the names of the embedded files; none is opened.
func Catalog() []Definition { return (*Overlay)(nil).Catalog() }

// Events lists the catalog's definitions for one platform and form; an empty
// platform or form stands for any.
func Events(p Platform, f Form) []Definition { return (*Overlay)(nil).Events(p, f) }

// Lookup finds an event. An empty platform or form stands for any, and the
// first match in the catalog's order is returned. The error for an unknown
// type is an [*UnknownError] with the nearest name.
func Lookup(p Platform, f Form, eventType string) (Definition, error) {
	return (*Overlay)(nil).Lookup(p, f, eventType)
}

// definitionOf reads platform, form and type off a file's name.
func definitionOf(name string) (Definition, bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || !strings.HasSuffix(name, ".json") {
		return Definition{}, false
	}
	return Definition{Platform: Platform(parts[0]), Form: Form(parts[1]), Type: strings.TrimSuffix(parts[2], ".json")}, true
}

// builtIn lists the definitions of the embedded files.
func builtIn() []Definition {
	var list []Definition
	walk := func(name string, _ fs.DirEntry, err error) error {
		if d, ok := definitionOf(strings.TrimPrefix(name, "schemas/")); ok {
			list = append(list, d)
		}
		return err
	}
	if err := fs.WalkDir(schemas, "schemas", walk); err != nil {
		panic(fmt.Sprintf("the embedded catalog cannot be read: %v", err)) // a build without its files
	}
	return list
}

func (d Definition) file() string {
	return path.Join(string(d.Platform), string(d.Form), d.Type+".json")
}

// Schema returns the event's JSON Schema (draft 2020-12) for the whole
// envelope, as its file holds it.
func (d Definition) Schema() []byte { return d.own.read(d.file()) }

// Schemas returns the catalog's files: <platform>/<form>/<event>.json, and the
// parts that they share.
func Schemas() fs.FS {
	sub, err := fs.Sub(schemas, "schemas")
	if err != nil {
		panic(err) // the name is a valid path
	}
	return sub
}

// Description returns what the event means, in one or two sentences.
func (d Definition) Description() string {
	return gjson.GetBytes(d.Schema(), "description").String()
}

// Sample returns a complete envelope of the event in compact JSON, or nil when
// the documents show no payload for it.
func (d Definition) Sample() []byte {
	sample := gjson.GetBytes(d.Schema(), "examples.0")
	if !sample.Exists() {
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(sample.Raw)); err != nil {
		panic(fmt.Sprintf("%s: %v", d.file(), err)) // held by a test, and by NewOverlay
	}
	return b.Bytes()
}
