package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// loop begins what is due, until ctx ends. Between, it sleeps to the next due
// time, or until it is woken.
func (o *Outbox) loop(ctx context.Context) {
	var workers sync.WaitGroup
	defer close(o.stopped)
	defer workers.Wait()
	for ctx.Err() == nil {
		begun, next, err := o.begin(ctx)
		if err != nil {
			if ctx.Err() == nil {
				o.fail(err)
			}
			return
		}
		for _, j := range begun {
			workers.Go(func() { o.attempt(ctx, j) })
		}
		o.sleep(ctx, next)
	}
}

// sleep waits until the next is due, or something has changed.
func (o *Outbox) sleep(ctx context.Context, next time.Duration) {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := make(chan struct{})
	if next >= 0 {
		go func() {
			if o.Wait(limited, next) == nil {
				close(timer)
			}
		}()
	}
	select {
	case <-ctx.Done():
	case <-o.wake:
	case <-timer:
	}
}

// persist carries out do in the store, however long it refuses: a full disk
// gets room again. Only one that confirms nothing any more is the end.
func (o *Outbox) persist(ctx context.Context, do func(*store.Tx) error) error {
	for warned := false; ; warned = true {
		err := o.Store.Do(ctx, do)
		if err == nil || ctx.Err() != nil || errors.Is(err, sqlfile.ErrBroken) {
			return err
		}
		if !warned && o.Warn != nil {
			o.Warn("deliveries wait: " + err.Error())
		}
		if err := o.Wait(ctx, storePause); err != nil {
			return err
		}
	}
}

func (o *Outbox) fail(err error) {
	o.mu.Lock()
	first := o.fault == nil
	o.fault = errors.Join(o.fault, err)
	o.signal()
	o.mu.Unlock()
	if first && o.Broken != nil {
		go o.Broken(err) // which may close the outbox, and that waits for who calls it here
	}
}

// signal tells Idle that something has changed. The lock is held.
func (o *Outbox) signal() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// job is one attempt to make.
type job struct {
	delivery     store.Delivery
	subscription store.Subscription
}

// begin notes the attempts that can be made now, and returns them and how long
// it is to the next; less than 0: none is pending.
func (o *Outbox) begin(ctx context.Context) (jobs []job, next time.Duration, err error) {
	clock := o.Clock()
	err = o.persist(ctx, func(tx *store.Tx) error {
		jobs, next = nil, -1
		subscriptions, err := tx.Subscriptions("")
		if err != nil {
			return err
		}
		for _, s := range subscriptions {
			begun, err := o.beginTo(tx, s, clock)
			if err != nil {
				return err
			}
			jobs = append(jobs, begun...)
		}
		at, waits, err := tx.NextDue(clock)
		if waits {
			next = at.Sub(clock)
		} // what is due and had no room is looked at when an attempt ends
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	o.mu.Lock()
	for _, j := range jobs {
		o.busy[j.subscription.ID]++
		o.running++
	}
	if len(jobs) > 0 {
		o.signal()
	}
	o.mu.Unlock()
	return jobs, next, nil
}

// beginTo notes the attempts that one subscription has room for.
func (o *Outbox) beginTo(tx *store.Tx, s store.Subscription, clock time.Time) (jobs []job, err error) {
	o.mu.Lock()
	room := perSubscription - o.busy[s.ID]
	o.mu.Unlock()
	if room == 0 {
		return nil, nil
	}
	due, err := tx.Deliveries(store.DeliveryQuery{Subscription: s.ID, DueBy: clock, Limit: room})
	for _, d := range due {
		d.State, d.Attempts = store.Sending, d.Attempts+1
		if err := tx.SaveDelivery(d); err != nil {
			return nil, err
		}
		jobs = append(jobs, job{d, s})
	}
	return jobs, err
}

// attempt makes one attempt and notes what came of it.
func (o *Outbox) attempt(ctx context.Context, j job) {
	defer func() {
		o.mu.Lock()
		o.running--
		if o.busy[j.subscription.ID]--; o.busy[j.subscription.ID] == 0 {
			delete(o.busy, j.subscription.ID)
		}
		o.signal()
		o.mu.Unlock()
		o.Wake()
	}()
	d := j.delivery
	secret, err := webhook.NewSecret(j.subscription.Secret)
	if err != nil {
		o.fail(err)
		return
	}
	n := d.Attempts - 1
	record, err := o.client.Attempt(ctx, deliver.Delivery{
		URL: j.subscription.URL, Event: webhook.Event{Platform: webhook.WorkSkedge, Form: d.Form, Type: d.Event, Raw: d.Body},
		Header: deliver.Outbound(webhook.WorkSkedge, d.Event), Secret: secret, WebhookID: d.ID, Timeout: o.Timeout,
	}, n)
	if ctx.Err() != nil && record.Response == nil {
		return // it stays as being sent, and the next start takes it up
	}
	if err != nil {
		record.Error = err.Error()
	}
	d.Status, d.Error = 0, record.Error
	if record.Response != nil {
		d.Status, d.Error = record.Response.Status, ""
	}
	done, tried := o.settle(d), store.Attempt{N: n, Time: record.Time, Status: d.Status, Error: d.Error, Duration: record.Duration}
	settled := func(tx *store.Tx) (err error) {
		if d, err = tx.Settle(done, tried); errors.Is(err, store.ErrNotFound) {
			return nil // the state was emptied meanwhile
		}
		return err
	}
	if ctx.Err() == nil {
		err = o.persist(ctx, settled)
	} else { // the answer came at the last moment
		err = o.Store.Do(context.WithoutCancel(ctx), settled)
	}
	if err != nil && ctx.Err() == nil {
		o.fail(err)
	}
	if o.Each != nil {
		o.Each(d, record)
	}
}

// settle decides what becomes of a delivery after an attempt: 2xx is
// delivered, 3xx and 4xx are final, and the rest is tried again by the
// schedule.
func (o *Outbox) settle(d store.Delivery) store.Delivery {
	switch {
	case d.Status/100 == 2:
		d.State = store.Delivered
	case d.Status != 0 && d.Status < 500:
		d.State = store.Dead
	default:
		d.State = store.Dead
		if due, ok := o.next(d); ok {
			d.State, d.Due = store.Pending, due
		}
	}
	return d
}

// next is when a delivery that failed is tried again; false: no more.
func (o *Outbox) next(d store.Delivery) (time.Time, bool) {
	n := d.Attempts - 1
	if n < 0 || n >= len(o.schedule) {
		return time.Time{}, false
	}
	return o.Clock().Add(o.schedule[n]), true
}
