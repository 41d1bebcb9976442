package store

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// Kind is the kind of a record.
type Kind string

// The kinds of records. The comments name the parents.
const (
	Project    Kind = "project"    // of a customer
	WorkOrder  Kind = "work_order" // of a project
	Employee   Kind = "employee"
	Vendor     Kind = "vendor"
	Customer   Kind = "customer"
	Location   Kind = "location"  // of a customer
	Contact    Kind = "contact"   // of a customer
	TimeOff    Kind = "time_off"  // of an employee
	Timesheet  Kind = "timesheet" // of an employee
	Report     Kind = "report"    // of a work order
	Skill      Kind = "skill"
	Department Kind = "department"
	Role       Kind = "role"
	WorkType   Kind = "work_type"
)

// Kinds lists every kind of record.
var Kinds = []Kind{
	Project, WorkOrder, Employee, Vendor, Customer, Location, Contact, TimeOff, Timesheet, Report, Skill, Department, Role, WorkType,
}

// Fields are the members of a record as JSON has them: string, bool, nil,
// json.Number, []any and map[string]any. A number keeps its spelling.
type Fields = map[string]any

// Record is one thing that a company has, such as a project.
type Record struct {
	ID      string // unique over all companies
	Company string
	Kind    Kind
	Key     string // identifies it on the platform, see [Key]; unique in company and kind
	Parent  string // the ID of the record that it belongs to, or ""
	Name    string // for people; searches match it
	Created time.Time
	Updated time.Time
	Fields  Fields
}

// Key joins the parts that identify a record on the platform, such as an
// employee's number and a date.
func Key(parts ...string) string { return strings.Join(parts, "\x1f") }

// Clone returns a copy whose fields can be changed without changing r's.
func (r *Record) Clone() *Record {
	c := *r
	c.Fields = CloneFields(r.Fields)
	return &c
}

// CloneFields returns a deep copy.
func CloneFields(f Fields) Fields {
	c, _ := cloneValue(f).(Fields)
	return c
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name] = cloneValue(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = cloneValue(v[i])
		}
		return out
	}
	return v
}

// DecodeFields decodes a JSON object. Numbers keep their spelling.
func DecodeFields(raw []byte) (Fields, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var f Fields
	err := d.Decode(&f)
	return f, err
}

const columns = "id, company, kind, key, parent, name, created, updated, fields"

// Put inserts or updates a record. The error is [ErrTaken] if another record of
// the company and kind has its key.
func (t *Tx) Put(r *Record) error {
	fields, err := jsontext.Marshal(r.Fields)
	if err != nil {
		return fmt.Errorf("writing %s: %w", r.ID, err)
	}
	err = t.w.Exec(`INSERT INTO record (`+columns+`, folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET key = excluded.key, parent = excluded.parent, name = excluded.name,
			folded = excluded.folded, updated = excluded.updated, fields = excluded.fields`,
		r.ID, r.Company, string(r.Kind), r.Key, r.Parent, r.Name, r.Created.UnixNano(), r.Updated.UnixNano(), string(fields), fold(r.Name))
	if sqlfile.Taken(err) {
		return ErrTaken
	}
	return err
}

// fold returns a name in the form that searches compare.
func fold(name string) string { return strings.Join(strings.Fields(strings.ToLower(name)), " ") }

// Get returns the record with an ID, or [ErrNotFound].
func (t *Tx) Get(company, id string) (*Record, error) {
	return t.one("SELECT "+columns+" FROM record WHERE id = ? AND company = ?", id, company)
}

// Find returns the record with a key, or [ErrNotFound].
func (t *Tx) Find(company string, k Kind, key string) (*Record, error) {
	return t.one("SELECT "+columns+" FROM record WHERE company = ? AND kind = ? AND key = ?", company, string(k), key)
}

// Delete removes a record. Its children stay: the caller decides about them.
func (t *Tx) Delete(r *Record) error { return t.w.Exec("DELETE FROM record WHERE id = ?", r.ID) }

func (t *Tx) one(text string, args ...any) (*Record, error) {
	list, err := t.records(text, args...)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return list[0], nil
}

func (t *Tx) records(text string, args ...any) (list []*Record, err error) {
	err = t.w.Each(text, args, func(rows *sql.Rows) error {
		r, err := scan(rows)
		list = append(list, r)
		return err
	})
	return list, err
}

func scan(rows *sql.Rows) (*Record, error) {
	var created, updated int64
	var fields []byte
	r := &Record{}
	err := rows.Scan(&r.ID, &r.Company, &r.Kind, &r.Key, &r.Parent, &r.Name, &created, &updated, &fields)
	if err == nil {
		r.Created, r.Updated = unixNano(created), unixNano(updated)
		r.Fields, err = DecodeFields(fields)
	}
	return r, err
}

// Query selects records. Empty fields select all.
type Query struct {
	ID      string
	Company string
	Kind    Kind
	Parent  string   // the parent's ID
	Name    string   // the exact name
	Words   []string // each is part of the name, ignoring case
	KeyLike string   // is part of the key, ignoring case (ASCII only)
	Limit   int      // at most this many; 0: all
	Newest  bool     // return the newest first rather than the oldest
}

// List returns the records that q selects.
func (t *Tx) List(q Query) ([]*Record, error) {
	text, args := q.statement(columns)
	return t.records(text, args...)
}

// EachName calls visit with the ID and the name of each record that q selects:
// the name in lower case, with single spaces. It reads no more of the records.
func (t *Tx) EachName(q Query, visit func(id, name string)) error {
	text, args := q.statement("id, folded")
	return t.w.Each(text, args, func(rows *sql.Rows) error {
		var id, name string
		err := rows.Scan(&id, &name)
		if err == nil {
			visit(id, name)
		}
		return err
	})
}

func (q *Query) statement(columns string) (text string, args []any) {
	var where conditions
	where.equal("id", q.ID)
	where.equal("company", q.Company)
	where.equal("kind", string(q.Kind))
	if q.Parent != "" {
		where.add("parent <> '' AND parent = ?", q.Parent) // so that SQLite uses the partial index
	}
	where.equal("name", q.Name)
	if q.KeyLike != "" {
		where.add("instr(lower(key), lower(?)) > 0", q.KeyLike)
	}
	for _, word := range q.Words {
		where.add("instr(folded, ?) > 0", fold(word))
	}
	order := " ORDER BY seq"
	if q.Newest {
		order = " ORDER BY seq DESC"
	}
	return "SELECT " + columns + " FROM record" + where.text + order + " LIMIT ?", append(where.args, rowLimit(q.Limit))
}

// Counts returns how many records of each kind there are, in all companies.
func (t *Tx) Counts() (map[Kind]int, error) {
	counts := map[Kind]int{}
	for _, kind := range Kinds {
		counts[kind] = 0
	}
	err := t.w.Each("SELECT kind, count(*) FROM record GROUP BY kind", nil, func(rows *sql.Rows) error {
		var kind Kind
		var n int
		err := rows.Scan(&kind, &n)
		counts[kind] = n
		return err
	})
	return counts, err
}

// Next increments a company's counter of that name, and returns 1 the first
// time.
func (t *Tx) Next(company, name string) (n int, err error) {
	err = t.w.Exec("INSERT INTO counter (company, name, n) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", company, name)
	if err == nil {
		err = t.w.One("SELECT n FROM counter WHERE company = ? AND name = ?", []any{company, name}, &n)
	}
	return n, err
}
