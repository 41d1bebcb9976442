package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Cause is one way in which a signature goes wrong: its stable ID, one line
// that says what happened, and one that says how to mend it.
type Cause struct{ ID, Help, Fix string }

// Causes returns the table of all ways that [Explain] knows, by group.
func Causes() []Cause {
	return slices.Concat(bodyCauses(), escapeCauses(), styleCauses(), contentCauses(), secretCauses(),
		encodingCauses(), digestCauses(), headerCauses(), senderCauses())
}

// step is one cause as it was met: detail says what the table can't know, such
// as how much of a signature is there, and help stands in place of the table's.
type step struct{ id, detail, help string }

// because is the list of one cause.
func because(id, detail string) []step { return []step{{id: id, detail: detail}} }

// hit is an explanation with the computation that led to it.
type hit struct {
	steps   []step
	certain bool
	origin  origin         // of a body that was written anew
	scheme  webhook.Scheme // whose names stand in a fix

	digest []byte   // what the computation gave
	hash   string   // its hash function
	mix    mix      // how key and content go into it
	key    []byte   // the key used
	parts  [][]byte // the content, in order
}

func (h *hit) finding() Finding {
	var summary, fix []string
	var ids []string
	table := map[string]Cause{}
	for _, c := range Causes() {
		table[c.ID] = c
	}
	for _, s := range h.steps {
		cause, known := table[s.id]
		if !known {
			continue
		}
		delete(table, s.id) // a cause is told once
		ids = append(ids, s.id)
		help := cmp.Or(s.help, cause.Help)
		if s.detail != "" {
			help += " (" + s.detail + ")"
		}
		summary = append(summary, help)
		fix = append(fix, h.fix(cause))
	}
	f := Finding{
		Summary: strings.Join(summary, "; and "), Fix: strings.Join(slices.Compact(fix), "; and "), Certain: h.certain,
	}
	if len(ids) > 0 {
		f.ID = ids[0]
	}
	if len(ids) > 1 {
		f.IDs = ids
	}
	f.Summary += h.origin.sentence()
	if !h.certain && !strings.HasPrefix(f.ID, "sender.") && f.ID != "encoding.placeholder" {
		f.Summary += "; read that way it still does not match, so something else is wrong too"
	}
	return f
}

// These words stand in the table for what the scheme at hand has there.
const (
	whatIsCovered = "what the scheme covers"
	itsHeader     = "the scheme's own header"
)

func (h *hit) fix(c Cause) string {
	switch {
	case h.origin.known && strings.HasPrefix(c.ID, "body."):
		return h.origin.fix()
	case !h.scheme.IsZero():
		return strings.NewReplacer(whatIsCovered, h.scheme.Covers(), itsHeader, h.scheme.SignatureHeader()).Replace(c.Fix)
	}
	return c.Fix
}
