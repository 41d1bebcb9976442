package otelwebhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/observe/otelwebhook"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newClient(provider metric.MeterProvider) (*deliver.Client, error) {
	observer, err := otelwebhook.New(provider) // in most programs, that of otel.GetMeterProvider
	if err != nil {
		return nil, err
	}
	return &deliver.Client{Observer: observer}, nil
}

// A client sends an event to an endpoint that is busy.
func Example() {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer endpoint.Close()
	secret, err := webhook.NewSecret("s3cret") // os.Getenv("WEBHOOK_SECRET") in production
	if err != nil {
		panic(err)
	}
	event, err := webhook.ParseEvent([]byte(`{"event_type":"test.connection","timestamp":"2026-01-15T14:30:00Z","source":"custom","data":{}}`))
	if err != nil {
		panic(err)
	}

	reader := sdkmetric.NewManualReader() // in production: an exporter, such as that of OTLP
	client, err := newClient(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		panic(err)
	}
	_, err = client.Send(context.Background(), deliver.Delivery{
		URL: endpoint.URL, Event: event, Header: deliver.Inbound("a key", "custom"), Secret: secret,
	}, deliver.Policy{}, nil)
	fmt.Println(err != nil)

	var read metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &read); err != nil {
		panic(err)
	}
	for _, m := range read.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
			fmt.Println(m.Name, sum.DataPoints[0].Value)
			for _, a := range sum.DataPoints[0].Attributes.ToSlice() {
				fmt.Println(" ", a.Key, a.Value.String())
			}
		}
	}
	// Output:
	// true
	// webhook.send.failures 1
	//   error.type status
	//   http.response.status_code 503
	//   webhook.platform workskedge
}
