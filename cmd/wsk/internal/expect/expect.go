// Package expect counts events against what a test expects of a receiver: it
// takes expectations such as "work_order.created=2" and the types of accepted
// events, and reports what is missing.
//
//	t, err := expect.New([]string{"work_order.*=2"}, 0)
//	if err != nil {
//		return err
//	}
//	t.Add("work_order.created")
//	select {
//	case <-t.Met():
//	case <-timeout:
//		return errors.New(t.Missing())
//	}
package expect

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Tally counts accepted events. It is safe for concurrent use.
type Tally struct {
	met     chan struct{}
	atLeast int // events of any type

	mu           sync.Mutex
	expectations []expectation
	count        int
}

// expectation is a number of events whose type matches a glob.
type expectation struct {
	glob       string
	want, seen int
}

// New returns a tally for expectations of the form EVENT=N. EVENT is a type or a
// glob such as work_order.*, N is 1 or more, and EVENT alone expects one. The
// tally expects atLeast events of any type as well.
func New(expectations []string, atLeast int) (*Tally, error) {
	t := &Tally{met: make(chan struct{}), atLeast: atLeast}
	for _, text := range expectations {
		e, err := parse(text)
		if err != nil {
			return nil, err
		}
		t.expectations = append(t.expectations, e)
	}
	return t, nil
}

func parse(text string) (expectation, error) {
	glob, number, hasNumber := strings.Cut(text, "=")
	e := expectation{glob: glob, want: 1}
	if hasNumber {
		var err error
		if e.want, err = strconv.Atoi(number); err != nil || e.want < 1 {
			return e, fmt.Errorf("%q: write EVENT=N, with N from 1", text)
		}
	}
	if _, err := path.Match(glob, ""); err != nil || glob == "" {
		return e, fmt.Errorf("%q: write EVENT=N, or a glob such as 'work_order.*=2'", text)
	}
	return e, nil
}

// Globs returns what the expectations are about: types and globs.
func (t *Tally) Globs() []string {
	globs := make([]string, len(t.expectations))
	for i, e := range t.expectations {
		globs[i] = e.glob
	}
	return globs
}

// Add counts one accepted event. An event counts for every expectation that its
// type matches.
func (t *Tally) Add(eventType string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.isMet()
	t.count++
	for i := range t.expectations {
		e := &t.expectations[i]
		if ok, _ := path.Match(e.glob, eventType); ok { // parse checked the glob
			e.seen++
		}
	}
	if !before && t.isMet() {
		close(t.met)
	}
}

// Met returns a channel that is closed when everything that is expected has
// arrived. If nothing is expected, it is never closed.
func (t *Tally) Met() <-chan struct{} { return t.met }

func (t *Tally) isMet() bool {
	return (len(t.expectations) > 0 || t.atLeast > 0) && len(t.missing()) == 0
}

// Missing returns a sentence that lists what has not arrived, or "".
func (t *Tally) Missing() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	missing := t.missing()
	if len(missing) == 0 {
		return ""
	}
	return "expected and missing: " + strings.Join(missing, ", ")
}

// Waiting lists what is still to arrive, each with the flag that asks for it: "2
// more work_order.created (--expect), 1 more event (--exit-after)".
func (t *Tally) Waiting() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for _, e := range t.expectations {
		if n := e.want - e.seen; n > 0 {
			list = append(list, fmt.Sprintf("%d more %s (--expect)", n, e.glob))
		}
	}
	switch n := t.atLeast - t.count; {
	case n == 1:
		list = append(list, "1 more event (--exit-after)")
	case n > 1:
		list = append(list, fmt.Sprintf("%d more events (--exit-after)", n))
	}
	return strings.Join(list, ", ")
}

func (t *Tally) missing() []string {
	var list []string
	for _, e := range t.expectations {
		if e.seen < e.want {
			list = append(list, fmt.Sprintf("%s (%d of %d arrived)", e.glob, e.seen, e.want))
		}
	}
	switch {
	case t.count >= t.atLeast:
	case t.atLeast == 1:
		list = append(list, "0 of 1 event")
	default:
		list = append(list, fmt.Sprintf("%d of %d events", t.count, t.atLeast))
	}
	return list
}
