package receive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Middleware returns a middleware for net/http, and for the routers that take its
// handlers (chi, echo.WrapMiddleware, gin.WrapH): a request that passes every check of
// a receiver reaches the handler behind it, at most once for each delivery.
//
//	verified, err := receive.Middleware(receive.Config{Secrets: []webhook.Secret{secret}})
//	if err != nil {
//		return err
//	}
//	mux.Handle("POST /hooks", verified(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		event, _ := receive.EventFrom(r.Context())
//		if err := handle(r.Context(), event); err != nil {
//			http.Error(w, "try again", http.StatusServiceUnavailable)
//		}
//	})))
//
// The handler reads the body as it was signed. What it answers is held back until
// it returns, and then reaches the sender: 2xx accepts the delivery, and what the
// sender does about any other status depends on its platform. The handler cannot
// hijack the connection or stream its response.
//
// The errors are those of [New]. c.App must be nil: the handler takes its place.
func Middleware(c Config) (func(http.Handler) http.Handler, error) {
	if c.App != nil {
		return nil, errors.New("receive: Middleware calls the handler behind it, so Config.App must be nil")
	}
	checked, err := New(c)
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		if next == nil {
			panic("receive: Middleware without a handler")
		}
		h := *checked // all routes share the store, so that a delivery is known at each
		h.config.App = appOf(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, r)))
		})
	}, nil
}

// requestKey is the key of the *http.Request that Middleware hands to its App.
type requestKey struct{}

// eventKey is the key of the *webhook.Event of a verified request.
type eventKey struct{}

// EventFrom returns the event of a request that passed a [Middleware] or a
// [Handler], and whether there is one. A handler must not change it.
func EventFrom(ctx context.Context) (*webhook.Event, bool) {
	event, ok := ctx.Value(eventKey{}).(*webhook.Event)
	return event, ok
}

// appOf returns an App that calls an http.Handler with the request that is in the
// context.
func appOf(next http.Handler) App {
	return func(ctx context.Context, _ *webhook.Event, record *webhook.Record) webhook.Response {
		original, _ := ctx.Value(requestKey{}).(*http.Request)
		request := original.WithContext(ctx)
		request.Body = io.NopCloser(bytes.NewReader(record.Request.Body))
		request.ContentLength = int64(len(record.Request.Body))
		answer := &heldAnswer{header: http.Header{}}
		next.ServeHTTP(answer, request)
		return answer.response()
	}
}

// heldAnswer holds back a response until its request is stored.
type heldAnswer struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) Header() http.Header { return a.header }

func (a *heldAnswer) WriteHeader(status int) {
	if a.status != 0 || status/100 == 1 { // an informational response is not the answer
		return
	}
	a.status, a.sent = status, a.header.Clone()
}

func (a *heldAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// response returns the answer. Like net/http, it detects the type of a body that has
// none.
func (a *heldAnswer) response() webhook.Response {
	a.WriteHeader(http.StatusOK)
	if _, given := a.sent["Content-Type"]; !given && a.body.Len() > 0 {
		a.sent.Set("Content-Type", http.DetectContentType(a.body.Bytes()))
	}
	a.sent.Del("Content-Length") // write counts
	return webhook.Response{Status: a.status, Header: webhook.HeaderOf(a.sent), Body: a.body.Bytes()}
}
