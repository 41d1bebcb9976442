package report

import "strconv"

// textWriter writes a line for each finding, as compilers do.
type textWriter struct{ out output }

func (t *textWriter) Source(string) error { return t.out.err }

func (t *textWriter) Finding(f Finding) error {
	return t.out.write(append(appendLine(t.out.buf, f, spellText), '\n'))
}

func (t *textWriter) Close(Summary) error { return t.out.err }

// appendLine appends "file:line:column: severity: message (rule) at pointer",
// without what is not known.
func appendLine(b []byte, f Finding, spell speller) []byte {
	if f.File != "" {
		b = escape(b, f.File, spell)
		b = append(b, ':')
		if f.Line > 0 {
			b = appendPlace(b, f)
			b = append(b, ':')
		}
		b = append(b, ' ')
	}
	b = append(b, f.Severity...)
	b = append(b, ": "...)
	b = escape(b, f.Message, spell)
	if f.Rule != "" {
		b = append(b, " ("...)
		b = escape(b, f.Rule, spell)
		b = append(b, ')')
	}
	if f.Pointer != "" {
		b = append(b, " at "...)
		b = escape(b, f.Pointer, spell)
	}
	return b
}

// appendPlace appends "line:column", or "line".
func appendPlace(b []byte, f Finding) []byte {
	b = strconv.AppendInt(b, int64(f.Line), 10)
	if f.Column > 0 {
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(f.Column), 10)
	}
	return b
}
