package lint

import (
	"bytes"
	"slices"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/report"
)

// Fix fixes what needs no guess, trailing commas and alias names, and leaves
// every other byte as it is. It returns the payload and the number of places
// that were fixed; with none it returns raw itself.
//
// A name is changed only if its canonical name is not present and accepts the
// value. No name is changed while the payload is not JSON or the rule alias is
// off.
func (c *Checker) Fix(raw []byte) (fixed []byte, places int) {
	fixed, places = c.removeCommas(raw)
	for {
		next, n := c.renameAliases(fixed)
		if n == 0 {
			return fixed, places
		}
		fixed, places = next, places+n
	}
}

// edit replaces a span with a text.
type edit struct {
	span
	text    string
	pointer string // of the member that is renamed
}

func apply(raw []byte, edits []edit) []byte {
	var out bytes.Buffer
	out.Grow(len(raw))
	at := 0
	for _, e := range edits {
		out.Write(raw[at:e.at])
		out.WriteString(e.text)
		at = e.end
	}
	out.Write(raw[at:])
	return out.Bytes()
}

// removeCommas removes the trailing commas up to the first other syntax error.
func (c *Checker) removeCommas(raw []byte) (fixed []byte, places int) {
	if c.syntaxError(raw) < 0 {
		return raw, 0
	}
	edits := trailingCommas(raw)
	if broken := c.syntaxError(apply(raw, edits)); broken >= 0 {
		for i, e := range edits {
			if e.at-i >= broken {
				edits = edits[:i]
				break
			}
		}
	}
	if len(edits) == 0 {
		return raw, 0
	}
	return apply(raw, edits), len(edits)
}

// syntaxError returns the offset at which a payload stops being JSON, or -1.
func (c *Checker) syntaxError(raw []byte) int {
	for _, f := range c.schema.Check(nil, raw) {
		if f.Kind == schema.Syntax || f.Kind == schema.Depth {
			return f.Offset
		}
	}
	return -1
}

// trailingCommas finds the commas between a value and a closing bracket.
func trailingCommas(raw []byte) []edit {
	var edits []edit
	var last, before byte // the last two bytes that are not white space
	comma := 0
	for i := 0; i < len(raw); {
		b := raw[i]
		switch {
		case b == ' ' || b == '\t' || b == '\r' || b == '\n':
			i++
			continue
		case b == '"':
			i = skipText(raw, i)
		case b == ',':
			comma = i
			i++
		default:
			if (b == '}' || b == ']') && last == ',' && before != ',' && before != '[' && before != '{' && before != ':' && before != 0 {
				edits = append(edits, edit{span: span{comma, comma + 1}})
			}
			i++
		}
		before, last = last, b
	}
	return edits
}

// renameAliases gives as many aliases as possible their canonical names.
func (c *Checker) renameAliases(raw []byte) (fixed []byte, n int) {
	env := envelopeOf(raw, envelope{})
	scope := c.linter.config.scopeOf(raw, env)
	name := env.nameOf(scope.form).value
	if !isText(raw, name) || c.linter.severities["alias"] == report.Off {
		return raw, 0
	}
	e := c.event(scope, textAt(raw, name))
	if e.schema == nil {
		return raw, 0
	}
	r := renaming{c: c, schema: e.schema, raw: raw, before: map[violation]bool{}}
	var aliases []edit
	duplicates := map[string]bool{} // pointers of names that appear twice: which one counts would be a guess
	for _, f := range c.schema.Check(e.schema, raw) {
		switch {
		case f.Kind == schema.Syntax || f.Kind == schema.Depth:
			return raw, 0
		case f.Kind == schema.Alias:
			aliases = append(aliases, edit{span{f.Offset, f.End}, `"` + f.Want + `"`, f.Pointer})
		case f.Kind.IsViolation():
			r.before[violationOf(f)] = true
			if f.Kind == schema.DuplicateKey {
				duplicates[f.Pointer] = true
			}
		}
	}
	if len(r.before) >= schema.MaxFindings {
		return raw, 0 // a violation that a new name brings would not be reported
	}
	r.add(slices.DeleteFunc(aliases, func(e edit) bool { return duplicates[e.pointer] }))
	if len(r.done) == 0 {
		return raw, 0
	}
	return apply(raw, r.done), len(r.done)
}

// renaming is the names that were changed so far.
type renaming struct {
	c      *Checker
	schema *schema.Schema
	raw    []byte
	before map[violation]bool
	done   []edit
}

// violation is a violation without its offset, which renaming changes.
type violation struct {
	kind             schema.Kind
	pointer, message string
}

func violationOf(f schema.Finding) violation { return violation{f.Kind, f.Pointer, f.Message()} }

// add applies the edits that cause no new violation, all at once if possible.
func (r *renaming) add(edits []edit) {
	switch {
	case len(edits) == 0:
	case r.fits(slices.Concat(r.done, edits)):
		r.done = append(r.done, edits...)
	case len(edits) > 1:
		half := len(edits) / 2
		r.add(edits[:half])
		r.add(edits[half:])
	}
}

func (r *renaming) fits(edits []edit) bool {
	for _, f := range r.c.schema.Check(r.schema, apply(r.raw, edits)) {
		if f.Kind.IsViolation() && !r.before[violationOf(f)] {
			return false
		}
	}
	return true
}
