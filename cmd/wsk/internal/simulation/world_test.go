package simulation

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// faults are the kinds of faults that a world may have.
type faults uint

const (
	requestsLost faults = 1 << iota // a request does not arrive
	answersLost                     // an answer does not
	requestsDoubled
	requestsCut // in their body
	delays      // of requests and answers
	crashes     // of a process, before or after any of its steps
	clockJumps  // of the machine, by up to an hour, either way
	storeErrors // the store fails, before or after it has done what it was asked
	storeSlow   // a step of the store takes seconds
	appErrors   // the app fails, panics, or takes until its context ends
	captures    // an attacker sends captured requests again, under new ids
	refusals    // the platform answers 429 or 5xx
	allFaults   = 1<<iota - 1
)

var faultNames = []string{"requestsLost", "answersLost", "requestsDoubled", "requestsCut", "delays", "crashes", "clockJumps",
	"storeErrors", "storeSlow", "appErrors", "captures", "refusals"}

func (f faults) String() string {
	var names []string
	for i, name := range faultNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "no faults"
	}
	return strings.Join(names, "+")
}

// world is what a seed makes. All its decisions follow from the seed and from names, so
// that they are the same in whatever order goroutines run.
type world struct {
	seed   uint64
	size   int // deliveries or lines
	faults faults
	plant  string // the name of a planted fault, or ""

	mu         sync.Mutex
	history    []string
	violations []string
	began      time.Time
	offset     time.Duration // of the machine's clock from the world's
	jumps      []time.Time
	healed     bool
}

// roll returns numbers for a decision that key names.
func (w *world) roll(key ...any) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, key...)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// happens decides whether a fault of a kind occurs.
func (w *world) happens(kind faults, chance float64, key ...any) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.faults&kind != 0 && !w.healed && w.roll(append(key, kind)...).Float64() < chance
}

func (w *world) between(least, most time.Duration, key ...any) time.Duration {
	return least + time.Duration(w.roll(append(key, "duration")...).Int64N(int64(most-least)+1))
}

// heal ends all faults.
func (w *world) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.healed = true
}

// log adds a line to the history.
func (w *world) log(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, fmt.Sprintf("%12s  ", time.Since(w.began).Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

// fail adds a violation of the promise.
func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

// now is the machine's clock.
func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

// jump moves the machine's clock.
func (w *world) jump(by time.Duration) {
	w.mu.Lock()
	w.offset += by
	w.jumps = append(w.jumps, time.Now())
	w.mu.Unlock()
	w.log("the clock jumps by %s", by)
}

// jumpedSince reports whether the clock has jumped since a time of the world.
func (w *world) jumpedSince(t time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, at := range w.jumps {
		if !at.Before(t) {
			return true
		}
	}
	return false
}

// scenario runs a world, and looks at its history at the end.
type scenario func(t *testing.T, w *world)

// run runs a world in a bubble of its own, and returns its violations and its history.
func run(t *testing.T, s scenario, seed uint64, size int, f faults, plant string) (violations, history []string) {
	t.Helper()
	w := &world{seed: seed, size: size, faults: f, plant: plant}
	synctest.Test(t, func(t *testing.T) {
		w.began = time.Now()
		s(t, w)
	})
	return w.violations, w.history
}

// shrink returns the smallest world of a seed that still has a violation: half the
// deliveries, and a kind of faults less, as long as one is left.
func shrink(t *testing.T, s scenario, seed uint64, size int, f faults, plant string) (int, faults) {
	t.Helper()
	fails := func(size int, f faults) bool {
		violations, _ := run(t, s, seed, size, f, plant)
		return len(violations) > 0
	}
	for smaller := size / 2; smaller > 0 && fails(smaller, f); smaller /= 2 {
		size = smaller
	}
	for kind := faults(1); kind <= allFaults; kind <<= 1 {
		if f&kind != 0 && fails(size, f&^kind) {
			f &^= kind
		}
	}
	for size > 1 && fails(size-1, f) {
		size--
	}
	return size, f
}
