package diagnose

import (
	"math"
	"strings"
	"unicode/utf16"

	"github.com/wskdev/wsk/pkg/webhook"
)

// The bounds of a tree: deeper or larger JSON is not rewritten.
const (
	maxDepth = 512
	maxNodes = 1 << 20
)

// node is one JSON value as it was written, its members in their order and
// with their repeats.
type node struct {
	kind byte   // '{', '[', '"', '0' for a number, 'a' for true, false, null
	name string // of a member: as written, without the quotes
	text string // as written; a string without its quotes
	kids []node
}

// tree is one JSON text.
type tree struct {
	root   node
	size   int  // of the text, in bytes
	halves bool // a string has half a surrogate pair, which some tools don't read
	huge   bool // a number is past the range of a float64, which others don't read
}

// parse reads JSON into a tree. It reports false for invalid JSON and for what
// is past the bounds.
func parse(raw []byte) (tree, bool) {
	if len(raw) > maxRewrite || webhook.CheckJSON(raw) != nil {
		return tree{}, false
	}
	p := parser{raw: string(raw), nodes: maxNodes}
	root := p.value(0)
	return tree{root, len(raw), p.halves, p.huge}, p.nodes > 0
}

// parser walks bytes that CheckJSON took, so it looks for no syntax errors.
// It spells no string and reads no number: each tool does that its own way.
type parser struct {
	raw    string
	at     int
	nodes  int // left of maxNodes; 0 once a bound is passed
	halves bool
	huge   bool
}

// next skips what stands between tokens and returns the byte that follows, or
// 0 at the end.
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
		return node{kind: c, kids: p.kids(c, depth)}
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
		p.huge = p.huge || math.IsInf(float(text), 0)
		return node{kind: '0', text: text}
	}
}

func (p *parser) kids(open byte, depth int) []node {
	var kids []node
	for {
		c := p.next()
		if c == 0 {
			return kids
		}
		if c == '}' || c == ']' {
			p.at++
			return kids
		}
		var name string
		if open == '{' {
			name = p.quoted()
		}
		kid := p.value(depth + 1)
		kid.name = name
		kids = append(kids, kid)
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
	p.halves = p.halves || hasHalves(text)
	return text
}

func hasHalves(text string) bool {
	for at := strings.IndexByte(text, '\\'); at >= 0 && at < len(text); {
		r, size := nextRune(text[at:])
		if utf16.IsSurrogate(r) {
			return true
		}
		at += size
	}
	return false
}
