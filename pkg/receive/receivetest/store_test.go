package receivetest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestStore_of_memory(t *testing.T) {
	t.Parallel()
	TestStore(t, func(*testing.T) receive.Store { return &receive.Memory{} },
		Shared(func(_ *testing.T, first receive.Store) receive.Store { return first }))
}

func TestStore_of_a_journal(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, path string) receive.Store {
		t.Helper()
		j, err := journal.Open(t.Context(), path, journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
		return j
	}
	TestStore(t,
		func(t *testing.T) receive.Store { return open(t, filepath.Join(t.TempDir(), "journal.db")) },
		Shared(func(t *testing.T, first receive.Store) receive.Store {
			j, ok := first.(*journal.Journal)
			if !ok {
				t.Fatalf("a journal is a %T", first)
			}
			return open(t, j.Path())
		}))
}

// listStore is the simplest Store: a list that every claim reads as a whole. Its faults
// are those of a Store that somebody wrote in a hurry.
type listStore struct {
	mu    sync.Mutex
	marks []listed
	next  int

	seen    func(m, stored receive.Mark) (receive.Mark, bool) // what a claim sees of what is stored
	until   func(m receive.Mark, lease time.Duration) time.Time
	asked   func(*receive.Mark)
	outcome func(webhook.Outcome) webhook.Outcome

	forgetsRetries, forgetsFailed, forgetsFinished, releaseFinishes bool
	noToken, settlesAgain, notAtomic                                bool
}

type listed struct {
	receive.Mark
	token   string
	settled bool
}

func (s *listStore) Claim(_ context.Context, m receive.Mark, lease time.Duration) (receive.Claim, error) {
	if s.asked != nil {
		s.asked(&m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var stored []receive.Mark
	for _, entry := range s.marks {
		mark, isSeen := entry.Mark, true
		if s.seen != nil {
			mark, isSeen = s.seen(m, mark)
		}
		if isSeen {
			stored = append(stored, mark)
		}
	}
	if s.notAtomic {
		s.mu.Unlock()
		for range 100 {
			runtime.Gosched()
		}
		s.mu.Lock()
	}
	c := m.Among(stored)
	if c.Mark != nil && (c.Outcome == webhook.Accepted || !s.forgetsRetries) {
		entry := listed{Mark: *c.Mark, settled: c.Outcome != webhook.Accepted}
		if c.Outcome == webhook.Accepted {
			s.next++
			c.Token = strconv.Itoa(s.next)
			entry.token, entry.Until = c.Token, m.Time.Add(lease)
			if s.until != nil {
				entry.Until = s.until(m, lease)
			}
			for i, other := range s.marks { // the lease of the one before has ended
				if !other.settled && (other.ID == m.ID && m.ID != "" || other.Signed == m.Signed) {
					s.marks[i].settled, s.marks[i].Until = true, time.Time{}
				}
			}
		}
		s.marks = append(s.marks, entry)
	}
	if s.outcome != nil {
		c.Outcome = s.outcome(c.Outcome)
	}
	return c, nil
}

func (s *listStore) Finish(_ context.Context, c receive.Claim) error { return s.settle(c, true) }

func (s *listStore) Release(_ context.Context, c receive.Claim) error { return s.settle(c, false) }

func (s *listStore) settle(c receive.Claim, accepted bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.marks) - 1; i >= 0; i-- {
		entry := &s.marks[i]
		isMine := entry.token == c.Token && c.Token != ""
		if s.noToken {
			isMine = entry.ID == c.Mark.ID
		}
		if !isMine || entry.settled && !s.settlesAgain {
			continue
		}
		entry.settled, entry.Until, entry.Accepted = true, time.Time{}, accepted || s.releaseFinishes
		if s.forgetsFailed && !accepted || s.forgetsFinished && accepted {
			s.marks = slices.Delete(s.marks, i, i+1)
		}
		return nil
	}
	return receive.ErrLeaseLost
}

func failing(t *testing.T, open func() *listStore) []string {
	t.Helper()
	var names []string
	for _, rule := range storeRules {
		if err := rule.check(newSubject(open())); err != nil {
			t.Logf("%s: %v", rule.name, err)
			names = append(names, rule.name)
		}
	}
	return names
}

func TestStore_of_a_right_list(t *testing.T) {
	t.Parallel()
	if names := failing(t, func() *listStore { return &listStore{} }); names != nil {
		t.Errorf("a right store breaks %q", names)
	}
}

// Every rule is broken by a store that has one fault.
func TestStore_finds_each_fault(t *testing.T) {
	t.Parallel()
	type mark = receive.Mark
	seeing := func(change func(m mark, stored *mark)) func() *listStore {
		return func() *listStore {
			return &listStore{seen: func(m, stored mark) (mark, bool) { change(m, &stored); return stored, true }}
		}
	}
	asking := func(change func(*mark)) func() *listStore {
		return func() *listStore { return &listStore{asked: change} }
	}
	faults := []struct {
		name string
		open func() *listStore
		rule string // one that finds it
	}{
		{"it forgets what was finished", func() *listStore { return &listStore{forgetsFinished: true} }, "a finished delivery is a duplicate"},
		{"it does not compare bodies", asking(func(m *mark) { m.Body = [32]byte{} }), "an id with another body is a conflict"},
		{"it does not compare signatures", asking(func(m *mark) { m.Signed = receive.BodyDigest(fmt.Sprint(m), nil) }), "a signature under another id is a suspect"},
		{"it forgets the signatures of retries", func() *listStore { return &listStore{forgetsRetries: true} }, "the signature of a retry under another id is a suspect"},
		{"it forgets tries that failed", func() *listStore { return &listStore{forgetsFailed: true} }, "the signature of a failed try under another id is a suspect"},
		{"it forgets the claims that retry what failed", seeing(func(m mark, s *mark) {
			if s.ID != m.ID && s.Signed != m.Signed {
				s.Until = time.Time{}
			}
		}), "the signature of a failed try under another id is pending while its retry is claimed"},
		{"Release finishes", func() *listStore { return &listStore{releaseFinishes: true} }, "a released delivery is new"},
		{"a released id keeps its body", seeing(func(_ mark, s *mark) { s.Accepted = s.Accepted || s.Until.IsZero() }), "a released id may have another body"},
		{"it has no claims", seeing(func(_ mark, s *mark) { s.Until = time.Time{} }), "a claimed delivery is pending"},
		{"a lease never ends", func() *listStore {
			return &listStore{until: func(m mark, _ time.Duration) time.Time { return m.Time.Add(time.Hour) }}
		}, "a delivery is new after its lease"},
		{"a lease ends early", func() *listStore {
			return &listStore{until: func(m mark, l time.Duration) time.Time { return m.Time.Add(l / 2) }}
		}, "a delivery is new after its lease"},
		{"a claim needs no token", func() *listStore { return &listStore{noToken: true} }, "a lost lease settles nothing"},
		{"a claim is settled again", func() *listStore { return &listStore{settlesAgain: true} }, "a claim is settled once"},
		{"deliveries without an id are one", asking(func(m *mark) { m.ID = max(m.ID, "none") }), "deliveries without an id are known by their signature"},
		{"it has no window", asking(func(m *mark) { m.Within = 0 }), "a repeat is new when its window has passed"},
		{"it does not compare events", asking(func(m *mark) { m.EventID = "" }), "an event under another id is a duplicate"},
		{"deliveries without an event are one", asking(func(m *mark) { m.EventID = max(m.EventID, "none") }), "an event under another id is a duplicate"},
		{"an event is never released", seeing(func(m mark, s *mark) {
			s.Accepted = s.Accepted || s.EventID != "" && s.EventID == m.EventID && s.Until.IsZero()
		}), "a released event is new"},
		{"every delivery lives for an hour", func() *listStore {
			return &listStore{seen: func(m, s mark) (mark, bool) { return s, m.Time.Sub(s.Time) < time.Hour }}
		}, "a delivery is remembered for its time to live"},
		{"ids have no case", asking(func(m *mark) { m.ID = strings.ToLower(m.ID) }), "ids are bytes"},
		{"ids are trimmed", asking(func(m *mark) { m.ID = strings.TrimSpace(m.ID) }), "ids are bytes"},
		{"ids end with a NUL", asking(func(m *mark) { m.ID, _, _ = strings.Cut(m.ID, "\x00") }), "ids are bytes"},
		{"ids are UTF-8", asking(func(m *mark) { m.ID = strings.ToValidUTF8(m.ID, "") }), "ids are bytes"},
		{"ids are cut", asking(func(m *mark) { m.ID = m.ID[:min(len(m.ID), 0)] }), "ids are bytes"},
		{"two claims at a time are compared with the same", func() *listStore { return &listStore{notAtomic: true} }, "one of many gets a claim"},
		{"an outcome of its own", func() *listStore {
			return &listStore{outcome: func(webhook.Outcome) webhook.Outcome { return "" }}
		}, "a finished delivery is a duplicate"},
	}
	found := map[string]bool{}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			names := failing(t, fault.open)
			if !slices.Contains(names, fault.rule) {
				t.Errorf("the rule %q does not find it; %q do", fault.rule, names)
			}
		})
		found[fault.rule] = true
	}
	for _, rule := range storeRules {
		if !found[rule.name] {
			t.Errorf("no fault breaks the rule %q", rule.name)
		}
	}
}

// A store that fails says so at every step.
func TestStore_of_a_closed_journal(t *testing.T) {
	t.Parallel()
	for _, rule := range storeRules {
		j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if err := rule.check(newSubject(j)); err == nil || errors.Is(err, receive.ErrLeaseLost) {
			t.Errorf("%s: the error is %v", rule.name, err)
		}
	}
}
