// Package journal stores records durably: a [webhook.Record] comes in, and it
// is on disk when Put returns, so that it survives a kill -9 and a loss of power.
// Filters, counts and exports come out.
//
//	func store(ctx context.Context, path string, record webhook.Record) (err error) {
//		j, err := journal.Open(ctx, path, journal.Options{}) // open it once
//		if err != nil {
//			return err
//		}
//		defer func() { err = errors.Join(err, j.Close()) }()
//		if err := j.Put(ctx, record); err != nil {
//			return err // the record is not on disk
//		}
//		for failed, err := range j.Records(ctx, journal.Filter{Events: []string{"work_order.*"}, Status: []string{"failed"}}) {
//			if err != nil {
//				return err
//			}
//			fmt.Println(failed.ID, failed.Event)
//		}
//		return nil
//	}
//
// The file is a SQLite database (WAL, synchronous=FULL). Listeners, senders and
// a person with sqlite3 can use it at the same time. Each process has one
// writer, which commits together what arrived during the commit before: many
// callers share one fsync. Bodies and headers are stored byte for byte;
// credentials are masked before they are stored (see [webhook.Record.Redacted]).
// Requests that a receiver refused before it had verified them are the exception:
// see [RefusedLimits].
//
// A Journal is the [receive.Store] of the receivers on a machine: it decides which of
// them handles a delivery, and knows it again after a restart. As a [receive.Recorder] it
// stores what they receive in the same commit. [Journal.Queue] contains what a
// [receive.Forwarder] has still to forward.
//
// Besides the records the file contains the state that keeps work from being
// done twice: the marks of the deliveries that a receiver has seen, the ledger
// of each batch, and the slots of the rate limits that all processes on the
// machine share.
//
// The format of the file is stable: a newer version opens and reads the journal of
// an older one.
//
// This package is experimental: its API may change.
package journal

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// Options are the options of [Open]. The zero value is right for a listener.
type Options struct {
	Logger    *slog.Logger  // receives warnings, such as a mode that lets others read the file; default: discarded
	MustExist bool          // return an error rather than create a missing journal
	Refused   RefusedLimits // of what Keep stores of requests that were refused unverified

	maxPages     int          // for tests: the largest size of the file, in pages of 8 KiB
	beforeCommit func() error // for tests, see sqlfile.NewWriter
}

// Journal is an open journal. It is safe for concurrent use.
type Journal struct {
	path   string
	db     *sql.DB
	write  *sqlfile.Writer
	others others

	sameMarks    *sqlfile.Query
	hasMarkIndex atomic.Bool

	claims  claims
	refused refused

	closing sync.Once
	closed  error
}

// AmbiguousError is the error for the beginning of an id that several ids share.
type AmbiguousError = sqlfile.AmbiguousError

// FileError is a fault of a journal's file: it names the file, what is wrong
// with it, and the next step.
type FileError = sqlfile.Error

var (
	// ErrNotFound is the error of [Journal.Get] when no record has the id.
	ErrNotFound = errors.New("no such record")

	// ErrBroken is the error of every write after an fsync failed. The state of
	// the file is unknown then, and this process writes nothing more to it.
	ErrBroken = sqlfile.ErrBroken

	// ErrMoved is the error of every write after the file was moved, deleted or
	// replaced while it was open. It is an [ErrBroken] as well.
	ErrMoved = sqlfile.ErrMoved

	// ErrLocked is the error of [Journal.Lock] while another process holds the
	// lock.
	ErrLocked = sqlfile.ErrLocked
)

// kind describes a journal among the SQLite files of wsk.
var kind = sqlfile.Kind{
	Name: "journal", Flag: "--journal", Absent: "wsk listen creates it",
	Salvage:       "wsk journal export --salvage writes what can still be read",
	ApplicationID: 0x77736b6a, // "wskj"
	Migrations: []string{`
CREATE TABLE record (
	seq        INTEGER PRIMARY KEY,
	id         TEXT NOT NULL UNIQUE,
	time       INTEGER NOT NULL,           -- Unix nanoseconds
	direction  TEXT NOT NULL,
	platform   TEXT NOT NULL,
	form       TEXT NOT NULL,
	event      TEXT NOT NULL,
	webhook_id TEXT NOT NULL,
	attempt    INTEGER NOT NULL,
	scheme     TEXT NOT NULL,
	method     TEXT NOT NULL,
	url        TEXT NOT NULL,
	headers    TEXT NOT NULL,              -- "Name: value" lines
	body       BLOB,
	outcome    TEXT NOT NULL,
	verdict    TEXT,                       -- JSON
	status     INTEGER,                    -- of the answer; NULL: there was none
	answer_headers   TEXT,
	answer           BLOB,
	answer_truncated INTEGER NOT NULL,
	forward    TEXT,                       -- JSON: what the app behind answered
	duration   INTEGER NOT NULL,           -- nanoseconds
	error      TEXT NOT NULL,
	forward_to    TEXT NOT NULL,           -- where it is still to be forwarded to, or was
	forward_state INTEGER NOT NULL,        -- 0 not to be forwarded, 1 due, 2 done, 3 given up
	forward_tries INTEGER NOT NULL,
	forward_next  INTEGER NOT NULL         -- Unix nanoseconds
) STRICT;
CREATE INDEX record_time ON record (time);
CREATE INDEX record_due ON record (forward_to, forward_next) WHERE forward_state = 1;

CREATE TABLE seen (                        -- what a receiver remembers
	seq        INTEGER PRIMARY KEY,
	webhook_id TEXT NOT NULL,
	signed     BLOB NOT NULL,              -- SHA-256 of timestamp.body
	body       BLOB NOT NULL,              -- SHA-256 of the body
	accepted   INTEGER NOT NULL
) STRICT;

CREATE TABLE slot (                        -- requests that count against a rate limit
	id   INTEGER PRIMARY KEY,
	key  TEXT NOT NULL,
	time INTEGER NOT NULL                  -- Unix nanoseconds
) STRICT;
CREATE INDEX slot_key ON slot (key, time);

CREATE TABLE batch (
	id      INTEGER PRIMARY KEY,
	digest  TEXT NOT NULL,                 -- SHA-256 of the file
	target  TEXT NOT NULL,
	name    TEXT NOT NULL,                 -- the file's, as it was given
	started INTEGER NOT NULL,              -- Unix nanoseconds
	lines   INTEGER NOT NULL,
	UNIQUE (digest, target)
) STRICT;
CREATE TABLE line (
	batch  INTEGER NOT NULL,
	n      INTEGER NOT NULL,               -- from 1
	state  TEXT NOT NULL,                  -- sending, accepted, refused
	status INTEGER NOT NULL,
	record TEXT NOT NULL,                  -- the id of its last record
	PRIMARY KEY (batch, n)
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE record ADD COLUMN forward_order TEXT NOT NULL DEFAULT ''; -- what the event is about; '' waits for no other
CREATE INDEX record_order ON record (forward_to, forward_order, seq) WHERE forward_state = 1 AND forward_order <> '';
`, `
ALTER TABLE record ADD COLUMN replay_of TEXT NOT NULL DEFAULT ''; -- the id of the record whose request was sent again
CREATE INDEX record_replay ON record (replay_of) WHERE replay_of <> '';
`, `
ALTER TABLE seen ADD COLUMN time INTEGER NOT NULL DEFAULT 0; -- Unix nanoseconds
UPDATE seen SET time = CAST(strftime('%s', 'now') AS INTEGER) * 1000000000;
CREATE INDEX seen_id ON seen (webhook_id);
CREATE INDEX seen_signed ON seen (signed);

CREATE TABLE claim (                       -- deliveries that a receiver is handling
	record     TEXT PRIMARY KEY,           -- the id of the pending record
	webhook_id TEXT NOT NULL,
	signed     BLOB NOT NULL,              -- as in seen
	owner      INTEGER NOT NULL,           -- the number of the receiver
	until      INTEGER NOT NULL            -- Unix nanoseconds: its receiver has ended
) STRICT, WITHOUT ROWID;
`, `
DROP INDEX seen_id;                        -- see indexMarks
DROP INDEX seen_signed;
`, `
ALTER TABLE record ADD COLUMN body_size INTEGER;                       -- of the whole body, if only its beginning is stored
ALTER TABLE record ADD COLUMN refused_size INTEGER NOT NULL DEFAULT 0; -- in bytes, of a record that was refused unverified, see RefusedLimits
UPDATE record SET refused_size = 1024 + length(url) + length(headers) + coalesce(length(body), 0) + coalesce(length(answer), 0)
	WHERE direction = 'received' AND outcome = 'refused' AND NOT coalesce(json_extract(verdict, '$.verified'), 0);
CREATE INDEX record_refused ON record (seq, refused_size) WHERE refused_size > 0;

CREATE TABLE refused (                     -- one row: the sums of refused_size, whoever adds or deletes records
	records INTEGER NOT NULL,
	bytes   INTEGER NOT NULL
) STRICT;
INSERT INTO refused SELECT count(*), coalesce(sum(refused_size), 0) FROM record WHERE refused_size > 0;
CREATE TRIGGER refused_added AFTER INSERT ON record WHEN NEW.refused_size > 0 BEGIN
	UPDATE refused SET records = records + 1, bytes = bytes + NEW.refused_size;
END;
CREATE TRIGGER refused_deleted AFTER DELETE ON record WHEN OLD.refused_size > 0 BEGIN
	UPDATE refused SET records = records - 1, bytes = bytes - OLD.refused_size;
END;
`, `
UPDATE record SET outcome = 'pending', verdict = json_set(verdict, '$.outcome', 'pending') WHERE forward_state = 1;
UPDATE record SET outcome = 'forward_failed', verdict = json_set(verdict, '$.outcome', 'forward_failed', '$.reason', 'app')
	WHERE forward_state = 3;
`, `
DROP TRIGGER refused_added;                -- see refused: a receiver counts
DROP TRIGGER refused_deleted;
DROP TABLE refused;
`, `
ALTER TABLE seen ADD COLUMN event_id TEXT NOT NULL DEFAULT '';  -- of a receiver with DedupEvents
ALTER TABLE claim ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
ALTER TABLE claim ADD COLUMN body BLOB NOT NULL DEFAULT x'';    -- as in seen
`},
}

// Open opens the journal at path. It creates a missing file with mode 0600, and
// its folder with 0700. It returns a [*FileError] for a file that it cannot or
// must not use: a symlink, a file of another program, one of a newer wsk.
func Open(ctx context.Context, path string, o Options) (*Journal, error) {
	warn := func(text string) {
		if o.Logger != nil {
			o.Logger.Warn(text, "path", path)
		}
	}
	db, err := sqlfile.Open(ctx, path, kind, sqlfile.Options{Warn: warn, MustExist: o.MustExist, MaxPages: o.maxPages})
	if err != nil {
		return nil, err
	}
	w, err := sqlfile.NewWriter(ctx, db, o.beforeCommit)
	if err != nil {
		return nil, errors.Join(explain(path, err), db.Close())
	}
	j := &Journal{path: path, db: db, write: w, sameMarks: sqlfile.NewQuery(db, sameMarks)}
	j.refused.limits, j.refused.warn = o.Refused.withDefaults(), warn
	err = w.Submit(ctx, func(tx *sqlfile.Tx) error {
		tx.Failpoints("journal/open")
		if err := j.others.look(tx); err != nil {
			return err
		}
		return j.endAbandoned(tx)
	})
	if err != nil {
		return nil, errors.Join(explain(path, err), j.Close())
	}
	return j, nil
}

// Path returns the path of the file.
func (j *Journal) Path() string { return j.path }

// Close waits for pending writes and closes the file. Further calls return the
// result of the first.
func (j *Journal) Close() error {
	j.closing.Do(func() {
		j.closed = j.write.Close()
		j.refused.reportLost()
		if j.claims.release != nil {
			j.closed = errors.Join(j.closed, j.claims.release())
		}
		j.closed = errors.Join(j.closed, j.sameMarks.Close(), j.db.Close())
	})
	return j.closed
}

// Lock takes a named lock, which excludes the other users of this journal on
// this machine, or returns [ErrLocked] at once. A name consists of letters,
// digits and dashes. The lock ends with release or with the process, even after
// a kill: it is SQLite's own lock on a file beside the journal, so it works
// wherever the journal does.
func (j *Journal) Lock(ctx context.Context, name string) (release func() error, err error) {
	return sqlfile.Lock(ctx, j.path+"-"+name+".lock", kind)
}

// explain turns an error of SQLite or of the system into a [*FileError].
func explain(path string, err error) error {
	var ambiguous *AmbiguousError
	if errors.Is(err, ErrNotFound) || errors.As(err, &ambiguous) {
		return err
	}
	return kind.Explain(path, err)
}
