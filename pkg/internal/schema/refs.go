package schema

import (
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
)

// file loads a schema file, which must be strict JSON.
func (c *compiler) file(name string) (gjson.Result, error) {
	if f, ok := c.files[name]; ok {
		return f, nil
	}
	raw, err := c.load(name)
	if err != nil {
		return gjson.Result{}, fmt.Errorf("loading schema %s: %w", name, err)
	}
	for _, f := range new(Checker).Check(nil, raw) {
		if f.Kind.IsViolation() {
			return gjson.Result{}, location{name, f.Pointer}.error(fmt.Sprintf("at byte %d: %s", f.Offset, f.Message()))
		}
	}
	c.files[name] = gjson.ParseBytes(raw)
	return c.files[name], nil
}

// refer compiles the schema at a location, once.
func (c *compiler) refer(to location) (*node, error) {
	if n, ok := c.done[to]; ok {
		if n == nil {
			return nil, to.error("this reference only refers back to itself")
		}
		return n, nil
	}
	raw, err := c.lookUp(to)
	if err != nil {
		return nil, err
	}
	if isReference(raw) {
		c.done[to] = nil
		n, err := c.resolve(raw, to)
		c.done[to] = n
		return n, err
	}
	n := &node{}
	c.done[to] = n
	return n, c.fill(n, raw, to)
}

// lookUp returns the value at a location.
func (c *compiler) lookUp(to location) (gjson.Result, error) {
	value, err := c.file(to.file)
	if err != nil {
		return value, err
	}
	here := location{to.file, ""}
	for _, step := range strings.Split(to.pointer, "/")[1:] {
		value = c.partsAt(here, value)[step]
		here.pointer += "/" + step
	}
	if !value.Exists() {
		return value, to.error("the file has nothing at this place")
	}
	return value, nil
}

// resolve returns the target of a schema that is only a reference.
func (c *compiler) resolve(raw gjson.Result, at location) (n *node, err error) {
	raw.ForEach(func(key, value gjson.Result) bool {
		if key.String() == "$ref" {
			n, err = c.follow(value, at.at("$ref"))
		} else {
			err = checkAnnotation(key.String(), value, at.at(key.String()))
		}
		return err == nil
	})
	return n, err
}

// partsAt returns the members of an object or the items of a list by the step
// of a pointer that leads to them. They are kept, because many references lead
// through the same $defs.
func (c *compiler) partsAt(here location, raw gjson.Result) map[string]gjson.Result {
	if parts, ok := c.parts[here]; ok {
		return parts
	}
	parts := map[string]gjson.Result{}
	if raw.IsObject() || raw.IsArray() {
		raw.ForEach(func(key, value gjson.Result) bool {
			step := jsonpath.EscapePointer(key.String())
			if raw.IsArray() {
				step = strconv.Itoa(len(parts))
			}
			parts[step] = value
			return true
		})
	}
	c.parts[here] = parts
	return parts
}

// follow compiles the target of a $ref.
func (c *compiler) follow(value gjson.Result, at location) (*node, error) {
	name, fragment, _ := strings.Cut(value.String(), "#")
	target, err := url.Parse(name)
	pointer, err2 := url.PathUnescape(fragment)
	switch {
	case value.Type != gjson.String || err != nil || err2 != nil || target.IsAbs() || target.Host != "" || target.RawQuery != "",
		pointer != "" && pointer[0] != '/':
		return nil, at.error("a $ref names a file relative to this one and a JSON Pointer, as in defs.json#/$defs/address")
	}
	to := location{at.file, pointer}
	if name != "" {
		to.file = path.Join(path.Dir(at.file), target.Path)
	}
	if _, err := c.lookUp(to); err != nil {
		return nil, fmt.Errorf("schema %s#%s: %w", at.file, at.pointer, err)
	}
	return c.refer(to)
}

func unescapePointer(step string) string {
	return strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
}
