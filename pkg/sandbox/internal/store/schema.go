package store

import "github.com/wskdev/wsk/pkg/internal/sqlfile"

// kind says what a sandbox's file is among SQLite's files. The ID is "wsks".
func kind() sqlfile.Kind {
	return sqlfile.Kind{
		Name: "sandbox file", Flag: "--data", Absent: "wsk sandbox makes it",
		Salvage:       "start with another file",
		ApplicationID: 0x77736b73, Migrations: migrations(),
	}
}

// migrations bring a file from version i to i+1. They are never edited: a
// change is a new one.
func migrations() []string {
	return []string{`
CREATE TABLE record (
	seq     INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	company TEXT NOT NULL,
	kind    TEXT NOT NULL,
	key     TEXT NOT NULL,
	parent  TEXT NOT NULL,
	name    TEXT NOT NULL,
	folded  TEXT NOT NULL,                 -- the name in lower case, for searches
	created INTEGER NOT NULL,              -- Unix nanoseconds, as all times here
	updated INTEGER NOT NULL,
	fields  TEXT NOT NULL,                 -- JSON
	UNIQUE (company, kind, key)
) STRICT;
CREATE INDEX record_parent ON record (parent, kind, name) WHERE parent <> '';

CREATE TABLE counter (
	company TEXT NOT NULL,
	name    TEXT NOT NULL,
	n       INTEGER NOT NULL,
	PRIMARY KEY (company, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription (
	seq     INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	company TEXT NOT NULL,
	url     TEXT NOT NULL,
	events  TEXT NOT NULL,                 -- JSON list of patterns
	form    TEXT NOT NULL,
	secret  TEXT NOT NULL,
	api_key TEXT NOT NULL,                 -- whose changes are not sent here
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE delivery (
	seq          INTEGER PRIMARY KEY,
	id           TEXT NOT NULL UNIQUE,
	company      TEXT NOT NULL,
	subscription TEXT NOT NULL,
	event        TEXT NOT NULL,
	form         TEXT NOT NULL,
	body         BLOB NOT NULL,
	state        TEXT NOT NULL,            -- pending, sending, delivered, dead
	attempts     INTEGER NOT NULL,         -- that were begun
	due          INTEGER NOT NULL,         -- of the next attempt, by the sandbox's clock
	created      INTEGER NOT NULL,
	status       INTEGER NOT NULL,         -- of the last answer; 0: there was none
	error        TEXT NOT NULL             -- why there was none
) STRICT;
CREATE INDEX delivery_due ON delivery (due) WHERE state IN ('pending', 'sending');
CREATE INDEX delivery_state ON delivery (state);

CREATE TABLE attempt (
	delivery TEXT NOT NULL,
	n        INTEGER NOT NULL,             -- from 0
	time     INTEGER NOT NULL,
	status   INTEGER NOT NULL,
	error    TEXT NOT NULL,
	duration INTEGER NOT NULL,             -- nanoseconds
	PRIMARY KEY (delivery, n, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`, `
CREATE INDEX delivery_waits ON delivery (subscription, due) WHERE state IN ('pending', 'sending');
`}
}
