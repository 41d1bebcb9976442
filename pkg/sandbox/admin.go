package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/outbox"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// maxQuestion is the largest body of a request to the admin API, in bytes.
const maxQuestion = 64 << 10

// adminHandler serves what stands under [AdminPath]:
//
//	GET    status                       companies, counts, the clock
//	GET    records?kind=&company=&limit=&id=
//	GET    deliveries?state=&event=&limit=&id=
//	POST   deliveries/resend            {"ids":["whk_…"]} or {"state":"dead"}
//	POST   advance                      {"duration":"6h"}
//	POST   reset                        {}
//	GET    subscriptions
//	POST   subscriptions                {"url","events":[…],"form","secret","api_key","company"}
//	DELETE subscriptions?id=
//	POST   timesheets/process           {"company"}
//
// It answers whoever is on this machine and asks it by a name of this machine.
func (s *Sandbox) adminHandler() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, serve func(*http.Request) (any, error)) {
		method, name, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+AdminPath+name, func(w http.ResponseWriter, r *http.Request) {
			body, err := serve(r)
			adminAnswer(body, err).write(w)
		})
	}
	route("GET status", s.adminStatus)
	route("GET records", s.adminRecords)
	route("GET deliveries", s.adminDeliveries)
	route("POST deliveries/resend", s.adminResend)
	route("POST advance", s.adminAdvance)
	route("POST reset", s.adminReset)
	route("GET subscriptions", s.adminSubscriptions)
	route("POST subscriptions", s.adminSubscribe)
	route("DELETE subscriptions", s.adminUnsubscribe)
	route("POST timesheets/process", s.adminProcess)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := strangers(r); reason != "" {
			refused(http.StatusForbidden, reason).write(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxQuestion)
		mux.ServeHTTP(w, r)
	})
}

// strangers says why a request is not from this machine's own user: it came
// over the network, or a page in a browser made it, by a name of its own that
// leads here or from another site.
func strangers(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	switch {
	case !loopback(host):
		return "the admin API answers this machine alone"
	case !loopback(hostOf(r.Host)):
		return "the admin API is asked by a name of this machine: localhost or 127.0.0.1"
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return "the admin API does not answer pages of other sites"
		}
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	for _, origin := range r.Header.Values("Origin") {
		if origin != scheme+"://"+r.Host {
			return "the admin API does not answer pages of other sites"
		}
	}
	if r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != "" {
		return "the admin API does not answer through a proxy or a tunnel"
	}
	return ""
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// adminAnswer puts what a route says into an answer.
func adminAnswer(body any, err error) answer {
	var unknown *webhook.UnknownError
	var fault *askError
	switch {
	case err == nil:
		return answer{status: http.StatusOK, body: body}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, outbox.ErrGone):
		return refused(http.StatusNotFound, err.Error())
	case errors.As(err, &fault), errors.As(err, &unknown), errors.Is(err, outbox.ErrTooFar):
		return refused(http.StatusBadRequest, err.Error())
	}
	return refused(http.StatusInternalServerError, err.Error())
}

// askError is a question that cannot be answered as it was put.
type askError struct{ err error }

func (e *askError) Error() string { return e.err.Error() }
func (e *askError) Unwrap() error { return e.err }

// ask reads the JSON of a question. Only requests that say that they hold JSON
// are read: a form of a web page cannot.
func ask(r *http.Request, into any) error {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return &askError{errors.New("the body must be application/json")}
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if err = d.Decode(&struct{}{}); err == nil {
			err = errors.New("there is more than one value")
		}
	}
	if !errors.Is(err, io.EOF) {
		return &askError{fmt.Errorf("reading the question: %w", err)}
	}
	return nil
}

// maxLimit is how many records or deliveries one answer has at the most.
const maxLimit = 10_000

// limit reads how many are asked for: 100 unless told otherwise.
func limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 100, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, &askError{fmt.Errorf("limit %q: a number from 1 to %d", text, maxLimit)}
	}
	return n, nil
}

// settleTime is how long a question waits for attempts that are under way.
const settleTime = 2 * time.Second

// settle lets attempts that are due or under way end, so that what is asked
// next sees what came of them. One that hangs is not waited for.
func (s *Sandbox) settle(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	_ = s.Idle(limited) // what is still under way then is told as such
}

func (s *Sandbox) adminAdvance(r *http.Request) (any, error) {
	var q struct {
		Duration string `json:"duration"`
	}
	if err := ask(r, &q); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(q.Duration)
	if err != nil || d <= 0 {
		return nil, &askError{fmt.Errorf("duration %q: write 6h, 90m or 30s", q.Duration)}
	}
	s.settle(r.Context())
	due, err := s.Advance(r.Context(), d)
	s.settle(r.Context())
	return map[string]any{"advanced": d.String(), "clock": s.outbox.Clock(), "due": due}, err
}

func (s *Sandbox) adminReset(r *http.Request) (any, error) {
	if err := ask(r, &struct{}{}); err != nil {
		return nil, err
	}
	return map[string]any{"reset": true}, s.Reset(r.Context())
}

func (s *Sandbox) adminProcess(r *http.Request) (any, error) {
	var q struct {
		Company string `json:"company"`
	}
	if err := ask(r, &q); err != nil {
		return nil, err
	}
	n, err := s.ProcessTimesheets(r.Context(), q.Company)
	return map[string]any{"processed": n}, err
}

func (s *Sandbox) adminUnsubscribe(r *http.Request) (any, error) {
	id := r.URL.Query().Get("id")
	err := s.Unsubscribe(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("there is no subscription %q: %w", id, err)
	}
	return map[string]any{"removed": id}, err
}
