package diagnose

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// member is an item of an object or of a list; name is what its name is known
// and sorted by.
type member struct {
	name string
	node *node
}

// arrange puts the members of an object on the stack of open ones, in the
// order of the style. The last of a repeated name wins, in the place of the
// first.
func (w *writer) arrange(kids []node) []member {
	start := len(w.open)
	places := places{}
	for i := range kids {
		kid := &kids[i]
		name := w.name(kid.name)
		w.failed = w.failed || w.objects && strings.HasPrefix(name, "\x00")
		if at := places.of(name, w.open[start:]); at >= 0 && !w.verbatim {
			w.open[start+at].node = kid
			continue
		}
		w.open = append(w.open, member{name, kid})
	}
	members := w.open[start:]
	switch w.order {
	case asWritten:
	case indexesFirst:
		sort.Stable(byIndex{members})
	case byCodePoint, byUTF16:
		sort.Stable(byName(members))
	}
	return members
}

// byName and byIndex sort members. An object may have a hundred thousand.
type (
	byName  []member
	byIndex struct{ byName }
)

func (m byName) Len() int            { return len(m) }
func (m byName) Swap(i, j int)       { m[i], m[j] = m[j], m[i] }
func (m byName) Less(i, j int) bool  { return m[i].name < m[j].name }
func (m byIndex) Less(i, j int) bool { return index(m.byName[i].name) < index(m.byName[j].name) }

// places finds members by name: among few by looking, among many by a map.
type places map[string]int

func (p places) of(name string, members []member) int {
	if len(members) <= 16 {
		return slices.IndexFunc(members, func(m member) bool { return m.name == name })
	}
	for i := len(p); i < len(members); i++ { // none of them repeats a name that is looked for
		p[members[i].name] = i
	}
	if i, seen := p[name]; seen {
		return i
	}
	return -1
}

// name reads a name from its spelling, in an encoding that sorts by bytes as
// the style sorts by characters and that keeps halves of surrogate pairs apart.
func (w *writer) name(raw string) string {
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
		case utf16.IsSurrogate(r) && w.lone != loneReplaced:
			out = append(out, byte(0xe0|r>>12), byte(0x80|r>>6&0x3f), byte(0x80|r&0x3f))
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out)
}

// index is the array index that a name stands for in JavaScript. The names
// that are none come after all indexes.
func index(name string) uint32 {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil || n == math.MaxUint32 || strconv.FormatUint(n, 10) != name {
		return math.MaxUint32
	}
	return uint32(n)
}

// numbered reports whether PHP takes an array with these keys for a list.
func numbered(members []member) bool {
	for i, m := range members {
		if m.name != strconv.Itoa(i) {
			return false
		}
	}
	return true
}
