package report

import (
	"fmt"
	"io"
)

// output is where a report goes. It remembers the first error, so that nothing
// follows a gap.
type output struct {
	w   io.Writer
	err error
	buf []byte // used again for each piece
}

// write sends one piece, which may have been built in o.buf.
func (o *output) write(piece []byte) error {
	o.buf = piece[:0]
	if o.err != nil || len(piece) == 0 {
		return o.err
	}
	n, err := o.w.Write(piece)
	if err == nil && n < len(piece) {
		err = io.ErrShortWrite
	}
	if err != nil {
		o.err = fmt.Errorf("writing the report: %w", err)
	}
	return o.err
}
