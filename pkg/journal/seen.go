package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

var _ receive.Recorder = (*Journal)(nil)

const (
	// keptMarks is how long Prune keeps the marks before the newest one. A sender
	// retries for hours, and a captured request is of use for minutes.
	keptMarks = 7 * 24 * time.Hour

	// mostOwners is how many receivers on one file own their claims. Those of the
	// others end with their lease alone.
	mostOwners = 8

	// mostMarks is how many marks are compared with a delivery: the newest, and
	// so those that were accepted after tries that failed.
	mostMarks = 64
)

const markColumns = "webhook_id, signed, body, accepted, time, event_id"

// sameMarks selects the marks with a webhook id (?1), with a digest (?2), with an event id
// (?3), or with the webhook id of a mark that has the digest.
const sameMarks = "SELECT " + markColumns + `, 0 FROM (SELECT * FROM seen WHERE seq IN (
	SELECT seq FROM seen WHERE webhook_id = ?1 AND ?1 <> ''
	UNION SELECT seq FROM seen WHERE signed = ?2
	UNION SELECT seq FROM seen WHERE event_id = ?3 AND ?3 <> ''
	UNION SELECT seq FROM seen WHERE webhook_id IN (SELECT webhook_id FROM seen WHERE signed = ?2 AND webhook_id <> '')
) ORDER BY seq DESC LIMIT ?4) ORDER BY seq`

// sameClaims selects the claims with a webhook id (?1), a digest (?2) or an event id (?3),
// except that of a record (?4), as marks.
const sameClaims = `SELECT webhook_id, signed, body, 0, 0, event_id, until FROM claim
	WHERE (webhook_id = ?1 AND ?1 <> '' OR signed = ?2 OR event_id = ?3 AND ?3 <> '') AND record <> ?4`

func scanMark(rows *sql.Rows) (m receive.Mark, err error) {
	var signed, body []byte
	var at, until int64
	err = rows.Scan(&m.ID, &signed, &body, &m.Accepted, &at, &m.EventID, &until)
	copy(m.Signed[:], signed)
	copy(m.Body[:], body)
	m.Time, m.Until = timeOf(at), timeOf(until)
	return m, err
}

// timeOf returns the time of Unix nanoseconds, of which 0 are none.
func timeOf(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
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
	const newest = "SELECT " + markColumns + ", 0 FROM (SELECT * FROM seen ORDER BY seq DESC LIMIT ?) ORDER BY seq"
	err = sqlfile.Each(ctx, j.db, newest, []any{limit}, collect(&marks))
	return marks, explain(j.path, err)
}

// Seen returns the marks that a delivery is compared with, see [receive.Recorder].
func (j *Journal) Seen(ctx context.Context, m receive.Mark) (marks []receive.Mark, err error) {
	if !j.hasMarkIndex.Load() {
		if err := j.write.Submit(ctx, indexMarks); err != nil {
			return nil, explain(j.path, err)
		}
		j.hasMarkIndex.Store(true)
	}
	err = j.sameMarks.Each(ctx, []any{m.ID, m.Signed[:], m.EventID, mostMarks}, collect(&marks))
	return marks, explain(j.path, err)
}

// Claim claims a delivery for one of the receivers on this file, see [receive.Store].
// The claim is on disk when Claim returns.
func (j *Journal) Claim(ctx context.Context, m receive.Mark, lease time.Duration) (c receive.Claim, err error) {
	token := "claim_" + rand.Text()
	m.Until = m.Time.Add(lease)
	err = j.write.Submit(ctx, func(tx *sqlfile.Tx) (err error) {
		j.others.mark, j.others.claim = true, true // no memory knows what is claimed here
		c, err = j.take(tx, m, token, true)
		if c.Outcome == webhook.Accepted {
			c.Token = token
		}
		return err
	})
	if err != nil {
		return receive.Claim{}, explain(j.path, err)
	}
	return c, nil
}

// Finish finishes a claim of [Journal.Claim], see [receive.Store]. The delivery is
// remembered until [Journal.Prune] deletes it, a week at least.
func (j *Journal) Finish(ctx context.Context, c receive.Claim) error { return j.endClaim(ctx, c, true) }

// Release releases a claim of [Journal.Claim], see [receive.Store].
func (j *Journal) Release(ctx context.Context, c receive.Claim) error {
	return j.endClaim(ctx, c, false)
}

func (j *Journal) endClaim(ctx context.Context, c receive.Claim, accepted bool) error {
	lost := false
	err := j.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		tx.Failpoints("journal/end-claim")
		n, err := tx.Change("DELETE FROM claim WHERE record = ?", c.Token)
		lost = n == 0
		if err != nil || lost || c.Mark == nil {
			return err
		}
		m := *c.Mark
		m.Accepted = accepted
		return insertMark(tx, m)
	})
	if err == nil && lost {
		return receive.ErrLeaseLost
	}
	return explain(j.path, err)
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
	if err == nil {
		err = tx.Exec("CREATE INDEX IF NOT EXISTS seen_event ON seen (event_id) WHERE event_id <> ''")
	}
	return err
}

// claim returns what the delivery of a receipt is after the marks and the claims of other
// receivers, or nil if it is new. If its record is pending, it is claimed then.
func (j *Journal) claim(tx *sqlfile.Tx, r receive.Receipt) (*receive.SeenError, error) {
	isPending := outcomeOf(r.Record) == pending
	if r.Mark == nil { // no other delivery is the same
		if !isPending {
			return nil, nil
		}
		return nil, j.storeClaim(tx, r.Record.ID, receive.Mark{Time: r.Record.Time})
	}
	c, err := j.take(tx, *r.Mark, r.Record.ID, isPending)
	if err != nil || c.Outcome == webhook.Accepted {
		return nil, err
	}
	return &receive.SeenError{Outcome: c.Outcome, FirstID: c.FirstID}, nil
}

// take compares a delivery with the marks and the claims of other receivers. It stores
// what is new: the signature of a duplicate and, if the delivery is new and hold is set,
// a claim to it for a record or a token.
func (j *Journal) take(tx *sqlfile.Tx, m receive.Mark, record string, hold bool) (receive.Claim, error) {
	c, err := j.compare(tx, m, record)
	switch {
	case err != nil:
	case c.Outcome == webhook.Duplicate && c.Mark != nil:
		err = insertMark(tx, *c.Mark)
	case c.Outcome == webhook.Accepted && hold:
		err = j.storeClaim(tx, record, m)
	}
	return c, err
}

// compare compares a delivery with the marks and the claims of other receivers. record is
// that of a claim of its own.
func (j *Journal) compare(tx *sqlfile.Tx, m receive.Mark, record string) (c receive.Claim, err error) {
	if err := j.others.look(tx); err != nil {
		return c, err
	}
	var stored []receive.Mark
	if j.others.mark {
		if !j.hasMarkIndex.Load() {
			if err := indexMarks(tx); err != nil {
				return c, err
			}
			tx.OnCommit(func() { j.hasMarkIndex.Store(true) })
		}
		if err := tx.Each(sameMarks, []any{m.ID, m.Signed[:], m.EventID, mostMarks}, collect(&stored)); err != nil {
			return c, err
		}
	}
	if j.others.claim {
		if _, err := j.claimOwner(tx); err != nil { // ends the claims of a receiver that was killed
			return c, err
		}
		ids := []string{m.ID}
		for _, s := range stored { // a try that failed, and may be tried again now
			if s.Signed == m.Signed && s.ID != m.ID && s.ID != "" {
				ids = append(ids, s.ID)
			}
		}
		for _, id := range ids {
			if err := tx.Each(sameClaims, []any{id, m.Signed[:], m.EventID, record}, collect(&stored)); err != nil {
				return c, err
			}
		}
	}
	return m.Among(stored), nil
}

// storeClaim claims a delivery for a record or a token, until its mark's Until.
func (j *Journal) storeClaim(tx *sqlfile.Tx, record string, m receive.Mark) error {
	tx.Failpoints("journal/claim")
	owner, err := j.claimOwner(tx)
	if err != nil {
		return err
	}
	if m.Until.IsZero() {
		m.Until = m.Time.Add(receive.DefaultLease)
	}
	j.others.claim = true
	if err := endClaims(tx, "until <= ?", m.Time.UnixNano()); err != nil {
		return err
	}
	return tx.Exec("INSERT INTO claim (record, webhook_id, signed, body, event_id, owner, until) VALUES (?,?,?,?,?,?,?)",
		record, m.ID, m.Signed[:], m.Body[:], m.EventID, owner, m.Until.UnixNano())
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
	return insertMark(tx, *r.Mark)
}

func insertMark(tx *sqlfile.Tx, m receive.Mark) error {
	at := int64(0)
	if !m.Time.IsZero() {
		at = m.Time.UnixNano()
	}
	return tx.Exec("INSERT INTO seen ("+markColumns+") VALUES (?,?,?,?,?,?)", m.ID, m.Signed[:], m.Body[:], m.Accepted, at, m.EventID)
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
