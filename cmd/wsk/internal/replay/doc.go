// Package replay sends again what was recorded, or what a file holds, and says
// what became of it: payloads and records come in as [Item]s, a [Plan] makes
// them into deliveries, and out go verdicts, or the figures of a load test.
//
//	items, err := replay.Read("failed.ndjson", raw)
//	plan := replay.Plan{URL: "http://localhost:3000", Secret: secret, NewID: newID}
//	jobs, err := plan.Jobs(items, time.Now())
//	runner := replay.Runner{Client: client, Each: func(r replay.Result) { … }}
//	summary, err := runner.Run(ctx, jobs)
//
// # The same again
//
// A body is sent byte for byte. Its signature is made anew with a fresh
// timestamp, since a receiver is right to refuse an old one; a verbatim plan
// sends the old lines instead. The webhook id stays, unless the plan asks for
// new ones: a receiver that knows the id answers as to a duplicate. Lines that
// belong to the connection and not to the delivery (Host, Content-Length, the
// hop-by-hop lines) are left out, and so are those whose value was masked when
// the record was kept.
//
// # Verdicts
//
// A [Result] compares the answer with the recorded one: fixed, regressed,
// still failing, still passing. Without a recorded answer it is passed or
// failed. What passes is 2xx, or what an [Expect] says.
//
// # Load
//
// [Load] sends the same jobs as a load test. With a rate it is an open loop:
// requests leave at their scheduled times whatever the answers do, and latency
// counts from the scheduled time, so a receiver that stalls cannot hide the
// requests that had to wait. Without a rate it is a closed loop that sends as
// fast as the answers come. Each request is signed just before it leaves.
//
// Time is injected, nothing is printed, and no file is read.
package replay
