package lint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Limits of a stream, in bytes.
const (
	blockSize   = 32 << 10  // what one worker takes at a time, and a line more
	MaxLine     = 16 << 20  // a longer line is a finding, and the next one is linted
	MaxDocument = 256 << 20 // a payload that spans lines
)

// Stream is one input: a payload or a record, or NDJSON with one of them on
// each line. Which of them it is shows in its first lines: the first is a whole
// JSON object and more follows, or the first is a record, or the second is a
// payload by itself. An input without anything in it is an error finding.
type Stream struct {
	Name    string
	Lines   bool                   // it is NDJSON, whatever its first line looks like
	Workers int                    // how many payloads are looked at at once; default: 1
	Emit    func([]report.Finding) // gets the findings in the order of the input; the slice is good until it returns
	Read    func(n int)            // is told how many bytes were read; may be nil
}

// Run lints r to its end in memory that does not grow with it. The error is
// that of the reader, or of ctx; the findings of what was read whole before
// are emitted. When ctx ends Run returns at once, a Read that hangs is left
// behind.
func (s Stream) Run(ctx context.Context, l *Linter, r io.Reader) (report.Summary, error) {
	r = tellingReader{&leavingReader{ctx: ctx, r: r, done: make(chan readResult, 1)}, s.Read}
	var head []byte
	lines, err := s.Lines, error(nil)
	if !lines {
		head, lines, err = readHead(r)
	}
	if err != nil { // the end too: a terminal would be asked for more
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

// readHead reads until it shows whether the input is NDJSON.
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

// startsLines reports whether what begins so is NDJSON, and whether that is
// certain; it is when no more will be known.
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
	case webhook.KindOf(first) != webhook.KindPayload && (!ended || gjson.ValidBytes(first)):
		return true, true
	case !ended:
		return len(head) >= blockSize/2, true // one line without an end in sight
	case len(rest) == 0:
		return false, last
	case gjson.ValidBytes(first):
		return true, true
	}
	second, _, ended := bytes.Cut(rest, []byte{'\n'})
	if !ended && !last {
		return false, false
	}
	e := envelopeOf(second)
	return (e.long.exists() || e.short.exists() || webhook.KindOf(second) != webhook.KindPayload) && gjson.ValidBytes(second), true
}

// document lints one payload that may span lines.
func (s Stream) document(ctx context.Context, l *Linter, r io.Reader) (report.Summary, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	switch {
	case err != nil:
		return report.Summary{}, err
	case len(raw) > MaxDocument:
		return report.Summary{}, fmt.Errorf("a payload of more than %d MiB, which no platform takes", MaxDocument>>20)
	}
	payload, ok := payloadOf(raw)
	if !ok && len(bytes.TrimSpace(raw)) > 0 {
		return report.Summary{}, nil // the first or last line of a listener
	}
	result := l.NewChecker().Payload(payload)
	findings := slices.Clone(result.Findings)
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

// lines lints NDJSON: one goroutine cuts it into blocks, the workers take
// them, and the results are emitted in the order of the blocks.
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
	filled := false
	for b := range c.order {
		<-b.done
		filled = filled || b.filled
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
	if fault == nil && !filled {
		return s.document(ctx, l, bytes.NewReader(nil)) // which says that there is nothing
	}
	return counts, fault
}

// lint looks at each line of a block.
func (s Stream) lint(ctx context.Context, c *Checker, b *block) {
	data := b.data
	for n := 0; (len(data) > 0 || b.tooLong) && ctx.Err() == nil; n++ {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		if b.tooLong || len(line) > MaxLine {
			b.filled = true
			b.fail(s.Name, n, c)
			b.tooLong = false
			continue
		}
		payload, ok := payloadOf(bytes.TrimSuffix(line, []byte{'\r'}))
		b.filled = b.filled || ok || len(bytes.TrimSpace(line)) > 0
		if !ok {
			continue
		}
		result := c.Payload(payload)
		b.counts = b.counts.Plus(report.Count(result.Findings))
		b.counts.Events++
		for _, f := range result.Findings {
			f.File, f.Line = s.Name, b.line+n+1
			b.findings = append(b.findings, f)
		}
	}
}
