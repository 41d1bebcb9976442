package deliver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// failure returns the *deliver.Error of a delivery.
func failure(t *testing.T, c deliver.Client, d deliver.Delivery) *deliver.Error {
	t.Helper()
	record, err := c.Send(t.Context(), d, deliver.Policy{}, nil)
	var failed *deliver.Error
	if !errors.As(err, &failed) || failed.Record.ID != record.ID {
		t.Fatalf("the error is %#v, and the record %s", err, record.ID)
	}
	return failed
}

func TestErrorOfAResponse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	at := strings.Replace(server.URL, "http://", "http://user:passw0rd@", 1)
	e := failure(t, client(overTCP(t)), delivery(t, at))
	if e.Status() != 503 || e.Err != nil || e.Unknown() || e.RetryAfter != time.Hour {
		t.Errorf("the error is %+v", e)
	}
	if text := e.Error(); strings.Contains(text, "passw0rd") || !strings.Contains(text, "the endpoint answered 503 Service Unavailable") {
		t.Errorf("the text is %q", text)
	}
}

func TestErrorWithoutAResponse(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		e := failure(t, client(overTCP(t)), delivery(t, webhooktest.ClosedURL))
		if !errors.Is(e, syscall.ECONNREFUSED) || e.Status() != 0 || e.Unknown() {
			t.Errorf("the error is %v, from %#v", e, e.Err)
		}
	})
	t.Run("an unknown authority", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = nil
		server.StartTLS()
		defer server.Close()
		transport := overTCP(t)
		transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		e := failure(t, client(transport), delivery(t, server.URL))
		var unknown x509.UnknownAuthorityError
		if !errors.As(e, &unknown) || e.Unknown() {
			t.Errorf("the error is %v, from %#v", e, e.Err)
		}
	})
	t.Run("sent, and no response", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		defer server.Close()
		e := failure(t, client(overTCP(t)), delivery(t, server.URL))
		if !e.Unknown() || e.Status() != 0 || e.Record.Verdict.Outcome != webhook.OutcomeUnknown {
			t.Errorf("the error is %v, with %+v", e, e.Record.Verdict)
		}
	})
	t.Run("the context has ended", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := client(overTCP(t)).Send(ctx, delivery(t, "http://127.0.0.1:9"), deliver.Policy{Retries: 3}, nil)
		var e *deliver.Error
		if !errors.As(err, &e) || !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestSendNeedsASecretOrUnsigned(t *testing.T) {
	t.Parallel()
	d := delivery(t, "http://x.example")
	secret := d.Secret
	d.Secret = webhook.Secret{}
	if _, err := client(unused(t)).Send(t.Context(), d, deliver.Policy{}, nil); !errors.Is(err, deliver.ErrUnsigned) {
		t.Errorf("without a secret the error is %v", err)
	}
	d.Secret, d.Unsigned = secret, true
	if _, err := client(unused(t)).Send(t.Context(), d, deliver.Policy{}, nil); err == nil {
		t.Error("a secret that signs nothing is no error")
	}
}

// A limiter waits before the request is signed, so that its timestamp is that of the
// request.
func TestClientBeforeAndAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := deliver.NewLimiter(deliver.Limit{Count: 1, Per: time.Minute})
		var stamps []string
		var statuses []int
		tries := 0
		c := client(webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			stamps = append(stamps, r.Header.Get(webhook.HeaderTimestamp))
			return answers(&tries, 503, 200).RoundTrip(r)
		}))
		c.Now = time.Now
		c.Before = func(ctx context.Context, d deliver.Delivery, attempt int) error {
			if attempt != len(stamps) || d.URL != "http://x.example/" {
				t.Errorf("Before got attempt %d of %s", attempt, d.URL)
			}
			return limiter.Wait(ctx, "key")
		}
		c.After = func(_ context.Context, r webhook.Record) { statuses = append(statuses, r.Status()) }
		began := time.Now()
		if _, err := c.Send(t.Context(), delivery(t, "http://x.example/"), deliver.Policy{Retries: 1}, nil); err != nil {
			t.Error(err)
		}
		want := []string{webhook.FormatTimestamp(began), webhook.FormatTimestamp(began.Add(time.Minute))}
		if len(stamps) != 2 || stamps[0] != want[0] || stamps[1] != want[1] {
			t.Errorf("the attempts are signed at %v, want %v", stamps, want)
		}
		if len(statuses) != 2 || statuses[0] != 503 || statuses[1] != 200 {
			t.Errorf("After got %v", statuses)
		}
		full := errors.New("the budget is used up")
		c.Before = func(context.Context, deliver.Delivery, int) error { return full }
		if _, err := c.Send(t.Context(), delivery(t, "http://x.example/"), deliver.Policy{Retries: 1}, nil); !errors.Is(err, full) || len(stamps) != 2 {
			t.Errorf("the error of Before became %v after %d requests", err, len(stamps)-2)
		}
		tries = 0
		c.Before = func(_ context.Context, _ deliver.Delivery, attempt int) error {
			if attempt == 1 {
				return full
			}
			return nil
		}
		record, err := c.Send(t.Context(), delivery(t, "http://x.example/"), deliver.Policy{Retries: 1}, nil)
		var failed *deliver.Error
		if !errors.As(err, &failed) || !errors.Is(err, full) || failed.Status() != 503 || record.Status() != 503 {
			t.Errorf("the error of Before took the place of the attempt that was made: %v", err)
		}
	})
}

func TestPolicyRepeatsAndBackoff(t *testing.T) {
	t.Parallel()
	tries, waits := 0, 0
	c := client(answers(&tries, 404, 404, 200))
	var pauses []time.Duration
	c.Wait = func(_ context.Context, d time.Duration) error {
		waits++
		pauses = append(pauses, d)
		return nil
	}
	policy := deliver.Policy{
		Retries: 5,
		Repeats: func(r webhook.Record) bool { return r.Status() == 404 },
		Backoff: func(failures int) time.Duration { return time.Duration(1+failures) * time.Hour },
	}
	if _, err := c.Send(t.Context(), delivery(t, "http://x.example/"), policy, nil); err != nil || tries != 3 {
		t.Errorf("%v after %d tries", err, tries)
	}
	if len(pauses) != 2 || pauses[0] != time.Hour || pauses[1] != 2*time.Hour {
		t.Errorf("the pauses are %v", pauses)
	}
}
