// Package observe is how a service counts and times its webhooks. A receiver and a
// client call an [Observer] for what they received, refused, handled, sent and
// retried. Packages promwebhook and otelwebhook, below this one, have Observers for
// Prometheus and OpenTelemetry.
//
//	// refusals logs why requests are refused, and leaves the rest alone.
//	type refusals struct {
//		observe.Nop
//		log *slog.Logger
//	}
//
//	func (o refusals) Refused(ctx context.Context, r observe.Refusal) {
//		o.log.WarnContext(ctx, "webhook refused", "platform", r.Platform, "reason", r.Reason, "status", r.Status)
//	}
//
//	func newHandler(secret webhook.Secret, app receive.App, log *slog.Logger) (*receive.Handler, error) {
//		return receive.New(receive.Config{
//			Secrets:  []webhook.Secret{secret},
//			App:      app,
//			Observer: refusals{log: log},
//		})
//	}
//
// # What an Observer sees
//
// Every request that a receiver answers is one call of Received or of Refused, and
// one of Handled before it if it reached the app. A receiver that acknowledges first
// calls Handled later, once for each attempt of its receive.Forwarder. Every attempt
// of a deliver.Client is one call of Sent, and one of Retried after it if another
// follows.
//
// The values can be used as labels of metrics. They have no credential, no URL, no id
// and no part of a body, and their text comes from sets that a stranger cannot
// enlarge: an event that the catalog of package webhook does not have is [Other].
//
// # What an Observer may do
//
// It is called concurrently, on the goroutine of what it observes, and should return
// at once. One that blocks delays no answer and loses nothing that is to be stored:
// a receiver calls it after the answer is written, and a Forwarder after the result is
// stored. But it holds up what comes next on that goroutine: the next request on
// the same connection, one of the Forwarder's attempts, the next attempt or the
// return of Send. A panic is recovered, and becomes a warning of the record that
// Config.Sink, ForwarderConfig.OnResult or the caller of Send gets.
//
// This package is stable.
package observe

import (
	"context"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Observer has a method for each thing that happens to webhooks. A later version may have more methods:
// embed [Nop], which has them all, also where you write every one.
//
// ctx is that of the request or of the delivery, with its values, such as a trace. It
// may have ended.
type Observer interface {
	// Received is called for a request that was not refused, after its answer was
	// written.
	Received(ctx context.Context, r Receipt)

	// Refused is called for a request that was refused, after its answer was written:
	// its outcome is [webhook.Refused]. Anyone can send such requests.
	Refused(ctx context.Context, r Refusal)

	// Handled is called for each call of the app with an event. A receiver without an
	// App handles nothing, and neither does an attempt that the end of a Forwarder
	// interrupts.
	Handled(ctx context.Context, c Call)

	// Sent is called for each attempt to send a delivery, once there is a response or
	// the reason why there is none.
	Sent(ctx context.Context, a Attempt)

	// Retried is called for an attempt that another follows, before the pause.
	Retried(ctx context.Context, r Retry)
}

// Other is the event of a type that the catalog of package webhook does not have.
const Other = "other"

// Receipt is a request that a receiver did not refuse.
type Receipt struct {
	Platform webhook.Platform // "": neither the envelope nor the configuration says it
	Scheme   string           // how it was signed; "" for none
	Event    string           // its type, or Other; "" where nothing says it, as for Work Market
	Outcome  webhook.Outcome  // not Refused
	Reason   string           // why it was not accepted: "conflict", "app", "journal"; "" otherwise
	Status   int              // of the answer; 0 if the app panicked
	Attempt  int              // as the sender counts: 0 for the first
	Bytes    int              // of the body
	Duration time.Duration    // until the answer was written
}

// Refusal is a request that a receiver refused.
type Refusal struct {
	Platform webhook.Platform // "": neither the envelope nor the configuration says it
	Scheme   string           // how it was to be signed; "" for none
	Reason   string           // a [webhook.Reason], or the name of another check: see [webhook.Verdict]
	Status   int              // of the answer
	Bytes    int              // of the body, as far as it was read
	Duration time.Duration    // until the answer was written
}

// Call is one call of the app with an event.
type Call struct {
	Platform webhook.Platform // "": neither the envelope nor the configuration says it
	Event    string           // its type, or Other; "" where nothing says it, as for Work Market
	Outcome  webhook.Outcome  // Accepted or Failed; of a Forwarder, Accepted, Pending (another attempt follows) or ForwardFailed
	Status   int              // that the app answered with; 500 if it panicked
	Attempt  int              // of a Forwarder: 0 for the first
	Duration time.Duration    // of the call
	Age      time.Duration    // from the receipt of the request to the end of the call
}

// Attempt is one attempt to send a delivery.
type Attempt struct {
	Platform webhook.Platform // "": the envelope does not say it
	Scheme   string           // how it was signed; "" for none
	Event    string           // its type, or Other; "" where nothing says it, as for Work Market
	Outcome  webhook.Outcome  // as deliver.Client.Attempt lists them
	Reason   string           // why it was not accepted: "status", "redirect", "unreachable", "no_answer"; "" if it was
	Status   int              // of the response; 0 for none
	Attempt  int              // 0 for the first
	Duration time.Duration    // until the response was read, or the attempt failed
}

// Retry is an attempt to send a delivery that another follows.
type Retry struct {
	Platform webhook.Platform // of the attempt that failed, as the fields below
	Event    string
	Outcome  webhook.Outcome
	Reason   string
	Status   int
	Attempt  int           // 0: the first attempt failed, and a second follows
	Pause    time.Duration // until the next attempt
}

// Nop is an Observer that does nothing.
type Nop struct{}

// Received does nothing.
func (Nop) Received(context.Context, Receipt) {}

// Refused does nothing.
func (Nop) Refused(context.Context, Refusal) {}

// Handled does nothing.
func (Nop) Handled(context.Context, Call) {}

// Sent does nothing.
func (Nop) Sent(context.Context, Attempt) {}

// Retried does nothing.
func (Nop) Retried(context.Context, Retry) {}
