package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Subscription is where a company's events are sent.
type Subscription struct {
	ID      string
	Company string
	URL     string
	Events  []string     // globs over event types: "work_order.*"; none: all
	Form    webhook.Form // outbound or compact
	Secret  string       // signs the deliveries
	APIKey  string       // changes made with this key are not sent here; "" for none
	Created time.Time
}

// State is how far a delivery is.
type State string

// The states of a delivery.
const (
	Pending   State = "pending"   // an attempt is due, now or later
	Sending   State = "sending"   // an attempt was begun
	Delivered State = "delivered" // answered with 2xx
	Dead      State = "dead"      // refused for good, or tried as often as the schedule allows
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
	Attempts     int       // that were begun
	Due          time.Time // of the next attempt, by the sandbox's clock
	Created      time.Time
	Status       int    // of the last answer; 0: there was none
	Error        string // why there was none
}

// Attempt is one try of a delivery.
type Attempt struct {
	N        int // from 0
	Time     time.Time
	Status   int
	Error    string
	Duration time.Duration
}

// Subscribe adds a subscription, or replaces the one of its ID.
func (t *Tx) Subscribe(s Subscription) error {
	events, err := json.Marshal(s.Events)
	if err != nil {
		return err
	}
	return t.w.Exec(`INSERT OR REPLACE INTO subscription (id, company, url, events, form, secret, api_key, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		s.ID, s.Company, s.URL, string(events), string(s.Form), s.Secret, s.APIKey, s.Created.UnixNano())
}

// Unsubscribe removes a subscription, or returns [ErrNotFound]. What is on its
// way to it is sent no more.
func (t *Tx) Unsubscribe(id string) error {
	result, err := t.w.Run("DELETE FROM subscription WHERE id = ?", id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrNotFound, err)
	}
	return t.w.Exec("UPDATE delivery SET state = 'dead', error = 'the subscription was removed' WHERE subscription = ? AND "+waits, id)
}

// Subscribed reports whether there is a subscription of that ID.
func (t *Tx) Subscribed(id string) (there bool, err error) {
	err = t.w.One("SELECT EXISTS (SELECT 1 FROM subscription WHERE id = ?)", []any{id}, &there)
	return there, err
}

// Subscriptions lists a company's subscriptions, or everybody's for "".
func (t *Tx) Subscriptions(company string) (list []Subscription, err error) {
	err = t.each("SELECT id, company, url, events, form, secret, api_key, created FROM subscription WHERE ? IN ('', company) ORDER BY seq", []any{company}, func(rows *sql.Rows) error {
		var s Subscription
		var events []byte
		var created int64
		if err := rows.Scan(&s.ID, &s.Company, &s.URL, &events, &s.Form, &s.Secret, &s.APIKey, &created); err != nil {
			return err
		}
		s.Created = moment(created)
		err := json.Unmarshal(events, &s.Events)
		list = append(list, s)
		return err
	})
	return list, err
}

// SaveDelivery writes a delivery, a new one or one that has changed.
func (t *Tx) SaveDelivery(d Delivery) error {
	return t.w.Exec(`INSERT INTO delivery (id, company, subscription, event, form, body, state, attempts, due, created, status, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, due = excluded.due, status = excluded.status, error = excluded.error`,
		d.ID, d.Company, d.Subscription, d.Event, string(d.Form), d.Body, string(d.State), d.Attempts, d.Due.UnixNano(), d.Created.UnixNano(), d.Status, d.Error)
}

// Settle writes what came of an attempt of a delivery that was being sent, and
// returns the delivery as it is then: there is no next attempt when the
// subscription is gone. One that is not there any more, because the state was
// emptied, stays away: [ErrNotFound].
func (t *Tx) Settle(d Delivery, a Attempt) (Delivery, error) {
	if err := t.endUnsubscribed(&d); err != nil {
		return d, err
	}
	result, err := t.w.Run("UPDATE delivery SET state = ?, due = ?, status = ?, error = ? WHERE id = ? AND state = 'sending' AND attempts = ?",
		string(d.State), d.Due.UnixNano(), d.Status, d.Error, d.ID, d.Attempts)
	if err != nil {
		return d, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return d, errors.Join(ErrNotFound, err)
	}
	return d, t.w.Exec("INSERT OR REPLACE INTO attempt (delivery, n, time, status, error, duration) VALUES (?, ?, ?, ?, ?, ?)",
		d.ID, a.N, a.Time.UnixNano(), a.Status, a.Error, int64(a.Duration))
}

// endUnsubscribed makes a delivery dead that would wait for a subscription that
// is gone.
func (t *Tx) endUnsubscribed(d *Delivery) error {
	if d.State != Pending {
		return nil
	}
	there, err := t.Subscribed(d.Subscription)
	if err == nil && !there {
		d.State, d.Error = Dead, "the subscription was removed"
	}
	return err
}

// Attempts lists the tries of a delivery, the first first.
func (t *Tx) Attempts(delivery string) (list []Attempt, err error) {
	err = t.each("SELECT n, time, status, error, duration FROM attempt WHERE delivery = ? ORDER BY time, n", []any{delivery}, func(rows *sql.Rows) error {
		var a Attempt
		var at int64
		err := rows.Scan(&a.N, &at, &a.Status, &a.Error, &a.Duration)
		a.Time = moment(at)
		list = append(list, a)
		return err
	})
	return list, err
}

// DeliveryQuery picks deliveries. Empty members pick all.
type DeliveryQuery struct {
	ID           string
	Company      string
	Subscription string
	State        []State
	Event        string
	DueBy        time.Time // pending, and due at this time or before
	Limit        int       // how many at most; 0: all
	Newest       bool      // the newest first; default: by the time they are due, then the oldest
}

// Deliveries returns the deliveries that q picks.
func (t *Tx) Deliveries(q DeliveryQuery) (list []Delivery, err error) {
	text, args := q.text()
	err = t.each(text, args, func(rows *sql.Rows) error {
		var d Delivery
		var due, created int64
		err := rows.Scan(&d.ID, &d.Company, &d.Subscription, &d.Event, &d.Form, &d.Body, &d.State, &d.Attempts, &due, &created, &d.Status, &d.Error)
		d.Due, d.Created = moment(due), moment(created)
		list = append(list, d)
		return err
	})
	return list, err
}

func (q *DeliveryQuery) text() (text string, args []any) {
	text = "SELECT id, company, subscription, event, form, body, state, attempts, due, created, status, error FROM delivery WHERE TRUE"
	if !q.DueBy.IsZero() && q.Subscription == "" {
		text = strings.Replace(text, " WHERE", byDue+" WHERE", 1)
	}
	for _, term := range [][2]string{
		{" AND id = ?", q.ID},
		{" AND company = ?", q.Company},
		{" AND subscription = ?", q.Subscription},
		{" AND event = ?", q.Event},
	} {
		if term[1] != "" {
			text, args = text+term[0], append(args, term[1])
		}
	}
	if len(q.State) > 0 {
		text += " AND state IN (?" + strings.Repeat(", ?", len(q.State)-1) + ")"
		for _, s := range q.State {
			args = append(args, string(s))
		}
	}
	if !q.DueBy.IsZero() {
		text, args = text+" AND "+waits+" AND due <= ?", append(args, q.DueBy.UnixNano())
	}
	order := " ORDER BY due, seq"
	if q.Newest {
		order = " ORDER BY seq DESC"
	}
	limit := q.Limit
	if limit <= 0 {
		limit = -1
	}
	return text + order + " LIMIT ?", append(args, limit)
}

// waits picks pending deliveries, in the words of the partial indexes.
const waits = "state = 'pending' AND state IN ('pending', 'sending')"

// byDue has SQLite look at what is due alone, and not at all that waits.
const byDue = " INDEXED BY delivery_due"

// CountDue returns how many deliveries are due at a time.
func (t *Tx) CountDue(at time.Time) (n int, err error) {
	err = t.w.One("SELECT count(*) FROM delivery"+byDue+" WHERE "+waits+" AND due <= ?", []any{at.UnixNano()}, &n)
	return n, err
}

// NextDue returns when the next pending delivery is due after a time; ok is
// false when there is none.
func (t *Tx) NextDue(after time.Time) (at time.Time, ok bool, err error) {
	var due sql.NullInt64
	err = t.w.One("SELECT min(due) FROM delivery"+byDue+" WHERE "+waits+" AND due > ?", []any{after.UnixNano()}, &due)
	return moment(due.Int64), due.Valid, err
}

// CountDeliveries counts the deliveries of a company, or of all for "", by
// state.
func (t *Tx) CountDeliveries(company string) (map[State]int, error) {
	counts := map[State]int{}
	err := t.each("SELECT state, count(*) FROM delivery WHERE ? IN ('', company) GROUP BY state", []any{company}, func(rows *sql.Rows) error {
		var state State
		var n int
		err := rows.Scan(&state, &n)
		counts[state] = n
		return err
	})
	return counts, err
}

// Revive makes the deliveries in a state due at a time, each with a series of
// attempts of its own, and returns how many. Those whose subscription is gone
// stay as they are.
func (t *Tx) Revive(state State, due time.Time) (n int, err error) {
	result, err := t.w.Run(`UPDATE delivery SET state = 'pending', due = ?, attempts = 0
		WHERE state = ? AND state <> 'sending' AND subscription IN (SELECT id FROM subscription)`, due.UnixNano(), string(state))
	if err != nil {
		return 0, err
	}
	changed, err := result.RowsAffected()
	return int(changed), err
}

// Requeue brings back what was being sent when a process ended: whether it
// arrived is not known, so it counts as an attempt without an answer, and next
// says when the next one is due; ok false: there is none.
func (t *Tx) Requeue(next func(Delivery) (due time.Time, ok bool)) error {
	cut, err := t.Deliveries(DeliveryQuery{State: []State{Sending}})
	if err != nil {
		return err
	}
	for _, d := range cut {
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
