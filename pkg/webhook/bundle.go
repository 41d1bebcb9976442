package webhook

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Bundle returns the event's schema in one piece: the shared parts that it
// refers to stand under its own $defs, so that any validator can read it
// alone. It is indented by two spaces.
func (d Definition) Bundle() []byte {
	b := bundler{own: d.own, parts: map[string][]byte{}}
	root := b.rewrite(d.Schema(), d.file())
	var out bytes.Buffer
	out.Write(bytes.TrimSuffix(bytes.TrimSpace(root), []byte("}")))
	if len(b.parts) > 0 {
		out.WriteString(`,"$defs":{`)
		names := make([]string, 0, len(b.parts))
		for name := range b.parts {
			names = append(names, name)
		}
		slices.Sort(names)
		for i, name := range names {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(`"` + name + `":`)
			out.Write(b.parts[name])
		}
		out.WriteByte('}')
	}
	out.WriteByte('}')
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, out.Bytes(), "", "  "); err != nil {
		panic("bundling " + d.file() + ": " + err.Error()) // held by a test over the whole catalog
	}
	pretty.WriteByte('\n')
	return pretty.Bytes()
}

type bundler struct {
	own   *Overlay
	parts map[string][]byte
}

// rewrite points every $ref of a file's text at the bundle and collects what
// it referred to.
func (b *bundler) rewrite(raw []byte, file string) []byte {
	const key = `"$ref":"`
	var compact, out bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return []byte("{}") // a part that is not there
	}
	raw = compact.Bytes()
	for {
		before, after, found := bytes.Cut(raw, []byte(key))
		out.Write(before)
		if !found {
			return out.Bytes()
		}
		ref, rest, _ := bytes.Cut(after, []byte(`"`))
		name, pointer, _ := strings.Cut(string(ref), "#")
		target := file
		if name != "" {
			target = path.Join(path.Dir(file), name)
		}
		part := path.Base(pointer)
		if base := strings.TrimSuffix(path.Base(target), ".json"); base != "defs" { // two files may use one name
			part = base + "_" + part
		}
		out.WriteString(key + "#/$defs/" + part + `"`)
		if _, done := b.parts[part]; !done {
			b.parts[part] = nil // a part may refer to itself
			b.parts[part] = b.rewrite([]byte(gjson.GetBytes(b.own.read(target), gjsonPath(pointer)).Raw), target)
		}
		raw = rest
	}
}
