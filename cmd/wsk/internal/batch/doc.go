// Package batch sends a file of events line by line, each of them once. NDJSON
// or a JSON array comes in, requests leave at the pace that the platform allows,
// and the outcome of each line is in a ledger on disk that survives a kill -9.
//
//	file, err := batch.Read(ctx, source, nil) // one pass, for the digest and the lines
//	ledger, _, err := file.Open(ctx, j, batch.Begin{URL: url, Name: path, Now: time.Now()})
//	s := batch.Sender{File: file, Source: source, Ledger: ledger, Make: make,
//		Pacer: &batch.Pacer{Journal: j, Key: key, Limits: deliver.WorkSkedgeLimits()}}
//	err = s.Run(ctx) // after any interruption call it again: it sends what has no answer
//	fmt.Println(file.Summary())
//
// Before a request leaves, its line is claimed in the ledger, and after the
// answer it is settled, each with an fsync. So a line that was claimed and not
// settled may have been handled: its outcome is unknown, it is listed, and it is
// sent again only on request. The file is read a second time while it is sent,
// and every line is compared with what it was in the first pass: a file that
// changed stops the batch.
package batch
