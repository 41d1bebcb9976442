package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Status is how much a sandbox holds, and how far its clock is.
type Status struct {
	Clock         time.Time           `json:"clock"` // of schedules and limits
	Advanced      string              `json:"advanced"`
	Companies     []CompanyStatus     `json:"companies"`
	Subscriptions int                 `json:"subscriptions"`
	Records       map[store.Kind]int  `json:"records"`
	Deliveries    map[store.State]int `json:"deliveries"`
	NextDue       *time.Time          `json:"next_due"` // of the next attempt; null: none is due
}

// CompanyStatus is a company without its secrets.
type CompanyStatus struct {
	ID   string   `json:"id"`
	Keys []string `json:"api_keys"` // their names
}

// RecordView is a record as the admin API shows it.
type RecordView struct {
	ID      string       `json:"id"`
	Company string       `json:"company"`
	Kind    store.Kind   `json:"kind"`
	Name    string       `json:"name"`
	Created time.Time    `json:"created_at"`
	Updated time.Time    `json:"updated_at"`
	Fields  store.Fields `json:"fields"`
}

// DeliveryView is a delivery as the admin API shows it.
type DeliveryView struct {
	ID           string        `json:"id"` // also its webhook id
	Event        string        `json:"event"`
	Form         webhook.Form  `json:"form"`
	State        store.State   `json:"state"`
	Subscription string        `json:"subscription"`
	URL          string        `json:"url"`
	Attempts     int           `json:"attempts"`
	Status       int           `json:"status"`
	Error        string        `json:"error,omitempty"`
	Created      time.Time     `json:"created_at"`
	Due          *time.Time    `json:"due,omitempty"`
	Tries        []AttemptView `json:"tries,omitempty"` // where one delivery is asked for
	Body         string        `json:"body,omitempty"`  // likewise
}

// AttemptView is one try of a delivery.
type AttemptView struct {
	N      int       `json:"attempt"`
	Time   time.Time `json:"time"`
	Status int       `json:"status"`
	Error  string    `json:"error,omitempty"`
	Took   float64   `json:"duration_ms"`
}

// SubscriptionView is a subscription without its secret.
type SubscriptionView struct {
	ID      string       `json:"id"`
	Company string       `json:"company"`
	URL     string       `json:"url"`
	Events  []string     `json:"events"`
	Form    webhook.Form `json:"form"`
	Echo    bool         `json:"has_api_key"` // changes made with its own API key are not sent to it
}

func (s *Sandbox) adminStatus(r *http.Request) (any, error) {
	s.settle(r.Context())
	return s.Status(r.Context())
}

// Status counts what the sandbox holds.
func (s *Sandbox) Status(ctx context.Context) (Status, error) {
	status := Status{Clock: s.outbox.Clock()}
	status.Advanced = status.Clock.Sub(s.now()).Round(time.Second).String()
	for _, c := range s.config.Companies {
		view := CompanyStatus{ID: c.ID}
		for _, k := range c.Keys {
			view.Keys = append(view.Keys, k.Name)
		}
		status.Companies = append(status.Companies, view)
	}
	err := s.store.Do(ctx, func(tx *store.Tx) error {
		var err error
		if status.Records, err = tx.Counts(); err != nil {
			return err
		}
		subscriptions, err := tx.Subscriptions("")
		if err != nil {
			return err
		}
		status.Subscriptions = len(subscriptions)
		if status.Deliveries, err = tx.CountDeliveries(""); err != nil {
			return err
		}
		next, ok, err := tx.NextDue(time.Unix(0, 0))
		if ok {
			status.NextDue = &next
		}
		return err
	})
	return status, err
}

func (s *Sandbox) adminRecords(r *http.Request) (any, error) {
	n, err := limit(r)
	if err != nil {
		return nil, err
	}
	q := store.Query{Kind: store.Kind(r.URL.Query().Get("kind")), Company: r.URL.Query().Get("company"), ID: r.URL.Query().Get("id"), Limit: n, Newest: true}
	if q.Kind != "" && !slices.Contains(store.Kinds(), q.Kind) {
		names := make([]string, len(store.Kinds()))
		for i, kind := range store.Kinds() {
			names[i] = string(kind)
		}
		return nil, webhook.Unknown("kind of record", string(q.Kind), names)
	}
	if q.Company != "" {
		if _, err := s.company(q.Company); err != nil {
			return nil, err
		}
	}
	list, err := s.Records(r.Context(), q)
	views := make([]RecordView, len(list))
	for i, rec := range list {
		views[i] = RecordView{rec.ID, rec.Company, rec.Kind, rec.Name, rec.Created, rec.Updated, rec.Fields}
	}
	return map[string]any{"records": views}, err
}

func (s *Sandbox) adminDeliveries(r *http.Request) (any, error) {
	n, err := limit(r)
	if err != nil {
		return nil, err
	}
	q := store.DeliveryQuery{ID: r.URL.Query().Get("id"), Event: r.URL.Query().Get("event"), Limit: n, Newest: true}
	if state := r.URL.Query().Get("state"); state != "" {
		if q.State, err = stateNamed(state); err != nil {
			return nil, err
		}
	}
	s.settle(r.Context())
	list, err := s.Deliveries(r.Context(), q)
	if err != nil {
		return nil, err
	}
	urls, err := s.urls(r)
	if err != nil {
		return nil, err
	}
	views := make([]DeliveryView, len(list))
	for i, d := range list {
		views[i] = DeliveryView{
			ID: d.ID, Event: d.Event, Form: d.Form, State: d.State, Subscription: d.Subscription, URL: urls[d.Subscription],
			Attempts: d.Attempts, Status: d.Status, Error: d.Error, Created: d.Created,
		}
		if d.State == store.Pending {
			views[i].Due = &list[i].Due
		}
	}
	if q.ID != "" && len(views) == 1 {
		views[0].Body = string(list[0].Body)
		views[0].Tries, err = s.tries(r, q.ID)
	}
	return map[string]any{"deliveries": views}, err
}

// urls lists where the subscriptions lead, without what is secret in it.
func (s *Sandbox) urls(r *http.Request) (map[string]string, error) {
	list, err := s.Subscriptions(r.Context())
	urls := map[string]string{}
	for _, sub := range list {
		urls[sub.ID] = webhook.RedactURL(sub.URL)
	}
	return urls, err
}

func (s *Sandbox) tries(r *http.Request, id string) (views []AttemptView, err error) {
	list, err := s.Attempts(r.Context(), id)
	for _, a := range list {
		views = append(views, AttemptView{a.N, a.Time, a.Status, a.Error, float64(a.Duration) / float64(time.Millisecond)})
	}
	return views, err
}

func stateNamed(name string) ([]store.State, error) {
	states := []store.State{store.Pending, store.Sending, store.Delivered, store.Dead}
	if !slices.Contains(states, store.State(name)) {
		return nil, webhook.Unknown("state of a delivery", name, []string{"pending", "sending", "delivered", "dead"})
	}
	return []store.State{store.State(name)}, nil
}

func (s *Sandbox) adminResend(r *http.Request) (any, error) {
	var q struct {
		IDs   []string `json:"ids"`
		State string   `json:"state"`
	}
	if err := ask(r, &q); err != nil {
		return nil, err
	}
	s.settle(r.Context())
	sent := 0
	switch states, err := stateNamed(q.State); {
	case len(q.IDs) > 0:
		for _, id := range q.IDs {
			if err := s.Resend(r.Context(), id); err != nil {
				return nil, fmt.Errorf("%d of %d are sent again, and not %q: %w", sent, len(q.IDs), id, err)
			}
			sent++
		}
	case err != nil:
		return nil, &askError{errors.New(`say which: {"ids":["whk_…"]} or {"state":"dead"}`)}
	default:
		if sent, err = s.ResendAll(r.Context(), states[0]); err != nil {
			return nil, err
		}
	}
	s.settle(r.Context())
	return map[string]any{"resent": sent}, nil
}

func (s *Sandbox) adminSubscriptions(r *http.Request) (any, error) {
	list, err := s.Subscriptions(r.Context())
	views := make([]SubscriptionView, len(list))
	for i, sub := range list {
		events := sub.Events
		if len(events) == 0 {
			events = []string{"*"}
		}
		views[i] = SubscriptionView{sub.ID, sub.Company, webhook.RedactURL(sub.URL), events, sub.Form, sub.APIKey != ""}
	}
	return map[string]any{"subscriptions": views}, err
}

func (s *Sandbox) adminSubscribe(r *http.Request) (any, error) {
	var q struct {
		URL     string       `json:"url"`
		Events  []string     `json:"events"`
		Form    webhook.Form `json:"form"`
		Secret  string       `json:"secret"`
		APIKey  string       `json:"api_key"`
		Company string       `json:"company"`
	}
	if err := ask(r, &q); err != nil {
		return nil, err
	}
	sub := Subscription{Company: q.Company, URL: q.URL, Events: q.Events, Form: q.Form, Secret: q.Secret, APIKey: q.APIKey}
	if _, err := s.subscription(sub); err != nil {
		return nil, &askError{err}
	}
	id, err := s.Subscribe(r.Context(), sub)
	return map[string]any{"id": id}, err
}
