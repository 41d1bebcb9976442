package render

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

// escaper writes values into one text, each as its place requires. It sees the
// text from left to right: literal and escape are called in the text's order.
type escaper interface {
	literal(text string) // the text before the next variable
	escape(value any, text string) escaped
}

// escaped is a value as it is written into a text. With a problem it cannot be
// written.
type escaped struct {
	text    string
	rule    string // that the problem breaks
	problem string
	risk    string // what the value would do if it were not escaped; may be empty
	isHost  bool   // it is the host of a URL, or a part of it
}

func misplaced(problem string) escaped { return escaped{rule: "variable-place", problem: problem} }
func invalid(problem string) escaped   { return escaped{rule: "value", problem: problem} }

// bodyEscaper returns the escaper for a body.
func bodyEscaper(kind bodyKind) escaper {
	switch kind {
	case jsonBody:
		return &jsonEscaper{}
	case xmlBody:
		return &xmlEscaper{}
	case formBody:
		return formEscaper{}
	}
	return verbatim{}
}

// verbatim does not escape: the text is plain, or its type is unknown.
type verbatim struct{}

func (verbatim) literal(string)                    {}
func (verbatim) escape(_ any, text string) escaped { return escaped{text: text} }

// headerEscaper writes the value of a header, for which there is no escape.
type headerEscaper struct{}

func (headerEscaper) literal(string) {}
func (headerEscaper) escape(_ any, text string) escaped {
	for _, c := range text {
		if c < ' ' && c != '\t' || c == 0x7f {
			return invalid("a header is one line, but the value contains a line break or another control character")
		}
	}
	return escaped{text: text}
}

// formEscaper writes application/x-www-form-urlencoded.
type formEscaper struct{}

func (formEscaper) literal(string) {}
func (formEscaper) escape(_ any, text string) escaped {
	e := escaped{text: url.QueryEscape(text)}
	if strings.ContainsAny(text, "%&+;") {
		e.risk = "would end the field or change its text"
	}
	return e
}

// urlEscaper writes a URL.
type urlEscaper struct {
	before strings.Builder
}

func (u *urlEscaper) literal(text string) { u.before.WriteString(text) }

// pastHost reports whether the scheme and the host are complete.
func (u *urlEscaper) pastHost() bool {
	_, rest, found := strings.Cut(u.before.String(), "://")
	return found && strings.ContainsAny(rest, "/?#")
}

func (u *urlEscaper) escape(_ any, text string) escaped {
	if !u.pastHost() {
		isStart := u.before.Len() == 0 // the value may be a whole URL
		if !isStart && strings.ContainsAny(text, "/?#@\\") {
			return invalid("the value is part of the host and contains a character that ends the host")
		}
		u.before.WriteString(text)
		return escaped{text: text, isHost: true}
	}
	// Everything but RFC 3986's unreserved characters (section 2.3).
	e := escaped{text: strings.ReplaceAll(url.QueryEscape(text), "+", "%20")}
	if strings.ContainsAny(text, " #%&+/?=\"<>\\^`{|}") || !isPrintableASCII(text) {
		e.risk = "would change the URL"
	}
	return e
}

func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// jsonEscaper writes JSON. It only has to know whether a place is in a string.
type jsonEscaper struct {
	inString       bool
	afterBackslash bool
}

func (j *jsonEscaper) literal(text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case j.afterBackslash:
			j.afterBackslash = false
		case j.inString && c == '\\':
			j.afterBackslash = true
		case c == '"':
			j.inString = !j.inString
		}
	}
}

func (j *jsonEscaper) escape(value any, text string) escaped {
	switch {
	case j.afterBackslash:
		return misplaced("the backslash before the variable would combine with its value")
	case !utf8.ValidString(text):
		return invalid("the value is not UTF-8, which JSON requires: file_data_base64 is")
	case j.inString:
		e := escaped{text: jsonStringContent(text)}
		if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' }) {
			e.risk = "would break this JSON"
		}
		return e
	}
	switch value.(type) {
	case nil:
		return escaped{text: "null"}
	case json.Number, bool:
		return escaped{text: text}
	}
	switch {
	case isJSONLiteral(text):
		return escaped{text: text}
	case text == "":
		return invalid("the value is empty, which is not JSON: put quotes around the variable")
	}
	return invalid("the value is text: put quotes around the variable")
}

// isJSONLiteral reports whether a text is a JSON number, true, false or null.
func isJSONLiteral(text string) bool {
	if text == "" || strings.ContainsAny(text[:1], "\"[{ \t\r\n") || strings.TrimSpace(text) != text {
		return false
	}
	return webhook.CheckJSON([]byte(text)) == nil
}

// jsonStringContent returns a text as it is written between the quotes of a
// JSON string.
func jsonStringContent(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string always encodes
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// xmlEscaper writes XML. It follows the text as far as tags, attributes and
// sections.
type xmlEscaper struct {
	in   xmlPlace
	tail string // the last bytes of the text, for marks of several characters
}

type xmlPlace uint8

const (
	inText        xmlPlace = iota
	inTag                  // between < and >, outside attribute values
	inSingleQuote          // an attribute value in '
	inDoubleQuote          // an attribute value in "
	inCDATA
	inComment
	inInstruction // <? … ?>
)

func (x *xmlEscaper) literal(text string) {
	for i := range len(text) {
		x.tail += text[i : i+1]
		if excess := len(x.tail) - len("<![CDATA["); excess > 0 {
			x.tail = x.tail[excess:]
		}
		x.step(text[i])
	}
}

func (x *xmlEscaper) step(c byte) {
	ends := func(mark string) bool { return strings.HasSuffix(x.tail, mark) }
	switch x.in {
	case inText:
		if c == '<' {
			x.in = inTag
		}
	case inTag:
		switch {
		case ends("<![CDATA["):
			x.in = inCDATA
		case ends("<!--"):
			x.in = inComment
		case ends("<?"):
			x.in = inInstruction
		case c == '\'':
			x.in = inSingleQuote
		case c == '"':
			x.in = inDoubleQuote
		case c == '>':
			x.in = inText
		}
	case inSingleQuote:
		if c == '\'' {
			x.in = inTag
		}
	case inDoubleQuote:
		if c == '"' {
			x.in = inTag
		}
	case inCDATA:
		if ends("]]>") {
			x.in = inText
		}
	case inComment:
		if ends("-->") {
			x.in = inText
		}
	case inInstruction:
		if ends("?>") {
			x.in = inText
		}
	}
}

func (x *xmlEscaper) escape(_ any, text string) escaped {
	x.tail = ""
	switch x.in {
	case inTag, inInstruction:
		return misplaced("a variable may be in the text of an element or in the value of an attribute, not in the tag itself")
	case inComment:
		return misplaced("nobody receives a variable in a comment, and -- in its value would end the comment")
	}
	if !utf8.ValidString(text) {
		return invalid("the value is not UTF-8, which this XML requires: file_data_base64 is")
	}
	if strings.ContainsFunc(text, func(c rune) bool { return !isXMLCharacter(c) }) {
		return invalid("the value contains a control character, which XML cannot represent")
	}
	var e escaped
	breaks := false // if it were written as it is
	switch x.in {
	case inCDATA:
		e.text, breaks = cdataEscaper.Replace(text), strings.Contains(text, "]]>")
	case inText:
		e.text, breaks = xmlTextEscaper.Replace(text), strings.ContainsAny(text, "&<") || strings.Contains(text, "]]>")
	case inSingleQuote:
		e.text, breaks = xmlAttribute(text), strings.ContainsAny(text, "&<'")
	case inDoubleQuote:
		e.text, breaks = xmlAttribute(text), strings.ContainsAny(text, `&<"`)
	}
	if breaks {
		e.risk = "would break this XML"
	}
	return e
}

// isXMLCharacter reports whether XML 1.0 has a character (section 2.2, Char).
func isXMLCharacter(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c < 0xd800 || c > 0xdfff && c < 0xfffe || c > 0xffff
}

// A parser turns a carriage return into a newline (XML 1.0, section 2.11), so
// it is written as a reference. xml.EscapeText would also write every newline
// and apostrophe of a text as a reference; only attributes need that.
var (
	xmlTextEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	cdataEscaper   = strings.NewReplacer("]]>", "]]]]><![CDATA[>", "\r", "]]>&#13;<![CDATA[")
)

// xmlAttribute returns a text as the value of an attribute.
func xmlAttribute(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder does not fail
	return b.String()
}
