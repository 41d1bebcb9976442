package render

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/wskdev/wsk/pkg/webhook"
)

func asSyntax(err error, fault **webhook.SyntaxError) bool { return errors.As(err, fault) }

// maxYAMLDepth is how deep a template may nest; it needs two levels.
const maxYAMLDepth = 32

// readYAML writes the file's content as JSON and remembers where each value
// came from.
func (s *source) readYAML(r *report) bool {
	d := yaml.NewDecoder(bytes.NewReader(s.raw))
	var document, more yaml.Node
	if err := d.Decode(&document); err != nil {
		at, message := yamlFault(err)
		r.add(at, "template-syntax", "not YAML: %s", message)
		return false
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		r.add(place{line: max(more.Line, 1), column: 1}, "template-syntax", "the file holds more than one document: a template is one")
		return false
	}
	w := &yamlWriter{source: s, report: r}
	if len(document.Content) != 1 || !w.write(document.Content[0], "", 0) {
		if len(r.findings) == 0 {
			r.add(place{line: 1, column: 1}, "template-syntax", "the template is empty")
		}
		return false
	}
	s.json = w.out
	return true
}

// yamlFault takes the line out of what the parser says.
func yamlFault(err error) (place, string) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	at := place{line: 1, column: 1}
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(message); m != nil {
		at.line, _ = strconv.Atoi(m[1]) // digits
		message = strings.TrimPrefix(message, m[0])
	}
	return at, message
}

// yamlWriter turns nodes into JSON.
type yamlWriter struct {
	source *source
	report *report
	out    []byte
}

// write appends a node; false: it is refused, and why is reported.
func (w *yamlWriter) write(n *yaml.Node, pointer string, depth int) bool {
	raw := w.offset(n)
	at := w.source.atRaw(raw)
	at.pointer = pointer
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Tag == "!!merge":
		w.report.add(at, "template-syntax", "anchors and aliases are not taken: write the value out")
		return false
	case depth > maxYAMLDepth:
		w.report.add(at, "limit", "the template nests more than %d levels deep", maxYAMLDepth)
		return false
	}
	w.source.marks = append(w.source.marks, mark{len(w.out), raw})
	w.source.texts[pointer] = w.text(n, raw)
	switch n.Kind {
	case yaml.MappingNode:
		return w.list('{', '}', n.Content, func(i int, child *yaml.Node) bool {
			if i%2 == 1 {
				return w.write(child, pointer+"/"+escapePointer(n.Content[i-1].Value), depth+1)
			}
			if child.Tag == "!!merge" || child.Kind != yaml.ScalarNode {
				w.report.add(w.source.atRaw(w.offset(child)), "template-syntax", "a name must be a plain text")
				return false
			}
			w.source.marks = append(w.source.marks, mark{len(w.out), w.offset(child)})
			w.string(child.Value)
			return true
		})
	case yaml.SequenceNode:
		return w.list('[', ']', n.Content, func(i int, child *yaml.Node) bool {
			return w.write(child, pointer+"/"+strconv.Itoa(i), depth+1)
		})
	}
	w.scalar(n)
	return true
}

// list writes what stands between two brackets: with commas, and behind each
// name of a mapping a colon.
func (w *yamlWriter) list(begin, end byte, children []*yaml.Node, each func(int, *yaml.Node) bool) bool {
	w.out = append(w.out, begin)
	for i, child := range children {
		switch {
		case i == 0:
		case begin == '{' && i%2 == 1:
			w.out = append(w.out, ':')
		default:
			w.out = append(w.out, ',')
		}
		if !each(i, child) {
			return false
		}
	}
	w.out = append(w.out, end)
	return true
}

func (w *yamlWriter) scalar(n *yaml.Node) {
	value := n.Value
	switch n.Tag {
	case "!!null":
		w.out = append(w.out, "null"...)
		return
	case "!!bool":
		w.out = append(w.out, strings.ToLower(value)...)
		return
	case "!!int", "!!float":
		if webhook.CheckJSON([]byte(value)) == nil {
			w.out = append(w.out, value...)
			return
		}
	}
	w.string(value)
}

func (w *yamlWriter) string(value string) {
	quoted, _ := webhook.Marshal(value) // a string always marshals
	w.out = append(w.out, quoted...)
}

// offset is where a node begins in the file.
func (w *yamlWriter) offset(n *yaml.Node) int {
	s := w.source
	line := min(max(n.Line, 1), len(s.starts))
	at := s.starts[line-1]
	for column := 1; column < n.Column && at < len(s.raw); column++ {
		_, size := utf8.DecodeRune(s.raw[at:])
		at += size
	}
	return at
}

func (w *yamlWriter) text(n *yaml.Node, raw int) text {
	t := text{start: raw}
	switch {
	case n.Kind != yaml.ScalarNode:
	case n.Style&yaml.DoubleQuotedStyle != 0:
		t.start, t.style = raw+1, double
	case n.Style&yaml.SingleQuotedStyle != 0:
		t.start, t.style = raw+1, single
	case n.Style&yaml.LiteralStyle != 0:
		t.style, t.line = block, n.Line
	case n.Style == 0 && !strings.Contains(n.Value, "\n"):
		t.style = plain
	}
	return t
}
