package replay

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Read takes a file apart: one payload, whose bytes are kept as they are, or
// one record, or NDJSON with a payload or a record on each line. The lines
// that begin and end a listener's stream are passed over. An error names the
// source, the line, and what is wrong.
//
// Items share raw's memory.
func Read(source string, raw []byte) ([]Item, error) {
	fault := webhook.CheckJSON(raw)
	if fault == nil {
		item, found, err := one(source, raw)
		if err == nil && !found {
			err = errors.New("there is no payload and no record in it")
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
	return lines(source, raw)
}

// lines reads NDJSON.
func lines(source string, raw []byte) ([]Item, error) {
	var items []Item
	for number, rest := 1, raw; len(rest) > 0; number++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		at := fmt.Sprintf("%s:%d", source, number)
		if err := webhook.CheckJSON(line); err != nil {
			return nil, fmt.Errorf("reading %s: %w", at, inLine(err))
		}
		item, found, err := one(at, line)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", at, inLine(err))
		}
		if found {
			items = append(items, item)
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("reading %s: there is no payload and no record in it", source)
	}
	return items, nil
}

// inLine leaves out the "line 1, " of an error in a line whose number is said.
func inLine(err error) error {
	var syntax *webhook.SyntaxError
	var shape *webhook.EnvelopeError
	if errors.As(err, &syntax) || errors.As(err, &shape) {
		return errors.New(strings.TrimPrefix(err.Error(), "line 1, "))
	}
	return err
}

// one makes an item of one JSON text that was checked.
func one(source string, raw []byte) (item Item, found bool, err error) {
	kind, request := gjson.GetBytes(raw, "type").String(), gjson.GetBytes(raw, "request")
	event := gjson.GetBytes(raw, "event_type").Exists() || gjson.GetBytes(raw, "event").Exists()
	switch {
	case kind == "record" && request.IsObject():
		var r webhook.Record
		if err := r.UnmarshalJSON(raw); err != nil {
			return Item{}, false, fmt.Errorf("this record cannot be read: %w", err)
		}
		return FromRecord(source, r), true, nil
	case !event && (kind == "ready" || kind == "summary"):
		return Item{}, false, nil
	}
	parsed, err := webhook.ParseEvent(raw)
	return Item{Source: source, Event: parsed}, err == nil, err
}
