package otelwebhook_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/observe/otelwebhook"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newObserver(t *testing.T) (*otelwebhook.Observer, *sdkmetric.ManualReader) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	o, err := otelwebhook.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	return o, reader
}

// collect returns the metrics of the one meter that there is.
func collect(t *testing.T, reader *sdkmetric.ManualReader) []metricdata.Metrics {
	t.Helper()
	var read metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &read); err != nil {
		t.Fatal(err)
	}
	if len(read.ScopeMetrics) != 1 || read.ScopeMetrics[0].Scope.Name != "github.com/wskdev/wsk/pkg/observe/otelwebhook" {
		t.Fatalf("the scopes are %+v", read.ScopeMetrics)
	}
	return read.ScopeMetrics[0].Metrics
}

// lines returns one line for each series, sorted.
func lines(t *testing.T, metrics []metricdata.Metrics) []string {
	t.Helper()
	var list []string
	add := func(m metricdata.Metrics, set attribute.Set, value string) {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", m.Name, m.Unit, value, set.Encoded(attribute.DefaultEncoder()))))
	}
	for _, m := range metrics {
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				add(m, p.Attributes, fmt.Sprintf("%d/%g", p.Count, p.Sum))
			}
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				add(m, p.Attributes, fmt.Sprint(p.Value))
			}
			if !data.IsMonotonic {
				t.Errorf("%s is not a counter", m.Name)
			}
		default:
			t.Errorf("%s has %T", m.Name, data)
		}
		if m.Description == "" {
			t.Errorf("%s has no description", m.Name)
		}
	}
	slices.Sort(list)
	return list
}

func TestObserver(t *testing.T) {
	t.Parallel()
	o, reader := newObserver(t)
	const p, event = webhook.WorkSkedge, "work_order.created"
	o.Received(t.Context(), observe.Receipt{Platform: p, Event: event, Outcome: webhook.Accepted, Duration: 250 * time.Millisecond})
	o.Received(t.Context(), observe.Receipt{Platform: p, Event: event, Outcome: webhook.Accepted, Duration: 500 * time.Millisecond})
	o.Received(t.Context(), observe.Receipt{Platform: p, Event: observe.Other, Outcome: webhook.Duplicate})
	o.Refused(t.Context(), observe.Refusal{Reason: "size", Duration: time.Second})
	o.Handled(t.Context(), observe.Call{Platform: p, Event: event, Outcome: webhook.Pending, Duration: time.Second, Age: time.Minute})
	o.Sent(t.Context(), observe.Attempt{Platform: p, Event: event, Outcome: webhook.Accepted, Status: 200, Duration: time.Second})
	o.Sent(t.Context(), observe.Attempt{Platform: p, Event: event, Outcome: webhook.Refused, Reason: "status", Status: 429, Duration: time.Second})
	o.Sent(t.Context(), observe.Attempt{Platform: p, Event: event, Outcome: webhook.OutcomeUnknown, Reason: "no_answer", Duration: 30 * time.Second})
	o.Retried(t.Context(), observe.Retry{Platform: p, Event: event, Outcome: webhook.Refused, Reason: "status", Status: 429, Pause: time.Second})
	want := []string{
		"webhook.handle.age s 1/60 webhook.outcome=pending,webhook.platform=workskedge",
		"webhook.handle.duration s 1/1 webhook.event=work_order.created,webhook.outcome=pending,webhook.platform=workskedge",
		"webhook.receive.duration s 1/0 webhook.event=other,webhook.outcome=duplicate,webhook.platform=workskedge",
		"webhook.receive.duration s 1/1 webhook.outcome=refused",
		"webhook.receive.duration s 2/0.75 webhook.event=work_order.created,webhook.outcome=accepted,webhook.platform=workskedge",
		"webhook.receive.refusals {request} 1 error.type=size",
		"webhook.send.duration s 1/1 webhook.event=work_order.created,webhook.outcome=accepted,webhook.platform=workskedge",
		"webhook.send.duration s 1/1 webhook.event=work_order.created,webhook.outcome=refused,webhook.platform=workskedge",
		"webhook.send.duration s 1/30 webhook.event=work_order.created,webhook.outcome=unknown,webhook.platform=workskedge",
		"webhook.send.failures {attempt} 1 error.type=no_answer,webhook.platform=workskedge",
		"webhook.send.failures {attempt} 1 error.type=status,http.response.status_code=429,webhook.platform=workskedge",
		"webhook.send.retries {attempt} 1 error.type=status,webhook.platform=workskedge",
	}
	if got := lines(t, collect(t, reader)); !slices.Equal(got, want) {
		t.Errorf("the metrics are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The limits that WorkSkedge documents are bounds, so that a quantile near them is exact.
func TestObserver_buckets(t *testing.T) {
	t.Parallel()
	o, reader := newObserver(t)
	o.Handled(t.Context(), observe.Call{Duration: 10 * time.Second, Age: time.Hour})
	for _, m := range collect(t, reader) {
		data, ok := m.Data.(metricdata.Histogram[float64])
		if !ok || len(data.DataPoints) != 1 {
			t.Fatalf("%s has %+v", m.Name, m.Data)
		}
		p := data.DataPoints[0]
		i := slices.Index(p.BucketCounts, 1)
		want := map[string]float64{"webhook.handle.duration": 10, "webhook.handle.age": 3600}[m.Name]
		if i < 0 || i >= len(p.Bounds) || p.Bounds[i] != want {
			t.Errorf("%s: the value is in bucket %d of %v, want the one up to %g", m.Name, i, p.Bounds, want)
		}
	}
}

// An endpoint cannot fill the memory of a sender by answering with every status.
func TestObserver_bounds_the_statuses(t *testing.T) {
	t.Parallel()
	o, reader := newObserver(t)
	for status := range 1000 {
		o.Sent(t.Context(), observe.Attempt{Outcome: webhook.Refused, Reason: "status", Status: status})
	}
	n := 0
	for _, line := range lines(t, collect(t, reader)) {
		if strings.HasPrefix(line, "webhook.send.failures ") {
			n++
		}
	}
	if n < 60 || n > 70 {
		t.Errorf("%d series, want one for each registered status", n)
	}
}

// full is a provider whose meter has no room for one instrument.
type full struct{ noop.MeterProvider }

func (full) Meter(string, ...metric.MeterOption) metric.Meter { return fullMeter{} }

type fullMeter struct{ noop.Meter }

func (fullMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return noop.Int64Counter{}, errors.New("no room for " + name)
}

func TestNew_errors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		p    metric.MeterProvider
		want string
	}{
		"none":   {nil, "needs a MeterProvider"},
		"a full": {full{}, "no room for webhook.send.retries"},
	} {
		o, err := otelwebhook.New(test.p)
		if o != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, %v, want an error with %q", name, o, err, test.want)
		}
	}
}

func BenchmarkObserver(b *testing.B) {
	o, err := otelwebhook.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())))
	if err != nil {
		b.Fatal(err)
	}
	r := observe.Receipt{Platform: webhook.WorkSkedge, Event: "work_order.created", Outcome: webhook.Accepted, Duration: time.Millisecond}
	b.ReportAllocs()
	for b.Loop() {
		o.Received(b.Context(), r)
	}
}
