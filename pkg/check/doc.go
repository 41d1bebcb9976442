// Package check tests a webhook receiver: the receiver's URL and secret come in,
// and a verdict for each case goes out.
//
//	secret, err := webhook.NewSecret(os.Getenv("WEBHOOK_SECRET"))
//	if err != nil {
//		return err
//	}
//	report, err := check.Run(ctx, check.Config{URL: "http://127.0.0.1:3000/hooks", Secret: secret}, nil)
//	if err != nil {
//		return err
//	}
//	for _, r := range report.Results {
//		fmt.Println(r.Verdict, r.Case.ID, r.Detail)
//	}
//
// Each case names one mistake that receivers make: what is sent, what the
// receiver should respond, why it matters, and how to fix it. A case is skipped
// if an earlier failure already explains it, so that one mistake fails one case.
//
// The requests are events to the receiver, so check one that may change its
// data. The cases follow from what WorkSkedge and Worksome ask of an endpoint,
// and from what their signatures protect.
//
// This package is experimental: its API may change.
package check
