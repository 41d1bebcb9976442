package lint

import (
	"context"
	"io"
)

// tellingReader tells how much was read.
type tellingReader struct {
	r    io.Reader
	tell func(int)
}

func (t tellingReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if t.tell != nil {
		t.tell(n)
	}
	return n, err
}

// failedReader gives the error that was met before.
type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }

// leavingReader leaves a Read that hangs when the context ends: a terminal or
// a pipe may never answer.
type leavingReader struct {
	ctx    context.Context
	r      io.Reader
	buffer []byte // of the Read alone: it may fill it when nobody waits any more
	done   chan readResult
}

type readResult struct {
	n   int
	err error
}

func (l *leavingReader) Read(p []byte) (int, error) {
	switch {
	case l.ctx.Err() != nil:
		return 0, l.ctx.Err()
	case l.ctx.Done() == nil:
		return l.r.Read(p)
	case l.buffer == nil:
		l.buffer = make([]byte, blockSize)
	}
	size := min(len(p), len(l.buffer))
	go func() {
		n, err := l.r.Read(l.buffer[:size])
		l.done <- readResult{n, err}
	}()
	select {
	case got := <-l.done:
		return copy(p, l.buffer[:got.n]), got.err
	case <-l.ctx.Done():
		return 0, l.ctx.Err()
	}
}
