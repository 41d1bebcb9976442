package store

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

// Count counts the records that q picks, whatever its limit.
func (t *Tx) Count(q Query) (n int, err error) {
	where, args := q.where()
	err = t.w.One("SELECT count(*) FROM record"+where, args, &n)
	return n, err
}

func (q *Query) where() (text string, args []any) {
	text = " WHERE TRUE"
	for _, term := range [][2]string{
		{" AND id = ?", q.ID},
		{" AND company = ?", q.Company},
		{" AND kind = ?", string(q.Kind)},
		{" AND parent = ?", q.Parent},
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
