package lint

import (
	"bytes"
	"slices"
)

// maxFixes bounds the rounds of Fix; each mends one place.
const maxFixes = 1000

// Fix mends what can be mended without a guess, trailing commas and alias
// names, and touches no other byte. It returns the payload and how many places
// were mended; raw itself when there were none.
//
// A name is only changed when its canonical one is not there as well, and when
// the value fits it.
func (c *Checker) Fix(raw []byte) (fixed []byte, places int) {
	fixed = raw
	skipped := map[string]bool{} // aliases that are better left alone
	for range maxFixes {
		next, ok := c.fixOne(fixed, skipped)
		if !ok {
			return fixed, places
		}
		fixed = next
		places++
	}
	return fixed, places
}

func (c *Checker) fixOne(raw []byte, skipped map[string]bool) ([]byte, bool) {
	result := c.Payload(raw)
	errors := result.Errors()
	for _, f := range slices.Clone(result.Findings) {
		switch f.Rule {
		case "syntax":
			if at := trailingComma(raw, f.Offset); at >= 0 {
				return slices.Concat(raw[:at], raw[at+1:]), true
			}
		case "alias":
			key := f.Pointer + "\x00" + f.Message
			canonical := c.canonical[f.Offset]
			if skipped[key] || canonical == "" {
				continue
			}
			next := slices.Concat(raw[:f.Offset], []byte(`"`+canonical+`"`), raw[nameEnd(raw, f.Offset):])
			if c.Payload(next).Errors() <= errors {
				return next, true
			}
			skipped[key] = true
			c.Payload(raw) // the canonical names belong to raw again
		}
	}
	return nil, false
}

// trailingComma finds the comma that stands before a closing bracket.
func trailingComma(raw []byte, bracket int) int {
	if bracket >= len(raw) || raw[bracket] != '}' && raw[bracket] != ']' {
		return -1
	}
	before := bytes.TrimRight(raw[:bracket], " \t\r\n")
	if len(before) == 0 || before[len(before)-1] != ',' {
		return -1
	}
	return len(before) - 1
}

// nameEnd returns the place behind the quoted name that begins at at.
func nameEnd(raw []byte, at int) int {
	for i := at + 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}
