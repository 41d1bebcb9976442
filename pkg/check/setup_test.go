package check

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

const testSecret = "s3cret-of-the-tests"

// run checks a receiver and fails the test on an error.
func run(t *testing.T, h http.Handler, change func(*Config)) Report {
	t.Helper()
	results, err := tryRun(t, h, change)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func tryRun(t *testing.T, h http.Handler, change func(*Config)) (Report, error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	transport := deliver.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	c := Config{
		URL: server.URL, Secret: webhooktest.Secret(t, testSecret), Transport: transport, Now: time.Now, NewID: rand.Text,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	if v, ok := h.(*webhooktest.Receiver); ok {
		c.Platform = v.Platform
		if v.Platform != webhook.Worksome {
			c.Effect = func(context.Context) (int64, error) { return v.Effects.Load(), nil }
		}
	}
	if change != nil {
		change(&c)
	}
	return Run(t.Context(), c, nil)
}

func newTestSession(t *testing.T, p webhook.Platform) *session {
	t.Helper()
	n := 0
	s, err := newSession(Config{
		Platform: p, Secret: webhooktest.Secret(t, testSecret), Now: time.Now,
		NewID: func() string { n++; return strconv.Itoa(n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// of returns the IDs of the cases with a verdict, joined by spaces.
func (r Report) of(v report.Verdict) string {
	var ids []string
	for _, result := range r.Results {
		if result.Verdict == v {
			ids = append(ids, result.Case.ID)
		}
	}
	return strings.Join(ids, " ")
}

func (r Report) named(id string) Result {
	for _, result := range r.Results {
		if result.Case.ID == id {
			return result
		}
	}
	return Result{}
}

// ours returns the receiver of pkg/receive.
func ours(t *testing.T, p webhook.Platform, effects *atomic.Int64) http.Handler {
	t.Helper()
	h, err := receive.New(receive.Config{
		Verifier: webhook.Verifier{Secrets: []webhook.Secret{webhooktest.Secret(t, testSecret)}, Scheme: webhook.SchemeFor(p)}, Platform: p,
		App: func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
			effects.Add(1)
			return receive.OK()
		},
		Now: time.Now, NewID: rand.Text,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
