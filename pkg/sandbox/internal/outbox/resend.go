package outbox

import (
	"context"
	"errors"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// ErrUnsubscribed is returned for a delivery whose subscription was removed.
var ErrUnsubscribed = errors.New("its subscription was removed")

// Resend sends a delivery again, whatever became of it, with a series of
// attempts of its own.
func (o *Outbox) Resend(ctx context.Context, id string) error {
	err := o.Store.Do(ctx, func(tx *store.Tx) error {
		list, err := tx.Deliveries(store.DeliveryQuery{ID: id})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return store.ErrNotFound
		}
		d := list[0]
		there, err := tx.Subscribed(d.Subscription)
		switch {
		case err != nil:
			return err
		case d.State == store.Sending:
			return nil // it is on its way
		case !there:
			return ErrUnsubscribed
		}
		d.State, d.Due, d.Attempts = store.Pending, o.Clock(), 0
		return tx.SaveDelivery(d)
	})
	o.Wake()
	return err
}

// ResendAll sends all deliveries in a state again, but for those whose
// subscription is gone, and returns how many there are.
func (o *Outbox) ResendAll(ctx context.Context, state store.State) (n int, err error) {
	err = o.Store.Do(ctx, func(tx *store.Tx) error {
		n, err = tx.Revive(state, o.Clock())
		return err
	})
	o.Wake()
	return n, err
}

// Idle waits until nothing is being sent and nothing is due.
func (o *Outbox) Idle(ctx context.Context) error {
	o.Wake()
	for {
		o.mu.Lock()
		changed, running, fault := o.changed, o.running, o.fault
		o.mu.Unlock()
		if fault != nil {
			return fault
		}
		var due []store.Delivery
		err := o.Store.Do(ctx, func(tx *store.Tx) (err error) {
			due, err = tx.Deliveries(store.DeliveryQuery{DueBy: o.Clock(), Limit: 1})
			if err == nil && len(due) == 0 { // begun, and not counted as running yet
				due, err = tx.Deliveries(store.DeliveryQuery{State: []store.State{store.Sending}, Limit: 1})
			}
			return err
		})
		if err != nil {
			return err
		}
		if running == 0 && len(due) == 0 {
			o.mu.Lock()
			quiet := o.running == 0 && o.changed == changed
			o.mu.Unlock()
			if quiet {
				return nil
			}
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
