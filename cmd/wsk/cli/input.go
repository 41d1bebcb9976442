package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxInput bounds what is read into memory from a file or stdin, in bytes.
const maxInput = 256 << 20

// path takes a relative path from the working folder.
func (e *Env) path(name string) string {
	if filepath.IsAbs(name) || e.Dir == "" {
		return name
	}
	return filepath.Join(e.Dir, name)
}

// open opens a file for reading.
func (e *Env) open(name string) (*os.File, error) {
	file, err := os.Open(e.path(name))
	if err != nil {
		return nil, readingError(name, err)
	}
	return file, nil
}

// readingError names the file as it was typed, once.
func readingError(name string, err error) error {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		err = fault.Err
	}
	return fmt.Errorf("reading %s: %w", name, err)
}

// read returns the bytes of a file, or of stdin for "-". Nothing is changed in
// them.
func (e *Env) read(ctx context.Context, name string) ([]byte, error) {
	if name == "-" {
		if e.InTTY {
			fmt.Fprintln(e.Err, "reading from the terminal; Ctrl-D ends the input")
		}
		return readAll(ctx, e.In, "stdin")
	}
	file, err := e.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return readAll(ctx, file, name)
}

// readAll reads up to the limit and gives up when ctx ends: a terminal or a
// pipe may never answer.
func readAll(ctx context.Context, r io.Reader, name string) ([]byte, error) {
	type result struct {
		raw []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		raw, err := io.ReadAll(io.LimitReader(r, maxInput+1))
		done <- result{raw, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-done:
		switch {
		case got.err != nil:
			return nil, readingError(name, got.err)
		case len(got.raw) > maxInput:
			return nil, fmt.Errorf("reading %s: it is larger than 256 MiB, which no platform takes", name)
		}
		return got.raw, nil
	}
}
