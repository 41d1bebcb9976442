package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// block is some whole lines, and what was found in them.
type block struct {
	data     []byte
	line     int  // of the first one, from 0
	tooLong  bool // it stands for a line that was passed over
	filled   bool // not all of it is blank
	findings []report.Finding
	counts   report.Summary
	done     chan struct{}
}

// fail notes that a line was passed over. The rule can be off, or of another
// weight.
func (b *block) fail(file string, n int, c *Checker) {
	severity := c.linter.severities["length"]
	b.counts.Events++
	if severity == report.Off {
		return
	}
	f := report.Finding{
		File: file, Line: b.line + n + 1, Column: 1, Severity: severity, Rule: "length",
		Message: fmt.Sprintf("the line is longer than %d MiB, and was passed over", MaxLine>>20),
	}
	b.findings = append(b.findings, f)
	b.counts = b.counts.Plus(report.Count([]report.Finding{f}))
}

// cutter reads NDJSON and hands it out in blocks that end at a line's end.
type cutter struct {
	ctx   context.Context
	r     io.Reader
	work  chan *block // for the workers
	order chan *block // for whoever emits
	free  chan *block // to use again
	line  int
}

func (c *cutter) block() *block {
	select {
	case b := <-c.free:
		return b
	default:
		return &block{data: make([]byte, 0, 2*blockSize)}
	}
}

// recycle takes a block back, unless a long line made it big.
func (c *cutter) recycle(b *block) {
	if cap(b.data) != 2*blockSize {
		return
	}
	select {
	case c.free <- &block{data: b.data[:0], findings: b.findings[:0]}:
	default:
	}
}

func (c *cutter) hand(b *block) error {
	b.line, b.done = c.line, make(chan struct{})
	c.line += bytes.Count(b.data, []byte{'\n'})
	for _, out := range []chan<- *block{c.order, c.work} {
		select {
		case out <- b:
		case <-c.ctx.Done():
			close(b.done)
			return c.ctx.Err()
		}
	}
	return nil
}

// cut reads to the end. What was read is handed out as soon as a line is
// whole, so that a pipe's findings do not wait for more of it.
func (c *cutter) cut() error {
	b := c.block()
	for {
		fresh := len(b.data)
		if cap(b.data)-fresh < blockSize {
			b.data = append(make([]byte, 0, 2*cap(b.data)), b.data...)
		}
		n, err := c.r.Read(b.data[fresh : fresh+blockSize])
		b.data = b.data[:fresh+n]
		at := 0 // where the last whole line ends
		if i := bytes.LastIndexByte(b.data[fresh:], '\n'); i >= 0 {
			at = fresh + i + 1
		}
		if errors.Is(err, io.EOF) {
			at = len(b.data)
		}
		switch {
		case at > 0:
			next := c.block()
			next.data = append(next.data, b.data[at:]...)
			b.data = b.data[:at]
			if fault := c.hand(b); fault != nil {
				return fault
			}
			b = next
		case len(b.data) > MaxLine && err == nil:
			b = c.block()
			b.data, err = c.skipLine(b.data[:blockSize])
			if fault := c.hand(&block{tooLong: true}); fault != nil {
				return fault
			}
			c.line++
		}
		if err != nil {
			return ignoreEOF(err)
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// skipLine reads past the next line end and returns what was read behind it.
func (c *cutter) skipLine(data []byte) ([]byte, error) {
	for {
		n, err := c.r.Read(data)
		if i := bytes.IndexByte(data[:n], '\n'); i >= 0 {
			return append(data[:0], data[i+1:n]...), err
		}
		if err != nil {
			return nil, err
		}
	}
}

// payloadOf takes the body out of a line that is a record. Blank lines, and
// the first and last lines of a listener's stream, hold no payload.
func payloadOf(line []byte) ([]byte, bool) {
	if skipSpace(line, 0) == len(line) {
		return nil, false
	}
	switch webhook.KindOf(line) {
	case webhook.KindFrame:
		return nil, false
	case webhook.KindRecord:
		var r webhook.Record
		if err := r.UnmarshalJSON(line); err == nil {
			return r.Request.Body, true
		}
	}
	return line, true
}
