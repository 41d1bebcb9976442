package lint

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// span is the place of a value in a payload. The zero span does not exist.
type span struct{ at, end int }

func (s span) exists() bool { return s.end > 0 }

// parts iterates over the members of an object or the items of a list. It ends
// where the text stops being JSON.
type parts struct {
	raw   []byte
	known []part // those that were read before, which come first
	at    int    // of the first that is not known
	keyed bool
}

// part is a member or an item; an item has no name.
type part struct{ name, value span }

func partsOf(raw []byte, v span) parts {
	if v.at >= len(raw) || raw[v.at] != '{' && raw[v.at] != '[' {
		return parts{raw: raw, at: len(raw)}
	}
	return parts{raw: raw, at: v.at + 1, keyed: raw[v.at] == '{'}
}

func (p *parts) next() (found part, ok bool) {
	if len(p.known) > 0 {
		found, p.known = p.known[0], p.known[1:]
		return found, true
	}
	if found.name, ok = p.name(); !ok {
		return part{}, false
	}
	found.value = span{p.at, skipValue(p.raw, p.at)}
	p.at = found.value.end
	return found, found.value.end > found.value.at
}

// name moves on to the next value and returns its name, if it has one.
func (p *parts) name() (name span, ok bool) {
	p.at = skipSpace(p.raw, p.at)
	if p.at < len(p.raw) && p.raw[p.at] == ',' {
		p.at = skipSpace(p.raw, p.at+1)
	}
	if p.keyed {
		if p.at >= len(p.raw) || p.raw[p.at] != '"' {
			return span{}, false
		}
		name = span{p.at, skipText(p.raw, p.at)}
		p.at = skipSpace(p.raw, name.end)
		if p.at >= len(p.raw) || p.raw[p.at] != ':' {
			return span{}, false
		}
		p.at = skipSpace(p.raw, p.at+1)
	}
	return name, true
}

func skipSpace(raw []byte, at int) int {
	for at < len(raw) && (raw[at] == ' ' || raw[at] == '\n' || raw[at] == '\r' || raw[at] == '\t') {
		at++
	}
	return at
}

// skipText returns the offset after the string that begins at at.
func skipText(raw []byte, at int) int {
	for at++; at < len(raw); at++ {
		at = schema.PlainRun(raw, at)
		switch {
		case at == len(raw):
		case raw[at] == '"':
			return at + 1
		case raw[at] == '\\':
			at++
		}
	}
	return len(raw)
}

// skipValue returns the offset after the value that begins at at.
func skipValue(raw []byte, at int) int {
	depth := 0
	for at < len(raw) {
		switch raw[at] {
		case '"':
			at = skipText(raw, at)
		case '{', '[':
			depth++
			at++
			continue
		case '}', ']':
			if depth == 0 {
				return at
			}
			depth--
			at++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at
			}
			at++
			continue
		default:
			for at < len(raw) && !endsScalar(raw[at]) {
				at++
			}
		}
		if depth == 0 {
			return at
		}
	}
	return len(raw)
}

func endsScalar(b byte) bool {
	switch b {
	case ',', ':', '}', ']', '{', '[', '"', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// textAt returns the characters of the string at s.
func textAt(raw []byte, s span) []byte {
	if inner := raw[s.at+1 : max(s.end-1, s.at+1)]; bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	return []byte(gjson.ParseBytes(raw[s.at:s.end]).Str)
}

func isText(raw []byte, s span) bool { return s.exists() && raw[s.at] == '"' }

// numberAt returns the number at s.
func numberAt(raw []byte, s span) (float64, bool) {
	if !s.exists() || raw[s.at] != '-' && (raw[s.at] < '0' || raw[s.at] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw[s.at:s.end]), 64)
	return f, err == nil
}

// member names a member of an object and says where to put the place of its
// value.
type member struct {
	name  string
	place *span
}

// find finds members of an object in one pass. Of several with the same name
// the first counts; a member that is missing leaves its place as it is.
func find(walk parts, members ...member) {
	for {
		part, ok := walk.next()
		if !ok {
			return
		}
		name := textAt(walk.raw, part.name)
		for _, m := range members {
			if string(name) == m.name && !m.place.exists() {
				*m.place = part.value
			}
		}
	}
}
