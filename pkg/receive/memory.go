package receive

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultMemory is how many deliveries a receiver remembers unless told
// otherwise, the oldest forgotten first. An entry takes about 300 bytes.
const DefaultMemory = 100_000

type digest = [sha256.Size]byte

// Memory knows which deliveries were handled. It is safe for concurrent use.
type Memory struct {
	mu       sync.Mutex
	limit    int
	byID     map[string]*seen
	byDigest map[digest]*seen // by webhook.BodyDigest
	order    []key            // what was registered, oldest first
}

// seen is one delivery, in work while done is open.
type seen struct {
	id   string
	body digest
	done chan struct{}
}

// key is what one entry of the order is registered under.
type key struct {
	id     string
	digest digest
	entry  *seen
}

// NewMemory returns a memory of at most limit deliveries.
func NewMemory(limit int) *Memory {
	return &Memory{limit: max(limit, 1), byID: map[string]*seen{}, byDigest: map[digest]*seen{}}
}

// Claim is the answer of [Memory.Claim]. With the outcome accepted the caller
// handles the delivery and must call Done.
type Claim struct {
	Outcome webhook.Outcome // accepted, duplicate, replay_suspect or conflict
	FirstID string          // the id under which it came first
	Done    func(accepted bool)
}

// Claim asks for the right to handle a delivery. While another claim to the
// same id, or to the same timestamp and body, is being handled it waits: that
// claim's Done(true) makes this one a duplicate, a conflict or a suspect, and
// Done(false) makes it the next to try. The error is that of ctx.
//
// A delivery without an id is known by its timestamp and body alone.
func (m *Memory) Claim(ctx context.Context, id, timestamp string, body []byte) (Claim, error) {
	signed, plain := webhook.BodyDigest(timestamp, body), sha256.Sum256(body)
	for {
		entry, fresh := m.find(id, signed, plain)
		if fresh {
			return Claim{Outcome: webhook.Accepted, FirstID: id, Done: func(ok bool) { m.finish(entry, signed, ok) }}, nil
		}
		select {
		case <-entry.done:
		case <-ctx.Done():
			return Claim{}, ctx.Err()
		}
		if outcome, settled := m.judge(entry, id, signed, plain); settled {
			return Claim{Outcome: outcome, FirstID: entry.id, Done: func(bool) {}}, nil
		}
	}
}

// find returns the entry that stands in the way, or registers a new one.
func (m *Memory) find(id string, signed, plain digest) (entry *seen, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if entry = m.byID[id]; entry != nil && id != "" {
		return entry, false
	}
	if entry = m.byDigest[signed]; entry != nil {
		return entry, false
	}
	entry = &seen{id: id, body: plain, done: make(chan struct{})}
	m.byDigest[signed] = entry
	if id != "" {
		m.byID[id] = entry
	}
	return entry, true
}

// finish settles an entry: kept when it was accepted, else forgotten.
func (m *Memory) finish(entry *seen, signed digest, accepted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-entry.done: // Done was called before
		return
	default:
	}
	if accepted {
		m.remember(key{entry.id, signed, entry})
	} else {
		m.forget(key{entry.id, signed, entry})
	}
	close(entry.done)
}

// judge says what a settled entry makes of a later claim; not settled means
// that it was forgotten and the claim may try again.
func (m *Memory) judge(entry *seen, id string, signed, plain digest) (webhook.Outcome, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sameID := id != "" && m.byID[id] == entry
	if !sameID && m.byDigest[signed] != entry {
		return "", false
	}
	switch {
	case entry.id != id:
		return webhook.ReplaySuspect, true
	case entry.body != plain:
		return webhook.Conflict, true
	}
	if m.byDigest[signed] == nil { // a retry, signed anew: it can be captured as well
		m.byDigest[signed] = entry
		m.remember(key{digest: signed, entry: entry})
	}
	return webhook.Duplicate, true
}

// remember puts a key at the end of the order and drops the oldest past the limit.
func (m *Memory) remember(k key) {
	m.order = append(m.order, k)
	if len(m.order) > m.limit {
		m.forget(m.order[0])
		m.order[0] = key{} // the array behind the slice lives on for a while
		m.order = m.order[1:]
	}
}

func (m *Memory) forget(k key) {
	if k.id != "" && m.byID[k.id] == k.entry {
		delete(m.byID, k.id)
	}
	if m.byDigest[k.digest] == k.entry {
		delete(m.byDigest, k.digest)
	}
}
