package command

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/ui"
)

const (
	stallAfter    = 250 * time.Millisecond // without progress, the reader has stopped reading
	maxHeld       = 4 << 20                // bytes of output that are kept for it
	maxPiece      = 4 << 10                // bytes of one write: a slow reader of a long line makes progress
	maxFinalWrite = 5 * time.Second        // for what is left when the server stops
)

// stallTolerantWriter carries a server's output to a reader that may stop reading: a
// program that wanted only the ready line, or a terminal after Ctrl-S. A Write
// returns when its bytes are written, so that a request is shown before the next is
// taken. When the reader stalls, writes are queued and the server continues; what
// does not fit into the queue is dropped and counted. When the queue is empty again,
// writes wait again.
type stallTolerantWriter struct {
	w     io.Writer
	wake  chan struct{} // has room for one: there is something to do
	timer *time.Timer   // fires when a write makes no progress

	mu      sync.Mutex
	queue   []line // the first is being written
	held    int    // bytes in queue
	lost    int    // writes that were dropped
	stalled bool   // the reader does not read
	behind  bool   // the queue has not been empty since the last stall
	closed  bool
	ending  bool // Close no longer waits
	err     error
}

type line struct {
	text []byte
	out  chan struct{} // closed when the line is written or its reader stalls; nil when nobody waits
}

func newStallTolerantWriter(w io.Writer) *stallTolerantWriter {
	r := &stallTolerantWriter{w: w, wake: make(chan struct{}, 1)}
	r.timer = time.AfterFunc(stallAfter, r.stall)
	r.timer.Stop()
	go r.run()
	return r
}

// ServerOutput returns env with an Out for a server, which answers requests whether
// anybody reads its output or not: a reader that stalls does not block it, and an
// error is reported once and ends the output alone. The function ends it.
func ServerOutput(env *Env) (*Env, func()) {
	served := *env
	served.Out = &lossyWriter{env: env}
	if !env.OutWaits {
		return &served, func() {}
	}
	r := newStallTolerantWriter(served.Out)
	served.Out = r
	return &served, func() {
		if lost := r.Close(); lost > 0 {
			fmt.Fprintln(env.Err, "wsk: nobody read the output; not shown: "+ui.Plural(lost, "record"))
		}
	}
}

// lossyWriter drops its output after the first error.
type lossyWriter struct {
	env  *Env
	mu   sync.Mutex
	lost bool
}

func (l *lossyWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost {
		return len(b), nil
	}
	out := l.env.Out
	if checked, ok := out.(*CheckedWriter); ok {
		out = checked.w // the error is not one of the command
	}
	if _, err := out.Write(b); err != nil {
		l.lost = true
		if errors.Is(err, syscall.EPIPE) {
			err = errors.New("its reader closed it")
		}
		fmt.Fprintf(l.env.Err, "wsk: warning: stdout cannot be written: %s; requests are answered, but not shown\n", ui.Clean(err.Error()))
	}
	return len(b), nil
}

// run writes the queue.
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
			r.queue[0] = line{} // free its text
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

// put writes a line in pieces. Each of them ends a stall.
func (r *stallTolerantWriter) put(text []byte) error {
	for len(text) > 0 {
		piece := text[:min(len(text), maxPiece)]
		r.timer.Reset(stallAfter)
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

// stall releases every Write that waits.
func (r *stallTolerantWriter) stall() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.queue {
		r.stalled, r.behind = true, true
		r.queue[i].release()
	}
}

// giveUp releases Close.
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

// Write returns when b is written, or queued for a reader that has stalled.
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
	if !r.stalled && (!r.behind || r.held > maxHeld) { // wait for a reader that is only slow
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
	default: // awake already
	}
}

// Close waits while the reader reads what is queued, at most five seconds, and returns
// how many writes it has not read.
func (r *stallTolerantWriter) Close() (lost int) {
	last := time.AfterFunc(maxFinalWrite, r.giveUp)
	defer last.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed, r.stalled = true, false
	r.signal()
	for !r.stalled && !r.ending && len(r.queue) > 0 {
		last := &r.queue[len(r.queue)-1] // nothing more is appended
		if last.out == nil {
			last.out = make(chan struct{})
		}
		out := last.out
		r.timer.Reset(stallAfter)
		r.mu.Unlock()
		<-out
		r.mu.Lock()
	}
	return r.lost + len(r.queue)
}
