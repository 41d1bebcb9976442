// Package replay sends recorded requests and payload files again. Payloads and
// records come in as [Item]s, a [Plan] makes deliveries of them, and verdicts
// or the figures of a load test go out.
//
//	items, err := replay.Read("failed.ndjson", raw)
//	plan := replay.Plan{URL: "http://localhost:3000", Secret: secret, NewID: newID}
//	jobs, err := plan.Jobs(items, time.Now())
//	runner := replay.Runner{Client: client, Each: func(r replay.Result) { … }}
//	summary, err := runner.Run(ctx, jobs)
//
// # What is sent
//
// A body is sent byte for byte. It is signed again with a new timestamp,
// because a receiver is right to refuse an old one; a verbatim plan sends the
// recorded signature instead. The webhook id stays the same unless the plan
// asks for new ones: a receiver that knows the id answers as to a duplicate.
// Hop-by-hop headers, Host and Content-Length are left out, and so are
// credentials that were masked when the record was stored.
//
// # Verdicts
//
// A [Result] compares the answer with the recorded one: fixed, regressed, still
// failing, still passing. Without a recorded answer it is passed or failed. A
// 2xx passes, unless an [Expect] names another status.
//
// # Load tests
//
// [Load] sends the same jobs as a load test. With a rate it is an open loop:
// requests are sent at their scheduled times whatever the answers do, and
// latency counts from the scheduled time, so a receiver that stalls cannot hide
// the requests that had to wait. Without a rate it is a closed loop, which sends
// as fast as the answers come. Each request is signed just before it is sent.
package replay
