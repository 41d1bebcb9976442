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
)

// MaxLine is the longest line that is taken, in bytes.
const MaxLine = 16 << 20

// ErrChanged says that a file is no longer what it was when it was read.
var ErrChanged = errors.New("it has changed since it was read")

// Line is a line of the file. Raw is good until the next one is read.
type Line struct {
	N       int    // from 1
	Raw     []byte // with its line end; empty when TooLong
	TooLong bool   // it is longer than MaxLine
}

// Text returns the line without its line end.
func (l Line) Text() []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(l.Raw, []byte{'\n'}), []byte{'\r'})
}

// blank reports whether there is nothing on the line.
func (l Line) blank() bool { return !l.TooLong && len(bytes.TrimSpace(l.Raw)) == 0 }

// File is what is known of a file: a few bytes for each line, never the lines.
type File struct {
	Digest string // SHA-256 of its bytes, hex

	entries []entry
}

// entry is a line that holds an event. Sixteen bytes hold a line's place in
// the ledger, so that a million lines take no more room than one long one.
type entry struct {
	sum    [8]byte // of the line's bytes: a file that changes is noticed
	n      uint32
	status uint16
	state  state
}

type state uint8

const (
	pending state = iota
	sending
	accepted
	refused
)

func stateOf(s journal.LineState) state {
	switch s {
	case journal.Sending:
		return sending
	case journal.Accepted:
		return accepted
	case journal.Refused:
		return refused
	}
	return pending
}

func (s state) ledger() journal.LineState {
	switch s {
	case sending:
		return journal.Sending
	case accepted:
		return journal.Accepted
	case refused:
		return journal.Refused
	}
	return journal.Unsent
}

// Read reads a file to its end. Blank lines are passed over; each other line
// is given to take, which reports whether it holds an event. A nil take takes
// them all. The error is that of the reader or of ctx.
func Read(ctx context.Context, r io.Reader, take func(Line) bool) (*File, error) {
	f := &File{}
	whole := sha256.New()
	err := lines(ctx, io.TeeReader(r, whole), func(l Line) error {
		if !l.blank() && (take == nil || take(l)) {
			f.entries = append(f.entries, entry{sum: sumOf(l), n: uint32(l.N)}) //nolint:gosec // nobody has four thousand million lines
		}
		return nil
	})
	f.Digest = hex.EncodeToString(whole.Sum(nil))
	return f, err
}

// Len returns how many lines hold an event.
func (f *File) Len() int { return len(f.entries) }

// again reads the file anew and gives each line that holds an event to do. The
// error is [ErrChanged] when they are not the lines that they were.
func (f *File) again(ctx context.Context, source io.ReadSeeker, do func(*entry, Line) error) error {
	if _, err := source.Seek(0, io.SeekStart); err != nil {
		return err
	}
	next := 0
	err := lines(ctx, source, func(l Line) error {
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
	if err == nil && next < len(f.entries) {
		err = fmt.Errorf("line %d: %w", f.entries[next].n, ErrChanged)
	}
	return err
}

func sumOf(l Line) [8]byte {
	whole := sha256.Sum256(l.Raw)
	return [8]byte(whole[:8])
}

// lines cuts r into lines. One that is too long is given without its bytes.
func lines(ctx context.Context, r io.Reader, do func(Line) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var raw []byte
	for n := 1; ; n++ {
		l := Line{N: n}
		raw = raw[:0]
		var err error
		for more := true; more; {
			var part []byte
			part, err = in.ReadSlice('\n')
			more = errors.Is(err, bufio.ErrBufferFull)
			if l.TooLong = l.TooLong || len(raw)+len(part) > MaxLine+2; !l.TooLong { // and a line end
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
			return nil //nolint:nilerr // the end
		}
	}
}
