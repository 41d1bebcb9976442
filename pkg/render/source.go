package render

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// place is a place in a template's file, and in the template.
type place struct {
	line, column int
	pointer      string
}

// source is a template's file: its content as JSON, and where each part of
// that stands in it.
type source struct {
	raw    []byte
	starts []int  // the offset of each line in raw
	json   []byte // the content
	marks  []mark // places of the content's values, by their offset in json
	texts  map[string]text
}

// mark ties an offset in the JSON to one in the file.
type mark struct{ json, raw int }

// text is where a text of the template stands, and how it is written there.
type text struct {
	start int // the offset of its first byte in raw, behind a quote
	style style
	line  int // of the line that a block begins after
}

type style uint8

const (
	elsewhere style = iota // it is told by its start alone
	plain                  // as it is
	double                 // "…" with escapes
	single                 // '…' with '' for a quote
	block                  // | and the lines below it
)

// read takes a file apart, or reports why it cannot be.
func read(raw []byte, r *report) *source {
	top := place{line: 1, column: 1}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	switch {
	case len(raw) > MaxTemplate:
		r.add(top, "limit", "the template is larger than %d bytes", MaxTemplate)
		return nil
	case len(bytes.TrimSpace(raw)) == 0:
		r.add(top, "template-syntax", "the template is empty")
		return nil
	}
	s := &source{raw: raw, starts: []int{0}, texts: map[string]text{}}
	for i, c := range raw {
		if c == '\n' {
			s.starts = append(s.starts, i+1)
		}
	}
	if !utf8.Valid(raw) {
		bad := 0
		for bad < len(raw) {
			c, size := utf8.DecodeRune(raw[bad:])
			if c == utf8.RuneError && size == 1 {
				break
			}
			bad += size
		}
		r.add(s.atRaw(bad), "template-syntax", "the template is not UTF-8 text")
		return nil
	}
	ok := false
	if bytes.TrimSpace(raw)[0] == '{' {
		ok = s.readJSON(r)
	} else {
		ok = s.readYAML(r)
	}
	if !ok {
		return nil
	}
	return s
}

// readJSON takes the file as it is.
func (s *source) readJSON(r *report) bool {
	if err := webhook.CheckJSON(s.raw); err != nil {
		at := place{line: 1, column: 1}
		message := err.Error()
		var fault *webhook.SyntaxError
		if asSyntax(err, &fault) {
			at, message = place{line: fault.Line, column: fault.Column}, fault.Reason
		}
		r.add(at, "template-syntax", "not JSON: %s", message)
		return false
	}
	s.json = s.raw
	s.marks = []mark{{0, 0}}
	note := func(pointer string, v gjson.Result) {
		if v.Type == gjson.String && v.Index > 0 {
			s.texts[pointer] = text{start: v.Index + 1, style: double}
		} else {
			s.texts[pointer] = text{start: v.Index}
		}
	}
	gjson.ParseBytes(s.raw).ForEach(func(name, value gjson.Result) bool {
		pointer := "/" + escapePointer(name.String())
		note(pointer, value)
		if value.IsObject() {
			value.ForEach(func(inner, v gjson.Result) bool {
				v.Index += 0
				note(pointer+"/"+escapePointer(inner.String()), v)
				return true
			})
		}
		return true
	})
	return true
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// atRaw is the place of an offset in the file.
func (s *source) atRaw(offset int) place {
	offset = min(max(offset, 0), len(s.raw))
	line, found := slices.BinarySearch(s.starts, offset)
	if found {
		line++
	}
	return place{line: line, column: 1 + utf8.RuneCount(s.raw[s.starts[line-1]:offset])}
}

// at is the place of an offset in the content.
func (s *source) at(offset int) place {
	i, found := slices.BinarySearchFunc(s.marks, offset, func(m mark, offset int) int { return m.json - offset })
	if !found && i > 0 {
		i--
	}
	if len(s.marks) == 0 {
		return s.atRaw(0)
	}
	m := s.marks[i]
	if len(s.json) == len(s.raw) && m.raw == m.json {
		return s.atRaw(offset) // JSON: they are the same
	}
	return s.atRaw(m.raw)
}

// value is where the value at a pointer begins; the top of the file where
// there is none.
func (s *source) value(pointer string) place {
	at := place{line: 1, column: 1}
	if s != nil {
		if t, ok := s.texts[pointer]; ok {
			at = s.atRaw(t.start)
		}
	}
	at.pointer = pointer
	return at
}

// within is where a byte of the text at a pointer stands.
func (s *source) within(pointer, content string, offset int) place {
	at := s.value(pointer)
	if s == nil {
		return at
	}
	t, ok := s.texts[pointer]
	if !ok {
		return at
	}
	var raw int
	switch t.style {
	case plain:
		raw = t.start + offset
	case double:
		raw = s.afterEscapes(t.start, offset, '\\')
	case single:
		raw = s.afterEscapes(t.start, offset, '\'')
	case block:
		raw = s.inBlock(t, content, offset)
	default:
		return at
	}
	if raw < 0 {
		return at
	}
	found := s.atRaw(raw)
	found.pointer = pointer
	return found
}

// afterEscapes finds the byte of a quoted text that its content has at an
// offset; -1 where the text goes over lines.
func (s *source) afterEscapes(start, offset int, escape byte) int {
	i := start
	for offset > 0 && i < len(s.raw) {
		switch {
		case s.raw[i] == '\n':
			return -1
		case s.raw[i] != escape:
			i++
			offset--
		case escape == '\'':
			i += 2
			offset--
		default:
			size, width := escaped(s.raw[i:])
			i += size
			offset -= width
		}
	}
	return i
}

// escaped measures an escape of JSON or YAML, and the bytes that it stands for.
func escaped(raw []byte) (size, width int) {
	if len(raw) < 2 {
		return 1, 1
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[raw[1]]
	if digits == 0 || len(raw) < 2+digits {
		return 2, 1
	}
	var c rune
	for _, d := range raw[2 : 2+digits] {
		c = c<<4 | rune(strings.IndexByte("0123456789abcdef", d|0x20))&0xf
	}
	return 2 + digits, max(utf8.RuneLen(c), 1)
}

// inBlock finds a byte of a block: line by line, behind the indent.
func (s *source) inBlock(t text, content string, offset int) int {
	before := content[:min(offset, len(content))]
	n := t.line + strings.Count(before, "\n")
	if n >= len(s.starts) {
		return -1
	}
	lineStart := strings.LastIndexByte(before, '\n') + 1
	line, _, _ := strings.Cut(content[lineStart:], "\n")
	end := len(s.raw)
	if n+1 < len(s.starts) {
		end = s.starts[n+1]
	}
	written := bytes.TrimRight(s.raw[s.starts[n]:end], "\r\n")
	indent := len(written) - len(line)
	if indent < 0 || string(written[indent:]) != line {
		return -1
	}
	return s.starts[n] + indent + offset - lineStart
}
