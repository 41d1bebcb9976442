// Package receive is a webhook receiver for production and for tests: a
// request comes in, a verified [webhook.Record] goes out, and the sender gets
// the answer that its platform's retry rules expect.
//
//	handler, err := receive.New(receive.Config{
//		Verifier: webhook.Verifier{Secrets: []webhook.Secret{secret}},
//		Now:      time.Now, NewID: rand.Text,
//		App: func(ctx context.Context, r *webhook.Record) receive.Answer {
//			// r.Event and r.Request.Body are verified, and new
//			return receive.OK()
//		},
//	})
//	server := receive.Server(handler)
//
// The checks run in a fixed order, each with its own answer: method (405),
// Content-Encoding (415), size (413), a repeated header (400), signature
// (401), timestamp (400), JSON (400), and whether the id was seen before (200
// as a duplicate, 409 with another body). What passes them all goes to the App
// once, however often and however parallel it is delivered. An id counts as
// seen when it was answered with 2xx: a retry after a refusal or a 5xx is a
// new try.
package receive
