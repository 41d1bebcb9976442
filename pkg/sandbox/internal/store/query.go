package store

import "database/sql"

// Query picks records. Empty members pick all.
type Query struct {
	ID      string
	Company string
	Kind    Kind
	Parent  string   // the ID of the record that they belong to
	Name    string   // exactly
	Words   []string // each is part of the name, in upper or lower case
	KeyLike string   // part of the key, in upper or lower case (ASCII)
	Limit   int      // how many at most; 0: all
	Newest  bool     // the newest first; default: the oldest
	Offset  int
}

// List returns the records that q picks, the oldest first unless told
// otherwise.
func (t *Tx) List(q Query) ([]*Record, error) {
	where, args := q.where()
	order := " ORDER BY seq"
	if q.Newest {
		order = " ORDER BY seq DESC"
	}
	limit := q.Limit
	if limit <= 0 {
		limit = -1
	}
	return t.records("SELECT "+columns+" FROM record"+where+order+" LIMIT ? OFFSET ?", append(args, limit, q.Offset)...)
}

// Counts returns how many records there are of each kind, over all companies.
func (t *Tx) Counts() (map[Kind]int, error) {
	counts := map[Kind]int{}
	for _, kind := range Kinds {
		counts[kind] = 0
	}
	err := t.each("SELECT kind, count(*) FROM record GROUP BY kind", nil, func(rows *sql.Rows) error {
		var kind Kind
		var n int
		err := rows.Scan(&kind, &n)
		counts[kind] = n
		return err
	})
	return counts, err
}

func (q *Query) where() (text string, args []any) {
	text = " WHERE TRUE"
	for _, term := range [][2]string{
		{" AND id = ?", q.ID},
		{" AND company = ?", q.Company},
		{" AND kind = ?", string(q.Kind)},
		{" AND parent <> '' AND parent = ?", q.Parent}, // as the index on it says
		{" AND name = ?", q.Name},
		{" AND instr(lower(key), lower(?)) > 0", q.KeyLike},
	} {
		if term[1] != "" {
			text, args = text+term[0], append(args, term[1])
		}
	}
	for _, word := range q.Words {
		text, args = text+" AND instr(folded, ?) > 0", append(args, fold(word))
	}
	return text, args
}
