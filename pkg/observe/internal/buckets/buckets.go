// Package buckets has the bounds of the histograms, which the adaptors for
// Prometheus and OpenTelemetry share.
package buckets

// Durations are bounds for the time that an answer, a call or an attempt takes, in
// seconds: those that Prometheus and OpenTelemetry use for requests, with WorkSkedge's
// limits for a response, 10 and 30 seconds (Webhooks page, "Handle Events" and
// "Endpoint Requirements").
var Durations = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// Ages are bounds for the time from a receipt to the end of a call, in seconds. An event
// that a receive.Forwarder retries can take hours.
var Ages = []float64{0.01, 0.1, 1, 10, 60, 300, 900, 3600, 6 * 3600, 24 * 3600}
