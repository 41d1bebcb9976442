package receive

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// row is one line of the model: what was settled, in order.
type row struct {
	id, timestamp, body string
	kind                string // "accepted", "failed", or "alias" for a retry with a new signature
	hidden              bool   // another row has its digest now
}

// model is Memory as a list that is searched from its end.
type model struct {
	limit int
	rows  []row
}

func (m *model) newest(fits func(r row) bool) (row, bool) {
	for i := len(m.rows) - 1; i >= 0; i-- {
		if fits(m.rows[i]) {
			return m.rows[i], true
		}
	}
	return row{}, false
}

func (m *model) accepted(id string) (row, bool) {
	return m.newest(func(r row) bool { return r.kind == "accepted" && r.id == id && id != "" })
}

func (m *model) signed(timestamp, body string) (row, bool) {
	return m.newest(func(r row) bool { return !r.hidden && r.timestamp == timestamp && r.body == body })
}

func (m *model) hide(timestamp, body string) {
	for i, r := range m.rows {
		if r.timestamp == timestamp && r.body == body {
			m.rows[i].hidden = true
		}
	}
}

func (m *model) add(r row) {
	m.hide(r.timestamp, r.body)
	if m.rows = append(m.rows, r); len(m.rows) > m.limit {
		m.rows = m.rows[1:]
	}
}

// claim says what Memory must make of a delivery that is settled at once.
func (m *model) claim(id, timestamp, body string, ok bool) (webhook.Outcome, string) {
	same, known := m.signed(timestamp, body)
	if first, seen := m.accepted(id); seen {
		if first.body != body {
			return webhook.Conflict, id
		}
		if !known || same.kind == "failed" {
			m.add(row{id: id, timestamp: timestamp, body: body, kind: "alias"})
		}
		return webhook.Duplicate, id
	}
	if known && same.kind == "failed" {
		first, seen := m.accepted(same.id)
		same, known = first, seen && first.body == body
	}
	switch {
	case known && same.id != id:
		return webhook.ReplaySuspect, same.id
	case known:
		return webhook.Duplicate, id
	case ok:
		m.add(row{id: id, timestamp: timestamp, body: body, kind: "accepted"})
	case id != "":
		m.add(row{id: id, timestamp: timestamp, body: body, kind: "failed"})
	default:
		m.hide(timestamp, body)
	}
	return webhook.Accepted, id
}

func TestMemoryClaimAgreesWithItsModel(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		limit := 1 + rng.IntN(12)
		memory, simple := NewMemory(limit), model{limit: limit}
		var log []string
		for range 400 {
			id := []string{"", "a", "b", "c", "d"}[rng.IntN(5)]
			timestamp := []string{"1", "2", "3"}[rng.IntN(3)]
			body := []string{"x", "y", "z"}[rng.IntN(3)]
			ok := rng.IntN(3) > 0
			claim, err := await(t.Context(), memory, id, timestamp, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			claim.Done(ok)
			if rng.IntN(4) == 0 {
				claim.Done(!ok) // says nothing any more
			}
			log = append(log, fmt.Sprintf("%q %s.%s %t: %s of %q", id, timestamp, body, ok, claim.Outcome, claim.FirstID))
			want, first := simple.claim(id, timestamp, body, ok)
			if claim.Outcome != want || claim.FirstID != first {
				t.Fatalf("seed %d, limit %d: want %s of %q after\n%s", seed, limit, want, first, strings.Join(log, "\n"))
			}
			if len(memory.byID) > limit || len(memory.byDigest) > limit || len(memory.settled) > limit || len(memory.settled) != len(simple.rows) {
				t.Fatalf("seed %d, limit %d: %d ids, %d digests, %d in order, want %d", seed, limit,
					len(memory.byID), len(memory.byDigest), len(memory.settled), len(simple.rows))
			}
		}
	}
}

// However many claim at once: an id is never in two hands, each waits its
// turn, and afterwards the limit holds.
func TestMemoryClaimConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, ids, claims = 8, 12, 60
		m := NewMemory(limit)
		var inHand [ids]atomic.Int32
		var wg sync.WaitGroup
		for worker := range uint64(40) {
			rng := rand.New(rand.NewPCG(worker, 2))
			wg.Go(func() {
				for range claims {
					n := rng.IntN(ids)
					ctx, leave := context.WithTimeout(t.Context(), time.Duration(1+rng.IntN(5))*time.Second)
					claim, err := await(ctx, m, fmt.Sprint("id_", n), fmt.Sprint(rng.IntN(3)), []byte{byte(n)})
					leave()
					if err != nil || claim.Outcome != webhook.Accepted {
						continue
					}
					if inHand[n].Add(1) != 1 {
						t.Errorf("id %d is in two hands", n)
					}
					time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond) // of the bubble's clock
					inHand[n].Add(-1)
					claim.Done(rng.IntN(4) > 0)
				}
			})
		}
		wg.Wait()
		if len(m.byID) > limit || len(m.byDigest) > limit || len(m.settled) > limit {
			t.Errorf("%d ids, %d digests, %d in order; the limit is %d", len(m.byID), len(m.byDigest), len(m.settled), limit)
		}
	})
}
