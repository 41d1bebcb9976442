// Package history checks what clients, apps and files saw of deliveries against what wsk
// promises: what happened comes in, and a list of [Violation]s goes out. The tests of
// failpoints, of failing calls of the system and of locked files share these rules.
//
//	var log history.Log
//	log.Add(history.Sent, "whk_1")
//	log.Add(history.Acked, "whk_1") // …
//	for _, v := range log.CheckReceiver(history.Receiver{HandsOn: true, Crashes: 1}) {
//		t.Error(v)
//	}
package history

import (
	"fmt"
	"slices"
	"sync"
)

// Op is something that happened to a delivery, or to a line of a batch.
type Op string

// What clients, apps and files see.
const (
	Sent   Op = "sent"   // a client began to send it
	Acked  Op = "acked"  // the client was answered that it is taken
	Known  Op = "known"  // and that it was taken before: this is a duplicate
	Handed Op = "handed" // the app, the endpoint or the subscriber took it: it answered with 2xx
	Kept   Op = "kept"   // the file has it, in the end
	Torn   Op = "torn"   // the file has it, and not as it was sent
	Done   Op = "done"   // the file says that the app has taken it

	// What the ledger of a batch says of a line.
	Accepted Op = "accepted"
	Refused  Op = "refused"
	Unknown  Op = "unknown"
	Unsent   Op = "unsent"
)

// Rule is a promise.
type Rule string

// The rules.
const (
	Lost       Rule = "lost"        // acknowledged, and not kept
	Forgotten  Rule = "forgotten"   // acknowledged, and acknowledged again as if it were new
	KeptTwice  Rule = "kept twice"  // more than once in the file
	Damaged    Rule = "damaged"     // in the file, and not as it was sent
	Invented   Rule = "invented"    // kept or handed on, and never sent
	NotHanded  Rule = "not handed"  // acknowledged, and not handed on
	TooOften   Rule = "too often"   // handed on more often than the promise allows
	FalseDone  Rule = "false done"  // the file says that the app took it, and the app did not
	FalseState Rule = "false state" // the ledger says something else of a line than the endpoint
)

// Violation is a promise that was not kept.
type Violation struct {
	Rule   Rule
	ID     string
	Detail string
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.ID, v.Rule, v.Detail) }

// Log is what happened. Its zero value is empty; it is safe for concurrent use.
type Log struct {
	mu     sync.Mutex
	ids    []string // in the order in which they came up
	counts map[string]map[Op]int
}

// Add adds something that happened to the delivery with an id.
func (l *Log) Add(op Op, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[string]map[Op]int{}
	}
	if l.counts[id] == nil {
		l.ids, l.counts[id] = append(l.ids, id), map[Op]int{}
	}
	l.counts[id][op]++
}

// Count returns how often something happened to the delivery with an id.
func (l *Log) Count(op Op, id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[id][op]
}

// IDs returns the ids to which something happened, in the order in which they came up.
func (l *Log) IDs(op Op) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.ids), func(id string) bool { return l.counts[id][op] == 0 })
}

// Twice returns how often deliveries were handed on after the first time.
func (l *Log) Twice() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.counts {
		n += max(c[Handed]-1, 0)
	}
	return n
}

// Receiver is what a receiver promises of deliveries: what it acknowledged is kept once, and
// known again; it is handed on, and after the first time only because a crash hid the result.
type Receiver struct {
	HandsOn bool // there is an app
	Crashes int  // how often the receiver crashed
	Width   int  // how many deliveries can be on their way to the app at a time; default: 1
}

// CheckReceiver returns what breaks the promise. The receiver has stopped, and had the
// time to hand on what waited.
func (l *Log) CheckReceiver(p Receiver) (found []Violation) {
	extra := 0
	found = l.each(func(c map[Op]int, add func(Rule, string, ...any)) {
		switch {
		case c[Acked] > 0 && c[Kept] == 0:
			add(Lost, "answered with 2xx %d times", c[Acked])
		case c[Kept] > 1:
			add(KeptTwice, "%d times in the file", c[Kept])
		}
		if c[Acked]-c[Known] > 1 {
			add(Forgotten, "answered as new %d times", c[Acked]-c[Known])
		}
		if c[Torn] > 0 {
			add(Damaged, "its body is another")
		}
		if c[Sent] == 0 && c[Kept]+c[Handed] > 0 {
			add(Invented, "kept %d times, handed on %d times", c[Kept], c[Handed])
		}
		if !p.HandsOn {
			return
		}
		if c[Acked] > 0 && c[Handed] == 0 {
			add(NotHanded, "answered with 2xx, and the app never took it")
		}
		if c[Done] > 0 && c[Handed] == 0 {
			add(FalseDone, "the app never took it")
		}
		if c[Handed] > 1+p.Crashes {
			add(TooOften, "the app took it %d times, with %d crashes", c[Handed], p.Crashes)
		}
		extra += max(c[Handed]-1, 0)
	})
	if most := p.Crashes * max(p.Width, 1); extra > most {
		found = append(found, Violation{TooOften, "all", fmt.Sprintf("%d were handed on again, %d crashes explain %d", extra, p.Crashes, most)})
	}
	return found
}

// CheckBatch returns where the ledger of a batch and the endpoint disagree. Handed is
// what arrived at the endpoint, which accepts everything. retried reports whether the
// lines with an unknown outcome were sent again.
func (l *Log) CheckBatch(retried bool) []Violation {
	return l.each(func(c map[Op]int, add func(Rule, string, ...any)) {
		arrived := c[Handed]
		if states := c[Accepted] + c[Refused] + c[Unknown] + c[Unsent]; states != 1 {
			add(FalseState, "the ledger has %d states", states)
		}
		if arrived > 1 && !retried {
			add(TooOften, "it arrived %d times", arrived)
		}
		if arrived > 0 && c[Sent] == 0 {
			add(Invented, "it is not in the file")
		}
		switch {
		case c[Accepted] > 0 && arrived == 0:
			add(FalseState, "accepted, and it never arrived")
		case c[Refused] > 0:
			add(FalseState, "refused, and the endpoint refuses nothing")
		case c[Unsent] > 0 && arrived > 0:
			add(FalseState, "not sent, and it arrived")
		}
	})
}

// each calls check for the deliveries in their order, and collects what it adds.
func (l *Log) each(check func(c map[Op]int, add func(rule Rule, format string, args ...any))) (found []Violation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range l.ids {
		check(l.counts[id], func(rule Rule, format string, args ...any) {
			found = append(found, Violation{rule, id, fmt.Sprintf(format, args...)})
		})
	}
	return found
}

// Attempt is one request of a delivery, as its subscriber saw it.
type Attempt struct {
	N      int // the number in its header, from 0
	Status int // of the answer
}

// CheckSchedule returns what breaks the promise of a sandbox about one delivery: every
// attempt has its own number, the numbers rise, there are most of them at most, and none
// follows an answer of 2xx but the one that a crash hid.
func CheckSchedule(id string, attempts []Attempt, most, crashes int) (found []Violation) {
	add := func(rule Rule, format string, args ...any) {
		found = append(found, Violation{rule, id, fmt.Sprintf(format, args...)})
	}
	taken := 0
	for i, a := range attempts {
		if i > 0 && a.N <= attempts[i-1].N {
			add(TooOften, "attempt %d follows attempt %d", a.N, attempts[i-1].N)
		}
		if a.N >= most {
			add(TooOften, "attempt %d of %d", a.N+1, most)
		}
		if a.Status/100 == 2 {
			taken++
		}
	}
	if taken > 1+crashes {
		add(TooOften, "it was taken %d times, with %d crashes", taken, crashes)
	}
	return found
}
