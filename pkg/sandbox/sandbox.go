package sandbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/sandbox/outbox"
	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Sandbox is the platform. Make it with New.
type Sandbox struct {
	config   Config
	store    *store.Store
	outbox   *outbox.Outbox
	callers  map[[sha256.Size]byte]caller
	limits   limiter
	checkers sync.Pool // of *lint.Checker
	admin    http.Handler
	guard    outbox.Guard
	refusals diagnose.Limiter
}

// New opens the state, sets up the companies, and starts to deliver what is
// due. The errors name what is wrong with the Config or the file.
func New(ctx context.Context, c Config) (*Sandbox, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	state, err := store.Open(ctx, c.Data, store.Options{Warn: c.Warn})
	if err != nil {
		return nil, err
	}
	s := &Sandbox{config: c, store: state, limits: limiter{limits: c.Limits, seen: map[string][]time.Time{}}, guard: outbox.Guard{AllowTargets: c.AllowTargets}}
	s.checkers.New = func() any { return c.Linter.NewChecker() }
	s.admin = s.adminHandler()
	if err = state.Lock(ctx); err == nil {
		err = s.setUp(ctx)
	}
	if err == nil {
		s.outbox, err = outbox.New(ctx, outbox.Config{
			Store: state, Now: c.Now, NewID: s.id, Transport: c.Transport, Guard: s.guard,
			Speed: c.Speed, Timeout: c.Timeout, Each: c.Delivered, Warn: c.Warn, Broken: c.Broken,
		})
	}
	if err != nil {
		return nil, errors.Join(err, state.Close())
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() string { return strings.ToLower(rand.Text()) }
	}
	if c.Limits == nil {
		c.Limits = DocumentedLimits()
	}
	if c.Linter == nil {
		c.Linter = lint.New(lint.Config{Platform: webhook.WorkSkedge, Form: webhook.Inbound})
	}
	if len(c.Companies) == 0 {
		c.Companies = []Company{{}}
	}
	c.Companies = slices.Clone(c.Companies)
	for i := range c.Companies {
		company := &c.Companies[i]
		company.ID = cmp.Or(company.ID, DefaultCompany)
		company.Keys = slices.Clone(company.Keys)
	}
	return c
}

// check refuses what would make a sandbox that is no use, or unsafe.
func (c Config) check() error {
	if c.RequireScheme != "" && c.RequireScheme != webhook.TimestampBody && c.RequireScheme != webhook.BodyOnly {
		return webhook.Unknown("scheme of source custom", c.RequireScheme, []string{webhook.TimestampBody, webhook.BodyOnly})
	}
	if c.Speed != 0 && !(c.Speed >= 1) { // NaN is not
		return fmt.Errorf("a speed of %v: it divides pauses, so it is 1 or more", c.Speed)
	}
	for _, l := range c.Limits {
		if l.Count < 1 || l.Per <= 0 {
			return fmt.Errorf("a limit of %d in %s lets nothing through", l.Count, l.Per)
		}
	}
	ids := map[string]bool{}
	for _, company := range c.Companies {
		if ids[company.ID] {
			return fmt.Errorf("two companies have the id %q", company.ID)
		}
		ids[company.ID] = true
	}
	return nil
}

// id makes an ID of a kind: "wo" → "wo_…".
func (s *Sandbox) id(prefix string) string { return prefix + "_" + s.newID() }

// newID is as long as the documents' IDs are: sixteen characters.
func (s *Sandbox) newID() string {
	id := s.config.NewID()
	return id[:min(len(id), 16)]
}

func (s *Sandbox) now() time.Time { return s.config.Now() }

// setUp brings the state in line with the companies.
func (s *Sandbox) setUp(ctx context.Context) error {
	return s.store.Do(ctx, func(tx *store.Tx) error {
		s.callers = map[[sha256.Size]byte]caller{}
		for i := range s.config.Companies {
			c := &s.config.Companies[i]
			if err := errors.Join(s.setUpKeys(tx, c), s.fill(tx, c)); err != nil {
				return fmt.Errorf("company %s: %w", c.ID, err)
			}
		}
		return nil
	})
}

// fill puts into the state what a company has from the start. What it has by
// default is put there once: what becomes of that is the sender's affair.
func (s *Sandbox) fill(tx *store.Tx, c *Company) error {
	seeds := rules.Seeds{Skills: c.Skills, Employees: c.Employees, WorkTypes: c.WorkTypes}
	filled, err := tx.Setting("filled." + c.ID)
	if err != nil {
		return err
	}
	if filled == "" {
		seeds = withDefaults(seeds)
	}
	if err := rules.Seed(tx, c.ID, s.now().UTC(), s.id, seeds); err != nil {
		return err
	}
	if err := tx.Set("filled."+c.ID, "yes"); err != nil {
		return err
	}
	return s.setUpSubscriptions(tx, c)
}

// setUpKeys notes who sends with which key. Where none is given it makes one,
// and keeps it with the state, so that a restart has the same.
func (s *Sandbox) setUpKeys(tx *store.Tx, c *Company) error {
	if len(c.Keys) == 0 {
		c.Keys = []Key{{}}
	}
	for i := range c.Keys {
		k := &c.Keys[i]
		var err error
		if k.Key, err = s.keptOr(tx, fmt.Sprintf("%s%s.key.%d.key", store.Kept, c.ID, i), k.Key, "key_"); err != nil {
			return err
		}
		if k.Secret, err = s.keptOr(tx, store.Kept+c.ID+".secret."+k.actor(), k.Secret, "secret_"); err != nil {
			return err
		}
		k.Name = cmp.Or(k.Name, k.actor())
		secret, err := webhook.NewSecret(k.Secret)
		if err != nil {
			return fmt.Errorf("the secret of an API key: %w", err)
		}
		if strings.TrimSpace(k.Key) != k.Key {
			return errors.New("an API key has space around it, which no header can carry")
		}
		if _, taken := s.callers[digestOf(k.Key)]; taken {
			return errors.New("an API key is there twice: each says whose events are sent with it")
		}
		s.callers[digestOf(k.Key)] = caller{company: c, key: k, secret: secret}
	}
	return nil
}

// keptOr returns what was given, or what the state keeps under the name, or
// something new.
func (s *Sandbox) keptOr(tx *store.Tx, name, given, prefix string) (string, error) {
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

// configured begins the IDs of subscriptions that a Config names: when it names
// one no more, it goes.
const configured = "subc_"

func (s *Sandbox) setUpSubscriptions(tx *store.Tx, c *Company) error {
	wanted := map[string]bool{}
	for _, given := range c.Subscriptions {
		given.Company = c.ID
		sub, err := s.subscription(given)
		if err != nil {
			return err
		}
		digest := sha256.Sum256([]byte(store.Key(append([]string{c.ID, sub.URL, string(sub.Form), sub.APIKey}, sub.Events...)...)))
		sub.ID = configured + hex.EncodeToString(digest[:8])
		wanted[sub.ID] = true
		if err := tx.Subscribe(sub); err != nil {
			return err
		}
	}
	there, err := tx.Subscriptions(c.ID)
	if err != nil {
		return err
	}
	for _, sub := range there {
		if strings.HasPrefix(sub.ID, configured) && !wanted[sub.ID] {
			if err := tx.Unsubscribe(sub.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close stops the deliveries and closes the state. What is not delivered yet
// stays in the file, if there is one.
func (s *Sandbox) Close() error { return errors.Join(s.outbox.Close(), s.store.Close()) }
