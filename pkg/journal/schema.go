package journal

// applicationID marks the file as a journal of wsk, in PRAGMA application_id:
// "wskj".
const applicationID = 0x77736b6a

// migrations bring a journal from version i to i+1. They are never edited:
// a change is a new one.
func migrations() []string {
	return []string{`
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
`}
}
