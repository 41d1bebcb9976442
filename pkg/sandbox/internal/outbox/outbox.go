// Package outbox delivers what a sandbox announces: changes come in, signed
// requests go to the subscriptions, again and again by the platform's schedule.
//
//	o, err := outbox.New(ctx, outbox.Config{Store: s, Now: time.Now, NewID: newID})
//	defer o.Close()
//	err = s.Do(ctx, func(tx *store.Tx) error {
//		…
//		_, err := o.Enqueue(tx, "comp_1", "the API key that did it", changes)
//		return err
//	})
//	o.Wake()
//
// A delivery is on disk with the change that raised it. An attempt is noted
// before it is made, so that a crash leaves one too many noted rather than one
// too many made: there are never more than six.
package outbox

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox/internal/announce"
	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Config says how to deliver. Store, Now and NewID are required.
type Config struct {
	Store     *store.Store
	Now       func() time.Time
	NewID     func(prefix string) string
	Transport http.RoundTripper // default: Guard's
	Guard     Guard
	Speed     float64                                    // divides the pauses; default: 1
	Timeout   time.Duration                              // of one attempt; default: deliver.DefaultTimeout
	Each      func(store.Delivery, webhook.Record)       // told every attempt, with what becomes of the delivery; must not call Close; may be nil
	Warn      func(text string)                          // told when the store refuses for a while; may be nil
	Broken    func(error)                                // told when the disk confirms nothing any more, and nothing is sent any more; may be nil
	Wait      func(context.Context, time.Duration) error // default: deliver.Wait
}

// perSubscription is how many attempts one subscription has at once. Each has
// its own: one that hangs does not keep the others waiting.
const perSubscription = 4

// storePause is how long it is between two tries of a store that refuses, as
// one on a full disk does.
const storePause = time.Second

// Outbox delivers. Make it with New.
type Outbox struct {
	Config
	announcer *announce.Announcer
	schedule  deliver.Schedule
	client    deliver.Client

	idle    func() // closes connections that the outbox opened and that are not used
	stop    context.CancelFunc
	stopped chan struct{}
	wake    chan struct{}

	moving sync.Mutex // held while the clock is moved

	mu       sync.Mutex
	advanced time.Duration
	busy     map[string]int // attempts under way, by subscription
	running  int
	changed  chan struct{} // closed, and made anew, when busy or what is due may have changed
	fault    error         // of the store, from the loop
}

// advancedSetting is where the store keeps how far the clock was moved.
const advancedSetting = "outbox.advanced"

// New starts to deliver what is due. What a crash cut off counts as an attempt
// without an answer.
func New(ctx context.Context, c Config) (*Outbox, error) {
	c.Timeout = cmp.Or(c.Timeout, deliver.DefaultTimeout)
	idle := func() {}
	if c.Transport == nil {
		own := c.Guard.Transport()
		c.Transport, idle = own, own.CloseIdleConnections
	}
	if c.Wait == nil {
		c.Wait = deliver.Wait
	}
	o := &Outbox{
		Config: c, announcer: announce.New(), schedule: deliver.PlatformSchedule(webhook.WorkSkedge).Faster(max(c.Speed, 1)),
		idle: idle, stopped: make(chan struct{}), wake: make(chan struct{}, 1), busy: map[string]int{}, changed: make(chan struct{}),
	}
	o.client = deliver.Client{Transport: c.Transport, Now: c.Now, NewID: func() string { return c.NewID("rec") }, UserAgent: "WorkSkedge-sandbox (wsk)"}
	if err := o.Reload(ctx); err != nil {
		return nil, err
	}
	err := c.Store.Do(ctx, func(tx *store.Tx) error { return tx.Requeue(o.next) })
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	o.stop = stop
	go o.loop(running)
	return o, nil
}

// Reload reads the clock from the store again, after it was emptied.
func (o *Outbox) Reload(ctx context.Context) error {
	o.moving.Lock()
	defer o.moving.Unlock()
	var text string
	err := o.Store.Do(ctx, func(tx *store.Tx) (err error) {
		text, err = tx.Setting(advancedSetting)
		return err
	})
	if err != nil {
		return err
	}
	advanced, _ := time.ParseDuration(cmp.Or(text, "0s")) // it was written by Advance
	o.mu.Lock()
	o.advanced = advanced
	o.mu.Unlock()
	o.Wake()
	return nil
}

// Close stops: attempts under way are cut off and come again with the next
// start.
func (o *Outbox) Close() error {
	o.stop()
	<-o.stopped
	o.idle()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fault
}

// Clock is the time of schedules: the real one, and what Advance has added.
func (o *Outbox) Clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Now().Add(o.advanced)
}

// ErrTooFar says that the clock would be moved to where times end.
var ErrTooFar = errors.New("that is further than 100 years ahead")

const maxAdvanced = 100 * 365 * 24 * time.Hour

// Advance moves the clock on, and returns how many deliveries are due then, or
// [ErrTooFar].
func (o *Outbox) Advance(ctx context.Context, d time.Duration) (due int, err error) {
	o.moving.Lock()
	defer o.moving.Unlock()
	o.mu.Lock()
	total := o.advanced + d
	o.mu.Unlock()
	if d > maxAdvanced || total > maxAdvanced {
		return 0, ErrTooFar
	}
	err = o.Store.Do(ctx, func(tx *store.Tx) (err error) {
		if due, err = tx.CountDue(o.Now().Add(total)); err != nil {
			return err
		}
		return tx.Set(advancedSetting, total.String())
	})
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	o.advanced = total
	o.mu.Unlock()
	o.Wake()
	return due, nil
}

// Wake looks for what is due, after something has changed.
func (o *Outbox) Wake() {
	o.mu.Lock()
	o.signal()
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default: // it looks anyway
	}
}

// Enqueue puts what changes raise on its way to the company's subscriptions,
// in the transaction of the changes. One whose API key is the origin gets
// nothing: it knows.
func (o *Outbox) Enqueue(tx *store.Tx, company, origin string, changes []rules.Change) (n int, err error) {
	if len(changes) == 0 {
		return 0, nil
	}
	subscriptions, err := tx.Subscriptions(company)
	if err != nil {
		return 0, err
	}
	now, due := o.Now().UTC(), o.Clock()
	bodies := map[webhook.Form][]envelope{}
	for _, s := range subscriptions {
		if s.APIKey != "" && s.APIKey == origin {
			continue
		}
		list, made := bodies[s.Form]
		if !made {
			if list, err = o.envelopes(announce.Context{Tx: tx, Company: company, Form: s.Form, Now: now}, changes); err != nil {
				return n, err
			}
			bodies[s.Form] = list
		}
		for _, e := range list {
			if !Wants(s.Events, e.event) {
				continue
			}
			n++
			err := tx.SaveDelivery(store.Delivery{
				ID: o.NewID("whk"), Company: company, Subscription: s.ID, Event: e.event, Form: s.Form, Body: e.body,
				State: store.Pending, Due: due, Created: now,
			})
			if err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

type envelope struct {
	event string
	body  []byte
}

// envelopes are the payloads of a form; all its subscriptions get the same.
func (o *Outbox) envelopes(c announce.Context, changes []rules.Change) (list []envelope, err error) {
	raised, err := o.announcer.Of(c, changes)
	for _, r := range raised {
		list = append(list, envelope{r.Type, announce.Envelope(r, o.NewID("evt"), c.Company, c.Now)})
	}
	return list, err
}

// Wants reports whether a subscription asks for an event: by its type, by a
// glob, or by its category, which is what stands before the dot, or how the page
// heads it: work_order, Work Orders. Without any it asks for all. Work orders are asked for by either form's name, work_order or
// workorder, and the batch of timesheets is one of the timesheet's.
func Wants(patterns []string, event string) bool {
	if len(patterns) == 0 {
		return true
	}
	event = oneName(event)
	category, _, _ := strings.Cut(event, ".")
	category = asCategory(category)
	for _, p := range patterns {
		p = oneName(p)
		if ok, _ := path.Match(p, event); ok || asCategory(p) == category { // the pattern was checked when it was given
			return true
		}
	}
	return false
}

func asCategory(name string) string {
	return strings.TrimSuffix(strings.ReplaceAll(strings.ToLower(name), " ", "_"), "s")
}

func oneName(event string) string {
	if rest, compact := strings.CutPrefix(event, "workorder"); compact {
		return "work_order" + rest
	}
	return event
}
