package promwebhook_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/observe/promwebhook"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newObserver(t *testing.T, r prometheus.Registerer) *promwebhook.Observer {
	t.Helper()
	o, err := promwebhook.New(r)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// scrape returns the page of a registry without its buckets.
func scrape(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var kept strings.Builder
	for line := range strings.Lines(page.Body.String()) {
		if !strings.Contains(line, "_bucket{") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestObserver(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	o := newObserver(t, registry)
	const p, event = webhook.WorkSkedge, "work_order.created"
	o.Received(t.Context(), observe.Receipt{Platform: p, Event: event, Outcome: webhook.Accepted, Duration: 250 * time.Millisecond})
	o.Received(t.Context(), observe.Receipt{Platform: p, Event: event, Outcome: webhook.Accepted, Duration: 500 * time.Millisecond})
	o.Received(t.Context(), observe.Receipt{Platform: p, Event: observe.Other, Outcome: webhook.Duplicate})
	o.Refused(t.Context(), observe.Refusal{Platform: p, Reason: "size", Duration: time.Second})
	o.Handled(t.Context(), observe.Call{Platform: p, Event: event, Outcome: webhook.Pending, Duration: time.Second, Age: time.Minute})
	o.Sent(t.Context(), observe.Attempt{Platform: p, Event: event, Outcome: webhook.Accepted, Status: 200, Duration: time.Second})
	o.Sent(t.Context(), observe.Attempt{Platform: p, Event: event, Outcome: webhook.Refused, Reason: "status", Status: 429, Duration: time.Second})
	o.Sent(t.Context(), observe.Attempt{Platform: p, Event: event, Outcome: webhook.OutcomeUnknown, Reason: "no_answer", Duration: 30 * time.Second})
	o.Retried(t.Context(), observe.Retry{Platform: p, Event: event, Outcome: webhook.Refused, Reason: "status", Status: 429, Pause: time.Second})
	want := `# HELP webhook_handle_age_seconds Time from the receipt of an event until the app was done with it.
# TYPE webhook_handle_age_seconds histogram
webhook_handle_age_seconds_sum{outcome="pending",platform="workskedge"} 60
webhook_handle_age_seconds_count{outcome="pending",platform="workskedge"} 1
# HELP webhook_handle_duration_seconds Time that the app took for an event.
# TYPE webhook_handle_duration_seconds histogram
webhook_handle_duration_seconds_sum{event="work_order.created",outcome="pending",platform="workskedge"} 1
webhook_handle_duration_seconds_count{event="work_order.created",outcome="pending",platform="workskedge"} 1
# HELP webhook_receive_duration_seconds Time until a webhook request was answered.
# TYPE webhook_receive_duration_seconds histogram
webhook_receive_duration_seconds_sum{event="",outcome="refused",platform="workskedge"} 1
webhook_receive_duration_seconds_count{event="",outcome="refused",platform="workskedge"} 1
webhook_receive_duration_seconds_sum{event="other",outcome="duplicate",platform="workskedge"} 0
webhook_receive_duration_seconds_count{event="other",outcome="duplicate",platform="workskedge"} 1
webhook_receive_duration_seconds_sum{event="work_order.created",outcome="accepted",platform="workskedge"} 0.75
webhook_receive_duration_seconds_count{event="work_order.created",outcome="accepted",platform="workskedge"} 2
# HELP webhook_receive_refusals_total Webhook requests that were refused.
# TYPE webhook_receive_refusals_total counter
webhook_receive_refusals_total{platform="workskedge",reason="size"} 1
# HELP webhook_send_duration_seconds Time that an attempt to send a webhook took.
# TYPE webhook_send_duration_seconds histogram
webhook_send_duration_seconds_sum{event="work_order.created",outcome="accepted",platform="workskedge"} 1
webhook_send_duration_seconds_count{event="work_order.created",outcome="accepted",platform="workskedge"} 1
webhook_send_duration_seconds_sum{event="work_order.created",outcome="refused",platform="workskedge"} 1
webhook_send_duration_seconds_count{event="work_order.created",outcome="refused",platform="workskedge"} 1
webhook_send_duration_seconds_sum{event="work_order.created",outcome="unknown",platform="workskedge"} 30
webhook_send_duration_seconds_count{event="work_order.created",outcome="unknown",platform="workskedge"} 1
# HELP webhook_send_failures_total Attempts to send a webhook that were not accepted.
# TYPE webhook_send_failures_total counter
webhook_send_failures_total{platform="workskedge",reason="no_answer",status=""} 1
webhook_send_failures_total{platform="workskedge",reason="status",status="429"} 1
# HELP webhook_send_retries_total Attempts to send a webhook that were followed by another.
# TYPE webhook_send_retries_total counter
webhook_send_retries_total{platform="workskedge",reason="status"} 1
`
	if got := scrape(t, registry); got != want {
		t.Errorf("the page is\n%s\nwant\n%s", got, want)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("against the conventions: %v, %v", problems, err)
	}
}

// The limits that WorkSkedge documents are bounds, so that a quantile near them is exact.
func TestObserver_buckets(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	newObserver(t, registry).Handled(t.Context(), observe.Call{Duration: 10 * time.Second, Age: time.Hour})
	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`webhook_handle_duration_seconds_bucket{event="",outcome="",platform="",le="5"} 0`,
		`webhook_handle_duration_seconds_bucket{event="",outcome="",platform="",le="10"} 1`,
		`webhook_handle_duration_seconds_bucket{event="",outcome="",platform="",le="30"} 1`,
		`webhook_handle_age_seconds_bucket{outcome="",platform="",le="900"} 0`,
		`webhook_handle_age_seconds_bucket{outcome="",platform="",le="3600"} 1`,
	} {
		if !strings.Contains(page.Body.String(), "\n"+want+"\n") {
			t.Errorf("the page has no line %s", want)
		}
	}
}

// An endpoint cannot fill the memory of a sender by answering with every status.
func TestObserver_bounds_the_statuses(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	o := newObserver(t, registry)
	for status := range 1000 {
		o.Sent(t.Context(), observe.Attempt{Outcome: webhook.Refused, Reason: "status", Status: status})
	}
	n, err := testutil.GatherAndCount(registry, "webhook_send_failures_total")
	if err != nil || n < 60 || n > 70 {
		t.Errorf("%d series, %v, want one for each registered status", n, err)
	}
}

func TestNew_shares_what_is_registered(t *testing.T) {
	t.Parallel()
	for labels, wrap := range map[string]func(prometheus.Registerer) prometheus.Registerer{
		`platform="",reason="status"`: func(r prometheus.Registerer) prometheus.Registerer { return r },
		`platform="",reason="status",tenant="a"`: func(r prometheus.Registerer) prometheus.Registerer {
			return prometheus.WrapRegistererWith(prometheus.Labels{"tenant": "a"}, r)
		},
	} {
		registry := prometheus.NewRegistry()
		for range 2 {
			newObserver(t, wrap(registry)).Retried(t.Context(), observe.Retry{Reason: "status"})
		}
		if got, want := scrape(t, registry), "webhook_send_retries_total{"+labels+"} 2\n"; !strings.Contains(got, want) {
			t.Errorf("the page is\n%s\nwant %s", got, want)
		}
	}
}

func TestNew_errors(t *testing.T) {
	t.Parallel()
	taken := prometheus.NewRegistry()
	taken.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "webhook_send_retries_total", Help: "Of another program."}))
	for name, test := range map[string]struct {
		r    prometheus.Registerer
		want string
	}{
		"none":         {nil, "needs a Registerer"},
		"a taken name": {taken, "webhook_send_retries_total"},
	} {
		o, err := promwebhook.New(test.r)
		if o != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, %v, want an error with %q", name, o, err, test.want)
		}
	}
}

// The client of Prometheus panics for a label that is not UTF-8. The sender does not
// learn of it.
func TestObserver_of_a_reason_that_is_not_UTF8(t *testing.T) {
	t.Parallel()
	var warnings []string
	registry := prometheus.NewRegistry()
	handler, err := receive.New(receive.Config{
		Observer: newObserver(t, registry),
		Secrets:  []webhook.Secret{webhooktest.Secret(t, "s3cret")}, SkipVerify: true,
		App: func(_ context.Context, _ *webhook.Event, r *webhook.Record) webhook.Response {
			r.Verdict.Outcome, r.Verdict.Reason = webhook.Refused, "\xff"
			return receive.Status(http.StatusUnprocessableEntity)
		},
		Sink: func(r webhook.Record) { warnings = r.Verdict.Warnings },
	})
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"event":"hireUpdated","data":{}}`)))
	if answer.Code != http.StatusUnprocessableEntity || len(warnings) != 1 || !strings.Contains(warnings[0], "the observer panicked: label") {
		t.Errorf("answered %d, the warnings are %q", answer.Code, warnings)
	}
}

func BenchmarkObserver(b *testing.B) {
	o, err := promwebhook.New(prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	r := observe.Receipt{Platform: webhook.WorkSkedge, Event: "work_order.created", Outcome: webhook.Accepted, Duration: time.Millisecond}
	b.ReportAllocs()
	for b.Loop() {
		o.Received(b.Context(), r)
	}
}
