package lint

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"
)

// span is a value's place in a payload; the zero span is no place.
type span struct{ at, end int }

func (s span) exists() bool { return s.end > 0 }

// parts walks the members of an object or the items of a list. Of what is not
// JSON it takes what it can, and ends.
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

// skipText goes behind the string that begins at at.
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

// skipValue goes behind the value that begins at at, whatever it holds.
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

// textAt returns the characters of the string at a place.
func textAt(raw []byte, s span) []byte {
	if inner := raw[s.at+1 : max(s.end-1, s.at+1)]; bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	return []byte(gjson.ParseBytes(raw[s.at:s.end]).Str)
}

func isText(raw []byte, s span) bool { return s.exists() && raw[s.at] == '"' }

// numberAt reads the number at a place.
func numberAt(raw []byte, s span) (float64, bool) {
	if !s.exists() || raw[s.at] != '-' && (raw[s.at] < '0' || raw[s.at] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw[s.at:s.end]), 64)
	return f, err == nil
}

// fields finds members of an object by name; found has a place for each.
func fields(raw []byte, object span, names []string, found []span) {
	walk := partsOf(raw, object)
	for {
		member, ok := walk.next()
		if !ok {
			return
		}
		name := textAt(raw, member.name)
		for i, want := range names {
			if string(name) == want && !found[i].exists() {
				found[i] = member.value
			}
		}
	}
}

// within finds the object that a path of names leads to.
func within(raw []byte, object span, path []string) span {
	for _, name := range path {
		var found [1]span
		fields(raw, object, []string{name}, found[:])
		object = found[0]
	}
	return object
}
