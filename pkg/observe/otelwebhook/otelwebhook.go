// Package otelwebhook counts and times webhooks for OpenTelemetry: set its
// [Observer] as that of a receiver, a forwarder or a client.
//
//	func newClient(provider metric.MeterProvider) (*deliver.Client, error) {
//		observer, err := otelwebhook.New(provider) // in most programs, that of otel.GetMeterProvider
//		if err != nil {
//			return nil, err
//		}
//		return &deliver.Client{Observer: observer}, nil
//	}
//
// A receive.Config and a receive.ForwarderConfig take the same Observer. Its metrics, with
// their attributes, are
//
//   - the histogram webhook.receive.duration in seconds (webhook.platform, webhook.event,
//     webhook.outcome): the time until a request was answered, refused ones included;
//   - the counter webhook.receive.refusals (webhook.platform, error.type);
//   - the histogram webhook.handle.duration in seconds (webhook.platform, webhook.event,
//     webhook.outcome): the time of one call of the app;
//   - the histogram webhook.handle.age in seconds (webhook.platform, webhook.outcome): the
//     time from the receipt to the end of a call, which shows how long events wait for a
//     receive.Forwarder;
//   - the histogram webhook.send.duration in seconds (webhook.platform, webhook.event,
//     webhook.outcome): the time of one attempt;
//   - the counter webhook.send.failures (webhook.platform, error.type,
//     http.response.status_code) of the attempts that were not accepted;
//   - the counter webhook.send.retries (webhook.platform, error.type) of those that another
//     followed.
//
// A histogram counts as well: it has all requests, calls or attempts. The values of the
// attributes are those of package observe, error.type has that of Reason. One without a
// value is left out, and so is a status that is not registered. The context is that of the
// request or of the delivery, from which an SDK takes exemplars.
//
// This package is stable.
package otelwebhook

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/observe/internal/buckets"
	"github.com/wskdev/wsk/pkg/webhook"
)

// scope is the name of the instrumentation: the path of this package.
const scope = "github.com/wskdev/wsk/pkg/observe/otelwebhook"

// Observer is an [observe.Observer] that keeps OpenTelemetry metrics. [New] returns one.
type Observer struct {
	observe.Nop

	receiveDuration, handleDuration, handleAge, sendDuration metric.Float64Histogram
	receiveRefusals, sendFailures, sendRetries               metric.Int64Counter
}

// New returns an Observer whose metrics are those of a meter of p. The error is that of
// the meter. It is not nil either if p is.
func New(p metric.MeterProvider) (*Observer, error) {
	if p == nil {
		return nil, errors.New("otelwebhook: New needs a MeterProvider, such as that of otel.GetMeterProvider")
	}
	meter := p.Meter(scope)
	var failed []error
	histogram := func(name, description string, bounds []float64) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(bounds...))
		failed = append(failed, err)
		return h
	}
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		failed = append(failed, err)
		return c
	}
	o := &Observer{
		receiveDuration: histogram("webhook.receive.duration", "Time until a webhook request was answered.", buckets.Durations),
		receiveRefusals: counter("webhook.receive.refusals", "{request}", "Webhook requests that were refused."),
		handleDuration:  histogram("webhook.handle.duration", "Time that the app took for an event.", buckets.Durations),
		handleAge:       histogram("webhook.handle.age", "Time from the receipt of an event until the app was done with it.", buckets.Ages),
		sendDuration:    histogram("webhook.send.duration", "Time that an attempt to send a webhook took.", buckets.Durations),
		sendFailures:    counter("webhook.send.failures", "{attempt}", "Attempts to send a webhook that were not accepted."),
		sendRetries:     counter("webhook.send.retries", "{attempt}", "Attempts to send a webhook that were followed by another."),
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return o, nil
}

// Received implements [observe.Observer].
func (o *Observer) Received(ctx context.Context, r observe.Receipt) {
	o.receiveDuration.Record(ctx, r.Duration.Seconds(), with(r.Platform, r.Event, r.Outcome))
}

// Refused implements [observe.Observer].
func (o *Observer) Refused(ctx context.Context, r observe.Refusal) {
	o.receiveDuration.Record(ctx, r.Duration.Seconds(), with(r.Platform, "", webhook.Refused))
	o.receiveRefusals.Add(ctx, 1, because(r.Platform, r.Reason, 0))
}

// Handled implements [observe.Observer].
func (o *Observer) Handled(ctx context.Context, c observe.Call) {
	o.handleDuration.Record(ctx, c.Duration.Seconds(), with(c.Platform, c.Event, c.Outcome))
	o.handleAge.Record(ctx, c.Age.Seconds(), with(c.Platform, "", c.Outcome))
}

// Sent implements [observe.Observer].
func (o *Observer) Sent(ctx context.Context, a observe.Attempt) {
	o.sendDuration.Record(ctx, a.Duration.Seconds(), with(a.Platform, a.Event, a.Outcome))
	if a.Outcome != webhook.Accepted {
		o.sendFailures.Add(ctx, 1, because(a.Platform, a.Reason, a.Status))
	}
}

// Retried implements [observe.Observer].
func (o *Observer) Retried(ctx context.Context, r observe.Retry) {
	o.sendRetries.Add(ctx, 1, because(r.Platform, r.Reason, 0))
}

// with returns the attributes of a duration.
func with(p webhook.Platform, event string, outcome webhook.Outcome) metric.MeasurementOption {
	return attributes(text("webhook.platform", string(p)), text("webhook.event", event), text("webhook.outcome", string(outcome)))
}

// because returns the attributes of what failed.
func because(p webhook.Platform, reason string, status int) metric.MeasurementOption {
	var code attribute.KeyValue
	if http.StatusText(status) != "" { // an endpoint can answer with any number of three digits
		code = attribute.Int("http.response.status_code", status)
	}
	return attributes(text("webhook.platform", string(p)), text("error.type", reason), code)
}

// text returns an attribute, or the zero one if it has no value.
func text(key, value string) attribute.KeyValue {
	if value == "" {
		return attribute.KeyValue{}
	}
	return attribute.String(key, value)
}

// attributes returns those that are not zero.
func attributes(list ...attribute.KeyValue) metric.MeasurementOption {
	list = slices.DeleteFunc(list, func(a attribute.KeyValue) bool { return !a.Valid() })
	return metric.WithAttributeSet(attribute.NewSet(list...))
}
