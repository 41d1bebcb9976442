// Package check tests a webhook receiver: the receiver's URL and secret come in,
// and a verdict for each case goes out.
//
//	func checkReceiver(ctx context.Context, url string, secret webhook.Secret) error {
//		report, err := check.Run(ctx, check.Config{
//			URL: url, Secret: secret, Only: []string{"valid", "signature_*"}, // without Only: all cases
//		}, nil)
//		if err != nil {
//			return err
//		}
//		for _, r := range report.Results {
//			fmt.Println(r.Case.ID, r.Verdict)
//		}
//		if report.Failed > 0 {
//			return fmt.Errorf("%d cases failed", report.Failed)
//		}
//		return nil
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
