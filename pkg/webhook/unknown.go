package webhook

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/internal/nearest"
)

// UnknownError is the error for a name that is not one of a known set.
type UnknownError struct {
	Kind    string   // what was named: "event", "scheme"
	Name    string   // the name as given
	Nearest string   // the known name most like it, or ""
	Known   []string // every name that is valid
}

// Unknown returns an [*UnknownError] that names the known name nearest to the
// given one: of many, the only one that begins with it, else the one most like it.
func Unknown(kind, name string, known []string) *UnknownError {
	e := &UnknownError{Kind: kind, Name: name, Nearest: nearest.Name(name, known), Known: known}
	if begins := e.begins(); len(begins) == 1 && len(known) > maxListed {
		e.Nearest = begins[0]
	}
	return e
}

// maxListed is how many names an error lists.
const maxListed = 12

// Error names the nearest known name, or lists up to twelve: where more are known,
// those that begin with the name, and otherwise all of them.
func (e *UnknownError) Error() string {
	begins := e.begins()
	switch {
	case len(e.Known) > maxListed && len(begins) > 1 && len(begins) <= maxListed:
		return fmt.Sprintf("unknown %s %.60q: did you mean %s?", e.Kind, e.Name, orList(begins))
	case e.Nearest != "":
		return fmt.Sprintf("unknown %s %.60q: did you mean %q?", e.Kind, e.Name, e.Nearest)
	case len(e.Known) == 0:
		return fmt.Sprintf("unknown %s %.60q", e.Kind, e.Name)
	case len(e.Known) <= maxListed:
		return fmt.Sprintf("unknown %s %.60q: known are %s", e.Kind, e.Name, strings.Join(e.Known, ", "))
	}
	return fmt.Sprintf("unknown %s %.60q: none of the %d known is like it", e.Kind, e.Name, len(e.Known))
}

// CheckGlob returns an error unless a glob, as [path.Match] takes it, matches a
// known name; a name is a glob that matches itself. If it matches none, the error
// is an [*UnknownError], whose Nearest for a glob is one of the form "category.*"
// or "*.verb".
func CheckGlob(kind, glob string, known []string) error {
	if _, err := path.Match(glob, ""); err != nil {
		return fmt.Errorf("the %s %.60q is not a valid glob: close each [ with a ]", kind, glob)
	}
	for _, name := range known {
		if ok, _ := path.Match(glob, name); ok { // the glob was checked
			return nil
		}
	}
	unknown := Unknown(kind, glob, known)
	if strings.ContainsAny(glob, "*?[") {
		var globs []string
		for _, name := range known {
			if category, verb, found := strings.Cut(name, "."); found {
				globs = append(globs, category+".*", "*."+verb)
			}
		}
		slices.Sort(globs)
		unknown.Nearest = nearest.Name(glob, slices.Compact(globs))
	}
	return unknown
}

// begins returns the known names that begin with the given one.
func (e *UnknownError) begins() (names []string) {
	for _, known := range e.Known {
		if e.Name != "" && strings.HasPrefix(known, e.Name) {
			names = append(names, known)
		}
	}
	return names
}

// orList joins names as a sentence does: "a, b or c".
func orList(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
