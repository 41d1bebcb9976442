package journal

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/receive"
)

const (
	// keptMarks is how long Prune keeps the marks before the newest one. A sender
	// retries for hours, and a captured request is of use for minutes.
	keptMarks = 7 * 24 * time.Hour

	// claimLease is how long a delivery counts as being handled by another
	// receiver, which may have been killed. An app that a receiver forwards to
	// has receive.ForwardTimeout.
	claimLease = receive.ForwardTimeout + 5*time.Second

	// mostOwners is how many receivers on one file own their claims. Those of the
	// others end with their lease alone.
	mostOwners = 8

	// mostMarks is how many marks are compared with a delivery: the newest, and
	// so those that were accepted after tries that failed.
	mostMarks = 64
)

const markColumns = "webhook_id, signed, body, accepted, time"

// sameMarks selects the marks with a webhook id (?1), with a digest (?2), or with
// the id of a mark that has the digest.
const sameMarks = "SELECT " + markColumns + ` FROM (SELECT * FROM seen WHERE seq IN (
	SELECT seq FROM seen WHERE webhook_id = ?1 AND ?1 <> ''
	UNION SELECT seq FROM seen WHERE signed = ?2
	UNION SELECT seq FROM seen WHERE webhook_id IN (SELECT webhook_id FROM seen WHERE signed = ?2 AND webhook_id <> '')
) ORDER BY seq DESC LIMIT ?3) ORDER BY seq`

func scanMark(rows *sql.Rows) (m receive.Mark, err error) {
	var signed, body []byte
	var at int64
	err = rows.Scan(&m.ID, &signed, &body, &m.Accepted, &at)
	copy(m.Signed[:], signed)
	copy(m.Body[:], body)
	if at != 0 {
		m.Time = time.Unix(0, at)
	}
	return m, err
}

// collect returns a function that appends the mark of a row to a list.
func collect(marks *[]receive.Mark) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		m, err := scanMark(rows)
		*marks = append(*marks, m)
		return err
	}
}

// Marks returns the newest marks, at most limit of them, the oldest first.
func (j *Journal) Marks(ctx context.Context, limit int) (marks []receive.Mark, err error) {
	const newest = "SELECT " + markColumns + " FROM (SELECT * FROM seen ORDER BY seq DESC LIMIT ?) ORDER BY seq"
	err = sqlfile.Each(ctx, j.db, newest, []any{limit}, collect(&marks))
	return marks, explain(j.path, err)
}

// Seen returns the marks with a webhook id, with a digest, or with the id of a mark
// that has the digest, the oldest first. It is a [receive.Config.Seen].
func (j *Journal) Seen(ctx context.Context, id string, signed [32]byte) (marks []receive.Mark, err error) {
	if !j.hasMarkIndex.Load() {
		if err := j.write.Submit(ctx, indexMarks); err != nil {
			return nil, explain(j.path, err)
		}
		j.hasMarkIndex.Store(true)
	}
	err = sqlfile.Each(ctx, j.db, sameMarks, []any{id, signed[:], mostMarks}, collect(&marks))
	return marks, explain(j.path, err)
}

// indexMarks creates the indexes that sameMarks needs. A journal has none until a
// receiver looks for a mark that its memory does not contain: the keys are
// random, so each mark would dirty a page of each index, which takes as long as
// the rest of its commit.
func indexMarks(tx *sqlfile.Tx) error {
	err := tx.Exec("CREATE INDEX IF NOT EXISTS seen_id ON seen (webhook_id)")
	if err == nil {
		err = tx.Exec("CREATE INDEX IF NOT EXISTS seen_signed ON seen (signed)")
	}
	return err
}

// claim returns what a delivery is after the marks and the claims of other
// receivers, or nil if it is new. If its record is pending, it is claimed then.
func (j *Journal) claim(tx *sqlfile.Tx, r receive.Receipt) (*receive.SeenError, error) {
	if r.Mark != nil {
		if seen, err := j.seenBefore(tx, r); err != nil || seen != nil {
			return seen, err
		}
	}
	if outcomeOf(r.Record) != pending {
		return nil, nil
	}
	return nil, j.storeClaim(tx, r)
}

// seenBefore returns what a delivery is after the marks and the claims of other
// receivers, or nil if it is new.
func (j *Journal) seenBefore(tx *sqlfile.Tx, r receive.Receipt) (*receive.SeenError, error) {
	m := r.Mark
	if err := j.others.look(tx); err != nil {
		return nil, err
	}
	if j.others.mark {
		if !j.hasMarkIndex.Load() {
			if err := indexMarks(tx); err != nil {
				return nil, err
			}
			tx.OnCommit(func() { j.hasMarkIndex.Store(true) })
		}
		var stored []receive.Mark
		if err := tx.Each(sameMarks, []any{m.ID, m.Signed[:], mostMarks}, collect(&stored)); err != nil {
			return nil, err
		}
		if seen := m.Among(stored); seen != nil {
			return seen, nil
		}
	}
	if j.others.claim {
		if _, err := j.claimOwner(tx); err != nil { // ends the claims of a receiver that was killed
			return nil, err
		}
		var claims int
		err := tx.One("SELECT count(*) FROM claim WHERE (webhook_id = ? AND webhook_id <> '' OR signed = ?) AND record <> ? AND until > ?",
			[]any{m.ID, m.Signed[:], r.Record.ID, m.Time.UnixNano()}, &claims)
		if err != nil {
			return nil, err
		}
		if claims > 0 {
			return &receive.SeenError{Outcome: pending, FirstID: m.ID}, nil
		}
	}
	return nil, nil
}

// storeClaim claims the delivery of a pending record.
func (j *Journal) storeClaim(tx *sqlfile.Tx, r receive.Receipt) error {
	owner, err := j.claimOwner(tx)
	if err != nil {
		return err
	}
	j.others.claim = true
	if err := endClaims(tx, "until <= ?", r.Record.Time.UnixNano()); err != nil {
		return err
	}
	id, signed := "", []byte{} // without a mark: no other delivery is the same
	if r.Mark != nil {
		id, signed = r.Mark.ID, r.Mark.Signed[:]
	}
	return tx.Exec("INSERT INTO claim (record, webhook_id, signed, owner, until) VALUES (?,?,?,?,?)",
		r.Record.ID, id, signed, owner, r.Record.Time.Add(claimLease).UnixNano())
}

// endClaims deletes the claims that a condition selects. Their receivers have
// ended, so the records that are still pending were given up.
func endClaims(tx *sqlfile.Tx, condition string, arg any) error {
	err := tx.Exec(`UPDATE record SET outcome = 'forward_failed', verdict = json_set(verdict, '$.outcome', 'forward_failed', '$.reason', 'app'),
		error = 'the receiver ended while it forwarded the event: the app may have received it'
		WHERE outcome = 'pending' AND status IS NULL AND id IN (SELECT record FROM claim WHERE `+condition+")", arg)
	if err != nil {
		return err
	}
	return tx.Exec("DELETE FROM claim WHERE "+condition, arg)
}

// endAbandoned ends the claims of the receivers that were killed.
func (j *Journal) endAbandoned(tx *sqlfile.Tx) error {
	if !j.others.claim {
		return nil
	}
	var owners []int
	err := tx.Each("SELECT DISTINCT owner FROM claim WHERE owner > 0", nil, func(rows *sql.Rows) error {
		var n int
		err := rows.Scan(&n)
		owners = append(owners, n)
		return err
	})
	for _, n := range owners {
		if err != nil {
			return err
		}
		release, locked := j.lockOwner(n)
		if locked == nil {
			err = errors.Join(endClaims(tx, "owner = ?", n), release())
		}
	}
	return err
}

// lockOwner takes the lock of a number of a receiver.
func (j *Journal) lockOwner(n int) (release func() error, err error) {
	return j.Lock(context.Background(), "receiver-"+strconv.Itoa(n))
}

// storeMark stores the mark of a record, and ends the claim that the record may
// have.
func (j *Journal) storeMark(tx *sqlfile.Tx, r receive.Receipt) error {
	if outcomeOf(r.Record) == pending {
		return nil
	}
	if j.others.claim {
		if err := tx.Exec("DELETE FROM claim WHERE record = ?", r.Record.ID); err != nil {
			return err
		}
	}
	if r.Mark == nil {
		return nil
	}
	m, at := r.Mark, int64(0)
	if !m.Time.IsZero() {
		at = m.Time.UnixNano()
	}
	return tx.Exec("INSERT INTO seen ("+markColumns+") VALUES (?,?,?,?,?)", m.ID, m.Signed[:], m.Body[:], m.Accepted, at)
}

// others is what the file may contain that the memory of this process's receiver
// does not know. Only the writer's goroutine uses it.
type others struct {
	transaction int64 // the last one that looked
	version     int64 // PRAGMA data_version, which a commit of another connection changes
	mark        bool  // another connection has written since the file was opened: there may be marks of another receiver
	claim       bool  // there may be claims
}

// look looks whether another connection has written to the file. The answer holds
// for a transaction, during which no other writes.
func (o *others) look(tx *sqlfile.Tx) error {
	if o.mark || o.transaction == tx.Number() {
		return nil
	}
	var version int64
	if err := tx.One("PRAGMA data_version", nil, &version); err != nil {
		return err
	}
	switch {
	case o.transaction == 0: // what others stored before is for Marks
		if err := tx.One("SELECT EXISTS (SELECT * FROM claim)", nil, &o.claim); err != nil {
			return err
		}
	case version != o.version:
		o.mark, o.claim = true, true
	}
	o.transaction, o.version = tx.Number(), version
	return nil
}

// claimOwner returns the number under which this process claims deliveries. A
// lock, which ends with the process, keeps the number from others: the claims that
// are stored under it when it is taken are those of a process that was killed.
func (j *Journal) claimOwner(tx *sqlfile.Tx) (int, error) {
	c := &j.claims
	if c.isKnown {
		return c.owner, nil
	}
	for n := 1; n <= mostOwners && c.owner == 0; n++ {
		if release, err := j.lockOwner(n); err == nil {
			c.owner, c.release = n, release
		}
	}
	if err := endClaims(tx, "owner = ? AND owner > 0", c.owner); err != nil {
		return 0, err
	}
	c.isKnown = true
	return c.owner, nil
}

// claims is who claims deliveries. Only the writer's goroutine uses it, and Close
// after that has ended.
type claims struct {
	isKnown bool
	owner   int // 0 if there are too many receivers
	release func() error
}
