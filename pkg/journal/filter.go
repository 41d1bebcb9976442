package journal

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Filter selects records. A field that is zero selects all.
type Filter struct {
	Since, Until time.Time         // Since is included, Until is not
	Events       []string          // globs such as 'work_order.*'; at least one must match
	Status       []string          // see [CheckStatus]; at least one must apply
	Direction    webhook.Direction // sent or received
	IDs          []string          // ids of records or of deliveries, or beginnings that no other id has
	Deliveries   bool              // only the last record of each delivery that is not a duplicate; Status applies to that one
	Newest       bool              // the newest first; default: the oldest first
	Limit        int               // the largest number of records; 0 for all
}

// Statuses lists the values of [Filter.Status] other than HTTP statuses.
func Statuses() []string {
	names := []string{"ok", "failed"}
	for _, outcome := range webhook.Outcomes() {
		if outcome != webhook.Failed {
			names = append(names, string(outcome))
		}
	}
	return names
}

// CheckStatus returns an error unless status is a value of [Filter.Status]: an
// HTTP status such as "503", a class of them such as "5xx", an outcome such as
// "duplicate", "ok" or "failed". A record is ok if its response is 2xx, and so is
// that of the app that it was forwarded to. All others have failed, except those
// that are pending or were never sent, and those that a replay fixed: it had a 2xx response later.
func CheckStatus(status string) error {
	_, _, err := statusTerm(status)
	return err
}

// isOK and isFailed leave out what is pending or was never sent. HasStatus is the
// same in Go.
const (
	isOK = "(outcome NOT IN ('pending', 'forward_failed') AND coalesce(status BETWEEN 200 AND 299, FALSE)" +
		" AND coalesce(json_extract(forward, '$.status') BETWEEN 200 AND 299, TRUE))"
	isFailed = "(outcome <> 'pending' AND (outcome <> '' OR status IS NOT NULL) AND NOT " + isOK + ")"
)

// HasStatus reports whether a record has a status, as [Filter.Status] selects it. A
// record alone does not say whether a replay fixed it.
func HasStatus(r *webhook.Record, status string) bool {
	outcome, code := outcomeOf(*r), r.Status()
	isOpen := outcome == pending || outcome == "" && code == 0
	isOK := !isOpen && outcome != webhook.ForwardFailed && code/100 == 2 && (r.Forward == nil || r.Forward.Status/100 == 2)
	class, isClass := strings.CutSuffix(status, "xx")
	switch {
	case status == "ok":
		return isOK
	case status == "failed":
		return !isOK && !isOpen
	case isClass:
		return class == strconv.Itoa(code/100)
	}
	return status == string(outcome) || status == strconv.Itoa(code)
}

// fixed selects the records whose request was sent again, see
// [webhook.Record.ReplayOf], and answered with 2xx, but not as a duplicate. A replay is fixed by a later
// replay of the same record.
const fixed = `EXISTS (SELECT 1 FROM record again WHERE again.replay_of <> '' AND again.status BETWEEN 200 AND 299 AND again.outcome <> 'duplicate'
	AND again.replay_of IN (record.id, record.replay_of) AND again.seq > record.seq)`

func statusTerm(status string) (term string, args []any, err error) {
	class, isClass := strings.CutSuffix(status, "xx")
	number, notNumber := strconv.Atoi(class)
	switch {
	case status == "ok":
		return isOK, nil, nil
	case status == "failed":
		return "(" + isFailed + " AND NOT " + fixed + ")", nil, nil
	case slices.Contains(Statuses(), status):
		return "outcome = ?", []any{status}, nil
	case notNumber == nil && isClass && 1 <= number && number <= 9:
		return "status BETWEEN ? AND ?", []any{number * 100, number*100 + 99}, nil
	case notNumber == nil && !isClass && 100 <= number && number <= 999:
		return "status = ?", []any{number}, nil
	}
	return "", nil, webhook.Unknown("status", status, append(Statuses(), "503", "5xx"))
}

// where is the condition of a query.
type where struct {
	terms []string // all of them must hold
	args  []any
}

func (w *where) and(term string, args ...any) {
	w.terms, w.args = append(w.terms, term), append(w.args, args...)
}

// time adds that a record is from a time or later, and from before another. A time
// that is zero selects all.
func (w *where) time(since, until time.Time) {
	if !since.IsZero() {
		w.and("time >= ?", since.UnixNano())
	}
	if !until.IsZero() {
		w.and("time < ?", until.UnixNano())
	}
}

// clause returns the condition as a clause of SQL, which is empty if all records are
// selected: SQLite counts those faster.
func (w *where) clause() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// where returns a filter as SQL, with its ids completed.
func (j *Journal) where(ctx context.Context, f Filter) (*where, error) {
	query := func(text string, args []any, scan func(*sql.Rows) error) error {
		return sqlfile.Each(ctx, j.db, text, args, scan)
	}
	f.IDs = slices.Clone(f.IDs)
	for i, given := range f.IDs {
		id, err := sqlfile.CompleteID(query, "record", []string{"id", "webhook_id"}, given)
		if err != nil {
			return nil, err
		}
		f.IDs[i] = cmp.Or(id, given)
	}
	return f.where()
}

func (f *Filter) where() (*where, error) {
	w := &where{}
	w.time(f.Since, f.Until)
	if f.Direction != "" {
		w.and("direction = ?", string(f.Direction))
	}
	if len(f.IDs) > 0 {
		var args []any
		for range 2 {
			for _, id := range f.IDs {
				args = append(args, id)
			}
		}
		list := strings.TrimSuffix(strings.Repeat("?,", len(f.IDs)), ",")
		w.and("(id IN ("+list+") OR webhook_id <> '' AND webhook_id IN ("+list+"))", args...)
	}
	if len(f.Events) > 0 {
		var either []string
		var args []any
		for _, glob := range f.Events {
			either, args = append(either, "event GLOB ?"), append(args, glob)
		}
		w.and("("+strings.Join(either, " OR ")+")", args...)
	}
	if f.Deliveries {
		w.terms = []string{"seq IN (SELECT coalesce(max(CASE WHEN outcome <> 'duplicate' THEN seq END), max(seq)) FROM record" + w.clause() +
			" GROUP BY CASE webhook_id WHEN '' THEN id ELSE webhook_id END)"}
	}
	if len(f.Status) > 0 {
		var either []string
		var args []any
		for _, s := range f.Status {
			term, values, err := statusTerm(s)
			if err != nil {
				return nil, err
			}
			either, args = append(either, term), append(args, values...)
		}
		w.and("("+strings.Join(either, " OR ")+")", args...)
	}
	return w, nil
}
