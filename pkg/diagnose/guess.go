package diagnose

import (
	"fmt"
	"slices"
	"strings"
)

// guess reads the shape of a value that no computation led to.
func guess(c *Case, presented []reading) *hit {
	value, _ := peel(c.Signature)
	if slices.Contains([]string{"undefined", "null", "none", "nil", "nan", "false", "true", "[object object]", "[object promise]", "array", "signature", "your-hmac-signature"}, strings.ToLower(value)) {
		return &hit{steps: because("encoding.placeholder", "")}
	}
	var best []step
	for _, r := range presented {
		steps := r.steps
		for _, h := range hashes() {
			if h.id != "" && len(r.digest) == h.size {
				steps = append(because(h.id, "by its length"), steps...)
			}
		}
		if len(steps) == 0 {
			return nil // the shape is right, so it says nothing
		}
		if best == nil {
			best = steps
		}
	}
	return &hit{steps: best}
}

// misnamed reads the values of the headers whose name or value looks like a
// signature, for a request that lacks the scheme's own header.
func misnamed(c *Case) []reading {
	var list []reading
	for _, p := range c.Header {
		for _, r := range readings(&c.Scheme, p.Value) {
			if len(r.digest) == 32 {
				r.steps = append(because("header.other_name", fmt.Sprintf("it is in %.60q", p.Name)), r.steps...)
				list = append(list, r)
			}
		}
	}
	return list[:min(len(list), maxReadings)]
}

func headerCauses() []Cause {
	return []Cause{
		{"header.other_name", "the signature is in the request, under another header than the scheme's", "have the sender put it in " + itsHeader + ", and look whether a proxy renames headers"},
	}
}
