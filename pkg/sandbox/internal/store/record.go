package store

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// Kind is what a record is.
type Kind string

// The kinds of records.
const (
	Project    Kind = "project"
	WorkOrder  Kind = "work_order"
	Employee   Kind = "employee"
	Vendor     Kind = "vendor"
	Customer   Kind = "customer"
	Location   Kind = "location" // its parent is the customer
	Contact    Kind = "contact"  // its parent is the customer
	TimeOff    Kind = "time_off" // its parent is the employee
	Timesheet  Kind = "timesheet"
	Report     Kind = "report" // its parent is the work order
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
// json.Number, []any, map[string]any. A number keeps its spelling.
type Fields = map[string]any

// Record is one thing that a company has.
type Record struct {
	ID      string // unique over all companies
	Company string
	Kind    Kind
	Key     string // what the platform knows it by, see [Key]; unique in company and kind
	Parent  string // the ID of the record that it belongs to, or ""
	Name    string // what people call it, and a search finds it by
	Created time.Time
	Updated time.Time
	Fields  Fields
}

// Key joins the parts that identify a record of the platform, such as an
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

// DecodeFields reads a JSON object; its numbers keep their spelling.
func DecodeFields(raw []byte) (Fields, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var f Fields
	err := d.Decode(&f)
	return f, err
}

const columns = "id, company, kind, key, parent, name, created, updated, fields"

// Put writes a record, a new one or one that has changed. The error is
// [ErrTaken] when another record of the company and kind has its key.
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

// fold brings a name into the form that searches compare.
func fold(name string) string { return strings.Join(strings.Fields(strings.ToLower(name)), " ") }

// Get finds a record by its ID, or returns [ErrNotFound].
func (t *Tx) Get(company, id string) (*Record, error) {
	return t.one("SELECT "+columns+" FROM record WHERE id = ? AND company = ?", id, company)
}

// Find finds a record by its key, or returns [ErrNotFound].
func (t *Tx) Find(company string, k Kind, key string) (*Record, error) {
	return t.one("SELECT "+columns+" FROM record WHERE company = ? AND kind = ? AND key = ?", company, string(k), key)
}

// Delete removes a record. Those that belong to it stay: whoever deletes says
// what becomes of them.
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
	err = t.each(text, args, func(rows *sql.Rows) error {
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
		r.Created, r.Updated = moment(created), moment(updated)
		r.Fields, err = DecodeFields(fields)
	}
	return r, err
}

// moment reads a time as the file has it.
func moment(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }

// each calls scan for every row of an answer. Nothing may be written while it
// does.
func (t *Tx) each(text string, args []any, scan func(*sql.Rows) error) error {
	rows, err := t.w.Query(text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err is what counts
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Next counts up: 1, 2, 3 for each name in a company.
func (t *Tx) Next(company, name string) (n int, err error) {
	err = t.w.Exec("INSERT INTO counter (company, name, n) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", company, name)
	if err == nil {
		err = t.w.One("SELECT n FROM counter WHERE company = ? AND name = ?", []any{company, name}, &n)
	}
	return n, err
}

// Setting reads a value that the sandbox keeps for itself, or "".
func (t *Tx) Setting(name string) (value string, err error) {
	err = t.w.One("SELECT value FROM setting WHERE name = ?", []any{name}, &value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value, err
}

// Set keeps a value for [Tx.Setting].
func (t *Tx) Set(name, value string) error {
	return t.w.Exec("INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value)
}
