// Package outbox delivers the events that changes of a sandbox raise: changes
// come in, and signed requests go to the subscriptions, repeated by
// WorkSkedge's retry schedule.
//
//	o, err := outbox.New(ctx, outbox.Config{Store: s, Now: time.Now, NewID: newID})
//	if err != nil {
//		return err
//	}
//	defer o.Close()
//	err = s.Do(ctx, func(tx *store.Tx) error {
//		…
//		_, err := o.Enqueue(tx, "comp_1", "the API key that made the changes", changes)
//		return err
//	})
//	o.Wake()
//
// A delivery is written in the transaction of the change that raised it. An
// attempt is recorded before it is made, so that a crash can lose an attempt
// but never makes more than the schedule allows.
package outbox

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/sandbox/internal/announce"
	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

var (
	// ErrUnsubscribed is returned for a delivery whose subscription was removed.
	ErrUnsubscribed = errors.New("its subscription was removed")

	// ErrTooFar is returned for an advance of the clock beyond what it can show.
	ErrTooFar = errors.New("the clock can be at most 100 years ahead")
)

const (
	// perSubscription is how many attempts to one subscription are under way at
	// once. Subscriptions do not share these: one that hangs delays no other.
	perSubscription = 4

	// storePause is the pause before a write that the store refused is
	// repeated, for example on a full disk.
	storePause = time.Second

	maxAdvanced = 100 * 365 * 24 * time.Hour

	// advancedSetting names the store's setting of how far the clock is ahead.
	advancedSetting = "outbox.advanced"
)

// Config configures an outbox. Store, Now and NewID are required.
type Config struct {
	Store     *store.Store
	Now       func() time.Time
	NewID     func(prefix string) string
	Transport http.RoundTripper                          // default: the Guard's
	UserName  func(company, id string) string            // of who made a change, for events; may be nil
	Guard     Guard                                      // where deliveries may go
	Speed     float64                                    // divides the pauses; default: 1
	Timeout   time.Duration                              // of one attempt; default: [deliver.DefaultTimeout]
	Each      func(store.Delivery, webhook.Record)       // called after each attempt with the resulting delivery; must not call Close; may be nil
	Warn      func(text string)                          // called when the store refuses writes for a while; may be nil
	Broken    func(error)                                // called when the disk no longer confirms writes; deliveries have stopped then; may be nil
	Wait      func(context.Context, time.Duration) error // default: [deliver.Wait]
}

// Outbox delivers. Use New to make one.
type Outbox struct {
	config    Config
	announcer *announce.Announcer
	schedule  deliver.Schedule
	client    deliver.Client

	closeIdle func() // closes idle connections of the outbox's own transport
	stop      context.CancelFunc
	stopped   chan struct{}
	wake      chan struct{} // holds at most one request to look for due deliveries

	moving sync.Mutex // held while the clock is moved

	mu       sync.Mutex
	advanced time.Duration  // how far the clock is ahead
	busy     map[string]int // attempts under way, by subscription
	running  int            // attempts under way
	changed  chan struct{}  // closed and replaced when busy, or what is due, may have changed
	fault    error          // why the loop stopped
	tally    Tally
}

// Tally counts the attempts that have ended since the outbox was made.
type Tally struct {
	Attempts  int
	Delivered int // attempts that were answered with 2xx
	Dead      int // attempts after which there is no other
}

// Tally returns what the attempts came to so far.
func (o *Outbox) Tally() Tally {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.tally
}

// New starts to deliver what is due. An attempt that a crash cut off counts as
// one without a response.
func New(ctx context.Context, c Config) (*Outbox, error) {
	c.Timeout = cmp.Or(c.Timeout, deliver.DefaultTimeout)
	closeIdle := func() {}
	if c.Transport == nil {
		transport := c.Guard.Transport()
		c.Transport, closeIdle = transport, transport.CloseIdleConnections
	}
	if c.Wait == nil {
		c.Wait = deliver.Wait
	}
	o := &Outbox{
		config:    c,
		announcer: announce.New(),
		schedule:  deliver.PlatformSchedule(webhook.WorkSkedge).Faster(c.Speed),
		client: deliver.Client{
			Transport: c.Transport, Now: c.Now, NewID: func() string { return c.NewID("rec") }, UserAgent: "WorkSkedge-sandbox (wsk)",
		},
		closeIdle: closeIdle,
		stopped:   make(chan struct{}),
		wake:      make(chan struct{}, 1),
		busy:      map[string]int{},
		changed:   make(chan struct{}),
	}
	if err := o.Reload(ctx); err != nil {
		return nil, err
	}
	err := c.Store.Do(ctx, func(tx *store.Tx) error {
		tx.Failpoints("outbox/requeue")
		return tx.Requeue(o.retryAt)
	})
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	o.stop = stop
	go o.loop(running)
	return o, nil
}

// Close stops the deliveries. Attempts under way are cut off and repeated after
// the next start. It returns why deliveries had stopped before, if they had.
func (o *Outbox) Close() error {
	o.stop()
	<-o.stopped
	o.closeIdle()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fault
}

// Clock returns the time of the schedules: real time plus what Advance added.
func (o *Outbox) Clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.config.Now().Add(o.advanced)
}

// CheckAdvance returns [ErrTooFar] if the clock cannot be moved forward by d.
func (o *Outbox) CheckAdvance(d time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if total := o.advanced + d; d > maxAdvanced || total > maxAdvanced {
		return ErrTooFar
	}
	return nil
}

// NextDue returns when the next attempt is due that is not due yet. ok is false if
// there is none.
func (o *Outbox) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	err = o.config.Store.Do(ctx, func(tx *store.Tx) (err error) {
		at, ok, err = tx.NextDue(o.Clock())
		return err
	})
	return at, ok, err
}

// Advance moves the clock forward and returns how many deliveries are due then,
// or [ErrTooFar].
func (o *Outbox) Advance(ctx context.Context, d time.Duration) (due int, err error) {
	o.moving.Lock()
	defer o.moving.Unlock()
	if err := o.CheckAdvance(d); err != nil {
		return 0, err
	}
	o.mu.Lock()
	total := o.advanced + d
	o.mu.Unlock()
	err = o.config.Store.Do(ctx, func(tx *store.Tx) (err error) {
		tx.Failpoints("outbox/advance")
		if due, err = tx.CountDue(o.config.Now().Add(total)); err != nil {
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

// Reload reads the clock from the store, which may have been reset.
func (o *Outbox) Reload(ctx context.Context) error {
	o.moving.Lock()
	defer o.moving.Unlock()
	var text string
	err := o.config.Store.Do(ctx, func(tx *store.Tx) (err error) {
		text, err = tx.Setting(advancedSetting)
		return err
	})
	if err != nil {
		return err
	}
	advanced, _ := time.ParseDuration(cmp.Or(text, "0s")) // Advance wrote it
	o.mu.Lock()
	o.advanced = advanced
	o.mu.Unlock()
	o.Wake()
	return nil
}

// Enqueue writes the deliveries of what changes raise to the company's
// subscriptions, in the transaction of the changes, and returns how many there
// are. A subscription whose API key is origin receives none of them. Call Wake
// after the transaction.
func (o *Outbox) Enqueue(tx *store.Tx, company, origin string, changes []rules.Change) (n int, err error) {
	if len(changes) == 0 {
		return 0, nil
	}
	subscriptions, err := tx.Subscriptions(company)
	if err != nil {
		return 0, err
	}
	now := o.config.Now().UTC()
	byForm := map[webhook.Form][]event{} // all subscriptions of a form receive the same payloads
	for _, s := range subscriptions {
		if s.APIKey != "" && s.APIKey == origin {
			continue
		}
		events, made := byForm[s.Form]
		if !made {
			if events, err = o.events(o.context(tx, company, s.Form, now), changes); err != nil {
				return n, err
			}
			byForm[s.Form] = events
		}
		for _, e := range events {
			if !Wants(s.Events, e.name) {
				continue
			}
			n++
			if err := o.save(tx, s, e, now); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Publish writes the deliveries of an event that nothing caused to the company's
// subscriptions of its form, in the transaction, and returns how many there are. Call
// Wake after the transaction.
func (o *Outbox) Publish(tx *store.Tx, company string, e webhook.Event) (n int, err error) {
	subscriptions, err := tx.Subscriptions(company)
	if err != nil {
		return 0, err
	}
	for _, s := range subscriptions {
		if s.Form != e.Form || !Wants(s.Events, e.Type) {
			continue
		}
		n++
		if err := o.save(tx, s, event{e.Type, e.Raw}, o.config.Now().UTC()); err != nil {
			return n, err
		}
	}
	return n, nil
}

// save writes a delivery that is due now.
func (o *Outbox) save(tx *store.Tx, s store.Subscription, e event, now time.Time) error {
	return tx.SaveDelivery(store.Delivery{
		ID: o.config.NewID("whk"), Company: s.Company, Subscription: s.ID, Event: e.name, Form: s.Form, Body: e.payload,
		State: store.Pending, Due: o.Clock(), Created: now,
	})
}

// context returns what changes are announced from.
func (o *Outbox) context(tx *store.Tx, company string, form webhook.Form, now time.Time) announce.Context {
	c := announce.Context{Tx: tx, Company: company, Form: form, Now: now}
	if o.config.UserName != nil {
		c.UserName = func(id string) string { return o.config.UserName(company, id) }
	}
	return c
}

type event struct {
	name    string
	payload []byte
}

func (o *Outbox) events(c announce.Context, changes []rules.Change) (list []event, err error) {
	raised, err := o.announcer.Events(c, changes)
	for _, r := range raised {
		list = append(list, event{name: r.Type, payload: announce.Envelope(r, o.config.NewID("evt"), c.Company, c.Now)})
	}
	return list, err
}

// Wants reports whether a subscription with these patterns receives an event.
// A pattern is a type, a glob over types, or a category: the part of the type
// before the dot (work_order) or a heading of WorkSkedge's Webhooks page, such as
// Work Orders, Work Order Events, or Customer & Location Events.
// Work orders match in the spelling of either form, work_order or workorder,
// and timesheets.processed.batch belongs to the category timesheet. No patterns
// match everything. Malformed globs match nothing.
func Wants(patterns []string, eventType string) bool {
	if len(patterns) == 0 {
		return true
	}
	eventType = canonicalEvent(eventType)
	category, _, _ := strings.Cut(eventType, ".")
	category = canonicalCategory(category)
	for _, p := range patterns {
		p = canonicalEvent(p)
		if ok, _ := path.Match(p, eventType); ok || slices.Contains(categories(p), category) {
			return true
		}
	}
	return false
}

// categories returns the categories that a pattern names, if it names any.
func categories(pattern string) []string {
	var list []string
	heading := strings.TrimSuffix(strings.ToLower(pattern), " events")
	for name := range strings.SplitSeq(heading, "&") {
		list = append(list, canonicalCategory(strings.TrimSpace(name)))
	}
	return list
}

func canonicalCategory(name string) string {
	name = strings.TrimSuffix(strings.ReplaceAll(strings.ToLower(name), " ", "_"), "s")
	if name == "purchase_order" {
		return "po"
	}
	return name
}

func canonicalEvent(name string) string {
	if rest, compact := strings.CutPrefix(name, "workorder"); compact {
		return "work_order" + rest
	}
	return name
}

// Resend makes a delivery due again, whatever its state, with a full schedule
// of attempts. One that is being sent is left alone.
func (o *Outbox) Resend(ctx context.Context, id string) error {
	err := o.config.Store.Do(ctx, func(tx *store.Tx) error {
		list, err := tx.Deliveries(store.DeliveryQuery{ID: id})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return store.ErrNotFound
		}
		d := list[0]
		subscribed, err := tx.Subscribed(d.Subscription)
		switch {
		case err != nil:
			return err
		case d.State == store.Sending:
			return nil
		case !subscribed:
			return ErrUnsubscribed
		}
		d.State, d.Due, d.Attempts = store.Pending, o.Clock(), 0
		return tx.SaveDelivery(d)
	})
	o.Wake()
	return err
}

// ResendAll makes all deliveries in a state due again, except those whose
// subscription was removed, and returns how many there are.
func (o *Outbox) ResendAll(ctx context.Context, state store.State) (n int, err error) {
	err = o.config.Store.Do(ctx, func(tx *store.Tx) error {
		n, err = tx.Revive(state, o.Clock())
		return err
	})
	o.Wake()
	return n, err
}

// Wake makes the outbox look for due deliveries, after something has changed.
func (o *Outbox) Wake() {
	o.mu.Lock()
	o.signal()
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default: // a request is already queued
	}
}

// signal notifies Idle that something has changed. The caller holds o.mu.
func (o *Outbox) signal() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// Idle waits until no attempt is due or under way. It returns why deliveries
// have stopped, if they have.
func (o *Outbox) Idle(ctx context.Context) error {
	o.Wake()
	for {
		o.mu.Lock()
		changed, running, fault := o.changed, o.running, o.fault
		o.mu.Unlock()
		if fault != nil {
			return fault
		}
		var waiting []store.Delivery
		err := o.config.Store.Do(ctx, func(tx *store.Tx) (err error) {
			waiting, err = tx.Deliveries(store.DeliveryQuery{DueBy: o.Clock(), Limit: 1})
			if err == nil && len(waiting) == 0 { // started, and perhaps not yet counted in running
				waiting, err = tx.Deliveries(store.DeliveryQuery{State: []store.State{store.Sending}, Limit: 1})
			}
			return err
		})
		if err != nil {
			return err
		}
		if running == 0 && len(waiting) == 0 {
			o.mu.Lock()
			idle := o.running == 0 && o.changed == changed
			o.mu.Unlock()
			if idle {
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

// loop starts due attempts until ctx ends. In between it sleeps until the next
// one is due, or until it is woken.
func (o *Outbox) loop(ctx context.Context) {
	var attempts sync.WaitGroup
	defer close(o.stopped)
	defer attempts.Wait()
	for ctx.Err() == nil {
		started, pause, err := o.startDue(ctx)
		if err != nil {
			if ctx.Err() == nil {
				o.fail(err)
			}
			return
		}
		for _, j := range started {
			attempts.Go(func() { o.attempt(ctx, j) })
		}
		o.sleep(ctx, pause)
	}
}

// sleep waits for a duration, less than 0 meaning for ever, or until the outbox
// is woken.
func (o *Outbox) sleep(ctx context.Context, d time.Duration) {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := make(chan struct{})
	if d >= 0 {
		go func() {
			if o.config.Wait(limited, d) == nil {
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

// persist runs do in the store, and repeats it while the store refuses it,
// because space on a full disk may be freed. It gives up when ctx ends, or when
// the disk no longer confirms writes.
func (o *Outbox) persist(ctx context.Context, do func(*store.Tx) error) error {
	for warned := false; ; warned = true {
		err := o.config.Store.Do(ctx, do)
		if err == nil || ctx.Err() != nil || errors.Is(err, sqlfile.ErrBroken) {
			return err
		}
		if !warned && o.config.Warn != nil {
			o.config.Warn("deliveries wait: " + err.Error())
		}
		if err := o.config.Wait(ctx, storePause); err != nil {
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
	if first && o.config.Broken != nil {
		go o.config.Broken(err) // in a goroutine because it may call Close, which waits for the caller of fail
	}
}

// job is an attempt that was started.
type job struct {
	delivery     store.Delivery
	subscription store.Subscription
}

// startDue records the attempts that can start now, and returns them with the
// time until the next one, which is less than 0 if none is pending.
func (o *Outbox) startDue(ctx context.Context) (jobs []job, pause time.Duration, err error) {
	clock := o.Clock()
	err = o.persist(ctx, func(tx *store.Tx) error {
		tx.Failpoints("outbox/start")
		jobs, pause = nil, -1
		subscriptions, err := tx.Subscriptions("")
		if err != nil {
			return err
		}
		for _, s := range subscriptions {
			started, err := o.startDueTo(tx, s, clock)
			if err != nil {
				return err
			}
			jobs = append(jobs, started...)
		}
		// A due delivery that found no free slot starts when an attempt ends.
		at, pending, err := tx.NextDue(clock)
		if pending {
			pause = at.Sub(clock)
		}
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
	return jobs, pause, nil
}

// startDueTo records the attempts that one subscription has free slots for.
func (o *Outbox) startDueTo(tx *store.Tx, s store.Subscription, clock time.Time) (jobs []job, err error) {
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

// attempt makes one attempt and stores its outcome.
func (o *Outbox) attempt(ctx context.Context, j job) {
	defer o.ended(j.subscription.ID)
	d := j.delivery
	secret, err := webhook.NewSecret(j.subscription.Secret)
	if err != nil {
		o.fail(err)
		return
	}
	n := d.Attempts - 1
	record, err := o.client.Attempt(ctx, deliver.Delivery{
		URL: j.subscription.URL, Event: webhook.Event{Platform: webhook.WorkSkedge, Form: d.Form, Type: d.Event, Raw: d.Body},
		Header: deliver.Outbound(webhook.WorkSkedge, d.Event), Secret: secret, WebhookID: d.ID, Timeout: o.config.Timeout,
	}, n)
	if ctx.Err() != nil && record.Response == nil {
		return // the delivery stays in the state sending, and the next start requeues it
	}
	if err != nil {
		record.Error = err.Error()
	}
	d.Status, d.Error = 0, record.Error
	if record.Response != nil {
		d.Status, d.Error = record.Response.Status, ""
	}
	outcome := o.outcome(d)
	settled := outcome
	tried := store.Attempt{N: n, Time: record.Time, Status: d.Status, Error: d.Error, Duration: record.Duration}
	settle := func(tx *store.Tx) (err error) {
		tx.Failpoints("outbox/settle")
		if settled, err = tx.Settle(outcome, tried); errors.Is(err, store.ErrNotFound) {
			return nil // the state was reset meanwhile
		}
		return err
	}
	if ctx.Err() == nil {
		err = o.persist(ctx, settle)
	} else { // the response arrived at the last moment, and counts
		err = o.config.Store.Do(context.WithoutCancel(ctx), settle)
	}
	if err != nil && ctx.Err() == nil {
		o.fail(err)
	}
	o.count(settled)
	if o.config.Each != nil {
		o.config.Each(settled, record)
	}
}

// count adds an attempt that ended to the tally.
func (o *Outbox) count(settled store.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tally.Attempts++
	switch settled.State {
	case store.Delivered:
		o.tally.Delivered++
	case store.Dead:
		o.tally.Dead++
	}
}

// ended frees the slot of an attempt.
func (o *Outbox) ended(subscription string) {
	o.mu.Lock()
	o.running--
	if o.busy[subscription]--; o.busy[subscription] == 0 {
		delete(o.busy, subscription)
	}
	o.mu.Unlock()
	o.Wake()
}

// outcome decides the state of a delivery after an attempt with its status.
func (o *Outbox) outcome(d store.Delivery) store.Delivery {
	due, again := o.retryAt(d)
	switch {
	case d.Status/100 == 2:
		d.State = store.Delivered
	case deliver.IsFinal(webhook.WorkSkedge, d.Status) || !again:
		d.State = store.Dead
	default:
		d.State, d.Due = store.Pending, due
	}
	return d
}

// retryAt returns when a delivery that failed is attempted again; ok is false
// if it is not.
func (o *Outbox) retryAt(d store.Delivery) (due time.Time, ok bool) {
	pause, ok := o.schedule.Next(d.Attempts - 1)
	return o.Clock().Add(pause), ok
}
