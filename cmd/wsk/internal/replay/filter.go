package replay

import (
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Filter picks among items as the journal's filter picks among its records.
// What is left zero picks all. A payload has no time, status or direction, so
// a filter that asks for one does not pick it.
type Filter struct {
	Since, Until time.Time         // from Since up to, and not including, Until
	Events       []string          // globs; one of them must match
	Status       []string          // "ok", "failed", an outcome, "503" or "5xx"; one of them must hold
	Direction    webhook.Direction // which way it went
}

// Match reports whether the filter picks an item.
func (f Filter) Match(i Item) bool {
	if !anyOf(f.Events, func(glob string) bool {
		ok, err := path.Match(glob, i.Event.Type)
		return ok && err == nil
	}) {
		return false
	}
	r := i.Record
	if r == nil {
		return f.Since.IsZero() && f.Until.IsZero() && f.Status == nil && f.Direction == ""
	}
	inTime := !r.Time.Before(f.Since) && (f.Until.IsZero() || r.Time.Before(f.Until))
	return inTime && (f.Direction == "" || r.Direction == f.Direction) &&
		anyOf(f.Status, func(s string) bool { return hasStatus(&i, s) })
}

func anyOf(list []string, is func(string) bool) bool {
	for _, text := range list {
		if is(text) {
			return true
		}
	}
	return len(list) == 0
}

func hasStatus(i *Item, text string) bool {
	status, known := i.Before()
	outcome := webhook.Outcome("")
	if i.Record.Verdict != nil {
		outcome = i.Record.Verdict.Outcome
	}
	class, isClass := strings.CutSuffix(text, "xx")
	switch {
	case text == "ok":
		return status/100 == 2
	case text == "failed":
		return known && status/100 != 2
	case isClass:
		return strconv.Itoa(status/100) == class
	}
	return text == string(outcome) || text == strconv.Itoa(status)
}
