package sqlfile

import (
	"database/sql"
	"fmt"
	"strings"
)

// AmbiguousError is the error for a prefix with which several ids begin.
type AmbiguousError struct {
	Prefix string
	IDs    []string // of the newest rows, at most maxCandidates
	More   int      // how many others there are
}

// maxCandidates is how many ids an error lists.
const maxCandidates = 8

func (e *AmbiguousError) Error() string {
	more := ""
	if e.More > 0 {
		more = fmt.Sprintf(" and %d more", e.More)
	}
	return fmt.Sprintf("%d ids begin with %q: %s%s; give more characters of one", len(e.IDs)+e.More, e.Prefix, strings.Join(e.IDs, ", "), more)
}

// CompleteID returns the id that a person means by prefix: the id itself, or the
// only one that begins with it, in any of the columns of a table. The table has a
// column seq, which grows. An ellipsis at the end of prefix, which stands for what an
// output left out, is ignored. The id is "" if there is none; the error is an
// [*AmbiguousError] if there are several. each runs a query.
func CompleteID(each func(query string, args []any, scan func(*sql.Rows) error) error, table string, columns []string, prefix string) (string, error) {
	if prefix = strings.TrimSuffix(prefix, "…"); prefix == "" {
		return "", nil
	}
	var parts []string
	var args []any
	for _, column := range columns {
		parts = append(parts, fmt.Sprintf("SELECT %[2]s AS id, seq FROM %[1]s WHERE %[2]s >= ? AND %[2]s < ?", table, column))
		args = append(args, prefix, prefix+"\U0010FFFF") // what begins with prefix, found by an index if there is one
	}
	found := AmbiguousError{Prefix: prefix}
	exact := false
	query := "SELECT id FROM (" + strings.Join(parts, " UNION ALL ") + ") GROUP BY id ORDER BY id <> ?, max(seq) DESC"
	err := each(query, append(args, prefix), func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		exact = exact || id == prefix
		if len(found.IDs) < maxCandidates {
			found.IDs = append(found.IDs, id)
		} else {
			found.More++
		}
		return err
	})
	switch {
	case err != nil || len(found.IDs) == 0:
		return "", err
	case exact || len(found.IDs) == 1:
		return found.IDs[0], nil
	}
	return "", &found
}
