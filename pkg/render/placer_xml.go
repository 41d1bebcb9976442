package render

import (
	"strings"
	"unicode/utf8"
)

// xmlPlacer follows XML as far as its text, attributes and sections.
type xmlPlacer struct {
	in   xmlPlace
	tail string // the end of what was read, for marks of several characters
}

type xmlPlace uint8

const (
	xmlText   xmlPlace = iota
	xmlTag             // between < and >, outside of values
	xmlSingle          // a value in '
	xmlDouble          // a value in "
	xmlCDATA
	xmlComment
	xmlDirective // <? … ?> and <! … >
)

func (p *xmlPlacer) literal(text string) {
	for i := range len(text) {
		p.tail += text[i : i+1]
		if len(p.tail) > 9 {
			p.tail = p.tail[len(p.tail)-9:]
		}
		p.step(text[i])
	}
}

func (p *xmlPlacer) step(c byte) {
	ends := func(mark string) bool { return strings.HasSuffix(p.tail, mark) }
	switch p.in {
	case xmlText:
		if c == '<' {
			p.in = xmlTag
		}
	case xmlTag:
		switch {
		case ends("<![CDATA["):
			p.in = xmlCDATA
		case ends("<!--"):
			p.in = xmlComment
		case ends("<?"):
			p.in = xmlDirective
		case c == '\'':
			p.in = xmlSingle
		case c == '"':
			p.in = xmlDouble
		case c == '>':
			p.in = xmlText
		}
	case xmlSingle:
		if c == '\'' {
			p.in = xmlTag
		}
	case xmlDouble:
		if c == '"' {
			p.in = xmlTag
		}
	case xmlCDATA:
		if ends("]]>") {
			p.in = xmlText
		}
	case xmlComment:
		if ends("-->") {
			p.in = xmlText
		}
	case xmlDirective:
		if ends("?>") {
			p.in = xmlText
		}
	}
}

func (p *xmlPlacer) value(_ any, text string) written {
	p.tail = ""
	switch p.in {
	case xmlTag, xmlDirective:
		return misplaced("a variable can stand in the text of an element or in the value of an attribute, not in the tag itself")
	case xmlComment:
		return misplaced("a variable in a comment reaches nobody, and a -- in its value would end the comment")
	}
	if !utf8.ValidString(text) {
		return unfit("the value is not UTF-8 text, which this XML must be: file_data_base64 is")
	}
	for _, c := range text {
		if !xmlCharacter(c) {
			return unfit("the value holds a control character, which no XML can hold")
		}
	}
	w := written{text: xmlEscape(text, p.in)}
	if w.text != text && strings.ContainsAny(text, `<&'"`) || p.in == xmlCDATA && strings.Contains(text, "]]>") {
		w.risk = "would break this XML"
	}
	return w
}

// xmlCharacter is the Char of XML 1.0, section 2.2.
func xmlCharacter(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c < 0xd800 || c > 0xdfff && c < 0xfffe || c > 0xffff
}

// xmlEscape writes a text so that a parser gives it back: line ends that it
// would change are written as references.
func xmlEscape(text string, in xmlPlace) string {
	if in == xmlCDATA {
		text = strings.ReplaceAll(text, "]]>", "]]]]><![CDATA[>")
		return strings.ReplaceAll(text, "\r", "]]>&#13;<![CDATA[")
	}
	pairs := []string{"&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;"}
	if in != xmlText {
		pairs = append(pairs, `"`, "&quot;", "'", "&apos;", "\n", "&#10;", "\t", "&#9;")
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
