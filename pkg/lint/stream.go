package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Limits of a stream, in bytes.
const (
	blockSize   = 32 << 10  // what a worker gets at a time, plus the rest of a line
	MaxLine     = 16 << 20  // a longer line is skipped and is a finding
	MaxDocument = 256 << 20 // of a payload on several lines
)

// Stream is one input: a payload, a record, or NDJSON with one of them on each
// line. The first lines decide which: it is NDJSON if the first line is a record,
// or a whole JSON object and more follows, or if the second line is a payload by
// itself. An empty input is an error finding.
type Stream struct {
	Name    string                 // becomes the File of the findings
	Lines   bool                   // it is NDJSON, whatever the first lines are
	Workers int                    // how many payloads are linted at the same time; default: 1
	Emit    func([]report.Finding) // receives the findings in the order of the input; the slice is valid until it returns
	Read    func(n int)            // receives the number of bytes after each read; default: nothing
}

// Run lints r to its end, in memory that does not grow with it. The summary
// counts one file. The error is that of the reader or of ctx; the findings of
// the payloads that were complete before it are emitted. When ctx ends, Run
// returns even if a call of r.Read does not.
func (s Stream) Run(ctx context.Context, l *Linter, r io.Reader) (report.Summary, error) {
	if s.Emit == nil {
		s.Emit = func([]report.Finding) {}
	}
	r = &countingReader{&cancelableReader{ctx: ctx, r: r, done: make(chan readResult, 1)}, s.Read}
	var head []byte
	lines, err := s.Lines, error(nil)
	if !lines {
		head, lines, err = readHead(r)
	}
	if err != nil { // also at the end: a terminal would be asked for more input
		r = failedReader{err}
	}
	r = io.MultiReader(bytes.NewReader(head), r)
	run := s.document
	if lines {
		run = s.lines
	}
	counts, err := run(ctx, l, r)
	counts.Files = 1
	return counts, err
}

// readHead reads until it is clear whether the input is NDJSON.
func readHead(r io.Reader) (head []byte, lines bool, err error) {
	head = make([]byte, 0, blockSize)
	for {
		n, err := r.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		lines, certain := startsLines(head, err != nil || len(head) == cap(head))
		if certain || err != nil {
			return head, lines, err
		}
	}
}

// startsLines reports whether an input that starts with head is NDJSON, and
// whether that is certain. last reports that no more of the input will follow.
func startsLines(head []byte, last bool) (lines, certain bool) {
	head = bytes.TrimLeft(head, " \t\r\n")
	first, rest, ended := bytes.Cut(head, []byte{'\n'})
	if !ended && !last {
		return false, false
	}
	rest = bytes.TrimLeft(rest, " \t\r\n")
	switch {
	case len(first) == 0 || first[0] != '{':
		return false, true
	case payload.KindOf(first) != payload.KindPayload && (!ended || gjson.ValidBytes(first)):
		return true, true
	case !ended:
		return len(head) >= blockSize/2, true // one long line
	case len(rest) == 0:
		return false, last
	case gjson.ValidBytes(first):
		return true, true
	}
	second, _, ended := bytes.Cut(rest, []byte{'\n'})
	if !ended && !last {
		return false, false
	}
	e := envelopeOf(second, envelope{})
	isEvent := e.eventType.exists() || e.event.exists() || payload.KindOf(second) != payload.KindPayload
	return isEvent && gjson.ValidBytes(second), true
}

// payloadOf returns the body of a record, and any other line as it is. Blank
// lines and the first and last lines of a listener's stream have no payload. The
// error is that of a record whose body was truncated.
func payloadOf(line []byte) (body []byte, ok bool, err error) {
	if skipSpace(line, 0) == len(line) {
		return nil, false, nil
	}
	switch payload.KindOf(line) {
	case payload.KindFrame:
		return nil, false, nil
	case payload.KindRecord:
		var r webhook.Record
		if err := r.UnmarshalJSON(line); err == nil {
			return r.Request.Body, true, r.Request.CheckWhole()
		}
	}
	return line, true, nil
}

// document lints one payload, which may span lines.
func (s Stream) document(ctx context.Context, l *Linter, r io.Reader) (report.Summary, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	switch {
	case err != nil:
		return report.Summary{}, err
	case len(raw) > MaxDocument:
		return report.Summary{}, fmt.Errorf("the payload is larger than %d MiB, which no platform accepts", MaxDocument>>20)
	}
	payload, ok, truncated := payloadOf(raw)
	if !ok && len(bytes.TrimSpace(raw)) > 0 {
		return report.Summary{}, nil // the first or last line of a listener's stream
	}
	var findings []report.Finding
	if c := l.NewChecker(); truncated != nil {
		findings = c.notChecked(truncated)
	} else {
		findings = slices.Clone(c.Check(payload).Findings)
	}
	for i := range findings {
		findings[i].File = s.Name
	}
	counts := report.Count(findings)
	counts.Events = 1
	if ctx.Err() == nil && len(findings) > 0 {
		s.Emit(findings)
	}
	return counts, ctx.Err()
}

// lines lints NDJSON: one goroutine cuts it into blocks, the workers lint them,
// and the findings are emitted in the order of the blocks.
func (s Stream) lines(ctx context.Context, l *Linter, r io.Reader) (report.Summary, error) {
	workers := max(s.Workers, 1)
	c := cutter{
		ctx: ctx, r: r, work: make(chan *block), order: make(chan *block, workers), free: make(chan *block, workers),
	}
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			checker := l.NewChecker()
			for b := range c.work {
				s.lint(ctx, checker, b)
				close(b.done)
			}
		})
	}
	var fault error
	wait.Go(func() {
		fault = c.cut()
		close(c.work)
		close(c.order)
	})
	var counts report.Summary
	isEmpty := true
	for b := range c.order {
		<-b.done
		isEmpty = isEmpty && b.isBlank
		counts = counts.Plus(b.counts)
		if ctx.Err() == nil && len(b.findings) > 0 {
			s.Emit(b.findings)
		}
		c.recycle(b)
	}
	wait.Wait()
	if fault == nil {
		fault = ctx.Err()
	}
	if fault == nil && isEmpty {
		return s.document(ctx, l, bytes.NewReader(nil)) // which reports that
	}
	return counts, fault
}

// lint lints each line of a block.
func (s Stream) lint(ctx context.Context, c *Checker, b *block) {
	add := func(n int, findings ...report.Finding) {
		for _, f := range findings {
			f.File, f.Line = s.Name, b.line+n+1
			b.findings = append(b.findings, f)
		}
		b.counts = b.counts.Plus(report.Count(findings))
		b.counts.Events++
	}
	b.isBlank = !b.tooLong
	if b.tooLong {
		add(0, c.tooLong()...)
		return
	}
	data := b.data
	for n := 0; len(data) > 0 && ctx.Err() == nil; n++ {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		if len(line) > MaxLine {
			b.isBlank = false
			add(n, c.tooLong()...)
			continue
		}
		c.open(bytes.TrimSuffix(line, []byte{'\r'}))
		if c.env.root.at == len(c.raw) {
			continue
		}
		b.isBlank = false
		if !c.env.hasType { // it is neither a record nor a line of a listener's stream
			add(n, c.check().Findings...)
			continue
		}
		switch payload, ok, truncated := payloadOf(c.raw); {
		case truncated != nil:
			add(n, c.notChecked(truncated)...)
		case ok:
			add(n, c.Check(payload).Findings...)
		}
	}
}

// notChecked returns the note about a record whose body was truncated, unless its
// rule is off.
func (c *Checker) notChecked(truncated error) []report.Finding {
	if c.linter.severities["length"] == report.Off {
		return nil
	}
	return []report.Finding{{Line: 1, Column: 1, Severity: report.Note, Rule: "length", Message: truncated.Error() + ", so it was not checked"}}
}

// tooLong returns the finding about a line that was skipped, unless its rule is
// off.
func (c *Checker) tooLong() []report.Finding {
	severity := c.linter.severities["length"]
	if severity == report.Off {
		return nil
	}
	message := fmt.Sprintf("the line is longer than %d MiB and was skipped", MaxLine>>20)
	return []report.Finding{{Column: 1, Severity: severity, Rule: "length", Message: message}}
}

// block is some whole lines and what was found in them.
type block struct {
	data    []byte
	line    int  // of the first line, from 0
	tooLong bool // it represents a line that was skipped

	isBlank  bool
	findings []report.Finding
	counts   report.Summary
	done     chan struct{} // closed when the block is linted
}

// cutter reads NDJSON and splits it into blocks that end with a line.
type cutter struct {
	ctx   context.Context
	r     io.Reader
	work  chan *block // for the workers
	order chan *block // for the goroutine that emits
	free  chan *block // for reuse
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

// recycle takes back a block, unless a long line made it large.
func (c *cutter) recycle(b *block) {
	if cap(b.data) != 2*blockSize {
		return
	}
	select {
	case c.free <- &block{data: b.data[:0], findings: b.findings[:0]}:
	default:
	}
}

func (c *cutter) pass(b *block) error {
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

// cut reads to the end. A block is passed on as soon as it has a whole line, so
// that the findings of a pipe do not wait for more input.
func (c *cutter) cut() error {
	b := c.block()
	for {
		fresh := len(b.data)
		if cap(b.data)-fresh < blockSize {
			b.data = append(make([]byte, 0, 2*cap(b.data)), b.data...)
		}
		n, err := c.r.Read(b.data[fresh : fresh+blockSize])
		b.data = b.data[:fresh+n]
		end := 0 // of the last whole line
		if i := bytes.LastIndexByte(b.data[fresh:], '\n'); i >= 0 {
			end = fresh + i + 1
		}
		if errors.Is(err, io.EOF) {
			end = len(b.data)
		}
		switch {
		case end > 0:
			next := c.block()
			next.data = append(next.data, b.data[end:]...)
			b.data = b.data[:end]
			if fault := c.pass(b); fault != nil {
				return fault
			}
			b = next
		case len(b.data) > MaxLine && err == nil:
			b = c.block()
			b.data, err = c.skipLine(b.data[:blockSize])
			if fault := c.pass(&block{tooLong: true}); fault != nil {
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

// skipLine reads past the next end of a line and returns what was read after it.
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

// countingReader calls count, if it is set, with the number of bytes of each read.
type countingReader struct {
	r     io.Reader
	count func(int)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.count != nil {
		c.count(n)
	}
	return n, err
}

// failedReader returns an error that occurred earlier.
type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }

// cancelableReader abandons a Read that blocks when the context ends: a
// terminal or a pipe may never answer.
type cancelableReader struct {
	ctx    context.Context
	r      io.Reader
	buffer []byte // of the Read alone, which may fill it after it was abandoned
	done   chan readResult
}

type readResult struct {
	n   int
	err error
}

func (c *cancelableReader) Read(p []byte) (int, error) {
	switch {
	case c.ctx.Err() != nil:
		return 0, c.ctx.Err()
	case c.ctx.Done() == nil:
		return c.r.Read(p)
	case c.buffer == nil:
		c.buffer = make([]byte, blockSize)
	}
	size := min(len(p), len(c.buffer))
	go func() {
		n, err := c.r.Read(c.buffer[:size])
		c.done <- readResult{n, err}
	}()
	select {
	case got := <-c.done:
		return copy(p, c.buffer[:got.n]), got.err
	case <-c.ctx.Done():
		return 0, c.ctx.Err()
	}
}
