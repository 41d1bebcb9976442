package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

// ErrNoBody is the error for a record without the body of its request: it was
// refused before it was read, or was empty.
var ErrNoBody = errors.New("the record has no body, so there is nothing to send again")

// Item is one thing to send again.
type Item struct {
	Source string          // where it is from: a file, a file and a line, "journal"
	Event  webhook.Event   // Raw is the body
	Record *webhook.Record // what was recorded; nil for a payload
}

// FromRecord returns the item of a record.
func FromRecord(source string, r webhook.Record) Item {
	return Item{
		Source: source, Record: &r,
		Event: webhook.Event{Platform: r.Platform, Form: r.Form, Type: r.Event, Raw: r.Request.Body},
	}
}

// Name is what people know the item by: the record's id, else its source.
func (i Item) Name() string {
	if i.Record != nil && i.Record.ID != "" {
		return i.Record.ID
	}
	return i.Source
}

// Check returns an error for a record that cannot be sent again: [ErrNoBody], a
// [*webhook.TruncatedError], or that its method is not POST.
func (i Item) Check() error {
	switch {
	case i.Record == nil:
		return nil
	case i.Record.Request.Truncated:
		return i.Record.Request.CheckWhole()
	case len(i.Record.Request.Body) == 0:
		return ErrNoBody
	case i.Record.Request.Method != "" && i.Record.Request.Method != http.MethodPost:
		return fmt.Errorf("its method is %.20q, and a delivery is a POST", i.Record.Request.Method)
	}
	return nil
}

// Refused returns the reason for which a receiver refused the recorded request
// before or while it verified it, or as the replay of another; "" if it did not.
// A new signature would make genuine what is not.
func (i Item) Refused() string {
	r := i.Record
	switch {
	case r == nil || r.Direction != webhook.Received || r.Verdict == nil:
		return ""
	case r.Verdict.Outcome == webhook.ReplaySuspect:
		return string(r.Verdict.Outcome)
	case r.RefusedUnverified():
		return r.Verdict.Reason
	}
	return ""
}

// origin returns the id of the record that was first replayed, or "".
func (i Item) origin() string {
	switch {
	case i.Record == nil:
		return ""
	case i.Record.ReplayOf != "":
		return i.Record.ReplayOf
	}
	return i.Record.ID
}

// Before returns the recorded status, 0 where there was no answer. known is
// false where the record says neither. The answer of an app behind a receiver
// counts more than that of the receiver.
func (i Item) Before() (status int, known bool) {
	r := i.Record
	switch {
	case r == nil:
		return 0, false
	case r.Forward != nil:
		return r.Forward.Status, true
	case i.isForwardFailed(): // the response does not tell what became of it
		return 0, true
	case r.Verdict != nil && r.Verdict.Outcome == webhook.Pending:
		return 0, false
	case r.Response != nil:
		return r.Response.Status, true
	}
	return 0, r.Verdict != nil
}

// isForwardFailed reports whether a receiver gave up forwarding the recorded request.
func (i Item) isForwardFailed() bool {
	r := i.Record
	return r != nil && r.Verdict != nil && r.Verdict.Outcome == webhook.ForwardFailed
}

// Edit replaces the body. A body that was JSON has to remain JSON.
func (i *Item) Edit(raw []byte) error {
	if bytes.Equal(raw, i.Event.Raw) {
		return nil
	}
	if webhook.CheckJSON(i.Event.Raw) == nil {
		if err := webhook.CheckJSON(raw); err != nil {
			return fmt.Errorf("the payload is no longer JSON: %w", err)
		}
	}
	if event, err := webhook.ParseEvent(raw); err == nil {
		i.Event = event
	} else {
		i.Event.Raw = raw
	}
	return nil
}

// Matches reports whether a filter of the journal picks the item by time,
// event, status and direction. A payload has no time, status or direction, so
// a filter that asks for one of them does not pick it.
func (i Item) Matches(f journal.Filter) bool {
	if len(f.Events) > 0 && !slices.ContainsFunc(f.Events, func(glob string) bool {
		ok, err := path.Match(glob, i.Event.Type)
		return ok && err == nil
	}) {
		return false
	}
	r := i.Record
	if r == nil {
		return f.Since.IsZero() && f.Until.IsZero() && f.Status == nil && f.Direction == ""
	}
	return !r.Time.Before(f.Since) && (f.Until.IsZero() || r.Time.Before(f.Until)) &&
		(f.Direction == "" || r.Direction == f.Direction) &&
		(len(f.Status) == 0 || slices.ContainsFunc(f.Status, func(status string) bool { return journal.HasStatus(r, status) }))
}

// FromJournal returns the last record of each delivery that the filter picks,
// also those of which only the beginning of the body was kept. It calls skipped
// for any other record that cannot be sent again.
func FromJournal(ctx context.Context, j *journal.Journal, f journal.Filter, skipped func(id string, why error)) ([]Item, error) {
	f.Deliveries = true
	var items []Item
	for record, err := range j.Records(ctx, f) {
		if err != nil {
			return nil, err
		}
		item := FromRecord("journal", record)
		if err := item.Check(); err != nil && !record.Request.Truncated {
			skipped(record.ID, err)
			continue
		}
		items = append(items, item)
	}
	return items, nil
}

// ReadFolder reads the .json, .ndjson and .jsonl files in a folder and below,
// but not in folders whose name begins with a dot. A link that leads out of the
// folder is an error. dir is the folder's name for people; read returns the
// bytes of a file whose name for people is given.
func ReadFolder(dir string, root *os.Root, read func(file io.Reader, name string) ([]byte, error)) ([]Item, error) {
	var items []Item
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		shown := filepath.Join(dir, name)
		switch {
		case err != nil:
			return readingError(shown, err)
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != ".":
			return fs.SkipDir
		}
		wanted, err := isFixture(root, name, entry)
		if err != nil {
			return fmt.Errorf("%w: it is a link, and has to lead to a file within %s", readingError(shown, err), dir)
		}
		if !wanted {
			return nil
		}
		file, err := root.Open(name)
		if err != nil {
			return readingError(shown, err)
		}
		defer func() { _ = file.Close() }()
		raw, err := read(file, shown)
		if err != nil {
			return err
		}
		found, err := Read(shown, raw)
		items = append(items, found...)
		return err
	})
	if err == nil && len(items) == 0 {
		err = fmt.Errorf("there is no .json, .ndjson or .jsonl file in %s", dir)
	}
	return items, err
}

// isFixture reports whether an entry of a folder is a file to read, by its
// name. A link has to lead to a file within the folder.
func isFixture(root *os.Root, name string, entry fs.DirEntry) (bool, error) {
	wanted := slices.Contains([]string{".json", ".ndjson", ".jsonl"}, filepath.Ext(name))
	if entry.Type()&fs.ModeSymlink == 0 {
		return wanted && entry.Type().IsRegular(), nil
	}
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !wanted:
		return false, nil
	case err != nil:
		return false, err
	}
	return wanted && info.Mode().IsRegular(), nil
}

// readingError names the file once, as people know it.
func readingError(name string, err error) error {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		err = fault.Err
	}
	return fmt.Errorf("reading %s: %w", name, err)
}

// Read returns the items of a file: one payload, whose bytes are kept as they
// are, or one record, or NDJSON with a payload or a record on each line. The
// lines that begin and end the stream of a listener are skipped. An error names
// the source, the line, and what is wrong.
//
// Items share raw's memory.
func Read(source string, raw []byte) ([]Item, error) {
	fault := webhook.CheckJSON(raw)
	if fault == nil {
		item, found, err := readOne(source, raw)
		if err == nil && !found {
			err = errNothing
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", source, err)
		}
		return []Item{item}, nil
	}
	first, rest, _ := bytes.Cut(bytes.TrimLeft(raw, " \t\r\n"), []byte("\n"))
	if webhook.CheckJSON(first) != nil || len(bytes.TrimSpace(rest)) == 0 {
		return nil, fmt.Errorf("reading %s: %w", source, fault)
	}
	return readLines(source, raw)
}

var errNothing = errors.New("there is no payload and no record in it")

// readLines reads NDJSON.
func readLines(source string, raw []byte) ([]Item, error) {
	var items []Item
	number := 0
	for line := range bytes.Lines(raw) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		at := fmt.Sprintf("%s:%d", source, number)
		if err := webhook.CheckJSON(line); err != nil {
			return nil, fmt.Errorf("reading %s: %w", at, withoutLine(err))
		}
		item, found, err := readOne(at, line)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", at, withoutLine(err))
		}
		if found {
			items = append(items, item)
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("reading %s: %w", source, errNothing)
	}
	return items, nil
}

// withoutLine removes "line 1, " from an error that is reported with the
// number of the line in the file.
func withoutLine(err error) error {
	var syntax *webhook.SyntaxError
	var shape *webhook.EnvelopeError
	if errors.As(err, &syntax) || errors.As(err, &shape) {
		return errors.New(strings.TrimPrefix(err.Error(), "line 1, "))
	}
	return err
}

// readOne returns the item of one valid JSON text. found is false for a line
// that begins or ends the stream of a listener.
func readOne(source string, raw []byte) (item Item, found bool, err error) {
	switch payload.KindOf(raw) {
	case payload.KindRecord:
		var r webhook.Record
		if err := r.UnmarshalJSON(raw); err != nil {
			return Item{}, false, fmt.Errorf("reading the record: %w", err)
		}
		return FromRecord(source, r), true, nil
	case payload.KindFrame:
		return Item{}, false, nil
	}
	event, err := webhook.ParseEvent(raw)
	return Item{Source: source, Event: event}, err == nil, err
}
