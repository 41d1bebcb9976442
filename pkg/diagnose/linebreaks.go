package diagnose

import (
	"bytes"
	"strings"
)

// withLineBreaks returns indented JSON that lost its line breaks, as curl -d @FILE
// sends it, with the breaks put back, or nil if raw is not such a text. Of the line
// breaks only the indentation behind them is left: white space as wide as the depth
// times the width of the first.
func (raw original) withLineBreaks(lineEnd string) []byte {
	if bytes.ContainsAny(raw, "\r\n") || len(raw) < 2 || !opens(raw[0]) {
		return nil
	}
	unit := indentation(raw[1:])
	if unit == 0 || unit == 1 && raw[1] == ' ' { // a space is no indentation: { "a": 1 }
		return nil
	}
	var out bytes.Buffer
	depth, inString, escaped := 0, false, false
	for i, c := range raw {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString:
		case opens(c):
			depth++
		case closes(c):
			if depth--; depth == 0 { // the last line has no indentation
				out.WriteString(lineEnd)
			}
		}
		out.WriteByte(c)
		width := indentation(raw[i+1:])
		if inString || width == 0 || strings.IndexByte(" \t", c) >= 0 || i+1+width == len(raw) {
			continue
		}
		level := depth // of the line that may begin here
		if closes(raw[i+1+width]) {
			level--
		} else if c != ',' && !opens(c) {
			continue
		}
		if level > 0 && width == level*unit {
			out.WriteString(lineEnd)
		}
	}
	return out.Bytes()
}

func opens(c byte) bool  { return c == '{' || c == '[' }
func closes(c byte) bool { return c == '}' || c == ']' }

// indentation counts the spaces and tabs at the beginning of a text.
func indentation(text []byte) int { return len(text) - len(bytes.TrimLeft(text, " \t")) }
