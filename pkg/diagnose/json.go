package diagnose

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

// The bounds of a JSON value: deeper or larger JSON is not rewritten.
const (
	maxDepth = 512
	maxNodes = 1 << 20
)

// node is one JSON value as it was written, with its members in their order and
// with repeated names.
type node struct {
	kind     byte   // '{', '[', '"', '0' for a number, 'a' for true, false and null
	name     string // of a member: as written, without the quotes
	text     string // as written; a string without its quotes
	children []node
}

// tree is one JSON text.
type tree struct {
	root          node
	size          int  // of the text, in bytes
	loneSurrogate bool // a string has half a surrogate pair, which some writers do not read
	overflow      bool // a number is past the range of a float64, which others do not read
}

// parse reads JSON into a tree. It reports false for invalid JSON and for JSON
// past the bounds.
func parse(raw []byte) (tree, bool) {
	if len(raw) > maxRewrite || webhook.CheckJSON(raw) != nil {
		return tree{}, false
	}
	p := parser{raw: string(raw), nodes: maxNodes}
	root := p.value(0)
	return tree{root, len(raw), p.loneSurrogate, p.overflow}, p.nodes > 0
}

// parser walks bytes that CheckJSON accepts, so it looks for no syntax errors.
// It reads neither strings nor numbers: each writer does that in its own way.
type parser struct {
	raw           string
	at            int
	nodes         int // left of maxNodes; 0 once a bound is passed
	loneSurrogate bool
	overflow      bool
}

// next skips to the next token and returns its first byte, or 0 at the end.
func (p *parser) next() byte {
	for ; p.at < len(p.raw); p.at++ {
		if c := p.raw[p.at]; c > ' ' && c != ',' && c != ':' {
			return c
		}
	}
	return 0
}

func (p *parser) value(depth int) node {
	c := p.next()
	if p.nodes <= 1 || depth == maxDepth && (c == '{' || c == '[') {
		p.nodes, p.at = 0, len(p.raw)
		return node{}
	}
	p.nodes--
	switch c {
	case '{', '[':
		p.at++
		return node{kind: c, children: p.children(c, depth)}
	case '"':
		return node{kind: c, text: p.quoted()}
	default:
		length := strings.IndexAny(p.raw[p.at:], ",]} \t\r\n")
		if length < 0 {
			length = len(p.raw) - p.at
		}
		text := p.raw[p.at : p.at+length]
		p.at += length
		if c >= 'a' {
			return node{kind: 'a', text: text}
		}
		p.overflow = p.overflow || math.IsInf(parseFloat(text), 0)
		return node{kind: '0', text: text}
	}
}

func (p *parser) children(open byte, depth int) []node {
	var list []node
	for {
		c := p.next()
		if c == 0 {
			return list
		}
		if c == '}' || c == ']' {
			p.at++
			return list
		}
		var name string
		if open == '{' {
			name = p.quoted()
		}
		child := p.value(depth + 1)
		child.name = name
		list = append(list, child)
	}
}

// quoted reads a string without its quotes.
func (p *parser) quoted() string {
	start := p.at + 1
	for p.at = start; p.at < len(p.raw) && p.raw[p.at] != '"'; p.at++ {
		if p.raw[p.at] == '\\' {
			p.at++
		}
	}
	end := min(p.at, len(p.raw))
	p.at++
	text := p.raw[min(start, end):end]
	p.loneSurrogate = p.loneSurrogate || hasLoneSurrogate(text)
	return text
}

func hasLoneSurrogate(text string) bool {
	for at := strings.IndexByte(text, '\\'); at >= 0 && at < len(text); {
		r, size := nextRune(text[at:])
		if utf16.IsSurrogate(r) {
			return true
		}
		at += size
	}
	return false
}

// surrogates is what a writer does with half a surrogate pair.
type surrogates int

const (
	surrogatesEscaped  surrogates = iota // \ud83d stays an escape
	surrogatesReplaced                   // by U+FFFD
	surrogatesRefused                    // an error when it is written
	surrogatesUnread                     // an error when it is read, even if it would not be written
)

// order is the order in which a writer puts the members of an object.
type order int

const (
	asWritten    order = iota
	indexesFirst       // names that are array indexes by value, then the rest
	byCodePoint
	byUTF16
)

// style is how a program writes JSON.
type style struct {
	comma, colon string // between items, between name and value
	indent       string // "" writes all on one line
	tail         string // after the last byte
	order        order
	surrogates   surrogates
	number       func(token string) (string, bool) // nil: as written

	verbatim    bool // strings and repeated names stay as written
	ascii       bool // non-ASCII characters as \u escapes
	slash       bool // \/
	html        bool // <, > and & as \u escapes
	del         bool // U+007F as an escape
	lines       bool // U+2028 and U+2029 as escapes
	phpArrays   bool // empty objects and those numbered from 0 become lists
	phpObjects  bool // a name that begins with NUL is refused
	finiteInput bool // a number past the range of a float64 is refused
}

// write returns the JSON as the style has it. It reports false where the
// program would refuse, and where indenting makes the text many times longer.
func (s style) write(t tree) ([]byte, bool) {
	if s.surrogates == surrogatesUnread && t.loneSurrogate || s.finiteInput && t.overflow {
		return nil, false
	}
	w := encoder{style: s, limit: max(1<<20, 6*t.size), out: make([]byte, 0, t.size+t.size/4)}
	w.value(&t.root, 1)
	w.out = append(w.out, s.tail...)
	return w.out, !w.failed
}

// encoder writes one tree in one style.
type encoder struct {
	style
	out    []byte
	open   []member // of the objects that are being written
	limit  int
	failed bool
}

func (w *encoder) value(n *node, depth int) {
	if w.failed = w.failed || len(w.out) > w.limit; w.failed {
		return
	}
	switch n.kind {
	case '{':
		start := len(w.open)
		members := w.arrange(n.children)
		open := byte('{')
		if w.phpArrays && isNumbered(members) {
			open = '['
		}
		w.items(open, depth, len(members), func(i int) *node { return members[i].node })
		w.open = w.open[:start]
	case '[':
		w.items('[', depth, len(n.children), func(i int) *node { return &n.children[i] })
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

func (w *encoder) items(open byte, depth, count int, item func(i int) *node) {
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

func (w *encoder) newline(depth int) {
	if w.indent != "" {
		w.out = append(w.out, '\n')
		for range depth {
			w.out = append(w.out, w.indent...)
		}
	}
}

// quote writes a string that is given as it was written between quotes.
func (w *encoder) quote(raw string) {
	w.out = append(w.out, '"')
	if w.verbatim {
		w.out = append(w.out, raw...)
		raw = ""
	}
	for len(raw) > 0 {
		run := 0
		for run < len(raw) && w.isPlain(raw[run]) {
			run++
		}
		w.out = append(w.out, raw[:run]...)
		if raw = raw[run:]; raw == "" {
			break
		}
		r, size := nextRune(raw)
		raw = raw[size:]
		if utf16.IsSurrogate(r) {
			w.failed = w.failed || w.surrogates == surrogatesRefused
			if w.surrogates == surrogatesReplaced {
				r = utf8.RuneError
			}
		}
		w.rune(r)
	}
	w.out = append(w.out, '"')
}

// isPlain reports whether a byte stays as it is, whatever follows. Most bytes
// do, so they are copied in runs.
func (w *encoder) isPlain(c byte) bool {
	switch {
	case c == '\\', c < ' ':
		return false
	case c < 0x7f:
		return !(w.slash && c == '/') && !(w.html && (c == '<' || c == '>' || c == '&'))
	case c == 0x7f:
		return !w.del
	}
	return !w.ascii && !(w.lines && c == 0xe2) // the first byte of U+2028
}

func (w *encoder) rune(r rune) {
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

// member is a member of an object.
type member struct {
	key  string // what its name is compared and sorted by
	node *node
}

// arrange puts the members of an object on the stack of open ones, in the
// style's order. The last member of a repeated name wins, in the place of the
// first.
func (w *encoder) arrange(children []node) []member {
	start := len(w.open)
	index := memberIndex{}
	for i := range children {
		child := &children[i]
		key := w.memberKey(child.name)
		w.failed = w.failed || w.phpObjects && strings.HasPrefix(key, "\x00")
		if at := index.find(key, w.open[start:]); at >= 0 && !w.verbatim {
			w.open[start+at].node = child
			continue
		}
		w.open = append(w.open, member{key, child})
	}
	members := w.open[start:]
	switch w.order {
	case asWritten:
	case indexesFirst:
		slices.SortStableFunc(members, func(a, b member) int { return cmp.Compare(arrayIndex(a.key), arrayIndex(b.key)) })
	case byCodePoint, byUTF16:
		slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	}
	return members
}

// memberIndex finds members by key: few by comparing, many (an object may have
// a hundred thousand) by a map.
type memberIndex map[string]int

func (x memberIndex) find(key string, members []member) int {
	if len(members) <= 16 {
		return slices.IndexFunc(members, func(m member) bool { return m.key == key })
	}
	for i := len(x); i < len(members); i++ { // members added since the last call; no key is repeated
		x[members[i].key] = i
	}
	if i, found := x[key]; found {
		return i
	}
	return -1
}

// memberKey decodes a name into bytes that sort as the style sorts characters
// and that keep halves of surrogate pairs apart.
func (w *encoder) memberKey(raw string) string {
	if w.order != byUTF16 && strings.IndexByte(raw, '\\') < 0 {
		return raw
	}
	var out []byte
	for len(raw) > 0 {
		r, size := nextRune(raw)
		raw = raw[size:]
		switch {
		case w.order == byUTF16:
			if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
				out = append(out, byte(high>>8), byte(high))
				r = low
			}
			out = append(out, byte(r>>8), byte(r))
		case utf16.IsSurrogate(r) && w.surrogates != surrogatesReplaced:
			out = append(out, byte(0xe0|r>>12), byte(0x80|r>>6&0x3f), byte(0x80|r&0x3f))
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out)
}

// arrayIndex is the array index that a name is in JavaScript. Names that are
// not one come after all indexes.
func arrayIndex(name string) uint32 {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil || n == math.MaxUint32 || strconv.FormatUint(n, 10) != name {
		return math.MaxUint32
	}
	return uint32(n)
}

// isNumbered reports whether PHP takes an array with these keys for a list.
func isNumbered(members []member) bool {
	for i, m := range members {
		if m.key != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// escapes gives the bodies with other escapes in their JSON strings and no
// other difference.
func (raw original) escapes(yield func(body) bool) {
	if len(raw) > maxRewrite || webhook.CheckJSON(raw) != nil {
		return
	}
	text := string(raw)
	for _, c := range escapeChanges {
		if !yield(body{candidate: likely(c.cause, c.detail), text: respell(text, c.edit), rewritten: true}) {
			return
		}
	}
}

// escapeChanges are the ways in which programs escape differently. edit returns
// one character r of a string, which is spelled as given.
var escapeChanges = []struct {
	cause, detail string
	edit          func(spelled string, r rune) string
}{
	{"body.slash_escapes_missing", "", func(spelled string, _ rune) string {
		if spelled == "/" {
			return `\/`
		}
		return spelled
	}},
	{"body.slash_escapes_added", "", func(spelled string, r rune) string {
		if r == '/' {
			return "/"
		}
		return spelled
	}},
	{"body.unicode_escapes_missing", "", escapeNonASCII},
	{"body.unicode_escapes_missing", "uppercase digits", func(spelled string, r rune) string {
		return uppercaseDigits(escapeNonASCII(spelled, r), r)
	}},
	{"body.unicode_escapes_added", "", func(spelled string, r rune) string {
		if r >= utf8.RuneSelf && !utf16.IsSurrogate(r) {
			return string(r)
		}
		return spelled
	}},
	{"body.escape_digits", "uppercase", uppercaseDigits},
	{"body.escape_digits", "lowercase", func(spelled string, _ rune) string {
		if strings.HasPrefix(spelled, `\u`) {
			return strings.ToLower(spelled)
		}
		return spelled
	}},
	{"body.html_escapes_missing", "", func(spelled string, r rune) string {
		if strings.ContainsRune(htmlCharacters, r) {
			return string(appendEscape(nil, r))
		}
		return spelled
	}},
	{"body.html_escapes_added", "", func(spelled string, r rune) string {
		if strings.ContainsRune(htmlCharacters, r) {
			return string(r)
		}
		return spelled
	}},
}

// htmlCharacters are the characters that encoding/json escapes for HTML and
// JavaScript.
const htmlCharacters = "<>&\u2028\u2029"

func escapeNonASCII(spelled string, r rune) string {
	if spelled[0] < utf8.RuneSelf {
		return spelled
	}
	return string(appendEscape(nil, r))
}

func uppercaseDigits(spelled string, _ rune) string {
	if strings.HasPrefix(spelled, `\u`) {
		return strings.ReplaceAll(strings.ToUpper(spelled), `\U`, `\u`)
	}
	return spelled
}

// respell edits each character in the strings of a text that CheckJSON accepts.
func respell(text string, edit func(spelled string, r rune) string) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	inString := false
	for len(text) > 0 {
		if c := text[0]; !inString || c == '"' {
			inString = inString != (c == '"')
			out = append(out, c)
			text = text[1:]
			continue
		}
		r, size := nextRune(text)
		out = append(out, edit(text[:size], r)...)
		text = text[size:]
	}
	return out
}

// quoteJSON is JSON.stringify of a text.
func quoteJSON(text string) string {
	w := encoder{out: []byte{'"'}}
	for _, r := range text {
		w.rune(r)
	}
	return string(append(w.out, '"'))
}

// appendEscape appends \uXXXX in lowercase, twice for characters past U+FFFF.
func appendEscape(out []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return appendEscape(appendEscape(out, high), low)
	}
	digits := strconv.FormatInt(int64(r)+0x10000, 16) // five digits, the first of which is 1
	return append(append(out, '\\', 'u'), digits[1:]...)
}

// nextRune decodes one character of a JSON string and returns how many bytes it
// takes there. Half a surrogate pair is returned as itself.
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

// unescape decodes the \uXXXX that raw begins with.
func unescape(raw string) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(raw[2:6], 16, 16)
	return rune(n), err == nil
}
