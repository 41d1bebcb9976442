package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/sandbox/internal/outbox"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// AdminPath is the prefix of the admin API, which reads and changes a running
// sandbox:
//
//	GET    status                                → Status
//	GET    records?kind=&company=&id=&limit=     → RecordList
//	GET    deliveries?state=&event=&id=&limit=   → DeliveryList
//	POST   deliveries/resend      ResendRequest  → ResendResult
//	POST   advance                AdvanceRequest → AdvanceResult
//	POST   reset                  {}             → {"reset":true}
//	GET    subscriptions                         → SubscriptionList
//	POST   subscriptions          Subscription   → SubscribeResult
//	DELETE subscriptions?id=                     → {"removed":"sub_…"}
//	POST   timesheets/process     ProcessRequest → ProcessResult
//
// Without limit a list has its newest 100 items; 0 is for all. Bodies are JSON, and
// an error is {"success":false,"error":"…"}. Only clients on this machine that address it by a loopback name are answered; requests
// from web pages of other sites and through proxies are refused.
const AdminPath = "/sandbox/"

const (
	maxAdminBody = 64 << 10 // bytes of a request to the admin API

	defaultLimit = 100 // records or deliveries in one response
)

// settleTimeout bounds how long an admin request waits for attempts that are
// under way, so that its response shows their outcome.
const settleTimeout = 2 * time.Second

// resendTimeout bounds how long the response to a resend waits for the attempts:
// longer than one attempt may take.
const resendTimeout = deliver.DefaultTimeout + 5*time.Second

// maxResendListed is how many deliveries of a state the response to a resend lists.
const maxResendListed = 100

// Status summarizes a sandbox.
type Status struct {
	Clock         time.Time       `json:"clock"`    // the time that schedules and limits go by
	Advanced      string          `json:"advanced"` // how far the clock is ahead of real time, such as "6h0m0s"
	Companies     []CompanyStatus `json:"companies"`
	Subscriptions int             `json:"subscriptions"`
	Records       map[string]int  `json:"records"` // by kind, see [Kinds]
	Deliveries    map[State]int   `json:"deliveries"`
	NextDue       *time.Time      `json:"next_due"` // of the next attempt; null if none is pending
}

// CompanyStatus is a company without its secrets.
type CompanyStatus struct {
	ID   string   `json:"id"`
	Keys []string `json:"api_keys"` // names of the keys, not the keys
}

// Record is one thing that a company has: a project, an employee, a report.
type Record struct {
	ID      string         `json:"id"`
	Company string         `json:"company"`
	Kind    string         `json:"kind"` // one of [Kinds]
	Name    string         `json:"name"`
	Created time.Time      `json:"created_at"`
	Updated time.Time      `json:"updated_at"`
	Fields  map[string]any `json:"fields"` // numbers are json.Number where the sandbox returns them
}

// RecordList is the response to GET records.
type RecordList struct {
	Records []Record `json:"records"`
}

// RecordQuery selects records. Empty fields select all.
type RecordQuery struct {
	ID      string
	Company string
	Kind    string
	Limit   int // at most this many, the newest first; 0: all
}

// Kinds lists the kinds of records: project, work_order, employee and so on.
func Kinds() []string {
	kinds := make([]string, len(store.Kinds))
	for i, k := range store.Kinds {
		kinds[i] = string(k)
	}
	return kinds
}

// State is how far a delivery has come.
type State string

// The states of a delivery.
const (
	Pending   = State(store.Pending)   // an attempt is due, now or later
	Sending   = State(store.Sending)   // an attempt is under way
	Delivered = State(store.Delivered) // the receiver answered with 2xx
	Dead      = State(store.Dead)      // refused for good, or out of attempts
)

// States lists the states of a delivery.
func States() []State { return []State{Pending, Sending, Delivered, Dead} }

// Delivery is one event on its way to one subscription.
type Delivery struct {
	ID           string       `json:"id"` // also its webhook id
	Event        string       `json:"event"`
	Form         webhook.Form `json:"form"`
	State        State        `json:"state"`
	Subscription string       `json:"subscription"` // its ID
	URL          string       `json:"url"`          // without credentials; empty when the subscription has been removed
	Attempts     int          `json:"attempts"`     // started so far; Resend starts again at 0
	Status       int          `json:"status"`       // of the last response; 0: there was none
	Error        string       `json:"error,omitempty"`
	Created      time.Time    `json:"created_at"`
	Due          *time.Time   `json:"due,omitempty"`   // of the next attempt, while the delivery is pending
	Tries        []Attempt    `json:"tries,omitempty"` // only when the query names one ID
	Body         string       `json:"body,omitempty"`  // only when the query names one ID
}

// Attempt is one attempt of a delivery.
type Attempt struct {
	N      int       `json:"attempt"` // from 0
	Time   time.Time `json:"time"`
	Status int       `json:"status"` // 0: no response
	Error  string    `json:"error,omitempty"`
	Took   float64   `json:"duration_ms"`
}

// DeliveryList is the response to GET deliveries.
type DeliveryList struct {
	Deliveries []Delivery `json:"deliveries"`
}

// DeliveryQuery selects deliveries. Empty fields select all.
type DeliveryQuery struct {
	ID    string
	Event string // its type, such as work_order.created
	State State
	Limit int // at most this many, the newest first; 0: all
}

// SubscriptionStatus is a subscription without its secrets.
type SubscriptionStatus struct {
	ID        string       `json:"id"`
	Company   string       `json:"company"`
	URL       string       `json:"url"` // without credentials
	Events    []string     `json:"events"`
	Form      webhook.Form `json:"form"`
	HasAPIKey bool         `json:"has_api_key"` // changes made with its own API key are not sent to it
}

// SubscriptionList is the response to GET subscriptions.
type SubscriptionList struct {
	Subscriptions []SubscriptionStatus `json:"subscriptions"`
}

// SubscribeResult is the response to POST subscriptions.
type SubscribeResult struct {
	ID   string       `json:"id"`
	Form webhook.Form `json:"form"` // the form that was chosen if none was given
}

// ResendRequest selects the deliveries to send again: by IDs, or all in a state.
type ResendRequest struct {
	IDs   []string `json:"ids"`
	State State    `json:"state"`
}

// ResendResult is the response to POST deliveries/resend.
type ResendResult struct {
	Resent     int        `json:"resent"`
	Delivered  int        `json:"delivered"`  // of them, those that were answered with 2xx
	Deliveries []Delivery `json:"deliveries"` // what became of each, without its body; the newest 100 of a state
}

// AdvanceRequest moves the clock, by a duration as [time.ParseDuration] reads
// it.
type AdvanceRequest struct {
	Duration string `json:"duration"`
}

// AdvanceResult is the response to POST advance.
type AdvanceResult struct {
	Advanced string    `json:"advanced"`
	Clock    time.Time `json:"clock"`
	Due      int       `json:"due"` // attempts that became due

	Attempts  int `json:"attempts"`  // attempts that ended meanwhile
	Delivered int `json:"delivered"` // of them, those that were answered with 2xx
	Dead      int `json:"dead"`      // deliveries that will not be attempted again
}

// ProcessRequest names the company whose timesheets are processed; empty: the
// first.
type ProcessRequest struct {
	Company string `json:"company"`
}

// ProcessResult is the response to POST timesheets/process.
type ProcessResult struct {
	Processed int `json:"processed"`
}

func (s *Sandbox) adminHandler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		method, path string
		serve        func(*http.Request) (any, error)
	}{
		{http.MethodGet, "status", s.adminStatus},
		{http.MethodGet, "records", s.adminRecords},
		{http.MethodGet, "deliveries", s.adminDeliveries},
		{http.MethodPost, "deliveries/resend", s.adminResend},
		{http.MethodPost, "advance", s.adminAdvance},
		{http.MethodPost, "reset", s.adminReset},
		{http.MethodGet, "subscriptions", s.adminSubscriptions},
		{http.MethodPost, "subscriptions", s.adminSubscribe},
		{http.MethodDelete, "subscriptions", s.adminUnsubscribe},
		{http.MethodPost, "timesheets/process", s.adminProcess},
	} {
		mux.HandleFunc(route.method+" "+AdminPath+route.path, func(w http.ResponseWriter, r *http.Request) {
			body, err := route.serve(r)
			adminResponse(body, err).write(w)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := refuseRemote(r); reason != "" {
			refused(http.StatusForbidden, reason).write(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxAdminBody)
		mux.ServeHTTP(w, r)
	})
}

// refuseRemote returns why a request is not from a user of this machine, or "".
// It refuses requests from the network, and those of a web page in a local
// browser: by a DNS name that resolves to this machine, or from another origin.
func refuseRemote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	switch {
	case !exchange.IsLoopback(host):
		return "the admin API answers only clients on this machine"
	case !exchange.IsLoopback(hostOf(r.Host)):
		return "the admin API must be addressed as localhost or 127.0.0.1"
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

// requestError is a fault of an admin request itself.
type requestError struct{ err error }

func (e *requestError) Error() string { return e.err.Error() }
func (e *requestError) Unwrap() error { return e.err }

// completeID returns the whole id in a table of the store that a request means. An
// unknown one is returned as it is.
func (s *Sandbox) completeID(ctx context.Context, table, prefix string) (id string, err error) {
	err = s.store.Do(ctx, func(tx *store.Tx) (err error) {
		id, err = tx.CompleteID(table, prefix)
		return err
	})
	var ambiguous *sqlfile.AmbiguousError
	if errors.As(err, &ambiguous) {
		err = &requestError{err}
	}
	return cmp.Or(id, prefix), err
}

func adminResponse(body any, err error) response {
	var unknown *webhook.UnknownError
	var fault *requestError
	switch {
	case err == nil:
		return response{status: http.StatusOK, body: body}
	case errors.Is(err, ErrNotFound), errors.Is(err, outbox.ErrUnsubscribed):
		return refused(http.StatusNotFound, err.Error())
	case errors.As(err, &fault), errors.As(err, &unknown), errors.Is(err, outbox.ErrTooFar):
		return refused(http.StatusBadRequest, err.Error())
	}
	return refused(http.StatusInternalServerError, err.Error())
}

// decode reads the JSON body of an admin request. The content type is required
// because an HTML form cannot send it.
func decode(r *http.Request, into any) error {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return &requestError{errors.New("the Content-Type must be application/json")}
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if err = d.Decode(&struct{}{}); err == nil {
			err = errors.New("the body contains more than one JSON value")
		}
	}
	if !errors.Is(err, io.EOF) {
		return &requestError{fmt.Errorf("reading the request: %w", err)}
	}
	return nil
}

func limitOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, &requestError{fmt.Errorf("limit %q is not a number; 0 is for all", text)}
	}
	return n, nil
}

// settle waits until the attempts that are due or under way have ended, so that
// the response shows their outcome. It does not wait for one that hangs.
func (s *Sandbox) settle(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	_ = s.Idle(limited) // an attempt that is still under way is shown as such
}

func (s *Sandbox) adminStatus(r *http.Request) (any, error) {
	s.settle(r.Context())
	return s.Status(r.Context())
}

func (s *Sandbox) adminRecords(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	values := r.URL.Query()
	q := RecordQuery{ID: values.Get("id"), Company: values.Get("company"), Kind: values.Get("kind"), Limit: limit}
	if q.Kind != "" && !slices.Contains(Kinds(), q.Kind) {
		return nil, webhook.Unknown("kind of record", q.Kind, Kinds())
	}
	if q.Company != "" {
		if _, err := s.company(q.Company); err != nil {
			return nil, err
		}
	}
	if q.ID, err = s.completeID(r.Context(), "record", q.ID); err != nil {
		return nil, err
	}
	list, err := s.Records(r.Context(), q)
	return RecordList{list}, err
}

func (s *Sandbox) adminDeliveries(r *http.Request) (any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	values := r.URL.Query()
	q := DeliveryQuery{ID: values.Get("id"), Event: values.Get("event"), State: State(values.Get("state")), Limit: limit}
	if q.State != "" {
		if err := checkState(q.State); err != nil {
			return nil, err
		}
	}
	s.settle(r.Context())
	if q.ID, err = s.completeID(r.Context(), "delivery", q.ID); err != nil {
		return nil, err
	}
	list, err := s.Deliveries(r.Context(), q)
	return DeliveryList{list}, err
}

func checkState(state State) error {
	if slices.Contains(States(), state) {
		return nil
	}
	var names []string
	for _, s := range States() {
		names = append(names, string(s))
	}
	return webhook.Unknown("state of a delivery", string(state), names)
}

func (s *Sandbox) adminResend(r *http.Request) (any, error) {
	var q ResendRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	if len(q.IDs) == 0 && checkState(q.State) != nil {
		return nil, &requestError{errors.New(`name the deliveries: {"ids":["whk_…"]} or {"state":"dead"}`)}
	}
	s.settle(r.Context())
	for i, id := range q.IDs { // all of them, before one is sent
		var err error
		if q.IDs[i], err = s.completeID(r.Context(), "delivery", id); err != nil {
			return nil, err
		}
	}
	result := ResendResult{Deliveries: []Delivery{}}
	before := s.outbox.Tally()
	ids := q.IDs
	if len(ids) == 0 {
		list, err := s.Deliveries(r.Context(), DeliveryQuery{State: q.State, Limit: maxResendListed})
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			if d.URL != "" {
				ids = append(ids, d.ID)
			}
		}
		if result.Resent, err = s.ResendAll(r.Context(), q.State); err != nil {
			return nil, err
		}
	}
	for _, id := range q.IDs {
		if err := s.Resend(r.Context(), id); err != nil {
			return nil, fmt.Errorf("%d of %d were sent again; sending %q: %w", result.Resent, len(q.IDs), id, err)
		}
		result.Resent++
	}
	limited, cancel := context.WithTimeout(r.Context(), resendTimeout)
	defer cancel()
	_ = s.Idle(limited) // an attempt that is still under way is shown as such
	for _, id := range ids {
		list, err := s.Deliveries(r.Context(), DeliveryQuery{ID: id})
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			d.Body, d.Tries = "", nil
			result.Deliveries = append(result.Deliveries, d)
			if d.State == Delivered {
				result.Delivered++
			}
		}
	}
	if result.Resent > len(result.Deliveries) { // too many to ask one by one
		result.Delivered = min(result.Resent, s.outbox.Tally().Delivered-before.Delivered)
	}
	return result, nil
}

func (s *Sandbox) adminAdvance(r *http.Request) (any, error) {
	var q AdvanceRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(q.Duration)
	if err != nil || d <= 0 {
		return nil, &requestError{fmt.Errorf("duration %q is not a positive duration such as 6h, 90m or 30s", q.Duration)}
	}
	return s.Advance(r.Context(), d)
}

func (s *Sandbox) adminReset(r *http.Request) (any, error) {
	if err := decode(r, &struct{}{}); err != nil {
		return nil, err
	}
	return map[string]bool{"reset": true}, s.Reset(r.Context())
}

func (s *Sandbox) adminSubscriptions(r *http.Request) (any, error) {
	list, err := s.Subscriptions(r.Context())
	return SubscriptionList{list}, err
}

func (s *Sandbox) adminSubscribe(r *http.Request) (any, error) {
	var q Subscription
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	sub, err := s.subscription(q)
	if err != nil {
		return nil, &requestError{err}
	}
	id, err := s.Subscribe(r.Context(), q)
	return SubscribeResult{id, sub.Form}, err
}

func (s *Sandbox) adminUnsubscribe(r *http.Request) (any, error) {
	id, err := s.completeID(r.Context(), "subscription", r.URL.Query().Get("id"))
	if err != nil {
		return nil, err
	}
	err = s.Unsubscribe(r.Context(), id)
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("subscription %q: %w", id, err)
	}
	return map[string]string{"removed": id}, err
}

func (s *Sandbox) adminProcess(r *http.Request) (any, error) {
	var q ProcessRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	n, err := s.ProcessTimesheets(r.Context(), q.Company)
	return ProcessResult{n}, err
}
