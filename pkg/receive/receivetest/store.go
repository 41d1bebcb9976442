package receivetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// TestStore tests an implementation of [receive.Store]. It calls open for each rule: open
// returns an empty store, and registers with t.Cleanup what closes it.
//
//	func TestRedisStore(t *testing.T) {
//		receivetest.TestStore(t, func(t *testing.T) receive.Store {
//			return &RedisStore{Client: client(t), Prefix: t.Name()}
//		})
//	}
//
// With a second function, which returns another store on the same data, the rules hold for
// the two as well, as for two processes: see [Shared].
//
// Each rule is a subtest, which says what the store did and what it had to do.
func TestStore(t *testing.T, open func(t *testing.T) receive.Store, options ...StoreOption) {
	t.Helper()
	var o storeOptions
	for _, option := range options {
		option(&o)
	}
	for _, rule := range storeRules {
		t.Run(rule.name, func(t *testing.T) {
			if err := rule.check(newSubject(open(t))); err != nil {
				t.Error(err)
			}
		})
	}
	if o.share == nil {
		return
	}
	for _, rule := range storeRules {
		t.Run("over two/"+rule.name, func(t *testing.T) {
			first := open(t)
			if err := rule.check(newSubject(first, o.share(t, first))); err != nil {
				t.Error(err)
			}
		})
	}
}

// StoreOption is an option of [TestStore].
type StoreOption func(*storeOptions)

type storeOptions struct {
	share func(*testing.T, receive.Store) receive.Store
}

// Shared gives [TestStore] a function that returns another store on the data of first, as
// another process has it.
func Shared(share func(t *testing.T, first receive.Store) receive.Store) StoreOption {
	return func(o *storeOptions) { o.share = share }
}

const lease = 35 * time.Second

// subject is what a rule is checked on: a store, or several on the same data, which it
// asks in turn.
type subject struct {
	stores []receive.Store
	began  time.Time
	asked  atomic.Int64
}

func newSubject(stores ...receive.Store) *subject {
	return &subject{stores: stores, began: time.Now().Truncate(time.Second)} //nolint:forbidigo // a store may let data expire by the clock of its server
}

// mark returns the mark of a delivery that is received a while after the beginning. stamp
// is its timestamp: another one makes another signature.
func (s *subject) mark(id, stamp, body string, after time.Duration) receive.Mark {
	return receive.Mark{
		ID: id, Signed: receive.BodyDigest(stamp, []byte(body)), Body: sha256.Sum256([]byte(body)),
		Time: s.began.Add(after), TTL: 24 * time.Hour,
	}
}

// held is a claim and the store that has it.
type held struct {
	receive.Claim
	store receive.Store
}

func (h held) finish() error {
	if err := h.store.Finish(context.Background(), h.Claim); err != nil {
		return fmt.Errorf("finishing a claim: %w", err)
	}
	return nil
}

func (h held) release() error {
	if err := h.store.Release(context.Background(), h.Claim); err != nil {
		return fmt.Errorf("releasing a claim: %w", err)
	}
	return nil
}

func (s *subject) claim(m receive.Mark) (held, error) {
	store := s.stores[int(s.asked.Add(1))%len(s.stores)]
	c, err := store.Claim(context.Background(), m, lease)
	if err != nil {
		err = fmt.Errorf("claiming a delivery: %w", err)
	}
	return held{c, store}, err
}

// want claims a delivery, and returns an error unless it gets an outcome.
func (s *subject) want(name string, m receive.Mark, outcome webhook.Outcome) (held, error) {
	c, err := s.claim(m)
	switch {
	case err != nil:
		return c, fmt.Errorf("%s: %w", name, err)
	case c.Outcome != outcome:
		return c, fmt.Errorf("%s is %s, want %s", name, orNothing(c.Outcome), outcome)
	}
	return c, nil
}

func orNothing(o webhook.Outcome) string {
	if o == "" {
		return `""`
	}
	return string(o)
}

// handled claims a new delivery and finishes it.
func (s *subject) handled(name string, m receive.Mark) error {
	c, err := s.want(name, m, webhook.Accepted)
	if err == nil {
		err = c.finish()
	}
	return err
}

// failed claims a new delivery and releases it.
func (s *subject) failed(name string, m receive.Mark) error {
	c, err := s.want(name, m, webhook.Accepted)
	if err == nil {
		err = c.release()
	}
	return err
}

// step is a delivery and what it must be after those before it.
type step struct {
	name string
	mark receive.Mark
	want webhook.Outcome
}

// wantAll claims deliveries one after another. Those that are new are finished.
func (s *subject) wantAll(steps ...step) error {
	for _, step := range steps {
		c, err := s.want(step.name, step.mark, step.want)
		if err == nil && step.want == webhook.Accepted {
			err = c.finish()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	accepted  = webhook.Accepted
	pending   = webhook.Pending
	duplicate = webhook.Duplicate
	conflict  = webhook.Conflict
	suspect   = webhook.ReplaySuspect
)

// storeRules are the rules of [receive.Store].
var storeRules = []struct {
	name  string
	check func(*subject) error
}{
	{"a finished delivery is a duplicate", func(s *subject) error {
		return s.wantAll(
			step{"a delivery", s.mark("a", "1", "x", 0), accepted},
			step{"the same again", s.mark("a", "1", "x", 0), duplicate},
			step{"its retry, which is signed again", s.mark("a", "2", "x", time.Minute), duplicate},
			step{"another delivery", s.mark("b", "1", "y", 0), accepted},
			step{"the first, after the other", s.mark("a", "1", "x", 0), duplicate})
	}},
	{"an id with another body is a conflict", func(s *subject) error {
		return s.wantAll(
			step{"a delivery", s.mark("a", "1", "x", 0), accepted},
			step{"its id with another body", s.mark("a", "2", "y", 0), conflict},
			step{"the delivery after that", s.mark("a", "1", "x", 0), duplicate},
			step{"that body under an id of its own", s.mark("b", "2", "y", 0), accepted})
	}},
	{"a signature under another id is a suspect", func(s *subject) error {
		if err := s.handled("a delivery", s.mark("a", "1", "x", 0)); err != nil {
			return err
		}
		c, err := s.want("the same under another id", s.mark("b", "1", "x", 0), suspect)
		if err != nil {
			return err
		}
		if c.FirstID != "a" {
			return fmt.Errorf("the FirstID of a suspect is %q, want the id of the delivery, %q", c.FirstID, "a")
		}
		return s.wantAll(
			step{"the same without an id", s.mark("", "1", "x", 0), suspect},
			step{"the same under a third id", s.mark("c", "1", "x", time.Hour), suspect},
			step{"the same body, signed at another time, under another id", s.mark("d", "2", "x", 0), accepted})
	}},
	{"the signature of a retry under another id is a suspect", func(s *subject) error {
		return s.wantAll(
			step{"a delivery", s.mark("a", "1", "x", 0), accepted},
			step{"its retry, which is signed again", s.mark("a", "2", "x", time.Minute), duplicate},
			step{"that retry under another id", s.mark("b", "2", "x", time.Minute), suspect})
	}},
	{"the signature of a failed try under another id is a suspect", func(s *subject) error {
		if err := s.failed("a try that fails", s.mark("a", "1", "x", 0)); err != nil {
			return err
		}
		return s.wantAll(
			step{"its retry, which succeeds", s.mark("a", "2", "x", time.Minute), accepted},
			step{"the failed try under another id", s.mark("b", "1", "x", time.Minute), suspect},
			step{"the failed try again", s.mark("a", "1", "x", 0), duplicate})
	}},
	{"the signature of a failed try under another id is pending while its retry is claimed", func(s *subject) error {
		if err := s.failed("a try that fails", s.mark("a", "1", "x", 0)); err != nil {
			return err
		}
		c, err := s.want("its retry", s.mark("a", "2", "x", time.Minute), accepted)
		if err != nil {
			return err
		}
		if _, err := s.want("the failed try under another id", s.mark("b", "1", "x", time.Minute), pending); err != nil {
			return err
		}
		if err := c.finish(); err != nil {
			return err
		}
		_, err = s.want("the failed try under another id then", s.mark("b", "1", "x", time.Minute), suspect)
		return err
	}},
	{"a released delivery is new", func(s *subject) error {
		m := s.mark("a", "1", "x", 0)
		for n := range 3 {
			if err := s.failed(fmt.Sprintf("try %d", n+1), m); err != nil {
				return err
			}
		}
		return s.wantAll(
			step{"the try that succeeds", m, accepted},
			step{"the same again", m, duplicate})
	}},
	{"a released id may have another body", func(s *subject) error {
		if err := s.failed("a delivery that fails", s.mark("a", "1", "x", 0)); err != nil {
			return err
		}
		return s.wantAll(
			step{"its id with another body", s.mark("a", "2", "y", 0), accepted},
			step{"the first body under its own id", s.mark("b", "3", "x", 0), accepted})
	}},
	{"a claimed delivery is pending", func(s *subject) error {
		c, err := s.want("a delivery", s.mark("a", "1", "x", 0), accepted)
		if err != nil {
			return err
		}
		err = s.wantAll(
			step{"the same while it is claimed", s.mark("a", "1", "x", time.Second), pending},
			step{"its retry", s.mark("a", "2", "x", time.Second), pending},
			step{"its signature under another id", s.mark("b", "1", "x", time.Second), pending},
			step{"its signature without an id", s.mark("", "1", "x", time.Second), pending},
			step{"its id with another body", s.mark("a", "3", "y", time.Second), pending},
			step{"another delivery", s.mark("d", "1", "z", time.Second), accepted})
		if err != nil {
			return err
		}
		if err := c.finish(); err != nil {
			return err
		}
		return s.wantAll(
			step{"the same when it is finished", s.mark("a", "1", "x", time.Second), duplicate},
			step{"its id with another body then", s.mark("a", "3", "y", time.Second), conflict})
	}},
	{"a delivery is new after its lease", func(s *subject) error {
		if _, err := s.want("a delivery", s.mark("a", "1", "x", 0), accepted); err != nil {
			return err
		}
		return s.wantAll(
			step{"the same just before the end of the lease", s.mark("a", "1", "x", lease-time.Millisecond), pending},
			step{"the same at the end of the lease", s.mark("a", "1", "x", lease), accepted},
			step{"the same again", s.mark("a", "1", "x", lease), duplicate})
	}},
	{"a lost lease settles nothing", func(s *subject) error {
		for name, settle := range map[string]func(held) error{"Finish": held.finish, "Release": held.release} {
			id := "of " + name
			lost, err := s.want("a delivery", s.mark(id, "1", id, 0), accepted)
			if err != nil {
				return err
			}
			second, err := s.want("the same after its lease", s.mark(id, "1", id, lease), accepted)
			if err != nil {
				return err
			}
			if err := settle(lost); !errors.Is(err, receive.ErrLeaseLost) {
				return fmt.Errorf("%s after the lease, when another caller has the delivery: it returned %q, want ErrLeaseLost", name, fmt.Sprint(err))
			}
			if _, err := s.want("the same after "+name+" of the claim that was lost", s.mark(id, "1", id, lease), pending); err != nil {
				return err
			}
			if err := second.finish(); err != nil {
				return err
			}
		}
		return nil
	}},
	{"a claim is settled once", func(s *subject) error {
		c, err := s.want("a delivery", s.mark("a", "1", "x", 0), accepted)
		if err != nil {
			return err
		}
		if err := c.finish(); err != nil {
			return err
		}
		_ = c.release() // it may say so
		if _, err := s.want("what was finished and then released", s.mark("a", "1", "x", 0), duplicate); err != nil {
			return err
		}
		c, err = s.want("another delivery", s.mark("b", "1", "y", 0), accepted)
		if err != nil {
			return err
		}
		if err := c.release(); err != nil {
			return err
		}
		_ = c.finish()
		_, err = s.want("what was released and then finished", s.mark("b", "1", "y", 0), accepted)
		return err
	}},
	{"deliveries without an id are known by their signature", func(s *subject) error {
		return s.wantAll(
			step{"a delivery", s.mark("", "1", "x", 0), accepted},
			step{"the same again", s.mark("", "1", "x", 0), duplicate},
			step{"the same under an id", s.mark("a", "1", "x", 0), suspect},
			step{"the same body, signed at another time", s.mark("", "2", "x", 0), accepted},
			step{"another body", s.mark("", "1", "y", 0), accepted})
	}},
	{"a repeat is new when its window has passed", func(s *subject) error {
		within := func(after, window time.Duration) receive.Mark {
			m := s.mark("", "", "x", after)
			m.Within, m.TTL = window, window
			return m
		}
		return s.wantAll(
			step{"a delivery", within(0, time.Hour), accepted},
			step{"the same at the end of the window", within(time.Hour, time.Hour), duplicate},
			step{"the same after the window", within(time.Hour+time.Second, time.Hour), accepted},
			step{"the same after that", within(time.Hour+2*time.Second, time.Hour), duplicate},
			step{"the same for a receiver with a shorter window", within(time.Hour+10*time.Minute, time.Minute), accepted})
	}},
	{"an event under another id is a duplicate", func(s *subject) error {
		event := func(event, id, stamp, body string) receive.Mark {
			m := s.mark(id, stamp, body, 0)
			m.EventID = event
			return m
		}
		c, err := s.want("an event", event("e", "a", "1", "x"), accepted)
		if err != nil {
			return err
		}
		if _, err := s.want("the same event under another id while it is claimed", event("e", "b", "2", "x"), pending); err != nil {
			return err
		}
		if err := c.finish(); err != nil {
			return err
		}
		return s.wantAll(
			step{"the event under another id, signed again", event("e", "b", "2", "x"), duplicate},
			step{"the event with another body", event("e", "c", "3", "y"), conflict},
			step{"its signature under another id", event("e", "d", "1", "x"), suspect},
			step{"another event", event("f", "d", "4", "x"), accepted},
			step{"a delivery without an event id", event("", "g", "5", "x"), accepted},
			step{"another without an event id", event("", "h", "6", "y"), accepted})
	}},
	{"a released event is new", func(s *subject) error {
		m, again := s.mark("a", "1", "x", 0), s.mark("b", "2", "x", 0)
		m.EventID, again.EventID = "e", "e"
		if err := s.failed("an event", m); err != nil {
			return err
		}
		return s.handled("the event under another id", again)
	}},
	{"a delivery is remembered for its time to live", func(s *subject) error {
		short, long := s.mark("short", "1", "x", 0), s.mark("long", "1", "y", 0)
		short.TTL, long.TTL = time.Hour, 48*time.Hour
		return s.wantAll(
			step{"a delivery to remember for an hour", short, accepted},
			step{"a delivery to remember for two days", long, accepted},
			step{"the first a moment before", s.mark("short", "2", "x", time.Hour-time.Second), duplicate},
			step{"another a day later, when the first is forgotten or not", s.mark("c", "1", "z", 25*time.Hour), accepted},
			step{"the second a moment before", s.mark("long", "2", "y", 48*time.Hour-time.Second), duplicate})
	}},
	{"ids are bytes", func(s *subject) error {
		ids := []string{"a", "A", "a ", " a", "a\x00", "a\n", "a:b", "a'b", `a"b`, "%", "*", "\xff", "é", "e\u0301", string(make([]byte, 256))}
		for n, id := range ids {
			if err := s.handled(fmt.Sprintf("the id %q", id), s.mark(id, "1", strconv.Itoa(n), 0)); err != nil {
				return err
			}
		}
		for n, id := range ids {
			if _, err := s.want(fmt.Sprintf("the id %q again", id), s.mark(id, "2", strconv.Itoa(n), 0), duplicate); err != nil {
				return err
			}
		}
		return nil
	}},
	{"one of many gets a claim", func(s *subject) error {
		const callers, ids = 64, 4
		for n, settle := range []func(held) error{held.release, held.release, held.finish} {
			var wins, inHand [ids]atomic.Int32
			err := s.atOnce(callers, func(caller int) error {
				id := caller % ids
				stamp := fmt.Sprint(n, " ", caller) // a retry, which is signed again
				c, err := s.claim(s.mark(fmt.Sprint("id_", id), stamp, strconv.Itoa(id), 0))
				switch {
				case err != nil:
					return err
				case c.Outcome == pending, c.Outcome == duplicate && n == 2:
					return nil
				case c.Outcome != accepted:
					return fmt.Errorf("a delivery that another caller claims at the same time is %s, want %s", orNothing(c.Outcome), pending)
				case inHand[id].Add(1) != 1:
					return errors.New("two callers have a claim to one delivery")
				}
				runtime.Gosched() // so that others ask meanwhile
				wins[id].Add(1)
				inHand[id].Add(-1)
				return settle(c)
			})
			if err != nil {
				return err
			}
			for id := range wins {
				if got := wins[id].Load(); got == 0 || n == 2 && got != 1 {
					return fmt.Errorf("of %d callers that claim a delivery at the same time, %d got it, want 1", callers/ids, got)
				}
			}
		}
		return nil
	}},
}

// atOnce runs many callers at the same time, and returns the error of one.
func (s *subject) atOnce(callers int, call func(caller int) error) error {
	errs := make(chan error, callers)
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() {
			if err := call(n); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}
