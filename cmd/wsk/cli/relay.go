package cli

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/ui"
)

const (
	// patience is how long a server waits for its output to be read.
	patience = 250 * time.Millisecond
	// maxHeld is how many bytes of output it then keeps for later.
	maxHeld = 4 << 20
)

// relay carries a server's output to a reader that may have stopped reading: a
// program that wanted the ready line alone, a terminal after Ctrl-S. A write is
// done when its bytes are out, so that what was answered has been shown. When
// nothing has gone out for a while, writes are held and the server goes on;
// what no longer fits is dropped and counted.
type relay struct {
	w     io.Writer
	wake  chan struct{} // holds one when there is something to do
	timer *time.Timer   // makes a stall of a write that does not end

	mu      sync.Mutex
	queue   []line // the first is being written
	held    int    // bytes in queue
	lost    int    // writes that did not fit
	stalled bool
	closed  bool
	err     error
}

type line struct {
	text []byte
	out  chan struct{} // closed when it is out, or has to wait; nil when nobody waits
}

func newRelay(w io.Writer) *relay {
	r := &relay{w: w, wake: make(chan struct{}, 1)}
	r.timer = time.AfterFunc(patience, r.stall)
	r.timer.Stop()
	go r.run()
	return r
}

// relayed is env with an output that a server can write to, and what ends it.
func relayed(env *Env) (*Env, func()) {
	if !env.OutWaits {
		return env, func() {}
	}
	r, served := newRelay(env.Out), *env
	served.Out = r
	return &served, func() {
		if lost := r.Close(); lost > 0 {
			fmt.Fprintln(env.Err, "wsk: nobody read the output; not shown: "+ui.Plural(lost, "record"))
		}
	}
}

// run writes what is queued, one line at a time, so that each one that a slow
// reader takes is seen.
func (r *relay) run() {
	for range r.wake {
		r.mu.Lock()
		for len(r.queue) > 0 {
			text := r.queue[0].text
			r.timer.Reset(patience)
			r.mu.Unlock()
			_, err := r.w.Write(text)
			r.mu.Lock()
			r.timer.Stop()
			if r.stalled = false; err != nil {
				r.err = err
			}
			r.queue[0].release()
			r.queue, r.held = r.queue[1:], r.held-len(text)
		}
		closed := r.closed
		r.mu.Unlock()
		if closed {
			return
		}
	}
}

// stall lets everybody go who waits.
func (r *relay) stall() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.queue {
		r.stalled = true
		r.queue[i].release()
	}
}

func (l *line) release() {
	if l.out != nil {
		close(l.out)
		l.out = nil
	}
}

// Write is done when b is out, or held for a reader that does not read.
func (r *relay) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, io.ErrClosedPipe
	case r.stalled && r.held+len(b) > maxHeld:
		r.lost++
		return len(b), nil
	}
	l := line{text: slices.Clone(b)}
	if !r.stalled {
		l.out = make(chan struct{})
	}
	r.queue, r.held = append(r.queue, l), r.held+len(b)
	r.signal()
	if out := l.out; out != nil {
		r.mu.Unlock()
		<-out
		r.mu.Lock()
	}
	if r.err != nil {
		return 0, r.err
	}
	return len(b), nil
}

func (r *relay) signal() {
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
}

// Close waits for what is held, while any of it is being read, and returns how
// many writes never were.
func (r *relay) Close() (lost int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed, r.stalled = true, false
	r.signal()
	for !r.stalled && len(r.queue) > 0 {
		last := &r.queue[len(r.queue)-1] // nothing is appended any more
		if last.out == nil {
			last.out = make(chan struct{})
		}
		out := last.out
		r.timer.Reset(patience)
		r.mu.Unlock()
		<-out
		r.mu.Lock()
	}
	return r.lost + len(r.queue)
}
