// Package deliver sends events: a [Delivery] comes in, a signed request goes
// over the wire, and a [webhook.Record] of each attempt comes out.
//
//	client := deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: rand.Text}
//	record, err := client.Send(ctx, deliver.Delivery{
//		URL: "https://app.workskedge.com/webhooks/inbound", Event: event,
//		Scheme: webhook.DefaultScheme(), Secret: secret,
//	}, deliver.Policy{Retries: 3}, nil)
//
// Send is the client's side, with the caller's retries; [Client.Deliver] plays a
// platform, which repeats a delivery by its [Schedule].
//
// Each attempt is signed anew just before it leaves; id and body stay. No
// redirect is followed, since it would carry key, signature and body to
// another host. Answers are read up to [MaxAnswer] bytes and never inflated.
package deliver
