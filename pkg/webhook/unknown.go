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
// given one.
func Unknown(kind, name string, known []string) *UnknownError {
	return &UnknownError{Kind: kind, Name: name, Nearest: nearest.Name(name, known), Known: known}
}

// Error names the nearest known name, or lists up to twelve of them.
func (e *UnknownError) Error() string {
	switch {
	case e.Nearest != "":
		return fmt.Sprintf("unknown %s %.60q: did you mean %q?", e.Kind, e.Name, e.Nearest)
	case len(e.Known) == 0:
		return fmt.Sprintf("unknown %s %.60q", e.Kind, e.Name)
	case len(e.Known) <= 12:
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
