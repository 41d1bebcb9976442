package render

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"go.yaml.in/yaml/v3"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/webhook"
)

// position is a place in a template's file, and the value that it belongs to.
type position struct {
	line, column int    // from 1; the column in characters
	pointer      string // JSON Pointer
}

// source is a template's file: its content as JSON, and where each part of the
// content is in the file. The schema checks the JSON; findings name the file.
type source struct {
	raw   []byte
	lines []int  // the offset of each line in raw
	json  []byte // the content
	marks []mark // YAML only: where the values of json are in raw, in order
	texts map[string]textMark
}

// mark maps an offset in the JSON to one in the file.
type mark struct{ json, raw int }

// textMark describes where a value is in the file and how it is written there,
// so that a byte of a text can be found in the file.
type textMark struct {
	start int // the offset of its first byte in raw, after an opening quote
	style textStyle
	line  int // of the | before a literal block
}

type textStyle uint8

const (
	opaqueStyle  textStyle = iota // folded, or over several lines: only the start is known
	plainStyle                    // without quotes
	doubleQuoted                  // "…" with escapes
	singleQuoted                  // '…' with '' for a quote
	literalBlock                  // | and the lines below it
)

// readSource reads a template's file. It returns nil, and adds a finding, if
// the file is not a template in YAML or JSON.
func readSource(raw []byte, found *findings) *source {
	top := position{line: 1, column: 1}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	content := bytes.TrimSpace(raw)
	switch {
	case len(raw) > MaxTemplate:
		found.add(top, "limit", "the template is larger than %d bytes", MaxTemplate)
		return nil
	case len(content) == 0:
		found.add(top, "template-syntax", "the template is empty")
		return nil
	}
	s := &source{raw: raw, lines: []int{0}, texts: map[string]textMark{}}
	for i, c := range raw {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	ok := false
	switch {
	case !utf8.Valid(raw):
		found.add(s.atRaw(invalidUTF8(raw)), "template-syntax", "the template is not UTF-8 text")
	case content[0] == '{':
		ok = s.readJSON(found)
	default:
		ok = s.readYAML(found)
	}
	if !ok {
		return nil
	}
	return s
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8.
func invalidUTF8(raw []byte) int {
	offset := 0
	for offset < len(raw) {
		c, size := utf8.DecodeRune(raw[offset:])
		if c == utf8.RuneError && size == 1 {
			break
		}
		offset += size
	}
	return offset
}

// readJSON takes the file's bytes as the content.
func (s *source) readJSON(found *findings) bool {
	if err := webhook.CheckJSON(s.raw); err != nil {
		at, message := position{line: 1, column: 1}, err.Error()
		var fault *webhook.SyntaxError
		if errors.As(err, &fault) {
			at, message = position{line: fault.Line, column: fault.Column}, fault.Reason
		}
		found.add(at, "template-syntax", "not JSON: %s", message)
		return false
	}
	s.json = s.raw
	note := func(pointer string, v gjson.Result) {
		if v.Type == gjson.String && v.Index > 0 {
			s.texts[pointer] = textMark{start: v.Index + 1, style: doubleQuoted}
		} else {
			s.texts[pointer] = textMark{start: v.Index}
		}
	}
	gjson.ParseBytes(s.raw).ForEach(func(name, value gjson.Result) bool {
		pointer := "/" + jsonpath.EscapePointer(name.String())
		note(pointer, value)
		if value.IsObject() {
			value.ForEach(func(name, value gjson.Result) bool {
				note(pointer+"/"+jsonpath.EscapePointer(name.String()), value)
				return true
			})
		}
		return true
	})
	return true
}

// maxYAMLDepth is how deep a template may nest. It needs two levels.
const maxYAMLDepth = 32

// readYAML translates the file to JSON and remembers where each value is.
func (s *source) readYAML(found *findings) bool {
	d := yaml.NewDecoder(bytes.NewReader(s.raw))
	var document, more yaml.Node
	if err := d.Decode(&document); err != nil {
		at, message := yamlFault(err)
		found.add(at, "template-syntax", "not YAML: %s", message)
		return false
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		found.add(position{line: max(more.Line, 1), column: 1}, "template-syntax", "the file contains more than one document: a template is a single document")
		return false
	}
	if len(document.Content) != 1 {
		found.add(position{line: 1, column: 1}, "template-syntax", "the template is empty")
		return false
	}
	w := &yamlReader{source: s, found: found}
	if !w.value(document.Content[0], "", 0) {
		return false
	}
	s.json = w.json
	return true
}

var yamlErrorLine = regexp.MustCompile(`^line (\d+): `)

// yamlFault separates the line from the parser's message.
func yamlFault(err error) (position, string) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	at := position{line: 1, column: 1}
	if m := yamlErrorLine.FindStringSubmatch(message); m != nil {
		at.line, _ = strconv.Atoi(m[1]) // digits
		message = strings.TrimPrefix(message, m[0])
	}
	return at, message
}

// yamlReader translates YAML nodes to JSON.
type yamlReader struct {
	source *source
	found  *findings
	json   []byte
}

// value appends a node. It returns false if it has added a finding instead.
func (w *yamlReader) value(n *yaml.Node, pointer string, depth int) bool {
	offset := w.offset(n)
	at := w.source.atRaw(offset)
	at.pointer = pointer
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Tag == "!!merge":
		w.found.add(at, "template-syntax", "anchors and aliases are not supported: write the value out")
		return false
	case depth > maxYAMLDepth:
		w.found.add(at, "limit", "the template is nested more than %d levels deep", maxYAMLDepth)
		return false
	}
	w.mark(offset)
	w.source.texts[pointer] = textMarkOf(n, offset)
	switch n.Kind {
	case yaml.MappingNode:
		return w.mapping(n, pointer, depth)
	case yaml.SequenceNode:
		return w.sequence(n, pointer, depth)
	}
	w.scalar(n)
	return true
}

func (w *yamlReader) mapping(n *yaml.Node, pointer string, depth int) bool {
	w.json = append(w.json, '{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if i > 0 {
			w.json = append(w.json, ',')
		}
		if name.Tag == "!!merge" || name.Kind != yaml.ScalarNode {
			w.found.add(w.source.atRaw(w.offset(name)), "template-syntax", "the name of a member must be plain text")
			return false
		}
		w.mark(w.offset(name))
		w.text(name.Value)
		w.json = append(w.json, ':')
		if !w.value(value, pointer+"/"+jsonpath.EscapePointer(name.Value), depth+1) {
			return false
		}
	}
	w.json = append(w.json, '}')
	return true
}

func (w *yamlReader) sequence(n *yaml.Node, pointer string, depth int) bool {
	w.json = append(w.json, '[')
	for i, item := range n.Content {
		if i > 0 {
			w.json = append(w.json, ',')
		}
		if !w.value(item, pointer+"/"+strconv.Itoa(i), depth+1) {
			return false
		}
	}
	w.json = append(w.json, ']')
	return true
}

func (w *yamlReader) scalar(n *yaml.Node) {
	switch n.Tag {
	case "!!null":
		w.json = append(w.json, "null"...)
		return
	case "!!bool":
		w.json = append(w.json, strings.ToLower(n.Value)...)
		return
	case "!!int", "!!float":
		if webhook.CheckJSON([]byte(n.Value)) == nil { // 0x10 and .inf are not JSON
			w.json = append(w.json, n.Value...)
			return
		}
	}
	w.text(n.Value)
}

func (w *yamlReader) text(value string) {
	quoted, _ := jsontext.Marshal(value) // a string always marshals
	w.json = append(w.json, quoted...)
}

// mark maps the next byte of the JSON to an offset in the file.
func (w *yamlReader) mark(raw int) {
	w.source.marks = append(w.source.marks, mark{json: len(w.json), raw: raw})
}

// offset returns where a node begins in the file.
func (w *yamlReader) offset(n *yaml.Node) int {
	s := w.source
	line := min(max(n.Line, 1), len(s.lines))
	at := s.lines[line-1]
	for column := 1; column < n.Column && at < len(s.raw); column++ {
		_, size := utf8.DecodeRune(s.raw[at:])
		at += size
	}
	return at
}

func textMarkOf(n *yaml.Node, offset int) textMark {
	switch {
	case n.Kind != yaml.ScalarNode:
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return textMark{start: offset + 1, style: doubleQuoted}
	case n.Style&yaml.SingleQuotedStyle != 0:
		return textMark{start: offset + 1, style: singleQuoted}
	case n.Style&yaml.LiteralStyle != 0:
		return textMark{start: offset, style: literalBlock, line: n.Line}
	case n.Style == 0 && !strings.Contains(n.Value, "\n"):
		return textMark{start: offset, style: plainStyle}
	}
	return textMark{start: offset, style: opaqueStyle}
}

// atRaw returns the position of an offset in the file.
func (s *source) atRaw(offset int) position {
	offset = min(max(offset, 0), len(s.raw))
	line, found := slices.BinarySearch(s.lines, offset)
	if found {
		line++
	}
	return position{line: line, column: 1 + utf8.RuneCount(s.raw[s.lines[line-1]:offset])}
}

// at returns the position of an offset in the JSON.
func (s *source) at(offset int) position {
	if s.marks == nil { // the file is the JSON
		return s.atRaw(offset)
	}
	i, found := slices.BinarySearchFunc(s.marks, offset, func(m mark, offset int) int { return m.json - offset })
	if !found && i > 0 {
		i--
	}
	return s.atRaw(s.marks[i].raw)
}

// value returns the position of the value at a pointer, or of the top of the
// file if there is no such value.
func (s *source) value(pointer string) position {
	at := position{line: 1, column: 1}
	if s != nil {
		if t, ok := s.texts[pointer]; ok {
			at = s.atRaw(t.start)
		}
	}
	at.pointer = pointer
	return at
}

// within returns the position of one byte of the text at a pointer. Where the
// file's spelling of the text is too involved, it is the text's beginning.
func (s *source) within(pointer, content string, offset int) position {
	begin := s.value(pointer)
	if s == nil {
		return begin
	}
	t := s.texts[pointer]
	raw := -1
	switch t.style {
	case plainStyle:
		raw = t.start + offset
	case doubleQuoted:
		raw = s.inQuotes(t.start, offset, '\\')
	case singleQuoted:
		raw = s.inQuotes(t.start, offset, '\'')
	case literalBlock:
		raw = s.inBlock(t, content, offset)
	}
	if raw < 0 {
		return begin
	}
	at := s.atRaw(raw)
	at.pointer = pointer
	return at
}

// inQuotes finds a byte of a quoted text in the file. It returns -1 if the
// text continues on another line.
func (s *source) inQuotes(start, offset int, escape byte) int {
	i := start
	for offset > 0 && i < len(s.raw) {
		switch {
		case s.raw[i] == '\n':
			return -1
		case s.raw[i] != escape:
			i++
			offset--
		case escape == '\'':
			i += len("''")
			offset--
		default:
			size, width := escapeSize(s.raw[i:])
			i += size
			offset -= width
		}
	}
	return i
}

// escapeSize measures an escape of JSON or YAML: its bytes in the file, and the
// bytes of the character that it means.
func escapeSize(raw []byte) (size, width int) {
	if len(raw) < 2 {
		return 1, 1
	}
	digits := 0
	switch raw[1] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	}
	size = 2 + digits
	if digits == 0 || len(raw) < size {
		return 2, 1
	}
	c, err := strconv.ParseUint(string(raw[2:size]), 16, 32)
	if err != nil {
		return size, 1
	}
	return size, max(utf8.RuneLen(rune(c)), 1)
}

// inBlock finds a byte of a literal block in the file. It returns -1 if the
// file's lines are not those of the text after an indent.
func (s *source) inBlock(t textMark, content string, offset int) int {
	before := content[:min(offset, len(content))]
	n := t.line + strings.Count(before, "\n")
	if n >= len(s.lines) {
		return -1
	}
	lineStart := strings.LastIndexByte(before, '\n') + 1
	line, _, _ := strings.Cut(content[lineStart:], "\n")
	end := len(s.raw)
	if n+1 < len(s.lines) {
		end = s.lines[n+1]
	}
	written := bytes.TrimRight(s.raw[s.lines[n]:end], "\r\n")
	indent := len(written) - len(line)
	if indent < 0 || string(written[indent:]) != line {
		return -1
	}
	return s.lines[n] + indent + offset - lineStart
}
