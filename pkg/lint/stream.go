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

	"github.com/wskdev/wsk/pkg/webhook"
)

// Limits of a stream, in bytes.
const (
	blockSize   = 256 << 10 // what one worker takes at a time, and a line more
	MaxLine     = 16 << 20  // a longer line is a finding, and the next one is linted
	MaxDocument = 256 << 20 // a payload that spans lines
)

// Counts are what a run has seen.
type Counts struct {
	Events, Errors, Warnings, Notes int
}

func (c *Counts) add(r Result) {
	for _, f := range r.Findings {
		switch f.Severity {
		case Error:
			c.Errors++
		case Warning:
			c.Warnings++
		default:
			c.Notes++
		}
	}
}

// Plus adds other's counts.
func (c Counts) Plus(other Counts) Counts {
	return Counts{c.Events + other.Events, c.Errors + other.Errors, c.Warnings + other.Warnings, c.Notes + other.Notes}
}

// Stream is one input: a payload, or NDJSON with a payload or a record on each
// line. Which of them it is shows in its first line: that is a whole JSON
// object, and more follows, or it is not.
type Stream struct {
	Name    string
	Lines   bool            // it is NDJSON, whatever its first line looks like
	Workers int             // how many payloads are looked at at once; default: 1
	Emit    func([]Finding) // gets the findings in the order of the input
	Read    func(n int)     // is told how many bytes were read; may be nil
}

// Run lints r to its end in memory that does not grow with it. The error is
// that of the reader, or of ctx.
func (s Stream) Run(ctx context.Context, l *Linter, r io.Reader) (Counts, error) {
	head := make([]byte, blockSize)
	n, err := io.ReadFull(r, head)
	head = head[:n]
	s.told(n)
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !whole {
		return Counts{}, err
	}
	if !s.Lines && !startsLines(head, whole) {
		return s.document(ctx, l, head, r)
	}
	return s.lines(ctx, l, io.MultiReader(bytes.NewReader(head), tellingReader{r, s.told}))
}

func (s Stream) told(n int) {
	if s.Read != nil {
		s.Read(n)
	}
}

type tellingReader struct {
	r    io.Reader
	tell func(int)
}

func (t tellingReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.tell(n)
	return n, err
}

// startsLines reports whether what begins so is NDJSON.
func startsLines(head []byte, whole bool) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	first, rest, found := bytes.Cut(head, []byte{'\n'})
	if !found {
		return !whole && len(first) > 0 && first[0] == '{' // one line without an end in sight
	}
	return len(bytes.TrimSpace(rest)) > 0 && gjson.ValidBytes(first) && first[0] == '{'
}

// document lints one payload that may span lines.
func (s Stream) document(ctx context.Context, l *Linter, head []byte, r io.Reader) (Counts, error) {
	rest, err := io.ReadAll(io.LimitReader(tellingReader{r, s.told}, MaxDocument+1))
	switch {
	case err != nil:
		return Counts{}, err
	case ctx.Err() != nil:
		return Counts{}, ctx.Err()
	case len(rest) > MaxDocument:
		return Counts{}, fmt.Errorf("a payload of more than %d MiB, which no platform takes", MaxDocument>>20)
	}
	result := l.NewChecker().Payload(append(head, rest...))
	findings := slices.Clone(result.Findings)
	for i := range findings {
		findings[i].File = s.Name
	}
	s.Emit(findings)
	counts := Counts{Events: 1}
	counts.add(result)
	return counts, nil
}

// block is some whole lines, and what was found in them.
type block struct {
	data     []byte
	line     int // of the first one, from 0
	tooLong  bool
	findings []Finding
	counts   Counts
	done     chan struct{}
}

// lines lints NDJSON: one goroutine cuts it into blocks, the workers take
// them, and the results are emitted in the order of the blocks.
func (s Stream) lines(ctx context.Context, l *Linter, r io.Reader) (Counts, error) {
	workers := max(s.Workers, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work, order := make(chan *block), make(chan *block, 2*workers)
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			checker := l.NewChecker()
			for b := range work {
				s.lint(checker, b)
				close(b.done)
			}
		})
	}
	var fault error
	wait.Go(func() {
		fault = cut(ctx, r, work, order)
		close(work)
		close(order)
	})
	var counts Counts
	for b := range order {
		<-b.done
		counts = counts.Plus(b.counts)
		if ctx.Err() == nil {
			s.Emit(b.findings)
		}
	}
	wait.Wait()
	return counts, fault
}

// cut reads r and hands it out in blocks that end at a line's end.
func cut(ctx context.Context, r io.Reader, work, order chan<- *block) error {
	var rest []byte
	line := 0
	hand := func(b *block) error {
		b.line, b.done = line, make(chan struct{})
		line += bytes.Count(b.data, []byte{'\n'})
		for _, c := range []chan<- *block{order, work} {
			select {
			case c <- b:
			case <-ctx.Done():
				close(b.done)
				return ctx.Err()
			}
		}
		return nil
	}
	for {
		data := slices.Grow(rest, blockSize)
		n, err := io.ReadFull(r, data[len(rest):len(rest)+blockSize])
		data = data[:len(rest)+n]
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return err
		}
		at := bytes.LastIndexByte(data, '\n') + 1
		if ended {
			at = len(data)
		}
		switch {
		case at > 0:
			if err := hand(&block{data: data[:at:at]}); err != nil || ended {
				return err
			}
			rest = append(make([]byte, 0, len(data)-at+blockSize), data[at:]...)
		case ended:
			return nil
		case len(data) > MaxLine:
			tail, err := skipLine(r)
			if fault := hand(&block{tooLong: true}); fault != nil || err != nil {
				return errors.Join(fault, ignoreEOF(err))
			}
			line++
			rest = tail
		default:
			rest = data
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
func skipLine(r io.Reader) ([]byte, error) {
	buffer := make([]byte, blockSize)
	for {
		n, err := r.Read(buffer)
		if i := bytes.IndexByte(buffer[:n], '\n'); i >= 0 {
			return bytes.Clone(buffer[i+1 : n]), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// lint looks at each line of a block.
func (s Stream) lint(c *Checker, b *block) {
	if b.tooLong {
		b.counts = Counts{Events: 1, Errors: 1}
		b.findings = []Finding{{
			File: s.Name, Line: b.line + 1, Column: 1, Severity: Error, Rule: "length",
			Message: fmt.Sprintf("the line is longer than %d MiB, and was passed over", MaxLine>>20),
		}}
		return
	}
	for n, data := 0, b.data; len(data) > 0; n++ {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		payload, ok := payloadOf(bytes.TrimSuffix(line, []byte{'\r'}))
		if !ok {
			continue
		}
		result := c.Payload(payload)
		b.counts.Events++
		b.counts.add(result)
		for _, f := range result.Findings {
			f.File, f.Line = s.Name, b.line+n+1
			b.findings = append(b.findings, f)
		}
	}
}

// payloadOf takes the body out of a line that is a record. Blank lines, and
// the first and last lines of a listener's stream, hold no payload.
func payloadOf(line []byte) ([]byte, bool) {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil, false
	}
	if !bytes.HasPrefix(line, []byte(`{"type":"`)) {
		return line, true
	}
	switch gjson.GetBytes(line, "type").Str {
	case "ready", "summary":
		return nil, false
	case "record":
		var r webhook.Record
		if err := r.UnmarshalJSON(line); err == nil {
			return r.Request.Body, true
		}
	}
	return line, true
}
