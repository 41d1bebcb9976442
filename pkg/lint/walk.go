package lint

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"
)

// span is the place of a value in a payload. The zero span does not exist.
type span struct{ at, end int }

func (s span) exists() bool { return s.end > 0 }

// parts iterates over the members of an object or the items of a list. It ends
// where the text stops being JSON.
type parts struct {
	raw   []byte
	at    int
	keyed bool
}

// part is a member or an item; an item has no name.
type part struct{ name, value span }

func partsOf(raw []byte, v span) parts {
	if v.at >= len(raw) || raw[v.at] != '{' && raw[v.at] != '[' {
		return parts{raw: raw, at: len(raw)}
	}
	return parts{raw, v.at + 1, raw[v.at] == '{'}
}

func (p *parts) next() (part, bool) {
	var found part
	p.at = skipSpace(p.raw, p.at)
	if p.at < len(p.raw) && p.raw[p.at] == ',' {
		p.at = skipSpace(p.raw, p.at+1)
	}
	if p.keyed {
		if p.at >= len(p.raw) || p.raw[p.at] != '"' {
			return part{}, false
		}
		found.name = span{p.at, skipText(p.raw, p.at)}
		p.at = skipSpace(p.raw, found.name.end)
		if p.at >= len(p.raw) || p.raw[p.at] != ':' {
			return part{}, false
		}
		p.at = skipSpace(p.raw, p.at+1)
	}
	found.value = span{p.at, skipValue(p.raw, p.at)}
	p.at = found.value.end
	return found, found.value.end > found.value.at
}

func skipSpace(raw []byte, at int) int {
	for at < len(raw) && (raw[at] == ' ' || raw[at] == '\n' || raw[at] == '\r' || raw[at] == '\t') {
		at++
	}
	return at
}

// skipText returns the offset after the string that begins at at.
func skipText(raw []byte, at int) int {
	at++
	for at < len(raw) {
		quote := bytes.IndexByte(raw[at:], '"')
		if quote < 0 {
			return len(raw)
		}
		slash := bytes.IndexByte(raw[at:at+quote], '\\')
		if slash < 0 {
			return at + quote + 1
		}
		at += slash + 2
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
func find(raw []byte, object span, members ...member) {
	walk := partsOf(raw, object)
	for {
		part, ok := walk.next()
		if !ok {
			return
		}
		name := textAt(raw, part.name)
		for _, m := range members {
			if string(name) == m.name && !m.place.exists() {
				*m.place = part.value
			}
		}
	}
}

// within finds the object that a path of names leads to.
func within(raw []byte, object span, path []string) span {
	for _, name := range path {
		var next span
		find(raw, object, member{name, &next})
		object = next
	}
	return object
}
