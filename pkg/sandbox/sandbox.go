// Package sandbox is WorkSkedge on your machine: inbound events come in over
// HTTP, are checked, applied and answered as WorkSkedge documents it, and the
// outbound events that they raise are delivered to subscribers.
//
//	func play(ctx context.Context, receiver string, event webhook.Event) (err error) {
//		box, err := sandbox.New(ctx, sandbox.Config{})
//		if err != nil {
//			return err
//		}
//		defer func() { err = errors.Join(err, box.Close()) }()
//		server := httptest.NewServer(box)
//		defer server.Close()
//		if _, err := box.Subscribe(ctx, sandbox.Subscription{URL: receiver, Events: []string{"customer"}}); err != nil {
//			return err
//		}
//
//		key := box.Companies()[0].Keys[0]
//		secret, err := webhook.NewSecret(key.Secret)
//		if err != nil {
//			return err
//		}
//		var client deliver.Client
//		record, err := client.Send(ctx, deliver.Delivery{
//			URL: server.URL + sandbox.Path, Event: event, Header: deliver.Inbound(key.Key, "custom"), Secret: secret,
//		}, deliver.Policy{}, nil)
//		if err != nil {
//			return err
//		}
//		fmt.Println(record.Event, record.Verdict.Outcome)
//
//		if err := box.Idle(ctx); err != nil { // waits for the deliveries to the receiver
//			return err
//		}
//		deliveries, err := box.Deliveries(ctx, sandbox.DeliveryQuery{})
//		if err != nil {
//			return err
//		}
//		for _, d := range deliveries {
//			fmt.Println(d.Event, d.State)
//		}
//		return nil
//	}
//
// API keys, signatures, rate limits, required members, responses, raised events
// and the retry schedule follow WorkSkedge's documents. Where these are silent,
// the sandbox refuses an event rather than guess, and names the member: [Rules]
// lists every refusal, and [Config.Lenient] turns off those of the sandbox.
//
// Under [AdminPath] programs on the same machine read and change a running
// sandbox. State is in memory, or in the file [Config.Data], where it and
// pending deliveries survive a crash.
//
// This package is experimental: its API may change.
package sandbox

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/sandbox/internal/outbox"
	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// ErrNotFound is returned for a delivery or subscription that does not exist.
var ErrNotFound = store.ErrNotFound

// Sandbox is an [http.Handler] that plays WorkSkedge. Use [New] to make one. It
// is safe for concurrent use.
type Sandbox struct {
	config   Config
	store    *store.Store
	outbox   *outbox.Outbox
	callers  map[keyDigest]caller
	limits   *deliver.Limiter
	checkers sync.Pool // of *lint.Checker
	admin    http.Handler
	guard    outbox.Guard
	refusals diagnose.Limiter
}

// New opens or creates the state, sets up the companies, and starts to deliver
// what is due. ctx bounds the start alone; Close ends the sandbox. The error
// names what is wrong with the Config, or with the file.
func New(ctx context.Context, c Config) (*Sandbox, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	state, err := store.Open(ctx, c.Data, store.Options{Warn: c.warn})
	if err != nil {
		return nil, err
	}
	s := &Sandbox{
		config: c,
		store:  state,
		limits: deliver.NewLimiter(c.Limits...),
		guard:  outbox.Guard{AllowTargets: c.AllowTargets},
	}
	s.checkers.New = func() any { return c.Linter.NewChecker() }
	s.admin = s.adminHandler()
	if err = state.Lock(ctx); err == nil {
		err = s.setUp(ctx)
	}
	if err == nil {
		s.outbox, err = outbox.New(ctx, outbox.Config{
			Store: state, Now: c.Now, NewID: s.id, UserName: s.userName, Transport: c.Transport, Guard: s.guard,
			Speed: c.Speed, Timeout: c.Timeout, Each: s.delivered, Warn: c.warn, Broken: c.Broken,
		})
	}
	if err != nil {
		return nil, errors.Join(err, state.Close())
	}
	return s, nil
}

// Close stops the deliveries and closes the state. What has not been delivered
// stays in the file, if there is one.
func (s *Sandbox) Close() error { return errors.Join(s.outbox.Close(), s.store.Close()) }

func (s *Sandbox) now() time.Time { return s.config.Now() }

// id makes an ID with a prefix: "wo" → "wo_…".
func (s *Sandbox) id(prefix string) string { return prefix + "_" + s.newID() }

// newID returns 16 characters, as many as the IDs in the documents have.
func (s *Sandbox) newID() string {
	id := s.config.NewID()
	return id[:min(len(id), 16)]
}

// setUp brings the state in line with the configuration.
func (s *Sandbox) setUp(ctx context.Context) error {
	configured := s.config.Companies
	return s.store.Do(ctx, func(tx *store.Tx) error { // which may run twice, so it starts from what was configured
		tx.Failpoints("sandbox/set-up")
		s.config.Companies, s.callers = cloneCompanies(configured), map[keyDigest]caller{}
		for i := range s.config.Companies {
			c := &s.config.Companies[i]
			if err := errors.Join(s.setUpKeys(tx, c), s.fill(tx, c)); err != nil {
				return fmt.Errorf("company %s: %w", c.ID, err)
			}
		}
		return nil
	})
}

// keyDigest identifies an API key: looking up the key itself would compare it
// byte by byte, and leak through timing how much of it was right.
type keyDigest [sha256.Size]byte

func digestOf(key string) keyDigest { return sha256.Sum256([]byte(key)) }

// actor is how records name the user behind a key: user_ and the first bytes of
// its digest.
func (k Key) actor() string {
	d := digestOf(k.Key)
	return "user_" + hex.EncodeToString(d[:6])
}

// payrollUser is the user of [Sandbox.ProcessTimesheets].
const payrollUser = "user_payroll"

// userName returns the name of the user who made a change: that of the API key.
func (s *Sandbox) userName(company, id string) string {
	if id == payrollUser {
		return "Payroll"
	}
	for _, c := range s.config.Companies {
		for _, k := range c.Keys {
			if c.ID == company && k.actor() == id {
				return k.Name
			}
		}
	}
	return id
}

// setUpKeys registers the keys of a company. It generates those that are not
// given and stores them, so that a restart has the same.
func (s *Sandbox) setUpKeys(tx *store.Tx, c *Company) error {
	if len(c.Keys) == 0 {
		c.Keys = []Key{{}}
	}
	for i := range c.Keys {
		k := &c.Keys[i]
		var err error
		if k.Key, err = s.storedOr(tx, fmt.Sprintf("%s%s.key.%d.key", store.Kept, c.ID, i), k.Key, "key_"); err != nil {
			return err
		}
		if k.Secret, err = s.storedOr(tx, store.Kept+c.ID+".secret."+k.actor(), k.Secret, "secret_"); err != nil {
			return err
		}
		k.Name = cmp.Or(k.Name, k.actor())
		secret, err := webhook.NewSecret(k.Secret)
		if err != nil {
			return fmt.Errorf("the secret of an API key: %w", err)
		}
		if strings.TrimSpace(k.Key) != k.Key {
			return errors.New("an API key has leading or trailing space, which no header can carry")
		}
		if _, taken := s.callers[digestOf(k.Key)]; taken {
			return errors.New("an API key is configured twice: each key must identify one sender")
		}
		s.callers[digestOf(k.Key)] = caller{company: c, key: *k, secret: secret}
	}
	return nil
}

// storedOr returns the given value, or else the value that is stored under the
// name, or else a new one, which it stores.
func (s *Sandbox) storedOr(tx *store.Tx, name, given, prefix string) (string, error) {
	if given != "" {
		return given, nil
	}
	kept, err := tx.Setting(name)
	if err != nil || kept != "" {
		return kept, err
	}
	kept = prefix + s.config.NewID()
	return kept, tx.Set(name, kept)
}

// fill writes a company's initial records and subscriptions. The defaults are
// written only once: a default employee who was deleted stays deleted.
func (s *Sandbox) fill(tx *store.Tx, c *Company) error {
	filledSetting := "filled." + c.ID
	filled, err := tx.Setting(filledSetting)
	if err != nil {
		return err
	}
	if err := rules.Seed(tx, c.ID, s.now().UTC(), s.id, c.seeds(filled == "")); err != nil {
		return err
	}
	if err := tx.Set(filledSetting, "yes"); err != nil {
		return err
	}
	return s.setUpSubscriptions(tx, c)
}

// seeds returns the configured seeds, with the defaults for those that are not
// configured if the company is new.
func (c *Company) seeds(isNew bool) rules.Seeds {
	seeds := rules.Seeds{Skills: c.Skills, Employees: c.Employees}
	for _, w := range c.WorkTypes {
		seeds.WorkTypes = append(seeds.WorkTypes, rules.WorkType(w))
	}
	if isNew && c.Skills == nil {
		seeds.Skills = sampleSkills
	}
	if isNew && c.Employees == nil {
		for _, e := range sampleEmployees {
			seeds.Employees = append(seeds.Employees, store.Fields{"emp_number": e.number, "name": e.name, "email": e.email, "employee_type": e.kind})
		}
	}
	if isNew && c.WorkTypes == nil {
		seeds.WorkTypes = rules.DocumentedWorkTypes
	}
	return seeds
}

// configuredPrefix begins the IDs of subscriptions that come from a Config. One
// that the next Config no longer names is removed.
const configuredPrefix = "subc_"

func (s *Sandbox) setUpSubscriptions(tx *store.Tx, c *Company) error {
	wanted := map[string]bool{}
	for _, given := range c.Subscriptions {
		given.Company = c.ID
		sub, err := s.subscription(given)
		if err != nil {
			return err
		}
		digest := sha256.Sum256([]byte(store.Key(append([]string{c.ID, sub.URL, string(sub.Form), sub.APIKey}, sub.Events...)...)))
		sub.ID = configuredPrefix + hex.EncodeToString(digest[:8])
		wanted[sub.ID] = true
		if err := tx.Subscribe(sub); err != nil {
			return err
		}
	}
	existing, err := tx.Subscriptions(c.ID)
	if err != nil {
		return err
	}
	for _, sub := range existing {
		if strings.HasPrefix(sub.ID, configuredPrefix) && !wanted[sub.ID] {
			if err := tx.Unsubscribe(sub.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Companies returns the companies with their API keys, generated ones included.
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

// subscription checks a subscription and fills in its defaults.
func (s *Sandbox) subscription(given Subscription) (store.Subscription, error) {
	var none store.Subscription
	c, err := s.company(given.Company)
	if err != nil {
		return none, err
	}
	target, err := deliver.CompleteURL(given.URL)
	if err == nil {
		err = s.guard.Check(target)
	}
	if err != nil {
		return none, err
	}
	form := given.Form
	if form == "" {
		form = webhook.Outbound
		if checkPatterns(form, given.Events) != nil && checkPatterns(webhook.Compact, given.Events) == nil {
			form = webhook.Compact
		}
	}
	if form != webhook.Outbound && form != webhook.Compact {
		return none, webhook.Unknown("form of a subscription", string(form), []string{string(webhook.Outbound), string(webhook.Compact)})
	}
	if err := checkPatterns(form, given.Events); err != nil {
		return none, err
	}
	if given.APIKey != "" && !slices.ContainsFunc(c.Keys, func(k Key) bool { return k.Key == given.APIKey }) {
		return none, fmt.Errorf("the API key of the subscription is not one of company %s: its own changes would come back to it", c.ID)
	}
	secret := cmp.Or(given.Secret, c.Keys[0].Secret)
	if _, err := webhook.NewSecret(secret); err != nil {
		return none, err
	}
	return store.Subscription{
		Company: c.ID, URL: target, Events: given.Events, Form: form,
		Secret: secret, APIKey: given.APIKey, Created: s.now().UTC(),
	}, nil
}

// checkPatterns refuses a pattern that matches no event of the form.
func checkPatterns(form webhook.Form, patterns []string) error {
	other := webhook.Outbound
	if form == webhook.Outbound {
		other = webhook.Compact
	}
	types, otherTypes := eventTypes(form), eventTypes(other)
	for _, p := range patterns {
		wanted := func(t string) bool { return outbox.Wants([]string{p}, t) }
		switch {
		case slices.ContainsFunc(types, wanted):
		case slices.ContainsFunc(otherTypes, wanted):
			return fmt.Errorf("%s has no event of the form %s: WorkSkedge documents it in the form %s alone", p, form, other)
		default:
			known := slices.Clone(types)
			for _, t := range types {
				if category, _, _ := strings.Cut(t, "."); !slices.Contains(known, category) {
					known = append(known, category)
				}
			}
			if err := webhook.CheckGlob(string(form)+" event", p, known); err != nil {
				return err
			}
			return webhook.Unknown(string(form)+" event", p, types) // a glob of categories
		}
	}
	return nil
}

func eventTypes(form webhook.Form) []string {
	var types []string
	for _, d := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, form) {
		types = append(types, d.Type)
	}
	return types
}

// Subscribe adds a subscription to the events from now on, and returns its ID.
func (s *Sandbox) Subscribe(ctx context.Context, given Subscription) (id string, err error) {
	sub, err := s.subscription(given)
	if err != nil {
		return "", err
	}
	sub.ID = s.id("sub")
	return sub.ID, s.store.Do(ctx, func(tx *store.Tx) error { return tx.Subscribe(sub) })
}

// Unsubscribe removes a subscription, or returns [ErrNotFound]. Its pending
// deliveries become dead.
func (s *Sandbox) Unsubscribe(ctx context.Context, id string) error {
	err := s.store.Do(ctx, func(tx *store.Tx) error { return tx.Unsubscribe(id) })
	s.outbox.Wake()
	return err
}

// Subscriptions returns every subscription, the oldest first.
func (s *Sandbox) Subscriptions(ctx context.Context) ([]SubscriptionStatus, error) {
	var list []store.Subscription
	err := s.store.Do(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Subscriptions("")
		return err
	})
	views := make([]SubscriptionStatus, len(list))
	for i, sub := range list {
		views[i] = SubscriptionStatus{
			ID: sub.ID, Company: sub.Company, URL: webhook.RedactURL(sub.URL), Events: sub.Events, Form: sub.Form, HasAPIKey: sub.APIKey != "",
		}
		if len(sub.Events) == 0 {
			views[i].Events = []string{"*"}
		}
	}
	return views, err
}

// Records returns the records that q selects, the newest first.
func (s *Sandbox) Records(ctx context.Context, q RecordQuery) ([]Record, error) {
	var list []*store.Record
	err := s.store.Do(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.List(store.Query{ID: q.ID, Company: q.Company, Kind: store.Kind(q.Kind), Limit: q.Limit, Newest: true})
		return err
	})
	views := make([]Record, len(list))
	for i, r := range list {
		views[i] = Record{ID: r.ID, Company: r.Company, Kind: string(r.Kind), Name: r.Name, Created: r.Created, Updated: r.Updated, Fields: r.Fields}
	}
	return views, err
}

// Deliveries returns the deliveries that q selects, the newest first.
func (s *Sandbox) Deliveries(ctx context.Context, q DeliveryQuery) ([]Delivery, error) {
	stored := store.DeliveryQuery{ID: q.ID, Event: q.Event, Limit: q.Limit, Newest: true}
	if q.State != "" {
		stored.State = []store.State{store.State(q.State)}
	}
	var list []store.Delivery
	var tries []store.Attempt
	urls := map[string]string{}
	err := s.store.Do(ctx, func(tx *store.Tx) (err error) {
		if list, err = tx.Deliveries(stored); err != nil {
			return err
		}
		if q.ID != "" {
			if tries, err = tx.Attempts(q.ID); err != nil {
				return err
			}
		}
		subscriptions, err := tx.Subscriptions("")
		for _, sub := range subscriptions {
			urls[sub.ID] = webhook.RedactURL(sub.URL)
		}
		return err
	})
	views := make([]Delivery, len(list))
	for i, d := range list {
		views[i] = deliveryView(d, urls[d.Subscription])
		if q.ID == "" {
			continue
		}
		views[i].Body = string(d.Body)
		for _, a := range tries {
			views[i].Tries = append(views[i].Tries, Attempt{N: a.N, Time: a.Time, Status: a.Status, Error: a.Error, Took: float64(a.Duration) / float64(time.Millisecond)})
		}
	}
	return views, err
}

func deliveryView(d store.Delivery, url string) Delivery {
	view := Delivery{
		ID: d.ID, Event: d.Event, Form: d.Form, State: State(d.State), Subscription: d.Subscription, URL: url,
		Attempts: d.Attempts, Status: d.Status, Error: d.Error, Created: d.Created,
	}
	if d.State == store.Pending {
		view.Due = &d.Due
	}
	return view
}

// delivered passes an attempt on to the Config's callback.
func (s *Sandbox) delivered(d store.Delivery, r webhook.Record) {
	if s.config.Delivered != nil {
		s.config.Delivered(deliveryView(d, webhook.RedactURL(r.Request.URL)), r)
	}
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
		records, err := tx.Counts()
		if err != nil {
			return err
		}
		status.Records = map[string]int{}
		for kind, n := range records {
			status.Records[string(kind)] = n
		}
		subscriptions, err := tx.Subscriptions("")
		if err != nil {
			return err
		}
		status.Subscriptions = len(subscriptions)
		deliveries, err := tx.CountDeliveries()
		if err != nil {
			return err
		}
		status.Deliveries = map[State]int{}
		for state, n := range deliveries {
			status.Deliveries[State(state)] = n
		}
		next, ok, err := tx.NextDue(time.Unix(0, 0))
		if ok {
			status.NextDue = &next
		}
		return err
	})
	return status, err
}

// Resend sends a delivery again under its webhook id, whatever its state, with
// a full schedule of attempts. It returns [ErrNotFound] for an unknown ID.
func (s *Sandbox) Resend(ctx context.Context, id string) error { return s.outbox.Resend(ctx, id) }

// ResendAll resends every delivery in a state whose subscription still exists,
// and returns how many there are.
func (s *Sandbox) ResendAll(ctx context.Context, state State) (n int, err error) {
	return s.outbox.ResendAll(ctx, store.State(state))
}

// advanceStep is the shortest step of an advance: attempts that are due closer to
// each other are made together.
const advanceStep = time.Second

// Advance moves the clock of schedules and rate limits forward, and lets happen
// what happens in that time, attempt after attempt: a delivery that fails again
// is attempted again when its next attempt is due. Advance waits up to two seconds
// for attempts that are under way at each step. Timestamps and signatures stay
// those of real time. The clock can be at most 100 years ahead.
func (s *Sandbox) Advance(ctx context.Context, d time.Duration) (AdvanceResult, error) {
	result := AdvanceResult{Advanced: d.String()}
	if err := s.outbox.CheckAdvance(d); err != nil {
		return result, err
	}
	s.settle(ctx)
	before := s.outbox.Tally()
	for rest := d; rest > 0; {
		step := rest
		next, pending, err := s.outbox.NextDue(ctx)
		if err != nil {
			return result, err
		}
		if pending {
			step = min(max(next.Sub(s.outbox.Clock()), advanceStep), rest)
		}
		due, err := s.outbox.Advance(ctx, step)
		if err != nil {
			return result, err
		}
		s.settle(ctx)
		rest -= step
		result.Due += due
	}
	now := s.outbox.Tally()
	result.Clock = s.outbox.Clock()
	result.Attempts, result.Delivered, result.Dead = now.Attempts-before.Attempts, now.Delivered-before.Delivered, now.Dead-before.Dead
	return result, nil
}

// Idle waits until no attempt is due or under way.
func (s *Sandbox) Idle(ctx context.Context) error { return s.outbox.Idle(ctx) }

// ProcessTimesheets marks every locked timesheet of a company ("" is the first)
// as processed, as a payroll run does, and returns how many there were.
func (s *Sandbox) ProcessTimesheets(ctx context.Context, company string) (n int, err error) {
	c, err := s.company(company)
	if err != nil {
		return 0, err
	}
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		changes, err := rules.ProcessTimesheets(rules.Call{Tx: tx, Company: c.ID, Actor: payrollUser, Now: s.now().UTC(), NewID: s.id})
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

// Publish delivers an event of the form outbound or compact to the subscriptions of a
// company ("" is the first) that are of its form and want it, and returns how many
// there are. The sandbox's records stay as they are: it is for the events that no
// inbound event raises, and for payloads that a test chooses. event.Raw is delivered
// byte for byte.
func (s *Sandbox) Publish(ctx context.Context, company string, event webhook.Event) (deliveries int, err error) {
	c, err := s.company(company)
	if err != nil {
		return 0, err
	}
	if event.Form != webhook.Outbound && event.Form != webhook.Compact {
		return 0, fmt.Errorf("publishing %s: it has the form %q, and subscriptions receive outbound and compact", event.Type, event.Form)
	}
	err = s.store.Do(ctx, func(tx *store.Tx) (err error) {
		deliveries, err = s.outbox.Publish(tx, c.ID, event)
		return err
	})
	if err == nil {
		s.outbox.Wake()
	}
	return deliveries, err
}

// Reset removes all records, deliveries and added subscriptions, and fills the
// state as at the start. API keys stay.
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
		s.limits.Reset()
		err = s.outbox.Reload(context.WithoutCancel(ctx)) // the reset is done: the outbox must know, even if the caller has gone
	}
	return err
}
