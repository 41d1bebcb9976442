// Package batch sends a file of events line by line, each of them once: NDJSON
// comes in, requests leave at the pace that the platform allows, and what
// became of each line is in a ledger on disk that a kill -9 does not harm.
//
//	file, err := batch.Read(ctx, source, nil) // digest and lines, in one pass
//	ledger, err := j.Begin(ctx, file.Digest, url, name, file.Len(), now)
//	s := batch.Sender{File: file, Source: source, Ledger: ledger, Client: client, Make: make,
//		Pacer: &batch.Pacer{Journal: j, Key: key, Limits: batch.Documented(), …}}
//	err = s.Run(ctx) // again after any interruption: it sends what has no answer
//	fmt.Println(file.Summary())
//
// Before a request leaves, its line is claimed in the ledger, and after the
// answer it is settled, each with an fsync. So a line that was claimed and not
// settled may have been taken: its outcome is unknown, it is listed, and it is
// repeated only if that is asked for. The file is read again while it is sent,
// a line at a time, and every line is compared with what it was: a file that
// changed stops the batch.
package batch
