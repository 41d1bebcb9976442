package render

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// placer knows where in a text the next variable stands, and writes its value
// as that place asks for.
type placer interface {
	literal(text string) // goes on over what stands before the variable
	value(v any, text string) written
}

// written is a value as it goes into a text.
type written struct {
	text  string
	rule  string // of fault
	fault string // why it cannot stand there; "" if it can
	risk  string // what would break if it were written as it is; "" if nothing
	host  bool   // it chooses the host of a URL
}

func misplaced(fault string) written { return written{rule: "variable-place", fault: fault} }
func unfit(fault string) written     { return written{rule: "value", fault: fault} }

// raw writes values as they are: in text, and in what is of no known type.
type raw struct{}

func (raw) literal(string)                   {}
func (raw) value(_ any, text string) written { return written{text: text} }

// headerValue is one line.
type headerValue struct{}

func (headerValue) literal(string) {}
func (headerValue) value(_ any, text string) written {
	for _, c := range text {
		if c < ' ' && c != '\t' || c == 0x7f {
			return unfit("a header is one line, and the value holds a line break or another control character")
		}
	}
	return written{text: text}
}

// form writes what stands in a form: application/x-www-form-urlencoded.
type form struct{}

func (form) literal(string) {}
func (form) value(_ any, text string) written {
	w := written{text: url.QueryEscape(text)}
	if strings.ContainsAny(text, "%&+;") {
		w.risk = "would end the field or change its text"
	}
	return w
}

// address writes what stands in a URL.
type address struct {
	before strings.Builder
}

func (a *address) literal(text string) { a.before.WriteString(text) }

// inPath reports whether scheme and host are behind.
func (a *address) inPath() bool {
	_, rest, found := strings.Cut(a.before.String(), "://")
	return found && strings.ContainsAny(rest, "/?#")
}

func (a *address) value(_ any, text string) written {
	if !a.inPath() {
		whole := a.before.Len() == 0 // the value is the URL, or begins it
		if !whole && strings.ContainsAny(text, "/?#@\\") {
			return unfit("the value stands in the host and holds a character that ends it")
		}
		a.before.WriteString(text)
		return written{text: text, host: true}
	}
	a.before.WriteByte('x')
	w := written{text: percent(text)}
	if strings.ContainsAny(text, " #%&+/?=\"<>\\^`{|}") || !isASCII(text) {
		w.risk = "would change the URL"
	}
	return w
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// percent escapes all but what RFC 3986 calls unreserved.
func percent(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c == '-' || c == '.' || c == '_' || c == '~' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
