package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/sandbox/outbox"
	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Companies returns the companies with their API keys, those that were made up
// included.
func (s *Sandbox) Companies() []Company { return slices.Clone(s.config.Companies) }

// company finds a company by its ID; "" is the first.
func (s *Sandbox) company(id string) (*Company, error) {
	ids := make([]string, len(s.config.Companies))
	for i := range s.config.Companies {
		c := &s.config.Companies[i]
		if ids[i] = c.ID; id == "" || id == c.ID {
			return c, nil
		}
	}
	return nil, webhook.Unknown("company", id, ids)
}

// subscription checks and completes what a caller gave.
func (s *Sandbox) subscription(given Subscription) (store.Subscription, error) {
	var none store.Subscription
	c, err := s.company(given.Company)
	if err != nil {
		return none, err
	}
	if err := s.guard.Check(given.URL); err != nil {
		return none, err
	}
	form := cmp.Or(given.Form, webhook.Outbound)
	if form != webhook.Outbound && form != webhook.Compact {
		return none, webhook.Unknown("form of a subscription", string(form), []string{string(webhook.Outbound), string(webhook.Compact)})
	}
	if err := checkEvents(form, given.Events); err != nil {
		return none, err
	}
	if given.APIKey != "" && !slices.ContainsFunc(c.Keys, func(k Key) bool { return k.Key == given.APIKey }) {
		return none, fmt.Errorf("the API key of a subscription is none of the company %s: its own changes would come back to it", c.ID)
	}
	secret := cmp.Or(given.Secret, c.Keys[0].Secret)
	if _, err := webhook.NewSecret(secret); err != nil {
		return none, err
	}
	return store.Subscription{
		ID: given.ID, Company: c.ID, URL: given.URL, Events: given.Events, Form: form,
		Secret: secret, APIKey: given.APIKey, Created: s.now().UTC(),
	}, nil
}

// checkEvents refuses what a subscription asks for and never gets.
func checkEvents(form webhook.Form, patterns []string) error {
	var types []string
	for _, d := range webhook.Events(webhook.WorkSkedge, form) {
		types = append(types, d.Type)
	}
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("the event %q: %w", p, err)
		}
		if !slices.ContainsFunc(types, func(t string) bool { return outbox.Wants([]string{p}, t) }) {
			known := slices.Clone(types)
			for _, t := range types {
				if category, _, _ := strings.Cut(t, "."); !slices.Contains(known, category) {
					known = append(known, category)
				}
			}
			return webhook.Unknown(string(form)+" event", p, known)
		}
	}
	return nil
}

// Subscribe adds a subscription, which gets what happens from now on, and
// returns its ID.
func (s *Sandbox) Subscribe(ctx context.Context, given Subscription) (id string, err error) {
	sub, err := s.subscription(given)
	if err != nil {
		return "", err
	}
	if sub.ID == "" {
		sub.ID = s.id("sub")
	}
	return sub.ID, s.store.Do(ctx, func(tx *store.Tx) error { return tx.Subscribe(sub) })
}

// Unsubscribe removes a subscription, or returns [store.ErrNotFound]. What is
// on its way to it is dead.
func (s *Sandbox) Unsubscribe(ctx context.Context, id string) error {
	err := s.store.Do(ctx, func(tx *store.Tx) error { return tx.Unsubscribe(id) })
	s.outbox.Wake()
	return err
}

// Subscriptions lists every subscription.
func (s *Sandbox) Subscriptions(ctx context.Context) (list []store.Subscription, err error) {
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		list, err = tx.Subscriptions("")
		return err
	})
	return list, err
}

// Records returns what the companies have.
func (s *Sandbox) Records(ctx context.Context, q store.Query) (list []*store.Record, err error) {
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		list, err = tx.List(q)
		return err
	})
	return list, err
}

// Deliveries returns what was sent, or is to be.
func (s *Sandbox) Deliveries(ctx context.Context, q store.DeliveryQuery) (list []store.Delivery, err error) {
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		list, err = tx.Deliveries(q)
		return err
	})
	return list, err
}

// Attempts lists the tries of a delivery.
func (s *Sandbox) Attempts(ctx context.Context, delivery string) (list []store.Attempt, err error) {
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		list, err = tx.Attempts(delivery)
		return err
	})
	return list, err
}

// Resend sends a delivery again, under its own webhook id, as the dashboard's
// manual retry does.
func (s *Sandbox) Resend(ctx context.Context, id string) error { return s.outbox.Resend(ctx, id) }

// ResendAll is Resend for all deliveries in a state, and returns how many there
// are.
func (s *Sandbox) ResendAll(ctx context.Context, state store.State) (n int, err error) {
	return s.outbox.ResendAll(ctx, state)
}

// Advance moves the clock of schedules and limits on, and returns how many
// deliveries have become due. Timestamps stay those of the real time.
func (s *Sandbox) Advance(ctx context.Context, d time.Duration) (due int, err error) {
	return s.outbox.Advance(ctx, d)
}

// Idle waits until nothing is being delivered and nothing is due.
func (s *Sandbox) Idle(ctx context.Context) error { return s.outbox.Idle(ctx) }

// ProcessTimesheets marks every locked timesheet of a company as processed, as
// a payroll run does, and returns how many there were.
func (s *Sandbox) ProcessTimesheets(ctx context.Context, company string) (n int, err error) {
	c, err := s.company(company)
	if err != nil {
		return 0, err
	}
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		changes, err := rules.ProcessTimesheets(rules.Call{Tx: tx, Company: c.ID, Actor: "user_payroll", Now: s.now().UTC(), NewID: s.id})
		if err != nil {
			return err
		}
		n = len(changes)
		_, err = s.outbox.Enqueue(tx, c.ID, "", changes)
		return err
	})
	if err == nil {
		s.outbox.Wake()
	}
	return n, err
}

// Reset empties the state, deliveries and added subscriptions included, and
// fills it as it was at the start. API keys stay.
func (s *Sandbox) Reset(ctx context.Context) error {
	err := s.store.Do(ctx, func(tx *store.Tx) error {
		if err := tx.Reset(); err != nil {
			return err
		}
		for i := range s.config.Companies {
			if err := s.fill(tx, &s.config.Companies[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.limits.forget()
		err = s.outbox.Reload(context.WithoutCancel(ctx)) // what is emptied has to be known, whoever asked has gone or not
	}
	return err
}
