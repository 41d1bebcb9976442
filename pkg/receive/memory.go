package receive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"

	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultMemory is how many deliveries a receiver remembers unless told
// otherwise, the oldest forgotten first. An entry takes about 300 bytes.
const DefaultMemory = 100_000

// longestID is how much of an id is kept, in bytes: what is remembered must
// not grow with what a sender writes into a header.
const longestID = 256

type digest = [sha256.Size]byte

// Memory knows which deliveries were handled. It is safe for concurrent use.
type Memory struct {
	mu       sync.Mutex
	limit    int
	byID     map[string]*seen
	byDigest map[digest]*seen // by BodyDigest
	order    []key            // what was settled, oldest first
}

// seen is one delivery, in work while done is open. accepted says how it was
// settled, and is written before done is closed.
type seen struct {
	id       string
	body     digest
	done     chan struct{}
	accepted bool
}

// key is what one entry of the order is registered under.
type key struct {
	id     string
	digest digest
	entry  *seen
}

// NewMemory returns a memory of at most limit deliveries. A try that failed,
// and a retry that was signed anew, take a place each.
func NewMemory(limit int) *Memory {
	return &Memory{limit: max(limit, 1), byID: map[string]*seen{}, byDigest: map[digest]*seen{}}
}

// Claim is the answer of [Memory.Claim]. With the outcome accepted the caller
// handles the delivery and must call Done.
type Claim struct {
	Outcome webhook.Outcome // accepted, duplicate, replay_suspect or conflict
	FirstID string          // the id under which it came first
	Done    func(accepted bool)

	// Mark is what a restart must know of it, see [Memory.Restore]; nil where
	// nothing is new, and without an id: a request that has none is known
	// while the receiver runs. Accepted is the caller's to set, as for Done.
	Mark *Mark
}

// Claim asks for the right to handle a delivery. While another claim to the
// same id, or to the same timestamp and body, is being handled it waits: that
// claim's Done(true) makes this one a duplicate, a conflict or a suspect, and
// Done(false) makes it the next to try. The error is that of ctx.
//
// A delivery without an id is known by its timestamp and body alone.
func (m *Memory) Claim(ctx context.Context, id, timestamp string, body []byte) (Claim, error) {
	signed, plain := BodyDigest(timestamp, body), sha256.Sum256(body)
	id = shorten(id)
	for {
		entry, fresh := m.find(id, signed, plain)
		if fresh {
			return Claim{
				Outcome: webhook.Accepted, FirstID: id, Mark: markOf(id, signed, plain),
				Done: func(ok bool) { m.finish(entry, signed, ok) },
			}, nil
		}
		select {
		case <-entry.done:
		case <-ctx.Done():
			return Claim{}, ctx.Err()
		}
		if claim, settled := m.judge(entry, id, signed, plain); settled {
			return claim, nil
		}
	}
}

// shorten keeps the beginning of a long id and tells it from others by a digest.
func shorten(id string) string {
	if len(id) <= longestID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return id[:longestID-2*sha256.Size] + hex.EncodeToString(sum[:])
}

// find returns the entry that stands in the way, or registers a new one. A try
// that failed does not stand in the way, unless its id was accepted since: it
// may have been captured, and comes under another id now.
func (m *Memory) find(id string, signed, plain digest) (entry *seen, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if entry = m.byID[id]; entry != nil && id != "" {
		return entry, false
	}
	entry = m.byDigest[signed]
	if entry != nil && entry.failed() {
		if entry = m.byID[entry.id]; entry != nil && entry.body != plain {
			entry = nil
		}
	}
	if entry != nil {
		return entry, false
	}
	entry = &seen{id: id, body: plain, done: make(chan struct{})}
	m.byDigest[signed] = entry
	if id != "" {
		m.byID[id] = entry
	}
	return entry, true
}

func (s *seen) failed() bool {
	select {
	case <-s.done:
		return !s.accepted
	default:
		return false
	}
}

// finish settles an entry: kept when it was accepted, else its id is free
// again. What was signed under that id is remembered in both cases.
func (m *Memory) finish(entry *seen, signed digest, accepted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-entry.done: // Done was called before
		return
	default:
	}
	settled := key{entry.id, signed, entry}
	switch entry.accepted = accepted; {
	case accepted:
		m.remember(settled)
	case entry.id == "":
		m.forget(settled)
	default:
		delete(m.byID, entry.id)
		m.remember(settled)
	}
	close(entry.done)
}

// judge says what a settled entry makes of a later claim; not settled means
// that it failed and the claim may try again.
func (m *Memory) judge(entry *seen, id string, signed, plain digest) (Claim, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	claim := Claim{Outcome: webhook.Duplicate, FirstID: entry.id, Done: func(bool) {}}
	switch {
	case !entry.accepted:
		return claim, false
	case entry.id != id:
		claim.Outcome = webhook.ReplaySuspect
	case entry.body != plain:
		claim.Outcome = webhook.Conflict
	case m.resigned(entry, signed):
		claim.Mark = markOf(id, signed, plain)
	}
	return claim, true
}

func markOf(id string, signed, plain digest) *Mark {
	if id == "" {
		return nil
	}
	return &Mark{ID: id, Signed: signed, Body: plain}
}

// resigned remembers a retry of an accepted delivery that was signed anew: it
// can be captured as well. It reports whether that is news.
func (m *Memory) resigned(entry *seen, signed digest) bool {
	if known := m.byDigest[signed]; known != nil && !known.failed() {
		return false
	}
	m.byDigest[signed] = entry
	m.remember(key{digest: signed, entry: entry})
	return true
}

// Restore puts back what a receiver remembered before a restart, the oldest
// first. It is for a memory that has had no claims yet.
func (m *Memory) Restore(marks []Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	done := make(chan struct{})
	close(done)
	for _, mark := range marks {
		if known := m.byID[mark.ID]; known != nil && known.body == mark.Body {
			if mark.Accepted {
				m.resigned(known, mark.Signed)
			}
			continue
		}
		entry := &seen{id: mark.ID, body: mark.Body, done: done, accepted: mark.Accepted}
		if known := m.byDigest[mark.Signed]; known == nil || known.failed() {
			m.byDigest[mark.Signed] = entry
		}
		if mark.Accepted {
			m.byID[mark.ID] = entry
		}
		m.remember(key{mark.ID, mark.Signed, entry})
	}
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

// Mark is what a receiver remembers of a delivery, to recognize it again.
type Mark struct {
	ID       string            // the webhook id
	Signed   [sha256.Size]byte // BodyDigest of timestamp and body
	Body     [sha256.Size]byte // the SHA-256 of the body alone
	Accepted bool              // answered with 2xx; false: a try that failed
}

// BodyDigest returns the SHA-256 of the timestamp, a dot and the body. A
// receiver that remembers it recognizes a captured request that is sent again
// under another id.
func BodyDigest(timestamp string, body []byte) [sha256.Size]byte {
	h := sha256.New()
	_, _ = io.WriteString(h, timestamp+".")
	_, _ = h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}
