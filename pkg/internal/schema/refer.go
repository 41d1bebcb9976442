package schema

import (
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// file loads a schema file and holds it to strict JSON.
func (c *compiler) file(name string) (gjson.Result, error) {
	if f, ok := c.files[name]; ok {
		return f, nil
	}
	raw, err := c.load(name)
	if err != nil {
		return gjson.Result{}, fmt.Errorf("loading schema %s: %w", name, err)
	}
	for _, f := range NewChecker().Check(Any(), raw) {
		if f.Kind.IsViolation() {
			return gjson.Result{}, place{name, f.Pointer}.error(fmt.Sprintf("at byte %d: %s", f.Offset, f.Message()))
		}
	}
	c.files[name] = gjson.ParseBytes(raw)
	return c.files[name], nil
}

// refer compiles what stands at a place, once.
func (c *compiler) refer(to place) (*node, error) {
	if n, ok := c.done[to]; ok {
		if n == nil {
			return nil, to.error("this refers back to itself, and to nothing else")
		}
		return n, nil
	}
	at, err := c.lookUp(to)
	if err != nil {
		return nil, err
	}
	if onlyRefers(at) {
		c.done[to] = nil
		n, err := c.stand(at, to)
		c.done[to] = n
		return n, err
	}
	n := &node{}
	c.done[to] = n
	return n, c.fill(n, at, to)
}

// lookUp returns what stands at a place.
func (c *compiler) lookUp(to place) (gjson.Result, error) {
	at, err := c.file(to.file)
	if err != nil {
		return at, err
	}
	here := place{to.file, ""}
	for _, step := range strings.Split(to.pointer, "/")[1:] {
		at = c.partsAt(here, at)[step]
		here.pointer += "/" + step
	}
	if !at.Exists() {
		return at, to.error("there is nothing at this place")
	}
	return at, nil
}

// stand returns what a schema that only refers stands for.
func (c *compiler) stand(raw gjson.Result, at place) (n *node, err error) {
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

// partsAt returns the members of an object or the items of a list, by the step
// of a pointer that leads to them. Many references lead through the same $defs.
func (c *compiler) partsAt(here place, raw gjson.Result) map[string]gjson.Result {
	if parts, ok := c.parts[here]; ok {
		return parts
	}
	parts := map[string]gjson.Result{}
	if raw.IsObject() || raw.IsArray() {
		raw.ForEach(func(key, value gjson.Result) bool {
			step := escapePointer(key.String())
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

// follow compiles what a $ref refers to.
func (c *compiler) follow(value gjson.Result, at place) (*node, error) {
	name, fragment, _ := strings.Cut(value.String(), "#")
	target, err := url.Parse(name)
	pointer, err2 := url.PathUnescape(fragment)
	switch {
	case value.Type != gjson.String || err != nil || err2 != nil || target.IsAbs() || target.Host != "" || target.RawQuery != "",
		pointer != "" && pointer[0] != '/':
		return nil, at.error("a $ref names a file beside this one and a JSON Pointer, as in defs.json#/$defs/address")
	}
	to := place{at.file, pointer}
	if name != "" {
		to.file = path.Join(path.Dir(at.file), target.Path)
	}
	if _, err := c.lookUp(to); err != nil {
		return nil, fmt.Errorf("schema %s#%s: %w", at.file, at.pointer, err)
	}
	return c.refer(to)
}

func escapePointer(step string) string {
	return strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
}

func unescapePointer(step string) string {
	return strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
}
