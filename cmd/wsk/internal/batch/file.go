package batch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// MaxLine is the longest line that is accepted, in bytes.
const MaxLine = 16 << 20

// ErrChanged is the error for a file that differs from what it was when it was
// first read.
var ErrChanged = errors.New("the file has changed since it was read")

// Line is a line of the file, or an element of the JSON array that the file
// contains. Raw is valid until the next line is read.
type Line struct {
	N       int    // from 1
	Raw     []byte // of a line with its line end; empty when TooLong
	TooLong bool   // the line is longer than MaxLine
	Element bool   // it is an element

	Row, Column int // where it begins in the file, from 1
}

// Text returns the line without its line end.
func (l Line) Text() []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(l.Raw, []byte{'\n'}), []byte{'\r'})
}

// blank reports whether the line contains nothing but white space.
func (l Line) blank() bool { return !l.TooLong && len(bytes.TrimSpace(l.Raw)) == 0 }

// File is what is kept of a file in memory: a few bytes for each line, never
// the lines themselves.
type File struct {
	Digest string // SHA-256 of its bytes, hex

	entries []entry
	isArray bool
}

// entry is a line that contains an event. It has sixteen bytes, so that the
// entries of a million lines take no more memory than one long line.
type entry struct {
	sum    [8]byte // beginning of the SHA-256 of the line, which shows whether the file has changed
	n      uint32  // number of the line
	status uint16  // status of the last response
	state  state
}

type state uint8

const (
	pending state = iota
	sending
	accepted
	refused
)

// The states as the ledger has them. What is not in stateOf is pending.
var (
	ledgerStates = [...]journal.LineState{pending: journal.Unsent, sending: journal.Sending, accepted: journal.Accepted, refused: journal.Refused}
	stateOf      = map[journal.LineState]state{journal.Sending: sending, journal.Accepted: accepted, journal.Refused: refused}
)

func (s state) ledger() journal.LineState { return ledgerStates[s] }

// Read reads a file to its end. It skips blank lines and calls isEvent for each
// other line; a nil isEvent takes all of them for events. The error is that of
// the reader or of ctx, or a [*webhook.SyntaxError] if the file is an array that
// is broken between its elements.
func Read(ctx context.Context, r io.Reader, isEvent func(Line) bool) (*File, error) {
	f := &File{}
	whole := sha256.New()
	err := eachLine(ctx, io.TeeReader(r, whole), func(l Line) error {
		f.isArray = l.Element
		if !l.blank() && (isEvent == nil || isEvent(l)) {
			f.entries = append(f.entries, entry{sum: sumOf(l), n: uint32(l.N)}) //nolint:gosec // no file has four thousand million lines
		}
		return nil
	})
	f.Digest = hex.EncodeToString(whole.Sum(nil))
	return f, err
}

// IsArray reports whether the file is a JSON array, whose elements are its lines.
func (f *File) IsArray() bool { return f.isArray }

// Len returns how many lines contain an event.
func (f *File) Len() int { return len(f.entries) }

// eachEvent reads the file again and calls do for each line that contains an
// event. The error is [ErrChanged] when the lines differ from those that were
// read before.
func (f *File) eachEvent(ctx context.Context, source io.ReadSeeker, do func(*entry, Line) error) error {
	if _, err := source.Seek(0, io.SeekStart); err != nil {
		return err
	}
	next := 0
	err := eachLine(ctx, source, func(l Line) error {
		if next == len(f.entries) || uint32(l.N) != f.entries[next].n { //nolint:gosec // as above
			return nil
		}
		e := &f.entries[next]
		next++
		if sumOf(l) != e.sum {
			return fmt.Errorf("line %d: %w", l.N, ErrChanged)
		}
		return do(e, l)
	})
	if broken := new(webhook.SyntaxError); errors.As(err, &broken) || err == nil && next < len(f.entries) {
		err = fmt.Errorf("line %d: %w", f.entries[min(next, len(f.entries)-1)].n, ErrChanged)
	}
	return err
}

func sumOf(l Line) [8]byte {
	whole := sha256.Sum256(l.Raw)
	return [8]byte(whole[:8])
}

// eachLine calls do for each line of r, or for each element if r contains a JSON
// array. A line that is too long is passed without its bytes.
func eachLine(ctx context.Context, r io.Reader, do func(Line) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	if isArray(in) {
		return eachElement(ctx, in, do)
	}
	var raw []byte
	for n := 1; ; n++ {
		l := Line{N: n, Row: n, Column: 1}
		raw = raw[:0]
		var err error
		for more := true; more; {
			var part []byte
			part, err = in.ReadSlice('\n')
			more = errors.Is(err, bufio.ErrBufferFull)
			if l.TooLong = l.TooLong || len(raw)+len(part) > MaxLine+2; !l.TooLong { // 2 for the line end
				raw = append(raw, part...)
			}
			if more && ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if l.Raw = raw; l.TooLong || len(l.Text()) > MaxLine {
			l.Raw, l.TooLong = nil, true
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(l.Raw) > 0 || l.TooLong {
			if fault := do(l); fault != nil {
				return fault
			}
		}
		if err != nil {
			return nil //nolint:nilerr // io.EOF
		}
	}
}

// Load takes over the states of the lines from the ledger.
func (f *File) Load(ctx context.Context, ledger *journal.Batch) error {
	next := 0
	for l, err := range ledger.States(ctx) {
		if err != nil {
			return err
		}
		for next < len(f.entries) && int(f.entries[next].n) < l.N {
			next++
		}
		if next == len(f.entries) {
			break
		}
		if e := &f.entries[next]; int(e.n) == l.N {
			e.state, e.status = stateOf[l.State], uint16(l.Status) //nolint:gosec // an HTTP status has three digits
		}
	}
	return nil
}
