package promwebhook_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wskdev/wsk/pkg/observe/promwebhook"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newServers(secret webhook.Secret, app receive.App) (hooks, metrics *http.Server, err error) {
	registry := prometheus.NewRegistry() // or prometheus.DefaultRegisterer, and promhttp.Handler below
	observer, err := promwebhook.New(registry)
	if err != nil {
		return nil, nil, err
	}
	handler, err := receive.New(receive.Config{
		Secrets:  []webhook.Secret{secret},
		App:      app,
		Observer: observer,
	})
	if err != nil {
		return nil, nil, err
	}
	hooks = receive.NewServer(handler)
	hooks.Addr = ":8080"
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	metrics = &http.Server{Addr: "127.0.0.1:9090", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return hooks, metrics, nil // call ListenAndServe of both
}

// A receiver gets an event, and then one with a signature that does not match.
func Example() {
	secret, err := webhook.NewSecret("s3cret") // os.Getenv("WEBHOOK_SECRET") in production
	if err != nil {
		panic(err)
	}
	hooks, metrics, err := newServers(secret, receive.Always(http.StatusOK))
	if err != nil {
		panic(err)
	}

	body := `{"event_id":"evt_1","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"co_1","data":{}}`
	signed, err := webhook.Sign([]byte(body), time.Now(), secret)
	if err != nil {
		panic(err)
	}
	for _, body := range []string{body, body + " "} {
		request := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
		request.Header = signed.HTTP()
		hooks.Handler.ServeHTTP(httptest.NewRecorder(), request)
	}

	page := httptest.NewRecorder()
	metrics.Handler.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(page.Result().Body)
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "_count{") || strings.Contains(line, "_total{") {
			fmt.Print(line)
		}
	}
	// Output:
	// webhook_handle_age_seconds_count{outcome="accepted",platform="workskedge"} 1
	// webhook_handle_duration_seconds_count{event="work_order.created",outcome="accepted",platform="workskedge"} 1
	// webhook_receive_duration_seconds_count{event="",outcome="refused",platform=""} 1
	// webhook_receive_duration_seconds_count{event="work_order.created",outcome="accepted",platform="workskedge"} 1
	// webhook_receive_refusals_total{platform="",reason="signature_mismatch"} 1
}
