package schema_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// tree is a JSON value that keeps the order of its members.
type tree struct {
	names []string // of an object's members
	parts []*tree  // of an object or a list
	open  byte     // '{', '[' or 0
	token string   // of a value that holds no others
}

func parseTree(v gjson.Result) *tree {
	t := &tree{token: v.Raw}
	if v.IsObject() || v.IsArray() {
		t.open, t.token = v.Raw[0], ""
		v.ForEach(func(name, part gjson.Result) bool {
			if t.open == '{' {
				t.names = append(t.names, name.String())
			}
			t.parts = append(t.parts, parseTree(part))
			return true
		})
	}
	return t
}

// all returns a value and the values in it.
func (t *tree) all() []*tree {
	list := []*tree{t}
	for _, part := range t.parts {
		list = append(list, part.all()...)
	}
	return list
}

// mutator changes payloads, the same way for the same seed.
type mutator struct {
	*rand.Rand
	tokens []string // values to put in
	names  []string
}

func newMutator(seed uint64) *mutator {
	return &mutator{
		Rand: rand.New(rand.NewPCG(seed, 1)),
		tokens: []string{
			"null", "true", "false", "0", "-0", "1", "-1", "2", "3", "5", "24", "24.5", "1.0", "1.5", "1e2", "1E400", "-1e-400", "0.1", "300", "300.0000000000000000001", "9007199254740993",
			"18446744073709551616", `""`, `"a"`, `"x"`, `"é"`, `"\u0061"`, `"😀"`, `"abc"`, `"abcdefghijklmnopqrstuvwxyz"`, `"2026-01-15"`, `"2026-02-30"`, `"2026-01-15T14:30:00Z"`,
			`"08:30"`, `"25:00"`, `"a@b.example"`, `"https://example.com/x"`, `"pending"`, `"complete"`, "[]", "{}", "[1]", `["a"]`, `[null,"b"]`, `{"a":1}`, `{"a":"x","b":2}`, `{"id":"1"}`, `[[["1"]]]`,
		},
		names: []string{"a", "b", "c", "d", "id", "data", "status", "", "é", "__proto__", "a/b", "a\nb", "value", "children", "items", "event_type"},
	}
}

// mutate changes a JSON text in one to four ways.
func (m *mutator) mutate(payload string) string {
	root := parseTree(gjson.Parse(payload))
	for range 1 + m.IntN(4) {
		all := root.all()
		m.change(all[m.IntN(len(all))], all)
	}
	var b strings.Builder
	m.write(&b, root)
	return b.String()
}

// change changes one value into one of all.
func (m *mutator) change(t *tree, all []*tree) {
	i := -1
	if len(t.parts) > 0 {
		i = m.IntN(len(t.parts))
	}
	switch kind := m.IntN(9); {
	case kind < 2:
		*t = *parseTree(gjson.Parse(m.tokens[m.IntN(len(m.tokens))]))
	case kind == 2:
		*t = *parseTree(gjson.Parse(m.asText(all[m.IntN(len(all))])))
	case kind == 3 && i >= 0: // leave out
		t.parts = append(t.parts[:i:i], t.parts[i+1:]...)
		if t.open == '{' {
			t.names = append(t.names[:i:i], t.names[i+1:]...)
		}
	case kind == 4 && t.open == '{' && i >= 0: // rename
		t.names[i] = m.names[m.IntN(len(m.names))]
	case kind == 5 && t.open == '{': // add
		t.names = append(t.names, m.names[m.IntN(len(m.names))])
		t.parts = append(t.parts, parseTree(gjson.Parse(m.tokens[m.IntN(len(m.tokens))])))
	case kind == 5 && t.open == '[':
		t.parts = append(t.parts, parseTree(gjson.Parse(m.tokens[m.IntN(len(m.tokens))])))
	case kind == 6 && i >= 0: // change the order
		j := m.IntN(len(t.parts))
		t.parts[i], t.parts[j] = t.parts[j], t.parts[i]
		if t.open == '{' {
			t.names[i], t.names[j] = t.names[j], t.names[i]
		}
	case kind == 7 && t.open == 0: // another type with the same characters
		if unquoted, err := strconv.Unquote(t.token); err == nil && json.Valid([]byte(unquoted)) {
			*t = *parseTree(gjson.Parse(unquoted))
		} else if err != nil {
			t.token = strconv.Quote(t.token)
		}
	case kind == 8: // deeper
		inner := *t
		*t = tree{open: '[', parts: []*tree{&inner}}
	}
}

func (m *mutator) asText(t *tree) string {
	var b strings.Builder
	m.write(&b, t)
	return b.String()
}

// write writes a value with random white space, and some names with escapes.
func (m *mutator) write(b *strings.Builder, t *tree) {
	space := func() {
		if m.IntN(16) == 0 {
			b.WriteString([]string{" ", "\n", "\r\n\t", "          "}[m.IntN(4)])
		}
	}
	space()
	if t.open == 0 {
		b.WriteString(t.token)
		space()
		return
	}
	b.WriteByte(t.open)
	for i, part := range t.parts {
		if i > 0 {
			b.WriteByte(',')
		}
		if t.open == '{' {
			space()
			name, _ := json.Marshal(t.names[i])
			if m.IntN(16) == 0 && len(name) > 2 && name[1] >= 'a' && name[1] <= 'z' {
				name = append([]byte(`"\u00`+strconv.FormatInt(int64(name[1]), 16)), name[2:]...)
			}
			b.Write(name)
			space()
			b.WriteByte(':')
		}
		m.write(b, part)
	}
	space()
	b.WriteByte(t.open + 2)
	space()
}
