package receive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"strconv"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultMemory is how many deliveries a receiver remembers by default. It
// forgets the oldest first. A delivery takes about 450 bytes.
const DefaultMemory = 100_000

type digest = [sha256.Size]byte

// Memory is a [Store] for one process. It is safe for concurrent use. The zero Memory is
// ready to use; it remembers [DefaultMemory] deliveries, whatever their TTL is: above
// that it forgets the oldest. A restart forgets them all, so a captured request can be
// sent again then, as long as its timestamp is accepted.
//
// A [Handler] whose Store is a Memory waits for a delivery that is being handled, and its
// claims have no lease.
type Memory struct {
	mu       sync.Mutex
	limit    int
	byID     map[string]*delivery
	byDigest map[digest]*delivery // by BodyDigest
	byEvent  map[string]*delivery // by event id
	claims   map[string]*delivery // what Claim gave out, by token
	tokens   uint64               // how many there were
	settled  []settled            // oldest first
	forgot   bool                 // a delivery was forgotten above the limit
}

var _ Store = (*Memory)(nil)

// delivery is one delivery. It is being handled until done is closed; accepted
// is set before that.
type delivery struct {
	id       string
	eventID  string
	signed   digest // at its first try
	body     digest
	at       int64 // Unix nanoseconds: when it was received
	until    int64 // likewise: the end of the lease; 0 if there is none
	done     chan struct{}
	accepted bool
}

// settled is a delivery that was handled, with a signature that it had.
type settled struct {
	signed   digest
	delivery *delivery
	isRetry  bool // the signature is that of a retry, after the delivery was accepted
}

// NewMemory returns a memory for at most limit deliveries, at least one. A try
// that failed, and a retry with a new signature, count as one each.
func NewMemory(limit int) *Memory { return &Memory{limit: max(limit, 1)} }

// lock locks the memory and makes it ready to use.
func (m *Memory) lock() {
	m.mu.Lock()
	if m.byID == nil {
		m.limit = cmp.Or(m.limit, DefaultMemory)
		m.byID, m.byDigest, m.byEvent = map[string]*delivery{}, map[digest]*delivery{}, map[string]*delivery{}
		m.claims = map[string]*delivery{}
	}
}

// Claim claims a delivery, see [Store]. Its error is nil.
func (m *Memory) Claim(_ context.Context, mark Mark, lease time.Duration) (Claim, error) {
	for {
		d, isNew := m.findOrAdd(mark, mark.Time.Add(lease).UnixNano())
		switch {
		case isNew:
			return Claim{Outcome: webhook.Accepted, FirstID: mark.ID, Mark: &mark, Token: m.issue(d)}, nil
		case !d.isDone() && (d.until == 0 || mark.Time.UnixNano() < d.until):
			return Claim{Outcome: webhook.Pending, FirstID: d.id}, nil
		}
		m.settle(d, false) // its lease has ended, unless it was settled
		if claim, ok := m.compare(d, mark); ok {
			return claim, nil
		}
	}
}

// issue returns a token for the right to settle a delivery.
func (m *Memory) issue(d *delivery) string {
	m.lock()
	defer m.mu.Unlock()
	m.tokens++
	token := strconv.FormatUint(m.tokens, 10)
	m.claims[token] = d
	return token
}

// Finish finishes a claim, see [Store].
func (m *Memory) Finish(_ context.Context, c Claim) error { return m.redeem(c.Token, true) }

// Release releases a claim, see [Store].
func (m *Memory) Release(_ context.Context, c Claim) error { return m.redeem(c.Token, false) }

func (m *Memory) redeem(token string, accepted bool) error {
	m.lock()
	d, known := m.claims[token]
	delete(m.claims, token)
	m.mu.Unlock()
	if !known || !m.settle(d, accepted) {
		return ErrLeaseLost
	}
	return nil
}

// await claims a delivery without a lease. If one with the same keys is being handled,
// await waits for it: if it is accepted, this one is a duplicate, a conflict or a replay
// suspect, and else the next try. done settles a claim that is accepted; only its first
// call counts. The error is that of ctx.
func (m *Memory) await(ctx context.Context, mark Mark) (claim Claim, done func(accepted bool), err error) {
	for {
		d, isNew := m.findOrAdd(mark, 0)
		if isNew {
			done = func(accepted bool) { m.settle(d, accepted) }
			return Claim{Outcome: webhook.Accepted, FirstID: mark.ID, Mark: &mark}, done, nil
		}
		select {
		case <-d.done:
		case <-ctx.Done():
			return Claim{}, nil, ctx.Err()
		}
		if claim, ok := m.compare(d, mark); ok {
			return claim, func(bool) {}, nil
		}
	}
}

// findOrAdd returns the delivery that a claim is compared with, or adds a new
// one. A claim is compared with a failed try only if the id of that try was
// accepted since: the try may have been captured, and now arrive under another
// id.
func (m *Memory) findOrAdd(mark Mark, until int64) (d *delivery, isNew bool) {
	id, signed, body := mark.ID, mark.Signed, mark.Body
	m.lock()
	defer m.mu.Unlock()
	if d = m.byID[id]; d != nil && id != "" {
		return d, false
	}
	d = m.byDigest[signed]
	if d != nil && d.failed() {
		if d = m.byID[d.id]; d != nil && d.body != body {
			d = nil
		}
	}
	if d == nil && mark.EventID != "" {
		d = m.byEvent[mark.EventID]
	}
	if d != nil && !(d.isDone() && mark.isLater(time.Unix(0, d.at))) {
		return d, false
	}
	d = &delivery{id: id, eventID: mark.EventID, body: body, signed: signed, at: mark.Time.UnixNano(), until: until, done: make(chan struct{})}
	m.byDigest[signed] = d
	if id != "" {
		m.byID[id] = d
	}
	if mark.EventID != "" {
		m.byEvent[mark.EventID] = d
	}
	return d, true
}

// isDone reports whether the delivery was handled.
func (d *delivery) isDone() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// failed reports whether the delivery was handled without success.
func (d *delivery) failed() bool { return d.isDone() && !d.accepted }

// settle ends the handling of a delivery, and returns false if it has ended before.
// Unless the delivery was accepted, its id is free again. What was signed under that id
// is remembered in both cases.
func (m *Memory) settle(d *delivery, accepted bool) bool {
	m.lock()
	defer m.mu.Unlock()
	if d.isDone() {
		return false
	}
	d.accepted = accepted
	s := settled{signed: d.signed, delivery: d}
	switch {
	case accepted:
		m.remember(s)
	case d.id == "":
		m.forget(s)
	default:
		m.forgetKeys(d)
		m.remember(s)
	}
	close(d.done)
	return true
}

// compare returns the outcome of a claim after a settled delivery. It returns
// false if that delivery failed, so that the claim may try again.
func (m *Memory) compare(d *delivery, mark Mark) (Claim, bool) {
	m.lock()
	defer m.mu.Unlock()
	claim := Claim{Outcome: webhook.Duplicate, FirstID: d.id}
	isEvent := mark.EventID != "" && d.eventID == mark.EventID
	switch {
	case !d.accepted:
		return claim, false
	case d.id != mark.ID && (!isEvent || m.hasSignature(d, mark.Signed)):
		claim.Outcome = webhook.ReplaySuspect
	case d.body != mark.Body:
		claim.Outcome = webhook.Conflict
	case m.addSignature(d, mark.Signed):
		claim.Mark = mark.accepted()
	}
	return claim, true
}

// hasSignature reports whether a delivery, or a try of it that failed, had a signature.
func (m *Memory) hasSignature(d *delivery, signed digest) bool {
	known := m.byDigest[signed]
	return known == d || known != nil && known.id == d.id && known.id != ""
}

// addSignature remembers that a retry of an accepted delivery had a new
// signature, because that request can be captured as well. It returns false if
// the signature is already known.
func (m *Memory) addSignature(d *delivery, signed digest) bool {
	if known := m.byDigest[signed]; known != nil && !known.failed() {
		return false
	}
	m.byDigest[signed] = d
	m.remember(settled{signed, d, true})
	return true
}

// restore adds the marks that a [Recorder] has, the oldest first, before the first
// claim. If there are as many as the memory remembers, or more, the Recorder may have
// others.
func (m *Memory) restore(marks []Mark) {
	m.lock()
	defer m.mu.Unlock()
	m.forgot = m.forgot || len(marks) >= m.limit
	done := make(chan struct{})
	close(done)
	for _, mark := range marks {
		if known := m.byID[mark.ID]; known != nil && known.body == mark.Body {
			if mark.Accepted {
				m.addSignature(known, mark.Signed)
			}
			continue
		}
		d := &delivery{id: mark.ID, eventID: mark.EventID, signed: mark.Signed, body: mark.Body, at: mark.Time.UnixNano(), done: done, accepted: mark.Accepted}
		// Without an id, only an event of its own was accepted after another.
		if known := m.byDigest[mark.Signed]; known == nil || known.failed() || mark.ID == "" {
			m.byDigest[mark.Signed] = d
		}
		if mark.Accepted && mark.ID != "" {
			m.byID[mark.ID] = d
		}
		if mark.Accepted && mark.EventID != "" {
			m.byEvent[mark.EventID] = d
		}
		m.remember(settled{signed: mark.Signed, delivery: d})
	}
}

// hasForgotten reports whether there may be deliveries that only the store knows.
func (m *Memory) hasForgotten() bool {
	m.lock()
	defer m.mu.Unlock()
	return m.forgot
}

// remember adds a settled delivery and forgets the oldest above the limit.
func (m *Memory) remember(s settled) {
	m.settled = append(m.settled, s)
	if len(m.settled) > m.limit {
		m.forgot = true
		m.forget(m.settled[0])
		m.settled[0] = settled{} // the array behind the slice lives on for a while
		m.settled = m.settled[1:]
	}
}

func (m *Memory) forget(s settled) {
	if !s.isRetry {
		m.forgetKeys(s.delivery)
	}
	if m.byDigest[s.signed] == s.delivery {
		delete(m.byDigest, s.signed)
	}
}

// forgetKeys forgets the ids of a delivery.
func (m *Memory) forgetKeys(d *delivery) {
	if m.byID[d.id] == d {
		delete(m.byID, d.id)
	}
	if m.byEvent[d.eventID] == d {
		delete(m.byEvent, d.eventID)
	}
}
