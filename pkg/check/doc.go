// Package check tells whether a webhook receiver is right: a URL and its
// secret come in, a verdict for each case goes out.
//
//	report, err := check.Run(ctx, check.Config{
//		URL: "http://127.0.0.1:3000", Secret: secret,
//		Transport: deliver.NewTransport(), Now: time.Now, NewID: rand.Text,
//	}, func(r check.Result) { fmt.Println(r.Verdict, r.Case.ID, r.Detail) })
//
// The cases are data: what is sent, what is expected, why it matters and how
// to mend it. Each names one bug. A case that an earlier one has explained
// already is skipped, so that one bug fails one case.
//
// What is expected is what the pages of WorkSkedge and Worksome ask of an
// endpoint, and what their signatures are for.
package check
