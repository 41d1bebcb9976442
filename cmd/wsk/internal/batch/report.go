package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Summary counts the lines of a file by their outcome, over all runs.
type Summary struct {
	Lines    int `json:"lines"`
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`
	Unknown  int `json:"unknown"` // sent, and no answer came
	Pending  int `json:"pending"` // not sent
}

// Answer is a line that was refused, and the status of the response.
type Answer struct {
	Line   int `json:"line"`
	Status int `json:"status"`
}

// Report is the outcome of a file.
type Report struct {
	Summary
	ThisRun struct {
		Accepted int `json:"accepted"`
		Refused  int `json:"refused"`
	} `json:"this_run"`
	UnknownLines []int    `json:"unknown_lines"`
	RefusedLines []Answer `json:"refused_lines"`
}

// Report returns the outcome of the file. before is its summary when this run
// began.
func (f *File) Report(before Summary) Report {
	r := Report{Summary: f.Summary(), UnknownLines: []int{}, RefusedLines: []Answer{}}
	for _, e := range f.entries {
		switch e.state {
		case sending:
			r.UnknownLines = append(r.UnknownLines, int(e.n))
		case refused:
			r.RefusedLines = append(r.RefusedLines, Answer{int(e.n), int(e.status)})
		}
	}
	r.ThisRun.Accepted, r.ThisRun.Refused = r.Accepted-before.Accepted, r.Refused-before.Refused
	return r
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

// WriteRefused writes the refused lines byte for byte as they are in the file,
// in their order: as an array if the file is one, so that it can be sent again.
func (f *File) WriteRefused(ctx context.Context, source io.ReadSeeker, w io.Writer) error {
	left := f.Summary().Refused
	if left == 0 {
		return nil
	}
	errDone := errors.New("all refused lines are written")
	separator := "[\n" // in front of an element
	err := f.eachEvent(ctx, source, func(e *entry, l Line) error {
		if e.state != refused {
			return nil
		}
		before, after := "", ""
		if l.Element {
			if before, separator = separator, ",\n"; left == 1 {
				after = "\n]\n"
			}
		}
		if _, err := fmt.Fprintf(w, "%s%s%s", before, l.Raw, after); err != nil {
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
