package diagnose

import "strings"

// tool is a known writer of JSON.
type tool struct {
	id   string // of the cause
	name string // for people
	rare bool   // tried on its own only
	style
}

// layout is how a writer spreads its text.
type layout struct {
	id, name string // of the tool that has it
	rare     bool
	order    order
	spaced   bool   // a space after each comma and colon, on one line
	indent   string // "" leaves all on one line
	tail     string
}

// in gives the tools that write by one style, each in its own layout.
func (s style) in(layouts []layout) []*tool {
	list := make([]*tool, len(layouts))
	for i := range layouts {
		l := &layouts[i]
		t := &tool{id: l.id, name: l.name, rare: l.rare, style: s}
		t.comma, t.colon, t.indent, t.order, t.tail = ",", ":", l.indent, l.order, l.tail
		switch {
		case l.indent != "":
			t.colon = ": "
		case l.spaced:
			t.comma, t.colon = ", ", ": "
		}
		list[i] = t
	}
	return list
}

// tools lists the writers, the most common first: where several write the
// same bytes, the first gives the cause its name.
func tools() []*tool {
	var list, rare []*tool
	for _, group := range [][]*tool{javascriptTools(), pythonTools(), phpTools(), goTools(), jqTools(), plainTools()} {
		for _, t := range group {
			if t.rare {
				rare = append(rare, t)
			} else {
				list = append(list, t)
			}
		}
	}
	return append(list, rare...)
}

func javascriptTools() []*tool {
	return style{number: javascriptNumber}.in([]layout{
		{id: "body.javascript", name: "JavaScript's JSON.stringify", order: indexesFirst},
		{id: "body.javascript_indented", name: "JavaScript's JSON.stringify(value, null, 2)", order: indexesFirst, indent: "  "},
		{id: "body.javascript_indented", name: "JavaScript's JSON.stringify(value, null, 4)", order: indexesFirst, indent: "    ", rare: true},
		{id: "body.javascript_indented", name: "JavaScript's JSON.stringify(value, null, '\\t')", order: indexesFirst, indent: "\t", rare: true},
		{id: "body.javascript_sorted", name: "JavaScript's JSON.stringify over sorted keys (RFC 8785)", order: byUTF16},
	})
}

func pythonTools() []*tool {
	layouts := []layout{ // named by their arguments
		{id: "body.python", name: "", spaced: true},
		{id: "body.python_compact", name: "separators=(',', ':')"},
		{id: "body.python_sorted", name: "sort_keys=True", order: byCodePoint, spaced: true},
		{id: "body.python_compact_sorted", name: "separators=(',', ':'), sort_keys=True", order: byCodePoint},
		{id: "body.python_indented", name: "indent=2", indent: "  ", rare: true},
		{id: "body.python_indented", name: "indent=4", indent: "    ", rare: true},
		{id: "body.python_indented_sorted", name: "indent=2, sort_keys=True", order: byCodePoint, indent: "  ", rare: true},
		{id: "body.python_indented_sorted", name: "indent=4, sort_keys=True", order: byCodePoint, indent: "    ", rare: true},
	}
	escaped := style{number: pythonNumber, ascii: true, del: true}.in(layouts)
	literal := style{number: pythonNumber, lone: loneRefused}.in(layouts)
	var list []*tool
	for i := range layouts {
		escaped, literal := escaped[i], literal[i]
		literal.id += "_unicode"
		if literal.name != "" {
			literal.name += ", "
		}
		literal.name += "ensure_ascii=False"
		for _, t := range []*tool{escaped, literal} {
			if t.name != "" {
				t.name = "(" + t.name + ")"
			}
			t.name = "Python's json.dumps" + t.name
			list = append(list, t)
		}
	}
	return list
}

func phpTools() []*tool {
	var list []*tool
	for flags := range 8 {
		l := layout{id: "body.php", name: "PHP's json_encode"}
		var names []string
		for _, flag := range []struct {
			bit      int
			id, name string
		}{{4, "_pretty", "JSON_PRETTY_PRINT"}, {1, "_slashes", "JSON_UNESCAPED_SLASHES"}, {2, "_unicode", "JSON_UNESCAPED_UNICODE"}} {
			if flags&flag.bit != 0 {
				l.id += flag.id
				names = append(names, flag.name)
			}
		}
		if len(names) > 0 {
			l.name += "(" + strings.Join(names, " | ") + ")"
		}
		if flags&4 != 0 {
			l.indent, l.rare = "    ", true
		}
		objects := style{number: phpNumber, lone: loneUnread, lines: true, slash: flags&1 == 0, ascii: flags&2 == 0}
		arrays := objects
		objects.objects, arrays.arrays = true, true
		list = append(list, objects.in([]layout{l})...)
		l.name += " of arrays"
		list = append(list, arrays.in([]layout{l})...)
	}
	return list
}

func goTools() []*tool {
	plain := style{number: goNumber, lone: loneReplaced, lines: true, finite: true}
	html := plain
	html.html = true
	return append(html.in([]layout{
		{id: "body.go", name: "Go's json.Marshal(map)", order: byCodePoint},
		{id: "body.go_newline", name: "Go's json.Encoder", order: byCodePoint, tail: "\n"},
		{id: "body.go_indented", name: "Go's json.MarshalIndent(map)", order: byCodePoint, indent: "  ", rare: true},
	}), plain.in([]layout{
		{id: "body.go_unescaped", name: "Go's trimmed json.Encoder with SetEscapeHTML(false)", order: byCodePoint},
		{id: "body.go_unescaped_newline", name: "Go's json.Encoder with SetEscapeHTML(false)", order: byCodePoint, tail: "\n"},
	})...)
}

func jqTools() []*tool {
	layouts := []layout{
		{id: "body.jq_compact", name: "jq -c"},
		{id: "body.jq_compact", name: "$(jq -c)"},
		{id: "body.jq", name: "jq", indent: "  ", rare: true},
		{id: "body.jq", name: "$(jq)", indent: "  ", rare: true},
		{id: "body.jq_sorted", name: "jq -S", order: byCodePoint, indent: "  ", rare: true},
		{id: "body.jq_sorted", name: "$(jq -S)", order: byCodePoint, indent: "  ", rare: true},
		{id: "body.jq_compact_sorted", name: "jq -cS", order: byCodePoint, rare: true},
		{id: "body.jq_compact_sorted", name: "$(jq -cS)", order: byCodePoint, rare: true},
	}
	for i := range layouts {
		if !strings.HasPrefix(layouts[i].name, "$") { // the shell takes the newline away
			layouts[i].tail = "\n"
		}
	}
	early := style{number: jqNumber, lone: loneUnread, del: true} // up to 1.6
	late := style{number: jqLiteral, lone: loneReplaced, del: true}
	return append(early.in(layouts), late.in(layouts)...)
}

// plainTools change the white space and the order alone: every number, string
// and repeated name stays as it was written.
func plainTools() []*tool {
	return style{verbatim: true}.in([]layout{
		{id: "body.minified", name: "a minifier"},
		{id: "body.keys_sorted", name: "a writer that sorts the keys", order: byCodePoint},
		{id: "body.keys_sorted", name: "a writer that sorts the keys", order: byCodePoint, spaced: true, rare: true},
		{id: "body.spaced", name: "a writer with a space after each comma and colon", spaced: true},
		{id: "body.indented", name: "a formatter with two spaces", indent: "  ", rare: true},
		{id: "body.indented", name: "a formatter with four spaces", indent: "    ", rare: true},
		{id: "body.indented", name: "a formatter with tabs", indent: "\t", rare: true},
	})
}

func (t *tool) help() string {
	return "the signature is over the JSON as " + t.name + " writes it: the body here is spelled otherwise"
}

func styleCauses() []Cause {
	const fix = "verify the raw bytes as they arrived, before anything parses them, and have the sender sign the very bytes that it sends"
	var list []Cause
	seen := map[string]bool{}
	for _, t := range tools() {
		if !seen[t.id] {
			seen[t.id] = true
			list = append(list, Cause{t.id, t.help(), fix})
		}
	}
	return list
}
