package webhook

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
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
}

// Catalog lists every event that is known, by platform, form and type. The
// list comes from the names of the embedded files; none is opened.
func Catalog() []Definition {
	var list []Definition
	walk := func(name string, entry fs.DirEntry, err error) error {
		parts := strings.Split(name, "/")
		if err != nil || entry.IsDir() || len(parts) != 4 {
			return err
		}
		list = append(list, Definition{Platform(parts[1]), Form(parts[2]), strings.TrimSuffix(parts[3], ".json")})
		return nil
	}
	if err := fs.WalkDir(schemas, "schemas", walk); err != nil {
		panic(fmt.Sprintf("the embedded catalog cannot be read: %v", err)) // a build without its files
	}
	return list
}

// Events lists the catalog's definitions for one platform and form; an empty
// platform or form stands for any.
func Events(p Platform, f Form) []Definition {
	return slices.DeleteFunc(Catalog(), func(d Definition) bool {
		return p != "" && d.Platform != p || f != "" && d.Form != f
	})
}

// Lookup finds an event. An empty platform or form stands for any, and the
// first match in the catalog's order is returned. The error for an unknown
// type is an [*UnknownError] with the nearest name.
func Lookup(p Platform, f Form, eventType string) (Definition, error) {
	events := Events(p, f)
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

func (d Definition) file() string {
	return path.Join("schemas", string(d.Platform), string(d.Form), d.Type+".json")
}

// Schema returns the event's JSON Schema (draft 2020-12) for the whole
// envelope, as its file holds it.
func (d Definition) Schema() []byte { return readSchema(d.file()) }

// Schemas returns the catalog's files: <platform>/<form>/<event>.json, and the
// parts that they share.
func Schemas() fs.FS {
	sub, err := fs.Sub(schemas, "schemas")
	if err != nil {
		panic(err) // the name is a valid path
	}
	return sub
}

func readSchema(name string) []byte {
	raw, err := schemas.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("the catalog names a file that is not there: %v", err)) // a fault of the build, held by a test
	}
	return raw
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
		panic(fmt.Sprintf("%s: %v", d.file(), err)) // held by a test
	}
	return b.Bytes()
}
