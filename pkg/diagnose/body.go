package diagnose

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// body is a candidate for the body that was signed: text between head and tail,
// so that a long body is not copied for one newline.
type body struct {
	candidate
	head string
	text []byte
	tail string

	rewritten  bool     // its JSON is written differently
	writer     string   // the JSON writer that does so, if one does
	alsoWriter []string // others that write the same bytes
}

// original is the body as it was received. Its methods are sequences of what
// may have been signed instead.
type original []byte

// unchanged gives the body itself.
func (raw original) unchanged(yield func(body) bool) { yield(body{text: raw}) }

// changed gives every other candidate. Those of a short body are made once, and
// the writers that give the same bytes are named together; those of a long body
// are made one at a time.
func (raw original) changed() iter.Seq[body] {
	all := func(yield func(body) bool) {
		for _, group := range []iter.Seq[body]{raw.whitespace, raw.escapes, raw.rewrites, raw.replacements} {
			for b := range group {
				if !yield(b) {
					return
				}
			}
		}
	}
	if len(raw) > maxPairBody {
		return all
	}
	list := distinct(raw, all)
	for _, b := range list {
		if b.rewritten && !bytes.HasSuffix(b.text, []byte("\n")) {
			b.causes = append(slices.Clone(b.causes), cause{id: "body.newline_missing"})
			b.tail = "\n"
			list = append(list, b)
		}
	}
	return slices.Values(list)
}

// distinct drops the body itself and keeps the first of equal candidates, with
// the names of the other writers.
func distinct(raw []byte, all iter.Seq[body]) []body {
	var list []body
	for b := range all {
		b.text = slices.Concat([]byte(b.head), b.text, []byte(b.tail))
		b.head, b.tail = "", ""
		if bytes.Equal(b.text, raw) {
			continue
		}
		i := slices.IndexFunc(list, func(have body) bool { return bytes.Equal(have.text, b.text) })
		switch {
		case i < 0:
			list = append(list, b)
		case list[i].rewritten && b.writer != "":
			list[i].alsoWrittenBy(b.writer)
		}
	}
	return list
}

// alsoWrittenBy notes one writer of each language, up to three.
func (b *body) alsoWrittenBy(writer string) {
	language, _, _ := strings.Cut(writer, " ")
	sameLanguage := func(other string) bool { return strings.HasPrefix(other, language) }
	if len(b.alsoWriter) < 3 && language != "a" && !sameLanguage(b.writer) && !slices.ContainsFunc(b.alsoWriter, sameLanguage) {
		b.alsoWriter = append(b.alsoWriter, writer)
	}
}

// explain returns the causes of a signed body, and a note on where the received
// one comes from.
func (b *body) explain(received original) (causes []cause, note string) {
	if !b.rewritten {
		return b.causes, ""
	}
	causes = slices.Clone(b.causes)
	if len(b.alsoWriter) > 0 {
		also := strings.Join(b.alsoWriter, " and ") + " write the same text"
		if len(b.alsoWriter) == 1 {
			also = b.alsoWriter[0] + " writes the same text"
		}
		if causes[0].detail != "" {
			also = causes[0].detail + "; " + also
		}
		causes[0].detail = also
	}
	fix := ""
	switch writer := writerBetween(b.text, received); {
	case writer != "":
		note = "; the received body is what " + writer + " makes of the signed one, so most likely it was parsed and written again after it arrived"
		fix = "verify the raw bytes as they arrived, before a framework parses them"
	case b.writer != "" && len(received) <= maxPairBody: // of a longer body not all writers were tried
		note = "; no known JSON writer makes the received body from the signed one, so most likely the sender signed one text and sent another"
		fix = "have the sender write its JSON once, sign those bytes and send the same bytes"
	}
	for i := range causes {
		causes[i].fix = cmp.Or(fix, causes[i].fix)
	}
	return causes, note
}

// writerBetween returns the JSON writer that makes the received body from the
// signed one, but for the newline at its end, or "".
func writerBetween(signed, received original) string {
	received = bytes.TrimRight(received, "\r\n")
	for again := range signed.rewrites {
		if bytes.Equal(bytes.TrimRight(again.text, "\n"), received) {
			return again.writer
		}
	}
	return ""
}

const byteOrderMark = "\xef\xbb\xbf"

// whitespace gives the bodies that differ in line endings, in a byte order mark
// or in the white space around them.
func (raw original) whitespace(yield func(body) bool) {
	// A body that ends in a newline may lack another one, because echo adds one
	// in any case.
	list := []body{{candidate: likely("body.newline_missing", ""), text: raw, tail: "\n"}}
	if text, ok := bytes.CutSuffix(raw, []byte("\r\n")); ok {
		list = append(list,
			body{candidate: likely("body.newline_added", "the newline is CRLF"), text: text},
			body{candidate: likely("body.crlf_added", "the last one only"), text: text, tail: "\n"})
	} else if text, ok := bytes.CutSuffix(raw, []byte("\n")); ok {
		list = append(list,
			body{candidate: likely("body.newline_added", ""), text: text},
			body{candidate: likely("body.crlf_missing", "the last one only"), text: text, tail: "\r\n"})
	} else {
		list = append(list, body{candidate: likely("body.newline_missing", "the newline is CRLF"), text: raw, tail: "\r\n"})
	}
	if trimmed := bytes.TrimSpace(raw); len(trimmed) < len(raw) {
		list = append(list, body{candidate: likely("body.space_added", ""), text: trimmed})
	}
	if text, ok := bytes.CutPrefix(raw, []byte(byteOrderMark)); ok {
		list = append(list, body{candidate: likely("body.bom_added", ""), text: text})
	} else {
		list = append(list, body{candidate: likely("body.bom_missing", ""), head: byteOrderMark, text: raw})
	}
	for _, b := range list {
		if !yield(b) {
			return
		}
	}
	if len(raw) > maxRewrite {
		return
	}
	for _, lineEnd := range []string{"\n", "\r\n"} {
		text := raw.withLineBreaks(lineEnd)
		if text == nil {
			break
		}
		for _, last := range []string{lineEnd, ""} {
			if !yield(body{candidate: likely("body.newlines_dropped", ""), text: text, tail: last}) {
				return
			}
		}
	}
	lf := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	if yield(body{candidate: likely("body.crlf_added", ""), text: lf}) {
		yield(body{candidate: likely("body.crlf_missing", ""), text: bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))})
	}
}

// replacements gives what is signed instead of the body by accident: a
// placeholder, a wrapping, another character encoding.
func (raw original) replacements(yield func(body) bool) {
	if len(raw) > maxPairBody {
		return
	}
	text := string(raw)
	list := []variant{
		{rarely("body.python_bytes", ""), pythonBytes(text)},
		{rarely("body.string_missing", ""), quoteJSON(text)},
		{rarely("body.base64_missing", ""), base64.StdEncoding.EncodeToString(raw)},
	}
	for _, word := range []string{"", "[object Object]", "Array", "undefined", "null", "None", "{}"} {
		list = append(list, variant{rarely("body.absent", fmt.Sprintf("%q", word)), word})
	}
	if inner, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
		list = append(list, variant{rarely("body.base64_added", ""), string(inner)})
	}
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		list = append(list, variant{rarely("body.string_added", ""), inner})
	}
	for _, v := range append(list, otherCharsets(text)...) {
		if !yield(body{candidate: v.candidate, text: []byte(v.text)}) {
			return
		}
	}
}

// pythonBytes is what Python prints for bytes.
func pythonBytes(text string) string {
	quote := byte('\'')
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = '"'
	}
	out := []byte{'b', quote}
	for i := range len(text) {
		switch c := text[i]; {
		case c == quote || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c < ' ' || c > '~':
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return string(append(out, quote))
}

// otherCharsets gives the text as a wrong character encoding leaves it.
func otherCharsets(text string) []variant {
	var twice, latin1, ascii []byte
	isLatin1 := utf8.ValidString(text)
	for i := range len(text) {
		twice = utf8.AppendRune(twice, rune(text[i]))
	}
	for _, r := range text {
		isLatin1 = isLatin1 && r <= 0xff
		latin1 = append(latin1, byte(r)) // right while isLatin1 holds
		if r < utf8.RuneSelf {
			ascii = append(ascii, byte(r))
		} else {
			ascii = append(ascii, '?')
		}
	}
	list := []variant{
		{rarely("body.charset", "its UTF-8 was read as Latin-1 and written as UTF-8 again"), string(twice)},
		{rarely("body.charset", "ASCII, with a question mark for each other character"), string(ascii)},
	}
	if isLatin1 {
		list = append(list, variant{rarely("body.charset", "Latin-1"), string(latin1)})
		if utf8.Valid(latin1) {
			list = append(list, variant{rarely("body.charset", "UTF-8, and the received body was encoded in UTF-8 twice"), string(latin1)})
		}
	}
	return list
}
