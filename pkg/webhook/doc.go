// Package webhook is the core of wsk: events, records of deliveries, and the
// signatures of WorkSkedge, Work Market and Worksome.
//
// The raw body of a request and its headers go in, and nil or a [Refusal] that
// says which check failed comes out. The package reads no file and no network, and
// no clock but in VerifyRequest: elsewhere the time is an argument. A body is
// verified byte for byte as it was received. A complete handler:
//
//	func handler(secret webhook.Secret, handle func(webhook.Event) error) http.HandlerFunc {
//		return func(w http.ResponseWriter, r *http.Request) {
//			body, err := webhook.VerifyRequest(r, 1<<20, secret)
//			if err != nil {
//				http.Error(w, webhook.TextOf(err), webhook.StatusOf(err))
//				return
//			}
//			event, err := webhook.ParseEvent(body)
//			if err != nil {
//				http.Error(w, err.Error(), http.StatusBadRequest)
//				return
//			}
//			if err := handle(event); err != nil { // the sender tries again
//				http.Error(w, "handling the event failed", http.StatusInternalServerError)
//				return
//			}
//			w.WriteHeader(http.StatusOK)
//		}
//	}
//
// A sender repeats a delivery until it gets a 2xx response, and a captured
// request can be sent again within the tolerance. Package receive is a handler
// that recognizes both.
//
// # Signing
//
// A [Scheme] says which bytes are signed, in which encoding, in which headers.
// The default, timestamp.body, is WorkSkedge's in both directions: the lowercase
// hex HMAC-SHA256 of the header X-Webhook-Timestamp, a dot, and the raw body.
//
// # Events and records
//
// An [Event] is a payload whose envelope has been read: platform, form, type. A
// [Catalog] has a JSON Schema, a description and a sample of each event that the
// platforms document. A [Record] is what happened in one attempt to send a
// request or in the receipt of one, and is stored as a line of NDJSON.
//
// # Logging
//
// Every value of this module that may carry a credential masks it where it is
// logged or printed: by LogValue for log/slog, by Format for every verb of fmt,
// and in JSON. [Pair.IsSensitive] and [RedactURL] say what is a credential. Neither
// fmt nor log/slog call the methods of a value in an unexported field: a [Secret]
// stays hidden there, but a [Header] or a URL does not.
//
// The package depends on the standard library and gjson only.
//
// This package is stable.
package webhook
