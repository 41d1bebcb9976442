package receive_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// inFront returns a handler with a middleware in front of it.
func inFront(t *testing.T, next http.HandlerFunc, edit func(*receive.Config)) http.Handler {
	t.Helper()
	c := receive.Config{
		Secrets: []webhook.Secret{webhooktest.Secret(t, sharedSecret)},
		Now:     func() time.Time { return clock },
	}
	if edit != nil {
		edit(&c)
	}
	verified, err := receive.Middleware(c)
	if err != nil {
		t.Fatal(err)
	}
	return verified(next)
}

func serveTo(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestMiddlewareHandsOnWhatIsVerified(t *testing.T) {
	t.Parallel()
	calls := 0
	h := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != payload || r.ContentLength != int64(len(payload)) {
			t.Errorf("the handler read %q of %d bytes, %v", body, r.ContentLength, err)
		}
		event, ok := receive.EventFrom(r.Context())
		if !ok || event.Type != "work_order.created" || event.ID != "evt_1" || event.CompanyID != "co_1" || string(event.Data()) != `{"id":"wo_1"}` {
			t.Errorf("the event is %+v, %t", event, ok)
		}
		if r.URL.Path != "/hooks" || r.Header.Get(webhook.HeaderID) != "one" {
			t.Errorf("the request lost %s or its headers %v", r.URL, r.Header)
		}
		w.Header().Set("X-Handled", "yes")
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("X-Late", "it is too late for a header")
		_, _ = io.WriteString(w, "queued")
	}, nil)
	got := serveTo(h, post(header("one", payload, clock), payload))
	wantAnswer(t, got, http.StatusAccepted, "queued")
	if head := got.Header(); head.Get("X-Handled") != "yes" || head.Get("X-Late") != "" || !strings.HasPrefix(head.Get("Content-Type"), "text/plain") {
		t.Errorf("the answer has the headers %v", head)
	}
	wantAnswer(t, serveTo(h, post(header("one", payload, clock), payload)), 200, takenBefore)
	wantAnswer(t, serveTo(h, post(header("two", payload, clock), payload)), 200, takenSuspect)
	wantAnswer(t, serveTo(h, post(http.Header{}, payload)), 401, invalidSignature)
	if calls != 1 {
		t.Errorf("the handler was called %d times, want once", calls)
	}
}

func TestMiddlewareTakesATryAgainUnlessTheHandlerAccepts(t *testing.T) {
	t.Parallel()
	status := http.StatusInternalServerError
	h := inFront(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", status) }, nil)
	deliver := func() *httptest.ResponseRecorder { return serveTo(h, post(header("one", payload, clock), payload)) }
	wantAnswer(t, deliver(), 500, "no\n")
	status = http.StatusOK
	wantAnswer(t, deliver(), 200, "no\n")
	wantAnswer(t, deliver(), 200, takenBefore)
}

func TestMiddlewareKeepsBeforeItAnswers(t *testing.T) {
	t.Parallel()
	var kept []int
	h := inFront(t, func(http.ResponseWriter, *http.Request) {}, func(c *receive.Config) {
		c.Keep = func(_ context.Context, r receive.Receipt) error {
			kept = append(kept, r.Record.Status())
			return fmt.Errorf("the disk is full")
		}
	})
	if got := serveTo(h, post(header("one", payload, clock), payload)); got.Code != 503 || kept[0] != 200 {
		t.Errorf("answered %d after keeping %v, want 503", got.Code, kept)
	}
}

func TestMiddlewareWithoutAStatus(t *testing.T) {
	t.Parallel()
	h := inFront(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusEarlyHints) }, nil)
	wantAnswer(t, serveTo(h, post(header("one", payload, clock), payload)), 200, "")
}

// A panic reaches the server, and the delivery may come again.
func TestMiddlewareWithAPanic(t *testing.T) {
	t.Parallel()
	fail := true
	h := inFront(t, func(http.ResponseWriter, *http.Request) {
		if fail {
			panic(http.ErrAbortHandler)
		}
	}, nil)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach the server")
			}
		}()
		serveTo(h, post(header("one", payload, clock), payload))
	}()
	fail = false
	wantAnswer(t, serveTo(h, post(header("one", payload, clock), payload)), 200, "")
}

func TestMiddlewareKnowsADeliveryAtEachOfItsRoutes(t *testing.T) {
	t.Parallel()
	verified, err := receive.Middleware(receive.Config{Secrets: []webhook.Secret{webhooktest.Secret(t, sharedSecret)}, Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	mux, ok := http.NewServeMux(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	mux.Handle("POST /a", verified(ok))
	mux.Handle("POST /b", verified(ok))
	request := func(path string) *http.Request {
		r := post(header("one", payload, clock), payload)
		r.URL.Path = path
		return r
	}
	wantAnswer(t, serveTo(mux, request("/a")), 200, "")
	wantAnswer(t, serveTo(mux, request("/b")), 200, takenBefore)
}

func TestMiddlewareConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]receive.Config{
		"without a secret":    {},
		"with a blank secret": {Secrets: []webhook.Secret{{}}},
		"with an App":         {Secrets: []webhook.Secret{webhooktest.Secret(t, "s")}, App: receive.Always(200)},
	} {
		if m, err := receive.Middleware(c); err == nil || m != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := receive.EventFrom(t.Context()); ok {
		t.Error("there is an event without a request")
	}
}
