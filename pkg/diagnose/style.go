package diagnose

import (
	"slices"
)

// tool is a known writer of JSON.
type tool struct {
	id   string // of the cause
	name string // for people
	rare bool   // tried on its own only
	style
}

// tools lists the writers, the most common first: where several write the
// same bytes, the first gives the cause its name.
func tools() []tool {
	var list []tool
	for _, group := range [][]tool{javascriptTools(), pythonTools(), phpTools(), goTools(), jqTools(), plainTools()} {
		list = append(list, group...)
	}
	slices.SortStableFunc(list, func(a, b tool) int {
		switch {
		case a.rare == b.rare:
			return 0
		case b.rare:
			return -1
		}
		return 1
	})
	return list
}

func javascriptTools() []tool {
	compact := style{comma: ",", colon: ":", order: indexesFirst, number: javascriptNumber}
	return []tool{
		{"body.javascript", "JavaScript's JSON.stringify", false, compact},
		{"body.javascript_indented", "JavaScript's JSON.stringify(value, null, 2)", false, compact.indented("  ")},
		{"body.javascript_indented", "JavaScript's JSON.stringify(value, null, 4)", true, compact.indented("    ")},
		{"body.javascript_indented", "JavaScript's JSON.stringify(value, null, '\\t')", true, compact.indented("\t")},
		{"body.javascript_sorted", "JavaScript's JSON.stringify over sorted keys (RFC 8785)", false, compact.sorted(byUTF16)},
	}
}

func pythonTools() []tool {
	spaced := style{comma: ", ", colon: ": ", number: pythonNumber, ascii: true, del: true}
	compact := spaced
	compact.comma, compact.colon = ",", ":"
	var list []tool
	for _, t := range []tool{
		{"body.python", "", false, spaced},
		{"body.python_compact", "separators=(',', ':')", false, compact},
		{"body.python_sorted", "sort_keys=True", false, spaced.sorted(byCodePoint)},
		{"body.python_compact_sorted", "separators=(',', ':'), sort_keys=True", false, compact.sorted(byCodePoint)},
		{"body.python_indented", "indent=2", true, spaced.indented("  ")},
		{"body.python_indented", "indent=4", true, spaced.indented("    ")},
		{"body.python_indented_sorted", "indent=2, sort_keys=True", true, spaced.indented("  ").sorted(byCodePoint)},
		{"body.python_indented_sorted", "indent=4, sort_keys=True", true, spaced.indented("    ").sorted(byCodePoint)},
	} {
		literal := t
		literal.id += "_unicode"
		literal.ascii, literal.del, literal.lone = false, false, loneRefused
		literal.name = "ensure_ascii=False"
		if t.name != "" {
			literal.name = t.name + ", ensure_ascii=False"
		}
		for _, t := range []tool{t, literal} {
			if t.name != "" {
				t.name = "(" + t.name + ")"
			}
			t.name = "Python's json.dumps" + t.name
			list = append(list, t)
		}
	}
	return list
}

func phpTools() []tool {
	base := style{comma: ",", colon: ":", number: phpNumber, lone: loneUnread, lines: true, slash: true, ascii: true}
	var list []tool
	for _, flags := range []struct {
		id, name        string
		slashes, pretty bool // JSON_UNESCAPED_SLASHES, JSON_PRETTY_PRINT
		unicode, rare   bool // JSON_UNESCAPED_UNICODE
	}{
		{id: "body.php", name: ""},
		{id: "body.php_slashes", name: "JSON_UNESCAPED_SLASHES", slashes: true},
		{id: "body.php_unicode", name: "JSON_UNESCAPED_UNICODE", unicode: true},
		{id: "body.php_slashes_unicode", name: "JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE", slashes: true, unicode: true},
		{id: "body.php_pretty", name: "JSON_PRETTY_PRINT", pretty: true, rare: true},
		{id: "body.php_pretty_slashes", name: "JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES", pretty: true, slashes: true, rare: true},
		{id: "body.php_pretty_unicode", name: "JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE", pretty: true, unicode: true, rare: true},
		{id: "body.php_pretty_slashes_unicode", name: "JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE", pretty: true, slashes: true, unicode: true, rare: true},
	} {
		s := base
		s.slash, s.ascii = !flags.slashes, !flags.unicode
		if flags.pretty {
			s = s.indented("    ")
		}
		name := "PHP's json_encode"
		if flags.name != "" {
			name += "(" + flags.name + ")"
		}
		arrays, objects := s, s
		arrays.arrays, objects.objects = true, true
		list = append(list,
			tool{flags.id, name, flags.rare, objects},
			tool{flags.id, name + " of arrays", flags.rare, arrays})
	}
	return list
}

func goTools() []tool {
	plain := style{comma: ",", colon: ":", order: byCodePoint, number: goNumber, lone: loneReplaced, lines: true, finite: true}
	html := plain
	html.html = true
	line := func(s style) style { s.tail = "\n"; return s }
	return []tool{
		{"body.go", "Go's json.Marshal(map)", false, html},
		{"body.go_newline", "Go's json.Encoder", false, line(html)},
		{"body.go_unescaped", "Go's trimmed json.Encoder with SetEscapeHTML(false)", false, plain},
		{"body.go_unescaped_newline", "Go's json.Encoder with SetEscapeHTML(false)", false, line(plain)},
		{"body.go_indented", "Go's json.MarshalIndent(map)", true, html.indented("  ")},
	}
}

func jqTools() []tool {
	var list []tool
	for _, version := range []struct {
		number func(string) (string, bool)
		lone   lone
	}{{jqNumber, loneUnread}, {jqLiteral, loneReplaced}} { // up to 1.6, from 1.7
		compact := style{comma: ",", colon: ":", number: version.number, lone: version.lone, del: true, tail: "\n"}
		for _, t := range []tool{
			{"body.jq_compact", "jq -c", false, compact},
			{"body.jq", "jq", true, compact.indented("  ")},
			{"body.jq_sorted", "jq -S", true, compact.indented("  ").sorted(byCodePoint)},
			{"body.jq_compact_sorted", "jq -cS", true, compact.sorted(byCodePoint)},
		} {
			cut := t
			cut.name = "$(" + t.name + ")"
			cut.tail = ""
			list = append(list, t, cut)
		}
	}
	return list
}

// plainTools change the white space and the order alone: every number, string
// and repeated name stays as it was written.
func plainTools() []tool {
	compact := style{comma: ",", colon: ":", verbatim: true}
	spaced := style{comma: ", ", colon: ": ", verbatim: true}
	return []tool{
		{"body.minified", "a minifier", false, compact},
		{"body.keys_sorted", "a writer that sorts the keys", false, compact.sorted(byCodePoint)},
		{"body.keys_sorted", "a writer that sorts the keys", true, spaced.sorted(byCodePoint)},
		{"body.spaced", "a writer with a space after each comma and colon", false, spaced},
		{"body.indented", "a formatter with two spaces", true, compact.indented("  ")},
		{"body.indented", "a formatter with four spaces", true, compact.indented("    ")},
		{"body.indented", "a formatter with tabs", true, compact.indented("\t")},
	}
}

func (s style) indented(by string) style {
	s.indent, s.comma, s.colon = by, ",", ": "
	return s
}

func (s style) sorted(o order) style {
	s.order = o
	return s
}

func (t tool) help() string {
	return "the signature is over the JSON as " + t.name + " writes it: the body here is spelled otherwise"
}

func styleCauses() []Cause {
	const fix = "verify the raw bytes as they arrived, before anything parses them, and have the sender sign the very bytes that it sends"
	var list []Cause
	for _, t := range tools() {
		if !slices.ContainsFunc(list, func(c Cause) bool { return c.ID == t.id }) {
			list = append(list, Cause{t.id, t.help(), fix})
		}
	}
	return list
}
