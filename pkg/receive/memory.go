package receive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultMemory is how many deliveries a receiver remembers by default. It
// forgets the oldest first. A delivery takes about 300 bytes.
const DefaultMemory = 100_000

// longestID is the largest number of bytes that are kept of an id, so that a
// sender cannot fill the memory with a long header.
const longestID = 256

type digest = [sha256.Size]byte

// BodyDigest returns the SHA-256 of the timestamp, a dot and the body. A
// captured request that is sent again under another id has the same digest.
func BodyDigest(timestamp string, body []byte) [sha256.Size]byte {
	h := sha256.New()
	_, _ = h.Write([]byte(timestamp + ".")) // a hash returns no error
	_, _ = h.Write(body)
	return digest(h.Sum(nil))
}

// Mark is what a receiver remembers of a delivery. Stored marks bring a [Memory]
// back after a restart.
type Mark struct {
	ID       string            // the webhook id
	Signed   [sha256.Size]byte // the [BodyDigest] of the timestamp and the body
	Body     [sha256.Size]byte // the SHA-256 of the body
	Accepted bool              // it was answered with 2xx; otherwise the try failed
	Time     time.Time         // when the request was received

	// Within is how long a repeat counts as one, for a delivery that has
	// neither id nor timestamp; 0 is for ever. It is not stored.
	Within time.Duration
}

// accepted returns a copy of the mark, for a delivery that was accepted.
func (m *Mark) accepted() *Mark {
	if m == nil {
		return nil
	}
	taken := *m
	taken.Accepted = true
	return &taken
}

// SeenError is the error of [Config.Keep] for a delivery that is not new: another
// receiver on the same store has accepted it, or is handling it.
type SeenError struct {
	Outcome webhook.Outcome // duplicate, replay_suspect or conflict; pending while it is being handled
	FirstID string          // the id that the delivery had first
}

func (e *SeenError) Error() string {
	if e.Outcome == webhook.Pending {
		return "another receiver is handling the delivery"
	}
	return "another receiver has accepted the delivery: " + string(e.Outcome)
}

// Among returns what a new delivery is after the given marks: a *SeenError if one
// of them makes it a duplicate, a conflict or a replay suspect, and otherwise
// nil. Stores use it, see [Receipt.Once].
func (m *Mark) Among(stored []Mark) *SeenError {
	captured := map[string]bool{} // the ids under which a try with the same signature failed
	for _, s := range stored {
		switch {
		case s.Signed == m.Signed && !s.Accepted:
			captured[s.ID] = true
		case m.ID == "" || s.ID != m.ID || !s.Accepted:
		case s.Body == m.Body:
			return &SeenError{webhook.Duplicate, m.ID}
		default:
			return &SeenError{webhook.Conflict, m.ID}
		}
	}
	for _, s := range stored {
		isSame := s.Signed == m.Signed || captured[s.ID] && s.ID != "" && s.Body == m.Body
		switch {
		case !s.Accepted || !isSame || m.isLater(s.Time):
		case s.ID == m.ID:
			return &SeenError{webhook.Duplicate, m.ID}
		default:
			return &SeenError{webhook.ReplaySuspect, s.ID}
		}
	}
	return nil
}

// isLater reports whether the mark is of an event of its own rather than of a
// repeat of what was received at a time.
func (m *Mark) isLater(first time.Time) bool {
	return m.Within > 0 && m.Time.Sub(first) > m.Within
}

// Memory knows the deliveries that were handled. It is safe for concurrent use.
// The zero Memory is ready to use; it remembers [DefaultMemory] deliveries.
type Memory struct {
	mu       sync.Mutex
	limit    int
	byID     map[string]*delivery
	byDigest map[digest]*delivery // by BodyDigest
	settled  []settled            // oldest first
	forgot   bool                 // a delivery was forgotten above the limit
}

// delivery is one delivery. It is being handled until done is closed; accepted
// is set before that.
type delivery struct {
	id       string
	body     digest
	at       time.Time
	done     chan struct{}
	accepted bool
}

// settled is a delivery together with the keys that it is found under.
type settled struct {
	id       string
	signed   digest
	delivery *delivery
}

// NewMemory returns a memory for at most limit deliveries, at least one. A try
// that failed, and a retry with a new signature, count as one each.
func NewMemory(limit int) *Memory { return &Memory{limit: max(limit, 1)} }

// lock locks the memory and makes it ready to use.
func (m *Memory) lock() {
	m.mu.Lock()
	if m.byID == nil {
		m.limit = cmp.Or(m.limit, DefaultMemory)
		m.byID, m.byDigest = map[string]*delivery{}, map[digest]*delivery{}
	}
}

// Claim is the result of [Memory.Claim]. If its outcome is accepted, the caller
// handles the delivery and must call Done.
type Claim struct {
	Outcome webhook.Outcome     // accepted, duplicate, replay_suspect or conflict
	FirstID string              // the id that the delivery had first
	Done    func(accepted bool) // settles the claim; only the first call counts

	// Mark is what [Memory.Restore] needs after a restart; nil if nothing is
	// new. The caller sets its Accepted as it calls Done, and does not store the
	// mark of a failed try without an id.
	Mark *Mark
}

// Claim asks for the right to handle a delivery. If a delivery with the same
// id, or with the same timestamp and body, is being handled, Claim waits for it:
// after Done(true) this one is a duplicate, a conflict or a replay suspect, and
// after Done(false) it is the next try. The error is that of ctx.
//
// A delivery without an id is recognized by its timestamp and body alone.
func (m *Memory) Claim(ctx context.Context, id, timestamp string, body []byte) (Claim, error) {
	return m.claim(ctx, Mark{ID: shortID(id), Signed: BodyDigest(timestamp, body), Body: sha256.Sum256(body)})
}

func (m *Memory) claim(ctx context.Context, mark Mark) (Claim, error) {
	id, signed := mark.ID, mark.Signed
	for {
		d, isNew := m.findOrAdd(mark)
		if isNew {
			return Claim{
				Outcome: webhook.Accepted, FirstID: id, Mark: &mark,
				Done: func(accepted bool) { m.settle(d, signed, accepted) },
			}, nil
		}
		select {
		case <-d.done:
		case <-ctx.Done():
			return Claim{}, ctx.Err()
		}
		if claim, ok := m.compare(d, mark); ok {
			return claim, nil
		}
	}
}

// shortID replaces the end of a long id with a digest of the whole id.
func shortID(id string) string {
	if len(id) <= longestID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return id[:longestID-2*sha256.Size] + hex.EncodeToString(sum[:])
}

// findOrAdd returns the delivery that a claim is compared with, or adds a new
// one. A claim is compared with a failed try only if the id of that try was
// accepted since: the try may have been captured, and now arrive under another
// id.
func (m *Memory) findOrAdd(mark Mark) (d *delivery, isNew bool) {
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
	if d != nil && !(d.isDone() && mark.isLater(d.at)) {
		return d, false
	}
	d = &delivery{id: id, body: body, at: mark.Time, done: make(chan struct{})}
	m.byDigest[signed] = d
	if id != "" {
		m.byID[id] = d
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

// settle ends the handling of a delivery. Unless it was accepted, its id is free
// again. What was signed under that id is remembered in both cases.
func (m *Memory) settle(d *delivery, signed digest, accepted bool) {
	m.lock()
	defer m.mu.Unlock()
	if d.isDone() { // settled before
		return
	}
	d.accepted = accepted
	s := settled{d.id, signed, d}
	switch {
	case accepted:
		m.remember(s)
	case d.id == "":
		m.forget(s)
	default:
		delete(m.byID, d.id)
		m.remember(s)
	}
	close(d.done)
}

// compare returns the outcome of a claim after a settled delivery. It returns
// false if that delivery failed, so that the claim may try again.
func (m *Memory) compare(d *delivery, mark Mark) (Claim, bool) {
	id, signed, body := mark.ID, mark.Signed, mark.Body
	m.lock()
	defer m.mu.Unlock()
	claim := Claim{Outcome: webhook.Duplicate, FirstID: d.id, Done: func(bool) {}}
	switch {
	case !d.accepted:
		return claim, false
	case d.id != id:
		claim.Outcome = webhook.ReplaySuspect
	case d.body != body:
		claim.Outcome = webhook.Conflict
	case m.addSignature(d, signed):
		claim.Mark = &mark
	}
	return claim, true
}

// addSignature remembers that a retry of an accepted delivery had a new
// signature, because that request can be captured as well. It returns false if
// the signature is already known.
func (m *Memory) addSignature(d *delivery, signed digest) bool {
	if known := m.byDigest[signed]; known != nil && !known.failed() {
		return false
	}
	m.byDigest[signed] = d
	m.remember(settled{signed: signed, delivery: d})
	return true
}

// Restore adds the marks that a receiver stored before a restart, the oldest
// first. Call it before the first Claim. If there are as many marks as it
// remembers, or more, it asks [Config.Seen] for the others.
func (m *Memory) Restore(marks []Mark) {
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
		d := &delivery{id: mark.ID, body: mark.Body, at: mark.Time, done: done, accepted: mark.Accepted}
		// Without an id, only an event of its own was accepted after another.
		if known := m.byDigest[mark.Signed]; known == nil || known.failed() || mark.ID == "" {
			m.byDigest[mark.Signed] = d
		}
		if mark.Accepted && mark.ID != "" {
			m.byID[mark.ID] = d
		}
		m.remember(settled{mark.ID, mark.Signed, d})
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
	if s.id != "" && m.byID[s.id] == s.delivery {
		delete(m.byID, s.id)
	}
	if m.byDigest[s.signed] == s.delivery {
		delete(m.byDigest, s.signed)
	}
}
