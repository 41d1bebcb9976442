package batch

import (
	"context"
	"errors"
	"io"

	"github.com/wskdev/wsk/pkg/journal"
)

// Summary counts the lines of a file by what became of them, in all runs.
type Summary struct {
	Lines, Accepted, Refused, Unknown, Pending int
}

// Answer is a line that was refused, and how.
type Answer struct {
	Line   int `json:"line"`
	Status int `json:"status"`
}

// Load takes over what the ledger has.
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
			e.state, e.status = stateOf(l.State), uint16(l.Status) //nolint:gosec // an HTTP status has three digits
		}
	}
	return nil
}

// Summary counts the lines.
func (f *File) Summary() Summary {
	s := Summary{Lines: len(f.entries)}
	for _, e := range f.entries {
		switch e.state {
		case accepted:
			s.Accepted++
		case refused:
			s.Refused++
		case sending:
			s.Unknown++
		default:
			s.Pending++
		}
	}
	return s
}

// Unknown lists the lines whose outcome is not known.
func (f *File) Unknown() []int {
	list := []int{}
	for _, e := range f.entries {
		if e.state == sending {
			list = append(list, int(e.n))
		}
	}
	return list
}

// Refused lists the lines that were refused.
func (f *File) Refused() []Answer {
	list := []Answer{}
	for _, e := range f.entries {
		if e.state == refused {
			list = append(list, Answer{int(e.n), int(e.status)})
		}
	}
	return list
}

// WriteRefused writes the refused lines as they stand in the file, byte for
// byte, in their order.
func (f *File) WriteRefused(ctx context.Context, source io.ReadSeeker, w io.Writer) error {
	left := 0
	for _, e := range f.entries {
		if e.state == refused {
			left++
		}
	}
	if left == 0 {
		return nil
	}
	errDone := errors.New("all are written")
	err := f.again(ctx, source, func(e *entry, l Line) error {
		if e.state != refused {
			return nil
		}
		if _, err := w.Write(l.Raw); err != nil {
			return err
		}
		if left--; left == 0 {
			return errDone
		}
		return nil
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}
