// Package deliver sends events: a [Delivery] comes in, signed requests go over
// the wire, and a [webhook.Record] of each attempt comes out.
//
//	func send(ctx context.Context, url, apiKey string, secret webhook.Secret, body []byte) error {
//		event, err := webhook.ParseEvent(body)
//		if err != nil {
//			return err
//		}
//		var client deliver.Client
//		_, err = client.Send(ctx, deliver.Delivery{
//			URL:    url, // https://app.workskedge.com/webhooks/inbound
//			Event:  event,
//			Header: deliver.Inbound(apiKey, "custom"),
//			Secret: secret,
//		}, deliver.Policy{Retries: 3}, nil)
//		var failed *deliver.Error
//		if errors.As(err, &failed) && failed.Unknown() {
//			return fmt.Errorf("look whether it arrived before you send it again: %w", err)
//		}
//		return err // nil: the platform has accepted the event
//	}
//
// [Client.Send] delivers as a client does, with the caller's [Policy].
// [Client.Deliver] delivers as a platform does, which repeats a delivery by its
// [Schedule]. A [Limiter] or a [Window] says when a rate limit leaves room for
// the next request. [Client.Grace] lets a program that is stopped learn the outcome of
// what it has sent. All of it is in the program testdata/examples/sender.
//
// Each attempt is signed again just before it is sent; the id and the body stay
// the same. Redirects are not followed, because they would carry the API key,
// the signature and the body to another host. Responses are read up to
// [MaxResponse] bytes and never decompressed.
//
// This package is stable.
package deliver
