package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// WriteFile writes a result to stdout for "-", else to a file with mode 0600. The
// file appears when it is complete: it is written under another name first.
func WriteFile(env *Env, name string, write func(io.Writer) error) error {
	if name == "-" {
		w := bufio.NewWriterSize(env.Out, 64<<10)
		return errors.Join(write(w), w.Flush())
	}
	if info, err := os.Stat(env.Path(name)); err == nil && info.IsDir() {
		return fmt.Errorf("writing %s: it is a folder: name a file in it", name)
	}
	var fault error
	err := ReplaceFile(env.Path(name), ownerOnly, func(w io.Writer) error {
		fault = write(w)
		return fault
	})
	if err == nil || fault != nil {
		return fault
	}
	return WritingError(name, err)
}

const ownerOnly fs.FileMode = 0o600

// ReplaceFile writes a file completely or not at all, whether it exists or not: it is
// written under another name first. The file has the given mode.
func ReplaceFile(path string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".wsk-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if mode != ownerOnly { // not every file system can change a mode
		err = file.Chmod(mode)
	}
	w := bufio.NewWriterSize(file, 64<<10)
	if err == nil {
		err = write(w)
	}
	if err = errors.Join(err, w.Flush(), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// Palette decides on colour for stdout or stderr: by --color, else by NO_COLOR and
// CLICOLOR_FORCE, else by whether the stream is a terminal.
func Palette(env *Env, cfg *config.Config, terminal bool) (ui.Palette, error) {
	switch choice := cfg.Color.Text; choice {
	case "on":
		return ui.Palette{Color: true}, nil
	case "off":
		return ui.Palette{}, nil
	case "auto":
	default:
		return ui.Palette{}, webhook.Unknown("color mode", choice, []string{"auto", "on", "off"})
	}
	if env.Getenv("NO_COLOR") != "" {
		return ui.Palette{}, nil
	}
	if force := env.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return ui.Palette{Color: true}, nil
	}
	return ui.Palette{Color: terminal && env.Getenv("TERM") != "dumb"}, nil
}

// WriteJSON writes v as one line of JSON. Control and format characters are
// escaped, so that the line is safe to show on a terminal.
func WriteJSON(w io.Writer, v any) error {
	return webhook.NewEncoder(w).EncodeLine(v)
}

// WriteList writes a list: in format json one object that has it under its name, in
// ndjson one item a line.
func WriteList[T any](w io.Writer, format, name string, items []T) error {
	if format != "ndjson" {
		return WriteJSON(w, map[string][]T{name: append([]T{}, items...)}) // an empty list is not null
	}
	for _, item := range items {
		if err := WriteJSON(w, item); err != nil {
			return err
		}
	}
	return nil
}

// RecordWriter writes records as they come: in format json as the list "records" of
// one document, in ndjson one a line.
type RecordWriter struct {
	out      io.Writer
	document bool
	before   any
	begun    bool
	closed   bool
	err      error // of writing
}

// NewRecordWriter returns a RecordWriter for format json or ndjson.
func NewRecordWriter(out io.Writer, format string) *RecordWriter {
	return &RecordWriter{out: out, document: format == "json"}
}

// Before sets an object whose members the document has before the list.
func (w *RecordWriter) Before(members any) { w.before = members }

// Write writes one record.
func (w *RecordWriter) Write(r webhook.Record) error {
	if err := w.begin(","); err != nil {
		return err
	}
	return w.wrote(webhook.NewEncoder(w.out).Encode(r))
}

// WriteShort writes what is shown in place of a record.
func (w *RecordWriter) WriteShort(item any) error {
	if err := w.begin(","); err != nil {
		return err
	}
	return w.wrote(WriteJSON(w.out, item))
}

// begin writes what is before a record: the beginning of the document, or what
// separates it from the last one.
func (w *RecordWriter) begin(separator string) error {
	switch {
	case w.err != nil:
		return w.err
	case !w.document:
		return nil
	case !w.begun:
		before, err := members(w.before)
		if err != nil {
			return err
		}
		if before != "" {
			before += ","
		}
		w.begun, separator = true, "{"+before+`"records":[`
	}
	_, err := io.WriteString(w.out, separator)
	return w.wrote(err)
}

func (w *RecordWriter) wrote(err error) error {
	w.err = err
	return err
}

// Close ends the document. Its other members are those of the object more, if it is
// not nil.
func (w *RecordWriter) Close(more any) error {
	if !w.document || w.closed {
		return nil
	}
	w.closed = true
	if !w.begun {
		if err := w.begin(""); err != nil {
			return err
		}
	}
	after, err := members(more)
	if after != "" {
		after = "," + after
	}
	if err == nil && w.err == nil {
		_, w.err = io.WriteString(w.out, "]"+after+"}\n")
	}
	return errors.Join(err, w.err)
}

// members returns the members of an object as they are written in JSON, or "" for nil.
func members(object any) (string, error) {
	if object == nil {
		return "", nil
	}
	var b strings.Builder
	err := WriteJSON(&b, object)
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), "{"), "}\n"), err
}

// End ends the document after all of its records, or after those before err, and
// returns err. The document is valid JSON in either case, and after an error it has
// its text as the member "error". Nothing is written if err came before the first
// record.
func (w *RecordWriter) End(err error) error {
	switch {
	case err == nil:
		return w.Close(nil)
	case !w.begun || w.err != nil:
		return err
	}
	return errors.Join(err, w.Close(struct {
		Error string `json:"error"`
	}{Message(err)}))
}

// CheckedWriter remembers the first error of its writer, so that a full disk
// behind stdout is not taken for success.
type CheckedWriter struct {
	w io.Writer

	mu  sync.Mutex
	err error
}

// NewCheckedWriter returns a CheckedWriter that writes to w.
func NewCheckedWriter(w io.Writer) *CheckedWriter { return &CheckedWriter{w: w} }

// Write writes b, or returns the first error again.
func (c *CheckedWriter) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.err = err
	return n, err
}

// Err returns the first error. It does not wait for a write that is blocked,
// which has no error yet.
func (c *CheckedWriter) Err() error {
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	return c.err
}

// WritingError returns err with the name of the file as it was typed, in place of
// the path that the system saw.
func WritingError(name string, err error) error {
	return fmt.Errorf("writing %s: %w", name, config.Cause(err))
}
