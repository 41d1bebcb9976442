// Package promwebhook counts and times webhooks for Prometheus: set its [Observer]
// as that of a receiver, a forwarder or a client.
//
//	func newServers(secret webhook.Secret, app receive.App) (hooks, metrics *http.Server, err error) {
//		registry := prometheus.NewRegistry() // or prometheus.DefaultRegisterer, and promhttp.Handler below
//		observer, err := promwebhook.New(registry)
//		if err != nil {
//			return nil, nil, err
//		}
//		handler, err := receive.New(receive.Config{
//			Secrets:  []webhook.Secret{secret},
//			App:      app,
//			Observer: observer,
//		})
//		if err != nil {
//			return nil, nil, err
//		}
//		hooks = receive.NewServer(handler)
//		hooks.Addr = ":8080"
//		mux := http.NewServeMux()
//		mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
//		metrics = &http.Server{Addr: "127.0.0.1:9090", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
//		return hooks, metrics, nil // call ListenAndServe of both
//	}
//
// A receive.ForwarderConfig and a deliver.Client take the same Observer. Its metrics, with
// their labels, are
//
//   - the histogram webhook_receive_duration_seconds (platform, event, outcome): the time
//     until a request was answered, refused ones included;
//   - the counter webhook_receive_refusals_total (platform, reason);
//   - the histogram webhook_handle_duration_seconds (platform, event, outcome): the time of
//     one call of the app;
//   - the histogram webhook_handle_age_seconds (platform, outcome): the time from the
//     receipt to the end of a call, which shows how long events wait for a
//     receive.Forwarder;
//   - the histogram webhook_send_duration_seconds (platform, event, outcome): the time of
//     one attempt;
//   - the counter webhook_send_failures_total (platform, reason, status) of the attempts
//     that were not accepted;
//   - the counter webhook_send_retries_total (platform, reason) of those that another
//     followed.
//
// A histogram counts as well: its _count has all requests, calls or attempts. The values
// of the labels are those of package observe. status is "" if there was no response, or one
// whose status is not registered.
//
// This package is stable.
package promwebhook

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/observe/internal/buckets"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Observer is an [observe.Observer] that keeps Prometheus metrics. [New] returns one.
type Observer struct {
	observe.Nop

	receiveDuration, handleDuration, handleAge, sendDuration *prometheus.HistogramVec
	receiveRefusals, sendFailures, sendRetries               *prometheus.CounterVec
}

// New returns an Observer whose metrics are registered with r. Observers with the same
// r share their metrics. To add labels or a prefix, wrap r: see
// [prometheus.WrapRegistererWith].
//
// The error is that of r, which has another metric of one of the names. It is not nil
// either if r is.
func New(r prometheus.Registerer) (*Observer, error) {
	if r == nil {
		return nil, errors.New("promwebhook: New needs a Registerer, such as prometheus.DefaultRegisterer")
	}
	var failed []error
	histogram := func(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}, labels)
		return register(r, h, &failed)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return register(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels), &failed)
	}
	o := &Observer{
		receiveDuration: histogram("webhook_receive_duration_seconds", "Time until a webhook request was answered.",
			buckets.Durations, "platform", "event", "outcome"),
		receiveRefusals: counter("webhook_receive_refusals_total", "Webhook requests that were refused.",
			"platform", "reason"),
		handleDuration: histogram("webhook_handle_duration_seconds", "Time that the app took for an event.",
			buckets.Durations, "platform", "event", "outcome"),
		handleAge: histogram("webhook_handle_age_seconds", "Time from the receipt of an event until the app was done with it.",
			buckets.Ages, "platform", "outcome"),
		sendDuration: histogram("webhook_send_duration_seconds", "Time that an attempt to send a webhook took.",
			buckets.Durations, "platform", "event", "outcome"),
		sendFailures: counter("webhook_send_failures_total", "Attempts to send a webhook that were not accepted.",
			"platform", "reason", "status"),
		sendRetries: counter("webhook_send_retries_total", "Attempts to send a webhook that were followed by another.",
			"platform", "reason"),
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return o, nil
}

// register returns c, or the collector that r has for the same metrics.
func register[C prometheus.Collector](r prometheus.Registerer, c C, failed *[]error) C {
	err := r.Register(c)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(C); ok {
			return existing
		}
	}
	if err != nil {
		*failed = append(*failed, err)
	}
	return c
}

// Received implements [observe.Observer].
func (o *Observer) Received(_ context.Context, r observe.Receipt) {
	o.receiveDuration.WithLabelValues(string(r.Platform), r.Event, string(r.Outcome)).Observe(r.Duration.Seconds())
}

// Refused implements [observe.Observer].
func (o *Observer) Refused(_ context.Context, r observe.Refusal) {
	o.receiveDuration.WithLabelValues(string(r.Platform), "", string(webhook.Refused)).Observe(r.Duration.Seconds())
	o.receiveRefusals.WithLabelValues(string(r.Platform), r.Reason).Inc()
}

// Handled implements [observe.Observer].
func (o *Observer) Handled(_ context.Context, c observe.Call) {
	o.handleDuration.WithLabelValues(string(c.Platform), c.Event, string(c.Outcome)).Observe(c.Duration.Seconds())
	o.handleAge.WithLabelValues(string(c.Platform), string(c.Outcome)).Observe(c.Age.Seconds())
}

// Sent implements [observe.Observer].
func (o *Observer) Sent(_ context.Context, a observe.Attempt) {
	o.sendDuration.WithLabelValues(string(a.Platform), a.Event, string(a.Outcome)).Observe(a.Duration.Seconds())
	if a.Outcome == webhook.Accepted {
		return
	}
	status := ""
	if http.StatusText(a.Status) != "" { // an endpoint can answer with any number of three digits
		status = strconv.Itoa(a.Status)
	}
	o.sendFailures.WithLabelValues(string(a.Platform), a.Reason, status).Inc()
}

// Retried implements [observe.Observer].
func (o *Observer) Retried(_ context.Context, r observe.Retry) {
	o.sendRetries.WithLabelValues(string(r.Platform), r.Reason).Inc()
}
