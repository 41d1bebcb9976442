package lint

import (
	"bytes"
	"slices"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/report"
)

// Fix mends what can be mended without a guess, trailing commas and alias
// names, and touches no other byte. It returns the payload and how many places
// were mended; raw itself when there were none.
//
// A name is changed only where its canonical one is not there as well and the
// value fits it, and not at all while the payload is no JSON or the rule alias
// is off.
func (c *Checker) Fix(raw []byte) (fixed []byte, places int) {
	fixed, places = c.withoutCommas(raw)
	for {
		next, n := c.renamed(fixed)
		if n == 0 {
			return fixed, places
		}
		fixed, places = next, places+n
	}
}

// edit puts a text in the place of another.
type edit struct {
	span
	text    string
	pointer string
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

// withoutCommas takes the trailing commas out, as far as the payload is JSON
// but for them.
func (c *Checker) withoutCommas(raw []byte) (fixed []byte, places int) {
	if c.brokenAt(raw) < 0 {
		return raw, 0
	}
	edits := trailingCommas(raw)
	if broken := c.brokenAt(apply(raw, edits)); broken >= 0 {
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

// brokenAt returns the place from which a payload is no JSON, or -1.
func (c *Checker) brokenAt(raw []byte) int {
	for _, f := range c.engine.Check(c.any, raw) {
		if f.Kind == schema.Syntax || f.Kind == schema.Depth {
			return f.Offset
		}
	}
	return -1
}

// trailingCommas finds the commas that stand between a value and a closing
// bracket.
func trailingCommas(raw []byte) []edit {
	var edits []edit
	var last, before byte // the last two that are no white space
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

// renamed gives as many aliases as possible their canonical names.
func (c *Checker) renamed(raw []byte) (fixed []byte, n int) {
	env := envelopeOf(raw)
	k := c.linter.config.kindOf(raw, env)
	at, _ := env.typeOf(k.form)
	if !isText(raw, at) || c.linter.severities["alias"] == report.Off {
		return raw, 0
	}
	e := c.event(k, textAt(raw, at))
	if e.schema == nil {
		return raw, 0
	}
	r := renaming{c: c, schema: e.schema, raw: raw, before: map[violation]bool{}}
	var aliases []edit
	twice := map[string]bool{} // pointers of names that are there twice: which of them counts is a guess
	for _, f := range c.engine.Check(e.schema, raw) {
		switch {
		case f.Kind == schema.Syntax || f.Kind == schema.Depth:
			return raw, 0
		case f.Kind == schema.Alias:
			aliases = append(aliases, edit{span{f.Offset, f.End}, `"` + f.Want + `"`, f.Pointer})
		case f.Kind.IsViolation():
			r.before[violationOf(f)] = true
			if f.Kind == schema.DuplicateKey {
				twice[f.Pointer] = true
			}
		}
	}
	if len(r.before) >= schema.MaxFindings {
		return raw, 0 // a name that does not fit could not be told
	}
	var once []edit
	for _, e := range aliases {
		if !twice[e.pointer] {
			once = append(once, e)
		}
	}
	r.add(once)
	if len(r.done) == 0 {
		return raw, 0
	}
	return apply(raw, r.done), len(r.done)
}

// renaming holds the names that were changed so far.
type renaming struct {
	c      *Checker
	schema *schema.Schema
	raw    []byte
	before map[violation]bool
	done   []edit
}

// violation is a violation without its place, which a new name moves.
type violation struct {
	kind             schema.Kind
	pointer, message string
}

func violationOf(f schema.Finding) violation { return violation{f.Kind, f.Pointer, f.Message()} }

// add takes the edits that bring no violation, all at once where it can be.
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
	for _, f := range r.c.engine.Check(r.schema, apply(r.raw, edits)) {
		if f.Kind.IsViolation() && !r.before[violationOf(f)] {
			return false
		}
	}
	return true
}
