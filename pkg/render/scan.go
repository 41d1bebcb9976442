package render

import "strings"

// segment is a piece of a template's text: a literal, or a variable.
type segment struct {
	start, end int    // in the text
	name       string // of the variable; "" for a literal
}

// fault is what is wrong with a variable's spelling.
type fault struct {
	offset  int
	rule    string
	message string
}

// scan splits a text at its variables, in one pass. What is no variable stays
// literal, and is a fault.
func scan(text string) (segments []segment, faults []fault) {
	literal := 0
	for i := 0; i < len(text); {
		if !strings.HasPrefix(text[i:], "${") {
			next := strings.Index(text[i+1:], "${")
			if next < 0 {
				break
			}
			i += 1 + next
			continue
		}
		end, bad := variableEnd(text, i)
		if bad != "" {
			faults = append(faults, fault{i, "variable-syntax", bad})
			i += 2
			continue
		}
		if i > 0 && (text[i-1] == '\\' || text[i-1] == '$') {
			faults = append(faults, fault{i, "variable-escape",
				"Work Market documents no escape: the " + text[i-1:i] + " stays, and " + text[i:end] + " is replaced"})
		}
		if literal < i {
			segments = append(segments, segment{start: literal, end: i})
		}
		segments = append(segments, segment{i, end, text[i+2 : end-1]})
		i, literal = end, end
	}
	if literal < len(text) {
		segments = append(segments, segment{start: literal, end: len(text)})
	}
	return segments, faults
}

// longestName bounds the search for a brace that closes.
const longestName = 200

// variableEnd finds the end of the variable that begins at i, or says what is
// wrong with it.
func variableEnd(text string, i int) (end int, bad string) {
	window := text[i+2 : min(len(text), i+2+longestName)]
	stop := strings.IndexAny(window, "}{\n\"")
	switch {
	case stop < 0 || window[stop] == '\n' || window[stop] == '"':
		return 0, "${ is not closed: write ${name}"
	case window[stop] == '{':
		return 0, "a variable cannot stand in another: write ${name}"
	}
	name := window[:stop]
	switch trimmed := strings.TrimSpace(name); {
	case trimmed == "":
		return 0, "${} names no variable: write ${name}"
	case trimmed != name:
		return 0, "${" + name + "} has space around the name: write ${" + trimmed + "}"
	case !isName(name):
		return 0, "${" + name + "} is no name: letters, digits and _ alone"
	}
	return i + 2 + stop + 1, ""
}

func isName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
