package receive_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // in production: _ "github.com/jackc/pgx/v5/stdlib"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// createDelivery creates the table of a SQLStore in PostgreSQL. A row is a try of a
// delivery. Ids are bytes: a text column would refuse some, and take others for the same.
//
// For SQLite see openSQLite. MySQL, where no test of ours has run it: VARBINARY(256) for
// the ids, BINARY(32) for the digests, BIGINT AUTO_INCREMENT PRIMARY KEY for seq, ? for $1,
// and no IF NOT EXISTS for an index.
const createDelivery = `
CREATE TABLE IF NOT EXISTS webhook_delivery (
	seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	token    VARCHAR(32) NOT NULL UNIQUE,
	id       BYTEA,           -- NULL if there is none
	event_id BYTEA,           -- likewise
	signed   BYTEA NOT NULL,
	body     BYTEA NOT NULL,
	received BIGINT NOT NULL, -- Unix nanoseconds, as the following
	accepted BOOLEAN NOT NULL,
	until    BIGINT NOT NULL, -- the end of the lease; 0 if there is none
	expires  BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS webhook_delivery_id       ON webhook_delivery (id);
CREATE INDEX IF NOT EXISTS webhook_delivery_event_id ON webhook_delivery (event_id);
CREATE INDEX IF NOT EXISTS webhook_delivery_signed   ON webhook_delivery (signed);
CREATE INDEX IF NOT EXISTS webhook_delivery_expires  ON webhook_delivery (expires);`

// openSQLite opens a file for a SQLStore. With PostgreSQL it is sql.Open("pgx", url) and
// createDelivery as it is.
func openSQLite(path string) (*sql.DB, error) {
	options := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(60000)", "journal_mode(wal)"}}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?"+options.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // the others would wait for a lock by trying it
	_, err = db.Exec(strings.NewReplacer("BYTEA", "BLOB", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "INTEGER PRIMARY KEY").Replace(createDelivery))
	return db, err
}

// SQLStore is a receive.Store in a table, for the receivers of a database. What is
// finished stays so as long as the database loses no commit: with PostgreSQL, leave
// synchronous_commit on, and let a standby that may take over be a synchronous one.
type SQLStore struct{ DB *sql.DB }

// Claim is one transaction, which is as if it ran alone. One that was not is tried again.
func (s SQLStore) Claim(ctx context.Context, m receive.Mark, lease time.Duration) (c receive.Claim, err error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		c, err = s.claim(ctx, m, lease)
		var failed interface{ SQLState() string } // pgx and lib/pq; with MySQL, Number == 1213
		if !errors.As(err, &failed) || failed.SQLState() != "40001" && failed.SQLState() != "40P01" {
			return c, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return c, ctx.Err()
		}
	}
}

func (s SQLStore) claim(ctx context.Context, m receive.Mark, lease time.Duration) (c receive.Claim, err error) {
	tx, err := s.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return c, err
	}
	defer func() { _ = tx.Rollback() }() // of what is not committed
	stored, lapsed, err := sameAs(ctx, tx, m)
	if err != nil {
		return c, err
	}
	c = m.Among(stored)
	if c.Mark == nil { // there is nothing to remember
		return c, tx.Commit()
	}
	c.Token = rand.Text()
	until := int64(0)
	if c.Outcome == webhook.Accepted {
		until = m.Time.Add(lease).UnixNano()
		for _, seq := range lapsed { // whoever had this claim has lost it now
			if _, err := tx.ExecContext(ctx, "UPDATE webhook_delivery SET until = 0 WHERE seq = $1", seq); err != nil {
				return c, err
			}
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO webhook_delivery (token, id, event_id, signed, body, received, accepted, until, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		c.Token, key(m.ID), key(m.EventID), m.Signed[:], m.Body[:], m.Time.UnixNano(), c.Mark.Accepted, until, m.Time.Add(lease+m.TTL).UnixNano())
	if err != nil {
		return c, err
	}
	return c, tx.Commit()
}

// sameAs returns what a delivery is compared with, in the order in which it was stored, and
// the rows of the claims whose lease has ended.
func sameAs(ctx context.Context, tx *sql.Tx, m receive.Mark) (stored []receive.Mark, lapsed []int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT seq, id, event_id, signed, body, received, accepted, until FROM webhook_delivery WHERE seq IN (
		SELECT seq FROM webhook_delivery WHERE signed = $1 OR id = $2 OR event_id = $3
		UNION SELECT other.seq FROM webhook_delivery other JOIN webhook_delivery same ON other.id = same.id WHERE same.signed = $1
	) ORDER BY seq`, m.Signed[:], key(m.ID), key(m.EventID))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s receive.Mark
		var seq, received, until int64
		var id, eventID, signed, body []byte
		if err := rows.Scan(&seq, &id, &eventID, &signed, &body, &received, &s.Accepted, &until); err != nil {
			return nil, nil, err
		}
		s.ID, s.EventID, s.Time, s.Until = string(id), string(eventID), time.Unix(0, received), time.Unix(0, until)
		copy(s.Signed[:], signed)
		copy(s.Body[:], body)
		stored = append(stored, s)
		if until != 0 && !m.Time.Before(s.Until) {
			lapsed = append(lapsed, seq)
		}
	}
	return stored, lapsed, rows.Err()
}

// key returns the value of a column for an id: NULL, which is like no other, for none.
func key(id string) any {
	if id == "" {
		return nil
	}
	return []byte(id)
}

func (s SQLStore) Finish(ctx context.Context, c receive.Claim) error  { return s.settle(ctx, c, true) }
func (s SQLStore) Release(ctx context.Context, c receive.Claim) error { return s.settle(ctx, c, false) }

func (s SQLStore) settle(ctx context.Context, c receive.Claim, accepted bool) error {
	result, err := s.DB.ExecContext(ctx, "UPDATE webhook_delivery SET accepted = $1, until = 0 WHERE token = $2 AND until > 0", accepted, c.Token)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return receive.ErrLeaseLost
}

// Forget deletes what need not be remembered any more. Call it every hour or so.
func (s SQLStore) Forget(ctx context.Context, now time.Time) error {
	_, err := s.DB.ExecContext(ctx, "DELETE FROM webhook_delivery WHERE expires < $1", now.UnixNano())
	return err
}

// A Store in a database, for receivers on many machines: the whole of one for PostgreSQL,
// with what differs elsewhere. This example runs it on SQLite.
func ExampleStore_sql() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := openSQLite(filepath.Join(dir, "deliveries.db"))
	if err != nil {
		panic(err)
	}
	defer func() { _ = db.Close() }()

	secret, err := webhook.NewSecret("s3cret")
	if err != nil {
		panic(err)
	}
	config := receive.Config{Secrets: []webhook.Secret{secret}, Store: SQLStore{DB: db}} // App: …
	handler, err := receive.New(config)
	fmt.Println(handler != nil, err)
	// Output: true <nil>
}
