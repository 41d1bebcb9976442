package receive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Store decides who may handle a delivery. The receivers that share one, in one
// process or in many, handle a delivery once between them. [Memory] is a Store for one
// process; a *journal.Journal of package journal is one for the processes on a machine;
// one for many machines takes a page of code: see the example for SQL, and
// testdata/examples/redis in the repository for Redis.
// [receivetest.TestStore] tests an implementation.
//
// A receiver claims a delivery before it calls the App, and finishes the claim when the
// App has answered with 2xx, before it answers the sender; after any other answer it
// releases it. From that follows what a Store promises: no two receivers handle a
// delivery at the same time, and none handles one that was finished. There is one case
// in which a delivery is handled twice: the process dies, or the store fails, after the
// App has succeeded and before the claim is finished. Its sender has no answer of 2xx then,
// and tries again; when the lease has ended, at the latest, that try is new. An App whose effect must not
// occur twice writes [webhook.Event.ID] together with it, in one transaction.
//
// The methods are called concurrently. Their errors make the answer a 503.
//
// [receivetest.TestStore]: https://pkg.go.dev/github.com/wskdev/wsk/pkg/receive/receivetest#TestStore
type Store interface {
	// Claim asks for the right to handle a delivery until m.Time + lease. It returns
	// at once, with one of these outcomes:
	//
	//   - accepted: the delivery is new, and the caller has the claim
	//   - pending: another caller has the claim, and its lease has not ended
	//   - duplicate: a delivery with this id, or with this event id, was finished
	//   - conflict: likewise, but it had another body
	//   - replay_suspect: what was signed was finished under another id
	//
	// The delivery of a claim whose lease has ended, or that was released, is new.
	// [Mark.Among] has these rules. A Store must do what it does in one atomic step:
	// of the callers that claim the same delivery at the same time, one gets it.
	Claim(ctx context.Context, m Mark, lease time.Duration) (Claim, error)

	// Finish remembers the delivery of an accepted claim, for the TTL of its mark at
	// least. After the end of the lease it may return ErrLeaseLost, and it does if
	// another caller has the claim by now.
	Finish(ctx context.Context, c Claim) error

	// Release gives an accepted claim back: the next one for the delivery is new. The
	// Store remembers what was signed, see Claim.Mark. As Finish, it may return
	// ErrLeaseLost, and changes nothing then.
	Release(ctx context.Context, c Claim) error
}

// Recorder is a Store that keeps the records of requests as well. A receiver on one
// makes no use of Claim, Finish and Release: it claims and finishes a delivery in the
// commit that stores its record. A *journal.Journal and a *journal.Queue of package
// journal are Recorders, and so is a [Forwarder].
type Recorder interface {
	Store

	// Keep stores a request as [Config.Keep] does, together with the mark of its
	// delivery: both or, with an error, neither. If the Once of the receipt is set and
	// the delivery is not new, Keep returns a *SeenError and stores no request, but the
	// signature of a duplicate, if that is new: see Claim.Mark.
	Keep(ctx context.Context, r Receipt) error

	// Marks returns the newest marks, at most limit of them, the oldest first.
	Marks(ctx context.Context, limit int) ([]Mark, error)

	// Seen returns the marks with the id, the digest or the event id of m, and those
	// with the id of a mark that has the digest. The oldest comes first.
	Seen(ctx context.Context, m Mark) ([]Mark, error)
}

// ErrLeaseLost is the error of a [Store] for a claim whose lease has ended: another caller
// may have claimed the delivery since.
var ErrLeaseLost = errors.New("the lease of the claim has ended: another receiver may have the delivery")

// Mark is what a [Store] knows a delivery by, and what it remembers of it.
type Mark struct {
	// ID is the webhook id, of at most 256 bytes; "" if the delivery has none. It is
	// not signed, so that whoever captured a request can send it under another.
	ID string

	// EventID is the event id of the signed body, with [Config.DedupEvents]; else "".
	EventID string

	Signed [sha256.Size]byte // the [BodyDigest] of the timestamp and the body
	Body   [sha256.Size]byte // the SHA-256 of the body

	// Time is when the request was received. It is the clock of a Store: leases are
	// compared with it.
	Time time.Time

	// TTL is how long the delivery is to be remembered once it is finished; see
	// [Config.TTL]. A Store may forget it then, and need not.
	TTL time.Duration

	// Within is how long a repeat counts as one, for a delivery that has neither id
	// nor timestamp; 0 is for ever. It is that of the receiver that asks: of what is
	// stored, Among does not look at it.
	Within time.Duration

	// Of what is stored: Accepted is set for a finished delivery, and Until, the end of
	// the lease, for a claimed one. A mark with neither is of a try that failed.
	Accepted bool
	Until    time.Time
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

// Claim is the answer of a [Store] to a caller that wants to handle a delivery.
type Claim struct {
	Outcome webhook.Outcome // accepted, pending, duplicate, conflict or replay_suspect
	FirstID string          // of a delivery that is not new: the id that it had first

	// Mark is what the Store is to remember of the delivery; nil if nothing is new.
	// Besides that of an accepted claim there is that of a duplicate with a new
	// signature, which can be captured as well: its Accepted is set.
	Mark *Mark

	// Token distinguishes an accepted claim from those before and after it. It is the
	// Store's.
	Token string
}

// SeenError is the error of a [Recorder] for a delivery that is not new: another
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

// Among returns the claim to a delivery by what is stored. It is the rule that all
// Stores share. stored has the marks with m.ID, with m.Signed and with m.EventID, unless
// these are empty, and the marks with the ID of one that has m.Signed, if it has one: in
// the order in which they were stored. Those that are of no concern do no harm.
//
// If the claim has a Mark, the Store stores it: with Until, if it is accepted.
func (m Mark) Among(stored []Mark) Claim {
	captured := m.failedUnder(stored)
	first, isNew := m.amongAccepted(stored, captured)
	if isNew {
		for _, s := range stored {
			if s.isHeld(m.Time) && (m.sharesID(s) || m.sharesSignature(s, captured) || m.sharesEvent(s)) {
				return Claim{Outcome: webhook.Pending, FirstID: s.ID}
			}
		}
		return Claim{Outcome: webhook.Accepted, FirstID: m.ID, Mark: &m}
	}
	if first.Outcome == webhook.Duplicate {
		first.Mark = m.accepted()
		for _, s := range stored {
			if s.Signed == m.Signed && s.Accepted { // known by this signature
				first.Mark = nil
			}
		}
	}
	return first
}

// failedUnder returns the ids under which a try with the same signature failed, and may
// have been captured.
func (m Mark) failedUnder(stored []Mark) map[string]bool {
	captured := map[string]bool{}
	for _, s := range stored {
		if s.ID != "" && s.Signed == m.Signed && !s.Accepted {
			captured[s.ID] = true
		}
	}
	return captured
}

// amongAccepted compares a delivery with those that were accepted.
func (m Mark) amongAccepted(stored []Mark, captured map[string]bool) (claim Claim, isNew bool) {
	as := func(outcome webhook.Outcome, s Mark) (Claim, bool) {
		return Claim{Outcome: outcome, FirstID: s.ID}, false
	}
	for _, s := range stored {
		switch {
		case !s.Accepted || !m.sharesID(s):
		case s.Body == m.Body:
			return as(webhook.Duplicate, s)
		default:
			return as(webhook.Conflict, s)
		}
	}
	for _, s := range stored {
		switch {
		case !s.Accepted || !m.sharesSignature(s, captured) || m.isLater(s.Time):
		case s.ID == m.ID:
			return as(webhook.Duplicate, s)
		default:
			return as(webhook.ReplaySuspect, s)
		}
	}
	for _, s := range stored {
		switch {
		case !s.Accepted || !m.sharesEvent(s):
		case s.Body == m.Body:
			return as(webhook.Duplicate, s)
		default:
			return as(webhook.Conflict, s)
		}
	}
	return Claim{}, true
}

func (m Mark) sharesID(s Mark) bool    { return m.ID != "" && s.ID == m.ID }
func (m Mark) sharesEvent(s Mark) bool { return m.EventID != "" && s.EventID == m.EventID }

// sharesSignature reports whether a mark has the signature, or is of a later try of the
// delivery that had it.
func (m Mark) sharesSignature(s Mark, captured map[string]bool) bool {
	return s.Signed == m.Signed || captured[s.ID] && s.Body == m.Body
}

// isHeld reports whether the mark is of a claim whose lease has not ended.
func (m Mark) isHeld(now time.Time) bool { return !m.Accepted && now.Before(m.Until) }

// isLater reports whether the mark is of a new event rather than of a repeat of what
// was received at a time.
func (m Mark) isLater(first time.Time) bool {
	return m.Within > 0 && m.Time.Sub(first) > m.Within
}

// BodyDigest returns the SHA-256 of the timestamp, a dot and the body. A
// captured request that is sent again under another id has the same digest.
func BodyDigest(timestamp string, body []byte) [sha256.Size]byte {
	h := sha256.New()
	_, _ = h.Write([]byte(timestamp + ".")) // a hash returns no error
	_, _ = h.Write(body)
	return digest(h.Sum(nil))
}

// longestID is the largest number of bytes that are kept of an id, so that a
// sender cannot fill the memory with a long header.
const longestID = 256

// shortID replaces the end of a long id with a digest of the whole id.
func shortID(id string) string {
	if len(id) <= longestID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return id[:longestID-2*sha256.Size] + hex.EncodeToString(sum[:])
}
