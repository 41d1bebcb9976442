// Package journal keeps records on disk, and the ids that a receiver has
// already seen: a [webhook.Record] comes in, and is there after a kill -9 once
// Put has returned.
//
//	j, err := journal.Open(ctx, "journal.db", journal.Options{})
//	defer j.Close()
//	err = j.Put(ctx, journal.Entry{Record: record})
//	for record, err := range j.Records(ctx, journal.Filter{Status: []string{"failed"}}) { … }
//
// The file is a SQLite database (WAL, synchronous=FULL), so listeners, senders
// and a person with sqlite3 work on it at the same time. One writer in each
// process commits what has gathered while the commit before it was on its way:
// many callers share one fsync. Bodies and headers are kept byte for byte;
// credentials are masked before they are stored (see [webhook.Record.Redacted]).
//
// Beside the records the file holds what keeps senders from doing a thing
// twice: the ledger of batches, and the slots of the rate limits that all
// processes of a machine share.
package journal
