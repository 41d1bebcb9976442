// Package webhook is the shared core of wsk: what an event is, what a record
// of a delivery is, and how requests of WorkSkedge, Work Market and Worksome
// are signed and verified.
//
// In comes the raw body of a request with its headers; out goes a yes, or a
// [Refusal] that says which check failed. Nothing here reads a clock, a file
// or the network: time is an argument, and a body is looked at byte for byte
// as it came over the wire. A handler in production needs five lines:
//
//	secret, err := webhook.NewSecret(os.Getenv("WEBHOOK_SECRET"))
//	// ... in the handler:
//	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
//	if err := webhook.Verify(r.Header, body, time.Now(), secret); err != nil {
//		http.Error(w, err.Error(), webhook.StatusOf(err))
//	}
//
// # Signing
//
// A [Scheme] is one row of a table: which bytes are signed, in which encoding
// and in which header the result travels. [Schemes] lists them. The default,
// timestamp.body, is WorkSkedge's in both directions: the lowercase hex
// HMAC-SHA256 of the X-Webhook-Timestamp header, a dot, and the raw body.
//
// # Events and records
//
// An [Event] is a payload with its envelope read: platform, form, type. The
// catalog ([Catalog], [Lookup]) holds a JSON Schema, a description and a
// sample for each event that the platforms document, one file per event. A
// [Record] is what happened in one attempt or one receipt; it is the one type
// that every command reads and writes, as a line of NDJSON.
//
// The package depends on the standard library and gjson only.
package webhook
