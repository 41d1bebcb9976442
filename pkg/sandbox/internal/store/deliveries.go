package store

import (
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Subscription is a receiver of a company's events.
type Subscription struct {
	ID      string
	Company string
	URL     string
	Events  []string     // patterns, see outbox.Wants; none: all
	Form    webhook.Form // outbound or compact
	Secret  string       // signs the deliveries
	APIKey  string       // changes made with this key are not sent here; may be ""
	Created time.Time
}

// State is how far a delivery has come.
type State string

// The states of a delivery.
const (
	Pending   State = "pending"   // an attempt is due, now or later
	Sending   State = "sending"   // an attempt was started
	Delivered State = "delivered" // the receiver answered with 2xx
	Dead      State = "dead"      // refused for good, or out of attempts
)

// Delivery is one event on its way to one subscription.
type Delivery struct {
	ID           string // also its webhook id
	Company      string
	Subscription string
	Event        string
	Form         webhook.Form
	Body         []byte
	State        State
	Attempts     int       // started so far
	Due          time.Time // of the next attempt, by the sandbox's clock
	Created      time.Time
	Status       int    // of the last response; 0: there was none
	Error        string // why there was none
}

// Attempt is one attempt of a delivery.
type Attempt struct {
	N        int // from 0
	Time     time.Time
	Status   int
	Error    string
	Duration time.Duration
}

// Subscribe adds a subscription, or replaces the one with its ID.
func (t *Tx) Subscribe(s Subscription) error {
	events, err := json.Marshal(s.Events)
	if err != nil {
		return err
	}
	return t.w.Exec(`INSERT OR REPLACE INTO subscription (id, company, url, events, form, secret, api_key, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		s.ID, s.Company, s.URL, string(events), string(s.Form), s.Secret, s.APIKey, s.Created.UnixNano())
}

// CompleteID returns the id in a table (record, delivery or subscription) that
// begins with prefix, or "". Its error is a [*sqlfile.AmbiguousError] if several do.
func (t *Tx) CompleteID(table, prefix string) (string, error) {
	return sqlfile.CompleteID(t.w.Each, table, []string{"id"}, prefix)
}

// Unsubscribe removes a subscription, or returns [ErrNotFound]. Its pending
// deliveries become dead.
func (t *Tx) Unsubscribe(id string) error {
	switch n, err := t.w.Change("DELETE FROM subscription WHERE id = ?", id); {
	case err != nil:
		return err
	case n == 0:
		return ErrNotFound
	}
	return t.w.Exec("UPDATE delivery SET state = 'dead', error = ? WHERE subscription = ? AND "+pending, unsubscribed, id)
}

// unsubscribed is the error of deliveries whose subscription was removed.
const unsubscribed = "the subscription was removed"

// Subscribed reports whether there is a subscription with an ID.
func (t *Tx) Subscribed(id string) (exists bool, err error) {
	err = t.w.One("SELECT EXISTS (SELECT 1 FROM subscription WHERE id = ?)", []any{id}, &exists)
	return exists, err
}

// Subscriptions returns a company's subscriptions, or all for "".
func (t *Tx) Subscriptions(company string) (list []Subscription, err error) {
	err = t.w.Each("SELECT id, company, url, events, form, secret, api_key, created FROM subscription WHERE ? IN ('', company) ORDER BY seq", []any{company}, func(rows *sql.Rows) error {
		var s Subscription
		var events []byte
		var created int64
		if err := rows.Scan(&s.ID, &s.Company, &s.URL, &events, &s.Form, &s.Secret, &s.APIKey, &created); err != nil {
			return err
		}
		s.Created = unixNano(created)
		err := json.Unmarshal(events, &s.Events)
		list = append(list, s)
		return err
	})
	return list, err
}

// SaveDelivery inserts or updates a delivery.
func (t *Tx) SaveDelivery(d Delivery) error {
	return t.w.Exec(`INSERT INTO delivery (id, company, subscription, event, form, body, state, attempts, due, created, status, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, due = excluded.due, status = excluded.status, error = excluded.error`,
		d.ID, d.Company, d.Subscription, d.Event, string(d.Form), d.Body, string(d.State), d.Attempts, d.Due.UnixNano(), d.Created.UnixNano(), d.Status, d.Error)
}

// Settle stores the outcome of an attempt of a delivery in the state sending,
// and returns the delivery as stored: if its subscription was removed, it is
// dead rather than pending. Settle returns [ErrNotFound] if the delivery no
// longer exists, because the state was reset.
func (t *Tx) Settle(d Delivery, a Attempt) (Delivery, error) {
	if err := t.endUnsubscribed(&d); err != nil {
		return d, err
	}
	n, err := t.w.Change("UPDATE delivery SET state = ?, due = ?, status = ?, error = ? WHERE id = ? AND state = 'sending' AND attempts = ?",
		string(d.State), d.Due.UnixNano(), d.Status, d.Error, d.ID, d.Attempts)
	switch {
	case err != nil:
		return d, err
	case n == 0:
		return d, ErrNotFound
	}
	return d, t.w.Exec("INSERT OR REPLACE INTO attempt (delivery, n, time, status, error, duration) VALUES (?, ?, ?, ?, ?, ?)",
		d.ID, a.N, a.Time.UnixNano(), a.Status, a.Error, int64(a.Duration))
}

// endUnsubscribed makes a pending delivery dead if its subscription was removed.
func (t *Tx) endUnsubscribed(d *Delivery) error {
	if d.State != Pending {
		return nil
	}
	exists, err := t.Subscribed(d.Subscription)
	if err == nil && !exists {
		d.State, d.Error = Dead, unsubscribed
	}
	return err
}

// Attempts returns the attempts of a delivery, the oldest first.
func (t *Tx) Attempts(delivery string) (list []Attempt, err error) {
	err = t.w.Each("SELECT n, time, status, error, duration FROM attempt WHERE delivery = ? ORDER BY time, n", []any{delivery}, func(rows *sql.Rows) error {
		var a Attempt
		var at int64
		err := rows.Scan(&a.N, &at, &a.Status, &a.Error, &a.Duration)
		a.Time = unixNano(at)
		list = append(list, a)
		return err
	})
	return list, err
}

// DeliveryQuery selects deliveries. Empty fields select all.
type DeliveryQuery struct {
	ID           string
	Subscription string
	State        []State // any of these
	Event        string
	DueBy        time.Time // pending, and due at this time or before
	Limit        int       // at most this many; 0: all
	Newest       bool      // return the newest first, rather than those that are due first
}

// Deliveries returns the deliveries that q selects.
func (t *Tx) Deliveries(q DeliveryQuery) (list []Delivery, err error) {
	text, args := q.statement()
	err = t.w.Each(text, args, func(rows *sql.Rows) error {
		var d Delivery
		var due, created int64
		err := rows.Scan(&d.ID, &d.Company, &d.Subscription, &d.Event, &d.Form, &d.Body, &d.State, &d.Attempts, &due, &created, &d.Status, &d.Error)
		d.Due, d.Created = unixNano(due), unixNano(created)
		list = append(list, d)
		return err
	})
	return list, err
}

func (q *DeliveryQuery) statement() (text string, args []any) {
	var where conditions
	where.equal("id", q.ID)
	where.equal("subscription", q.Subscription)
	where.equal("event", q.Event)
	if len(q.State) > 0 {
		var states []any
		for _, s := range q.State {
			states = append(states, string(s))
		}
		where.add("state IN (?"+strings.Repeat(", ?", len(states)-1)+")", states...)
	}
	index := ""
	if !q.DueBy.IsZero() {
		where.add(pending+" AND due <= ?", q.DueBy.UnixNano())
		if q.Subscription == "" {
			index = byDue
		}
	}
	order := " ORDER BY due, seq"
	if q.Newest {
		order = " ORDER BY seq DESC"
	}
	return "SELECT id, company, subscription, event, form, body, state, attempts, due, created, status, error FROM delivery" +
		index + where.text + order + " LIMIT ?", append(where.args, rowLimit(q.Limit))
}

// pending selects pending deliveries, in the words of the partial indexes,
// which SQLite uses only for a condition that has them.
const pending = "state = 'pending' AND state IN ('pending', 'sending')"

// byDue makes SQLite read what is due by its index, rather than every pending
// delivery.
const byDue = " INDEXED BY delivery_due"

// CountDue returns how many pending deliveries are due at a time.
func (t *Tx) CountDue(at time.Time) (n int, err error) {
	err = t.w.One("SELECT count(*) FROM delivery"+byDue+" WHERE "+pending+" AND due <= ?", []any{at.UnixNano()}, &n)
	return n, err
}

// NextDue returns when the next pending delivery is due after a time. ok is
// false if there is none.
func (t *Tx) NextDue(after time.Time) (at time.Time, ok bool, err error) {
	var due sql.NullInt64
	err = t.w.One("SELECT min(due) FROM delivery"+byDue+" WHERE "+pending+" AND due > ?", []any{after.UnixNano()}, &due)
	return unixNano(due.Int64), due.Valid, err
}

// CountDeliveries returns how many deliveries are in each state.
func (t *Tx) CountDeliveries() (map[State]int, error) {
	counts := map[State]int{}
	err := t.w.Each("SELECT state, count(*) FROM delivery GROUP BY state", nil, func(rows *sql.Rows) error {
		var state State
		var n int
		err := rows.Scan(&state, &n)
		counts[state] = n
		return err
	})
	return counts, err
}

// Revive makes the deliveries in a state due at a time, each with a full
// schedule of attempts, and returns how many there are. Those that are being
// sent, or whose subscription was removed, stay as they are.
func (t *Tx) Revive(state State, due time.Time) (n int, err error) {
	return t.w.Change(`UPDATE delivery SET state = 'pending', due = ?, attempts = 0
		WHERE state = ? AND state <> 'sending' AND subscription IN (SELECT id FROM subscription)`, due.UnixNano(), string(state))
}

// Requeue makes the deliveries pending that were being sent when the process
// ended. Whether they arrived is unknown, so the attempt counts as one without
// a response. next returns when a delivery is due again; ok is false if it is
// not.
func (t *Tx) Requeue(next func(Delivery) (due time.Time, ok bool)) error {
	interrupted, err := t.Deliveries(DeliveryQuery{State: []State{Sending}})
	if err != nil {
		return err
	}
	for _, d := range interrupted {
		d.State, d.Status, d.Error = Dead, 0, "the sandbox stopped before the response arrived"
		if due, ok := next(d); ok {
			d.State, d.Due = Pending, due
		}
		if err := t.endUnsubscribed(&d); err != nil {
			return err
		}
		if err := t.SaveDelivery(d); err != nil {
			return err
		}
	}
	return nil
}
