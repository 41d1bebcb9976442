package receive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// awaited is a claim of await.
type awaited struct {
	Claim
	Done func(accepted bool)
}

func await(ctx context.Context, m *Memory, id, timestamp string, body []byte) (awaited, error) {
	mark := Mark{ID: shortID(id), Signed: BodyDigest(timestamp, body), Body: sha256.Sum256(body)}
	claim, done, err := m.await(ctx, mark)
	return awaited{claim, done}, err
}

// settle claims a delivery and, where it is accepted, says how it went.
func settle(t testing.TB, m *Memory, id, timestamp, body string, ok bool) webhook.Outcome {
	t.Helper()
	claim, err := await(t.Context(), m, id, timestamp, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	claim.Done(ok)
	return claim.Outcome
}

func TestMemoryClaimForgetsTheOldestAboveTheLimit(t *testing.T) {
	for _, limit := range []int{1, 2, 7, 100} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			m := NewMemory(limit)
			total := 20*limit + 3
			for i := range total {
				settle(t, m, fmt.Sprint("id_", i), "1", fmt.Sprint("body ", i), true)
			}
			if len(m.byID) != limit || len(m.byDigest) != limit || len(m.settled) != limit {
				t.Errorf("%d ids, %d digests, %d in order; want %d", len(m.byID), len(m.byDigest), len(m.settled), limit)
			}
			for i := total - limit; i < total; i++ {
				if got := settle(t, m, fmt.Sprint("id_", i), "1", fmt.Sprint("body ", i), true); got != webhook.Duplicate {
					t.Errorf("delivery %d of %d is %s", i, total, got)
				}
			}
			if got := settle(t, m, fmt.Sprint("id_", total-limit-1), "1", fmt.Sprint("body ", total-limit-1), true); got != webhook.Accepted {
				t.Errorf("the first one past the limit is %s", got)
			}
		})
	}
	for _, limit := range []int{0, -1} {
		m := NewMemory(limit)
		settle(t, m, "a", "1", "x", true)
		if got := settle(t, m, "a", "1", "x", true); got != webhook.Duplicate {
			t.Errorf("a memory of %d holds not even one", limit)
		}
	}
}

func TestMemoryZeroValue(t *testing.T) {
	var m Memory
	m.restore([]Mark{{ID: "a", Accepted: true}})
	if got := settle(t, &m, "b", "1", "x", true); got != webhook.Accepted {
		t.Errorf("a new delivery is %s", got)
	}
	if got := settle(t, &m, "b", "1", "x", true); got != webhook.Duplicate {
		t.Errorf("a repeated delivery is %s", got)
	}
	var claimed Memory
	if got := settle(t, &claimed, "b", "1", "x", true); got != webhook.Accepted {
		t.Errorf("a delivery without Restore before it is %s", got)
	}
}

func TestMemoryClaimIsSettledOnce(t *testing.T) {
	tests := []struct {
		name string
		said []bool
		want webhook.Outcome
	}{
		{"yes", []bool{true}, webhook.Duplicate},
		{"no", []bool{false}, webhook.Accepted},
		{"yes, then no", []bool{true, false}, webhook.Duplicate},
		{"no, then yes", []bool{false, true}, webhook.Accepted},
		{"yes, yes", []bool{true, true}, webhook.Duplicate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMemory(10)
			claim, err := await(t.Context(), m, "a", "1", []byte("x"))
			if err != nil {
				t.Fatal(err)
			}
			for _, ok := range tt.said {
				claim.Done(ok)
			}
			if len(m.settled) != 1 {
				t.Errorf("%d entries for one claim", len(m.settled))
			}
			again, err := await(t.Context(), m, "a", "1", []byte("x"))
			if err != nil || again.Outcome != tt.want {
				t.Errorf("then it is %s, %v; want %s", again.Outcome, err, tt.want)
			}
			claim.Done(true) // of the claim before, which is over
			if again.Outcome == webhook.Accepted && m.byID["a"].accepted {
				t.Error("a finished claim settled the next one")
			}
		})
	}
}

func TestMemoryClaimWaitsForTheOneInProgress(t *testing.T) {
	other := []byte("y")
	tests := []struct {
		name          string
		id, timestamp string
		body          []byte
		ok            bool
		want          webhook.Outcome
	}{
		{"as a duplicate", "a", "1", []byte("x"), true, webhook.Duplicate},
		{"as a duplicate with a new signature", "a", "2", []byte("x"), true, webhook.Duplicate},
		{"as a conflict", "a", "1", other, true, webhook.Conflict},
		{"as a suspect", "b", "1", []byte("x"), true, webhook.ReplaySuspect},
		{"as a suspect without id", "", "1", []byte("x"), true, webhook.ReplaySuspect},
		{"as the next to try", "a", "1", []byte("x"), false, webhook.Accepted},
		{"as the next to try with another body", "a", "1", other, false, webhook.Accepted},
		{"as the next to try under another id", "b", "1", []byte("x"), false, webhook.Accepted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := NewMemory(10)
				first, err := await(t.Context(), m, "a", "1", []byte("x"))
				if err != nil {
					t.Fatal(err)
				}
				var outcome webhook.Outcome
				go func() {
					claim, err := await(t.Context(), m, tt.id, tt.timestamp, tt.body)
					if err != nil {
						t.Error(err)
					}
					outcome = claim.Outcome
				}()
				synctest.Wait()
				if outcome != "" {
					t.Fatalf("it is %s while the first is in work", outcome)
				}
				first.Done(tt.ok)
				synctest.Wait()
				if outcome != tt.want {
					t.Errorf("it is %q, want %s", outcome, tt.want)
				}
			})
		})
	}
}

// A claim that waited for one that was accepted is a duplicate of it, even if
// so much was accepted in between that the memory has forgotten it.
func TestMemoryClaimThatWaitedGetsTheRightOutcome(t *testing.T) {
	m := NewMemory(1)
	signed := BodyDigest("1", []byte("x"))
	first, err := await(t.Context(), m, "a", "1", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	entry, fresh := m.findOrAdd(Mark{ID: "a", Signed: signed, Body: m.byID["a"].body}, 0)
	if fresh {
		t.Fatal("the claim is not in the way of the next one")
	}
	first.Done(true)
	settle(t, m, "b", "1", "y", true)
	if claim, settled := m.compare(entry, Mark{ID: "a", Signed: signed, Body: entry.body}); claim.Outcome != webhook.Duplicate || !settled {
		t.Errorf("it is %q, settled=%t", claim.Outcome, settled)
	}
	if len(m.byDigest) != 1 || len(m.settled) != 1 {
		t.Errorf("%d digests, %d in order", len(m.byDigest), len(m.settled))
	}
}

func TestMemoryClaimReturnsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(10)
		first, err := await(t.Context(), m, "a", "1", []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		began := time.Now()
		if claim, err := await(ctx, m, "a", "1", []byte("x")); !errors.Is(err, context.DeadlineExceeded) || claim.Done != nil {
			t.Errorf("claimed %+v, %v", claim, err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("gave up after %s", took)
		}
		first.Done(true)
	})
}

func TestMemorySizeOfADelivery(t *testing.T) {
	size := func(n int, id func(i int) string) int64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := NewMemory(n)
		for i := range 2 * n {
			settle(t, m, id(i), "1", fmt.Sprint(i), true)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(m)
		return (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / int64(n)
	}
	if got := size(20_000, func(i int) string { return fmt.Sprintf("evt_%032d", i) }); got > 500 {
		t.Errorf("an entry takes %d bytes", got)
	}
	if got := size(500, func(i int) string { return fmt.Sprintf("%032000d", i) }); got > 1500 {
		t.Errorf("an entry with an id of 32 kB takes %d bytes", got)
	}
}

func TestMemoryClaimDistinguishesLongIDs(t *testing.T) {
	long := func(end string) string { return strings.Repeat("x", 300) + end }
	m := NewMemory(10)
	for _, tt := range []struct {
		id, body string
		want     webhook.Outcome
	}{
		{long("1"), "x", webhook.Accepted}, {long("2"), "y", webhook.Accepted},
		{long("1"), "x", webhook.Duplicate}, {long("2"), "x", webhook.Conflict}, {long("3"), "x", webhook.ReplaySuspect},
		{long("")[:256], "z", webhook.Accepted}, {long("")[:255], "w", webhook.Accepted}, {long("")[:256], "z", webhook.Duplicate},
	} {
		if got := settle(t, m, tt.id, "1", tt.body, true); got != tt.want {
			t.Errorf("…%s with %s is %s, want %s", tt.id[max(0, len(tt.id)-2):], tt.body, got, tt.want)
		}
	}
}

func TestBodyDigestDistinguishesRequests(t *testing.T) {
	t.Parallel()
	seen := map[[32]byte]string{}
	for _, timestamp := range []string{"", "1", "17"} {
		for _, body := range []string{"", "7", "7.", "BODY", "BODY\n"} {
			d := BodyDigest(timestamp, []byte(body))
			if other, found := seen[d]; found {
				t.Errorf("%q and %q have one digest", timestamp+"|"+body, other)
			}
			seen[d] = timestamp + "|" + body
		}
	}
	const want = "\x05\x82\xa4" // of openssl dgst -sha256 over 17.BODY
	if d := BodyDigest("17", []byte("BODY")); string(d[:3]) != want {
		t.Errorf("digest of 17.BODY begins %x", d[:3])
	}
}
