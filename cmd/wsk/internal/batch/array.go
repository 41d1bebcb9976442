package batch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

// isArray reports whether in begins with a JSON array, and reads nothing. No
// event begins with a bracket, so a file of lines never does.
func isArray(in *bufio.Reader) bool {
	for n := 1; n <= in.Size(); n++ {
		head, err := in.Peek(n)
		if err != nil {
			return false
		}
		if b := head[n-1]; !isSpace(b) {
			return b == '['
		}
	}
	return false
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// arrayReader splits a JSON array into its elements.
type arrayReader struct {
	ctx          context.Context //nolint:containedctx // of one call of eachElement
	in           *bufio.Reader
	read         int // bytes
	line, column int // of the byte that was read last
	newline      bool
}

// eachElement calls do for each element of the array that in contains, as a
// line. The error is a [*webhook.SyntaxError] where the array is broken between
// its elements. An element that is not JSON is passed as it is, also one that is
// cut off at the end.
func eachElement(ctx context.Context, in *bufio.Reader, do func(Line) error) error {
	a := &arrayReader{ctx: ctx, in: in, line: 1}
	if _, err := a.nextVisible(); err != nil { // the opening bracket
		return err
	}
	for n := 1; ; n++ {
		b, err := a.nextVisible()
		switch {
		case errors.Is(err, io.EOF):
			return a.broken("the array is cut off here: its closing bracket is missing")
		case err != nil:
			return err
		case b == ']' && n > 1:
			return a.broken("a trailing comma before this bracket")
		case b == ']':
			return a.end()
		case b == ',':
			return a.broken("an element is missing before this comma")
		}
		l, last, err := a.element(n, b)
		if err != nil {
			return err
		}
		if err := do(l); err != nil {
			return err
		}
		switch last {
		case endOfArray:
			return a.end()
		case cutOff:
			return nil
		}
	}
}

// What is behind an element.
type follows int

const (
	nextElement follows = iota
	endOfArray
	cutOff // nothing; the element is not complete
)

// element reads the element that begins with the byte b.
func (a *arrayReader) element(n int, b byte) (l Line, last follows, err error) {
	l = Line{N: n, Row: a.line, Column: a.column, Element: true}
	var raw []byte
	depth, inString, escaped := 0, false, false
	for {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = b == '\\'
			inString = b != '"'
		case b == '"':
			inString = true
		case b == '{' || b == '[':
			depth++
		case depth > 0 && (b == '}' || b == ']'):
			depth--
		case depth == 0 && (b == ',' || b == ']'):
			if b == ']' {
				last = endOfArray
			}
			l.Raw = bytes.TrimRight(raw, " \t\r\n")
			return l, last, nil
		}
		if l.TooLong = l.TooLong || len(raw) == MaxLine; l.TooLong {
			raw = nil
		} else {
			raw = append(raw, b)
		}
		b, err = a.next()
		switch {
		case errors.Is(err, io.EOF) && (depth > 0 || inString):
			l.Raw = raw
			return l, cutOff, nil
		case errors.Is(err, io.EOF):
			return l, 0, a.broken("the array is cut off here: its closing bracket is missing")
		case err != nil:
			return l, 0, err
		}
	}
}

// end makes sure that nothing follows the array.
func (a *arrayReader) end() error {
	_, err := a.nextVisible()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return a.broken("the array ends before this place: a batch is one array, or one event a line")
}

// broken returns an error at the byte that was read last.
func (a *arrayReader) broken(reason string) error {
	return &webhook.SyntaxError{Offset: a.read - 1, Line: a.line, Column: a.column, Reason: reason}
}

// nextVisible reads the next byte that is not white space.
func (a *arrayReader) nextVisible() (byte, error) {
	for {
		if b, err := a.next(); err != nil || !isSpace(b) {
			return b, err
		}
	}
}

// next reads a byte.
func (a *arrayReader) next() (byte, error) {
	if a.read%(64<<10) == 0 && a.ctx.Err() != nil {
		return 0, a.ctx.Err()
	}
	b, err := a.in.ReadByte()
	if err != nil {
		return 0, err
	}
	a.read++
	if a.newline {
		a.line, a.column = a.line+1, 0
	}
	if a.newline = b == '\n'; utf8.RuneStart(b) {
		a.column++
	}
	return b, nil
}
