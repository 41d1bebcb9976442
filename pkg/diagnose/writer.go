package diagnose

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// lone says what a tool makes of half a surrogate pair.
type lone int

const (
	loneEscaped  lone = iota // \ud83d stays an escape
	loneReplaced             // U+FFFD
	loneRefused              // an error where it is to be written
	loneUnread               // an error where it stands, even if it would not be written
)

// order is in which order a tool writes the members of an object.
type order int

const (
	asWritten    order = iota
	indexesFirst       // names that are array indexes by value, then the rest
	byCodePoint
	byUTF16
)

// style is how one tool writes JSON.
type style struct {
	comma, colon string // between items, between name and value
	indent       string // "" writes all on one line
	tail         string // after the last byte
	order        order
	lone         lone
	number       func(token string) (string, bool) // nil: as written

	verbatim bool // strings and repeated names stay as written
	ascii    bool // all past ASCII as \u escapes
	slash    bool // \/
	html     bool // <, > and & as \u escapes
	del      bool // U+007F as an escape
	lines    bool // U+2028 and U+2029 as escapes
	arrays   bool // PHP's arrays: empty objects and those numbered from 0 become lists
	finite   bool // a number past the range of a float64 is refused
	objects  bool // PHP's objects: a name that begins with NUL is refused
}

// writer writes one tree in one style.
type writer struct {
	style
	out    []byte
	open   []member // of the objects that are being written
	limit  int
	failed bool
}

// write returns the JSON as the tool writes it. It reports false where the
// tool would refuse, and where indenting makes the text many times longer.
func (s style) write(t tree) ([]byte, bool) {
	if s.lone == loneUnread && t.halves || s.finite && t.huge {
		return nil, false
	}
	w := writer{style: s, limit: max(1<<20, 6*t.size), out: make([]byte, 0, t.size+t.size/4)}
	w.value(&t.root, 1)
	w.out = append(w.out, s.tail...)
	return w.out, !w.failed
}

func (w *writer) value(n *node, depth int) {
	if w.failed = w.failed || len(w.out) > w.limit; w.failed {
		return
	}
	switch n.kind {
	case '{':
		start := len(w.open)
		members := w.arrange(n.kids)
		open := byte('{')
		if w.arrays && numbered(members) {
			open = '['
		}
		w.items(open, depth, len(members), func(i int) *node { return members[i].node })
		w.open = w.open[:start]
	case '[':
		w.items('[', depth, len(n.kids), func(i int) *node { return &n.kids[i] })
	case '"':
		w.quote(n.text)
	case '0':
		text, ok := n.text, true
		if w.number != nil {
			text, ok = w.number(text)
		}
		w.out = append(w.out, text...)
		w.failed = w.failed || !ok
	default:
		w.out = append(w.out, n.text...)
	}
}

func (w *writer) items(open byte, depth, count int, item func(i int) *node) {
	w.out = append(w.out, open)
	for i := range count {
		if w.failed {
			return
		}
		if i > 0 {
			w.out = append(w.out, w.comma...)
		}
		w.newline(depth)
		n := item(i)
		if open == '{' {
			w.quote(n.name)
			w.out = append(w.out, w.colon...)
		}
		w.value(n, depth+1)
	}
	if count > 0 {
		w.newline(depth - 1)
	}
	w.out = append(w.out, open+2) // in ASCII the closing bracket is two after the opening one
}

func (w *writer) newline(depth int) {
	if w.indent != "" {
		w.out = append(w.out, '\n')
		for range depth {
			w.out = append(w.out, w.indent...)
		}
	}
}

// quote writes a string from its spelling between quotes.
func (w *writer) quote(raw string) {
	w.out = append(w.out, '"')
	if w.verbatim {
		w.out = append(w.out, raw...)
		raw = ""
	}
	for len(raw) > 0 {
		run := 0
		for run < len(raw) && w.plain(raw[run]) {
			run++
		}
		w.out = append(w.out, raw[:run]...)
		if raw = raw[run:]; raw == "" {
			break
		}
		r, size := nextRune(raw)
		raw = raw[size:]
		if utf16.IsSurrogate(r) {
			w.failed = w.failed || w.lone == loneRefused
			if w.lone == loneReplaced {
				r = utf8.RuneError
			}
		}
		w.rune(r)
	}
	w.out = append(w.out, '"')
}

// plain reports whether a byte is written as it is spelled, whatever follows:
// most are, so they are copied in runs.
func (w *writer) plain(c byte) bool {
	switch {
	case c == '\\', c < ' ':
		return false
	case c < 0x7f:
		return !(w.slash && c == '/') && !(w.html && (c == '<' || c == '>' || c == '&'))
	case c == 0x7f:
		return !w.del
	}
	return !w.ascii && !(w.lines && c == 0xe2) // U+2028 begins with it
}

func (w *writer) rune(r rune) {
	switch {
	case r == '"', r == '\\', r == '/' && w.slash:
		w.out = append(w.out, '\\', byte(r))
	case r < ' ':
		if i := strings.IndexRune("\b\f\n\r\t", r); i >= 0 {
			w.out = append(w.out, '\\', "bfnrt"[i])
		} else {
			w.out = appendEscape(w.out, r)
		}
	case utf16.IsSurrogate(r),
		w.ascii && r >= utf8.RuneSelf,
		w.del && r == 0x7f,
		w.html && (r == '<' || r == '>' || r == '&'),
		w.lines && (r == '\u2028' || r == '\u2029'):
		w.out = appendEscape(w.out, r)
	default:
		w.out = utf8.AppendRune(w.out, r)
	}
}

// appendEscape writes \uXXXX, two of them past U+FFFF, in lowercase.
func appendEscape(out []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return appendEscape(appendEscape(out, high), low)
	}
	digits := strconv.FormatInt(int64(r)+0x10000, 16) // five digits, the first of which is 1
	return append(append(out, '\\', 'u'), digits[1:]...)
}

// nextRune reads one character of a string as it is spelled in JSON and says
// how many bytes that took. Half a surrogate pair comes out as itself.
func nextRune(raw string) (rune, int) {
	if raw[0] != '\\' || len(raw) < 2 {
		return utf8.DecodeRuneInString(raw)
	}
	if raw[1] != 'u' {
		if i := strings.IndexByte("bfnrt", raw[1]); i >= 0 {
			return rune("\b\f\n\r\t"[i]), 2
		}
		return rune(raw[1]), 2
	}
	r, ok := unescape(raw)
	if !ok {
		return utf8.RuneError, len(raw)
	}
	if low, ok := unescape(raw[6:]); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return r, 6
}

// unescape reads the \uXXXX that raw begins with.
func unescape(raw string) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(raw[2:6], 16, 16)
	return rune(n), err == nil
}
