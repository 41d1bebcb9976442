package webhook

import (
	"fmt"
	"strings"
)

// UnknownError is a name that is not one of a known set.
type UnknownError struct {
	Kind    string   // what was named: "event", "scheme"
	Name    string   // the name as given
	Nearest string   // the known name most like it, or ""
	Known   []string // every name that would have been taken
}

// Unknown makes an [*UnknownError] and looks for the nearest name. It is on
// some forty ways to an error, none of which has to be fast.
//
//go:noinline
func Unknown(kind, name string, known []string) *UnknownError {
	return &UnknownError{Kind: kind, Name: name, Nearest: Nearest(name, known), Known: known}
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

// Nearest returns the known name most like the given one, or "" when none is
// like it: more than a third of the letters would have to change.
func Nearest(name string, known []string) string {
	best, bestDistance := "", len(name)/3+1
	for _, candidate := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance counts the letters to insert, drop, replace or swap with their
// neighbour (Damerau-Levenshtein, optimal string alignment).
func distance(a, b string) int {
	if len(a) > 200 || len(b) > 200 {
		return len(a) + len(b) // nobody mistyped that
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
