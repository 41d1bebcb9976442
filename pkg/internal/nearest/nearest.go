// Package nearest finds the known name that a mistyped one was meant to be. It
// is internal because the measure of similarity may change. It imports nothing
// of wsk, so that every package under pkg can use it.
package nearest

import "strings"

// maxLength is the longest name that is compared, in bytes: the comparison
// takes quadratic time, and nobody mistypes a name of that length.
const maxLength = 200

// Name returns the known name most like the given one, or "" when none is
// close: when more than a third of the letters would have to change. Case does
// not count, and the first of several equally close names wins.
func Name(name string, known []string) string {
	best, bestDistance := "", len(name)/3+1
	lower := strings.ToLower(name)
	for _, candidate := range known {
		other := strings.ToLower(candidate)
		if len(lower)-len(other) >= bestDistance || len(other)-len(lower) >= bestDistance {
			continue // at least that many letters differ
		}
		if d := distance(lower, other); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour (Damerau-Levenshtein, optimal string alignment).
func distance(a, b string) int {
	if len(a) > maxLength || len(b) > maxLength {
		return len(a) + len(b)
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
