package diagnose

import (
	"bytes"
	"iter"
	"slices"
	"strings"
)

// body is a candidate for the bytes that were signed. head and tail stand
// around text, so that a long body is not copied for one more newline.
type body struct {
	mistake
	head, tail string
	text       []byte
	spelled    bool     // its JSON is spelled in another way
	tool       string   // that spells it so, if one does
	others     []string // tools that write the same bytes
}

// original is the body as it came. Its methods give what may have been signed
// in its place.
type original []byte

// bodies gives every candidate but the body itself. Those of a short body are
// made once, and the tools that write the same bytes are named together;
// those of a long one are made one at a time.
func (raw original) bodies() iter.Seq[body] {
	if len(raw) > maxPairBody {
		return raw.each
	}
	list := merge(raw, raw.each)
	for _, b := range list {
		if b.spelled && !bytes.HasSuffix(b.text, []byte("\n")) {
			b.steps = append(b.steps[:len(b.steps):len(b.steps)], step{id: "body.newline_missing"})
			b.tail = "\n"
			list = append(list, b)
		}
	}
	return slices.Values(list)
}

// untouched gives the body itself.
func (raw original) untouched(yield func(body) bool) { yield(body{text: raw}) }

func (raw original) each(yield func(body) bool) {
	for _, group := range []iter.Seq[body]{raw.edges, raw.respelled, raw.rewritten, raw.replaced} {
		for b := range group {
			if !yield(b) {
				return
			}
		}
	}
}

// merge drops what is the body itself, and notes at the first of equal
// candidates which other tools there are.
func merge(raw []byte, all iter.Seq[body]) []body {
	var list []body
	for b := range all {
		flat := slices.Concat([]byte(b.head), b.text, []byte(b.tail))
		b.head, b.text, b.tail = "", flat, ""
		i := 0
		for i < len(list) && !bytes.Equal(list[i].text, flat) {
			i++
		}
		switch {
		case bytes.Equal(flat, raw):
		case i == len(list):
			list = append(list, b)
		case list[i].spelled && b.tool != "":
			list[i].alsoBy(b.tool)
		}
	}
	return list
}

// alsoBy notes one tool of each language, up to three.
func (b *body) alsoBy(tool string) {
	language, _, _ := strings.Cut(tool, " ")
	if len(b.others) < 3 && language != "a" && !slices.ContainsFunc(append(b.others, b.tool), func(t string) bool { return strings.HasPrefix(t, language) }) {
		b.others = append(b.others, tool)
	}
}

// causes are the body's causes with the tools that agree on it.
func (b *body) causes() []step {
	if len(b.others) == 0 {
		return b.steps
	}
	steps := slices.Clone(b.steps)
	if steps[0].detail != "" {
		steps[0].detail += "; "
	}
	steps[0].detail += "the same text comes from " + strings.Join(b.others, " and ")
	return steps
}

// origin says who most likely changed a body whose JSON is spelled in another
// way than the signed one.
type origin struct {
	known bool
	tool  string // that makes the body here out of the signed one; "" when none does
}

// origin tries every tool on the signed text. Where one gives the body here,
// the signed text may have arrived and been written anew; where none does, the
// body here was never written from the signed text.
func (b *body) origin(raw []byte) origin {
	if !b.spelled {
		return origin{}
	}
	raw = bytes.TrimRight(raw, "\r\n")
	for again := range original(b.text).rewritten {
		if bytes.Equal(bytes.TrimRight(again.text, "\n"), raw) {
			return origin{true, again.tool}
		}
	}
	// Other escapes alone may be the work of any tool, and a long body does not
	// get to the end of the tools.
	return origin{known: b.tool != "" && len(raw) <= maxPairBody}
}

func (o origin) sentence() string {
	switch {
	case !o.known:
		return ""
	case o.tool == "":
		return "; no known tool makes the body here out of the signed one, so most likely the sender signed one text and sent another"
	}
	return "; the body here is what " + o.tool + " makes of the signed one, so most likely it was parsed and written anew after it arrived"
}

func (o origin) fix() string {
	if o.tool == "" {
		return "have the sender write its JSON once, sign those bytes and send the same"
	}
	return "verify the raw bytes as they arrived, before a framework parses them"
}
