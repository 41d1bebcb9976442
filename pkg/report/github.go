package report

import "strconv"

// githubWriter writes workflow commands, which GitHub Actions shows as
// annotations:
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
type githubWriter struct{ out output }

func (g *githubWriter) Source(string) error { return g.out.err }

func (g *githubWriter) Finding(f Finding) error {
	command := f.Severity
	if command == Note {
		command = "notice"
	}
	b := append(g.out.buf, "::"...)
	b = append(b, command...)
	b = appendProperties(b, f)
	b = append(b, "::"...)
	b = escape(b, f.Message, spellData)
	if f.Pointer != "" { // the log shows the message alone
		b = append(b, " at "...)
		b = escape(b, f.Pointer, spellData)
	}
	return g.out.write(append(b, '\n'))
}

func (g *githubWriter) Close(Summary) error { return g.out.err }

// appendProperties appends " file=…,line=…", without what is not known.
func appendProperties(b []byte, f Finding) []byte {
	separator := byte(' ')
	property := func(name, value string) {
		b = append(b, separator)
		b = append(b, name...)
		b = append(b, '=')
		b = escape(b, value, spellProperty)
		separator = ','
	}
	if f.File != "" {
		property("file", tidy(f.File))
	}
	if f.Line > 0 {
		property("line", strconv.Itoa(f.Line))
		if f.Column > 0 {
			property("col", strconv.Itoa(f.Column))
			if f.EndColumn > f.Column {
				property("endColumn", strconv.Itoa(f.EndColumn))
			}
		}
	}
	if f.Rule != "" {
		property("title", f.Rule)
	}
	return b
}

// spellData writes a character of a command's message.
func spellData(b []byte, r rune) []byte {
	switch r {
	case '%':
		return append(b, "%25"...)
	case '\r':
		return append(b, "%0D"...)
	case '\n':
		return append(b, "%0A"...)
	}
	return spellText(b, r)
}

// spellProperty writes a character of a command's property.
func spellProperty(b []byte, r rune) []byte {
	switch r {
	case ':':
		return append(b, "%3A"...)
	case ',':
		return append(b, "%2C"...)
	}
	return spellData(b, r)
}
