package sqlfile

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// Query is a query that is asked often. It has a connection of its own, on which it is
// prepared at its first use: a pool closes the connections that many callers at once
// needed, and each new one prepares it again. It is safe for concurrent use, by one
// caller at a time.
type Query struct {
	db   *sql.DB
	text string

	mu   sync.Mutex
	conn *sql.Conn
	stmt *sql.Stmt
}

// NewQuery returns a query of a file.
func NewQuery(db *sql.DB, text string) *Query { return &Query{db: db, text: text} }

// Each calls scan for every row. Only the wait for other callers is of any length, and
// ctx is not looked at after it: the driver would start a goroutine for that.
func (q *Query) Each(ctx context.Context, args []any, scan func(*sql.Rows) error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := q.prepare(ctx); err != nil {
		return err
	}
	rows, err := q.stmt.QueryContext(context.WithoutCancel(ctx), args...)
	return each(rows, err, scan)
}

func (q *Query) prepare(ctx context.Context) error {
	if q.stmt != nil {
		return nil
	}
	conn, err := q.db.Conn(ctx)
	if err != nil {
		return err
	}
	stmt, err := conn.PrepareContext(ctx, q.text)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	q.conn, q.stmt = conn, stmt
	return nil
}

// Close closes the connection, if there is one.
func (q *Query) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stmt == nil {
		return nil
	}
	err := errors.Join(q.stmt.Close(), q.conn.Close())
	q.stmt, q.conn = nil, nil
	return err
}
