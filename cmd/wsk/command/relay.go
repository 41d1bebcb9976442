package command

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
	// maxPiece is how many bytes one write has, so that a slow reader of a long
	// line is seen to read.
	maxPiece = 4 << 10
	// maxFarewell is how long the end of the output may take to be read.
	maxFarewell = 5 * time.Second
)

// stallTolerantWriter carries a server's output to a reader that may have stopped reading: a
// program that wanted the ready line alone, a terminal after Ctrl-S. A write is
// done when its bytes are out, so that what was answered has been shown. When
// nothing has gone out for a while, writes are held and the server goes on;
// what no longer fits is dropped and counted. Once all that was held is read,
// writes wait again.
type stallTolerantWriter struct {
	w     io.Writer
	wake  chan struct{} // holds one when there is something to do
	timer *time.Timer   // makes a stall of a write that does not end

	mu      sync.Mutex
	queue   []line // the first is being written
	held    int    // bytes in queue
	lost    int    // writes that did not fit
	stalled bool   // nothing goes out
	behind  bool   // since the last stall, something has always been held
	closed  bool
	ending  bool // Close waits no more
	err     error
}

type line struct {
	text []byte
	out  chan struct{} // closed when it is out, or has to wait; nil when nobody waits
}

func newStallTolerantWriter(w io.Writer) *stallTolerantWriter {
	r := &stallTolerantWriter{w: w, wake: make(chan struct{}, 1)}
	r.timer = time.AfterFunc(patience, r.stall)
	r.timer.Stop()
	go r.run()
	return r
}

// TolerateStalls is env with an output that a server can write to, and what ends it.
func TolerateStalls(env *Env) (*Env, func()) {
	if !env.OutWaits {
		return env, func() {}
	}
	r, served := newStallTolerantWriter(env.Out), *env
	served.Out = r
	return &served, func() {
		if lost := r.Close(); lost > 0 {
			fmt.Fprintln(env.Err, "wsk: nobody read the output; not shown: "+ui.Plural(lost, "record"))
		}
	}
}

// run writes what is queued.
func (r *stallTolerantWriter) run() {
	for range r.wake {
		r.mu.Lock()
		for len(r.queue) > 0 {
			text := r.queue[0].text
			r.mu.Unlock()
			err := r.put(text)
			r.mu.Lock()
			if err != nil {
				r.err = err
			}
			r.queue[0].release()
			r.queue[0] = line{} // or its text stays in memory
			r.queue, r.held = r.queue[1:], r.held-len(text)
		}
		r.queue, r.behind = nil, false
		closed := r.closed
		r.mu.Unlock()
		if closed {
			return
		}
	}
}

// put writes a line in pieces, each of which ends a stall.
func (r *stallTolerantWriter) put(text []byte) error {
	for len(text) > 0 {
		piece := text[:min(len(text), maxPiece)]
		r.timer.Reset(patience)
		if _, err := r.w.Write(piece); err != nil {
			return err
		}
		r.timer.Stop()
		r.mu.Lock()
		r.stalled = false
		r.mu.Unlock()
		text = text[len(piece):]
	}
	return nil
}

// stall lets everybody go who waits.
func (r *stallTolerantWriter) stall() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.queue {
		r.stalled, r.behind = true, true
		r.queue[i].release()
	}
}

// giveUp lets Close go.
func (r *stallTolerantWriter) giveUp() {
	r.mu.Lock()
	r.ending = true
	r.mu.Unlock()
	r.stall()
}

func (l *line) release() {
	if l.out != nil {
		close(l.out)
		l.out = nil
	}
}

// Write is done when b is out, or held for a reader that does not read.
func (r *stallTolerantWriter) Write(b []byte) (int, error) {
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
	if !r.stalled && (!r.behind || r.held > maxHeld) { // a reader that is merely slow is waited for
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

func (r *stallTolerantWriter) signal() {
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
}

// Close waits for what is held, while it is being read and not for long, and
// returns how many writes never were.
func (r *stallTolerantWriter) Close() (lost int) {
	last := time.AfterFunc(maxFarewell, r.giveUp)
	defer last.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed, r.stalled = true, false
	r.signal()
	for !r.stalled && !r.ending && len(r.queue) > 0 {
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
