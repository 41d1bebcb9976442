package listen

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// tally counts accepted events against what is expected.
type tally struct {
	met chan struct{} // closed when all that was expected has come

	mu       sync.Mutex
	wanted   []*expectation
	after    int // stop after that many; 0: never
	accepted int
}

type expectation struct {
	glob        string
	count, seen int
}

// newTally reads EVENT=N; EVENT alone is one.
func newTally(expect []string, after int) (*tally, error) {
	t := &tally{met: make(chan struct{}), after: after}
	for _, text := range expect {
		glob, number, counted := strings.Cut(text, "=")
		n := 1
		if counted {
			var err error
			if n, err = strconv.Atoi(number); err != nil || n < 1 {
				return nil, fmt.Errorf("--expect %q: write EVENT=N, with N from 1", text)
			}
		}
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return nil, fmt.Errorf("--expect %q: write EVENT=N, or a glob such as 'work_order.*=2'", text)
		}
		t.wanted = append(t.wanted, &expectation{glob: glob, count: n})
	}
	return t, nil
}

// add counts one accepted event.
func (t *tally) add(eventType string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.complete()
	t.accepted++
	for _, e := range t.wanted {
		if ok, _ := path.Match(e.glob, eventType); ok { // the pattern was checked at the start
			e.seen++
		}
	}
	if !before && t.complete() {
		close(t.met)
	}
}

// complete reports whether there is nothing more to wait for. Without
// anything to wait for it never is.
func (t *tally) complete() bool {
	if len(t.wanted) == 0 && t.after == 0 {
		return false
	}
	return len(t.lacking()) == 0 && t.accepted >= t.after
}

func (t *tally) lacking() []string {
	var list []string
	for _, e := range t.wanted {
		if e.seen < e.count {
			list = append(list, fmt.Sprintf("%s (%d of %d came)", e.glob, e.seen, e.count))
		}
	}
	return list
}

// missing says what was expected and did not come, or "".
func (t *tally) missing() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.lacking()
	if t.accepted < t.after {
		list = append(list, fmt.Sprintf("%d of %s", t.accepted, ui.Plural(t.after, "event")))
	}
	if len(list) == 0 {
		return ""
	}
	return "expected and missing: " + strings.Join(list, ", ")
}
