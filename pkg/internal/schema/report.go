package schema

import (
	"slices"
	"sort"
	"strconv"
)

// Faults that several places meet.
const (
	cutOff        = "the JSON is cut off here"
	cutOffString  = "the JSON is cut off here, within a string"
	trailingComma = "a comma too many before this bracket"
)

// notes reports whether a finding of this kind is to be added. In a trial none
// is: there a violation ends the trial.
func (c *Checker) notes(kind Kind) bool {
	if c.trial > 0 {
		c.stop = c.stop || kind.IsViolation()
		return false
	}
	return len(c.findings) < MaxFindings || kind.IsViolation() && c.observed > 0
}

// add adds a finding about the value at hand. Where there is no room left, an
// observation makes room for it, or else the last one does.
func (c *Checker) add(f Finding) {
	f.Pointer = c.pointer()
	if len(c.findings) == MaxFindings {
		i := len(c.findings) - 1
		if c.observed > 0 {
			for c.findings[i].Kind.IsViolation() {
				i--
			}
			c.observed--
		}
		c.findings = slices.Delete(c.findings, i, i+1)
	}
	if !f.Kind.IsViolation() {
		c.observed++
	}
	c.findings = append(c.findings, f)
}

func (c *Checker) miscounted(kind Kind, start, want, got int) {
	if c.notes(kind) {
		c.add(Finding{Kind: kind, Offset: start, End: c.pos, Want: strconv.Itoa(want), Got: strconv.Itoa(got)})
	}
}

// broken reports where the text ends to be JSON.
func (c *Checker) broken(at int, why string) {
	if !c.dead {
		c.end(Finding{Kind: Syntax, Offset: at, End: min(at+1, len(c.data)), Want: why})
	}
}

// end adds a finding after which nothing is looked at, whatever else there is.
func (c *Checker) end(f Finding) {
	c.dead, c.stop = true, true
	c.add(f)
}

// strange reports a byte that begins no value.
func (c *Checker) strange(at int) {
	why := "no JSON value begins with "
	switch b := c.data[at]; {
	case b == 0:
		why = "a NUL byte: this looks like a binary file"
	case b == '}' || b == ']' || b == ',':
		why = "a value is missing here"
	case b == '\'' || b == '`':
		why = "JSON's strings stand in double quotes"
	case b == '/' || b == '#':
		why = "JSON has no comments"
	case b == '+' || b == '.':
		why = "a number of JSON begins with a digit or -"
	case 'a' <= b|0x20 && b|0x20 <= 'z':
		why = "only true, false and null stand without quotes"
	case b < ' ' || b >= 0x7f:
		why = "this byte begins no JSON value"
	default:
		why += string(rune(b))
	}
	c.broken(at, why)
}

// pointer writes the JSON Pointer of the value at hand.
func (c *Checker) pointer() string {
	var b []byte
	for _, step := range c.path {
		b = append(b, '/')
		if step >= 0 {
			b = strconv.AppendInt(b, int64(step), 10)
		} else {
			b = append(b, escapePointer(c.nameAt(^step))...)
		}
	}
	return string(b)
}

// nameAt returns the characters of the name whose first quote stands there.
func (c *Checker) nameAt(at int) string {
	end := at + 1
	for c.data[end] != '"' {
		if c.data[end] == '\\' {
			end++
		}
		end++
	}
	return string(appendPlain(nil, c.data[at+1:end]))
}

// inOrder sorts the findings by their place, violations first, and drops those
// said twice, by two schemas for the same value.
func (c *Checker) inOrder() []Finding {
	if len(c.findings) < 2 {
		return c.findings
	}
	sort.SliceStable(c.findings, func(i, j int) bool {
		a, b := &c.findings[i], &c.findings[j]
		if a.Offset != b.Offset {
			return a.Offset < b.Offset
		}
		return a.Kind.IsViolation() && !b.Kind.IsViolation()
	})
	kept := c.findings[:0]
	for _, f := range c.findings {
		if !slices.Contains(kept, f) {
			kept = append(kept, f)
		}
	}
	c.findings = kept
	return kept
}
