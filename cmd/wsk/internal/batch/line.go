package batch

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Linter makes events of lines, and finds what is wrong with them.
type Linter struct {
	// Wrap puts the inbound envelope of one event around a line's data object,
	// and leaves a line that is an envelope of that event as it is. Without it
	// each line is an envelope, or a record of one, and names its own event.
	Wrap func(line []byte) ([]byte, error)

	// Checker compares each event with the catalog. Without it a line only has
	// to be an inbound event.
	Checker *lint.Checker
}

// Event returns the event of a line.
func (l Linter) Event(line Line) (webhook.Event, error) {
	e, _, err := l.event(line.Text())
	return e, err
}

// Check returns what is wrong with a line, and whether it contains an event:
// the lines that begin and end the stream of a listener contain none. Of a
// finding only the place, the severity, the rule and the message are set.
// Notes are left out.
func (l Linter) Check(line Line) (findings []report.Finding, isEvent bool) {
	text := line.Text()
	kind := kindOf(text)
	found := func(at position, severity report.Severity, rule, message string) {
		if kind == payload.KindRecord { // the place is in its body, which is a string in the file
			at = start
		}
		row, column := line.place(at)
		findings = append(findings, report.Finding{Line: row, Column: column, Severity: severity, Rule: rule, Message: message})
	}
	if line.TooLong {
		what := "line"
		if line.Element {
			what = "element"
		}
		found(start, report.Error, "length", fmt.Sprintf("the %s is longer than %d MiB", what, MaxLine>>20))
		return findings, true
	}
	if l.Wrap == nil && kind == payload.KindFrame {
		return nil, false
	}
	event, shift, err := l.event(text)
	at, reason, rule := start, "", "envelope"
	var syntax *webhook.SyntaxError
	var shape *webhook.EnvelopeError
	switch {
	case errors.As(err, &syntax):
		at, reason, rule = position{syntax.Line, syntax.Column}, syntax.Reason, "syntax"
	case errors.As(err, &shape):
		at, reason = position{shape.Line, shape.Column}, shape.Reason
	case err != nil:
		found(start, report.Error, rule, err.Error())
		return findings, true
	}
	errorsBefore := 0
	if l.Checker != nil {
		body := event.Raw
		if err != nil { // the checker reports it in more detail
			if body, shift = text, 0; kind == payload.KindRecord {
				body, _, _ = recordedBody(text) // its error was returned above
			}
		}
		result := l.Checker.Check(body)
		errorsBefore = result.Errors()
		for _, f := range result.Findings {
			if f.Severity == report.Note {
				continue
			}
			at := position{f.Line, f.Column}
			if shift > 0 { // the envelope is not in the file
				at = positionOf(text, f.Offset-shift)
			}
			found(at, f.Severity, f.Rule, f.Message)
		}
	}
	if err != nil && errorsBefore == 0 {
		found(at, report.Error, rule, reason)
	}
	return findings, true
}

// position is a place in the text of a line, from 1. Only an element of an array
// has several lines.
type position struct{ line, column int }

var start = position{1, 1}

// positionOf returns the position of an offset.
func positionOf(text []byte, offset int) position {
	before := text[:min(max(offset, 0), len(text))]
	return position{1 + bytes.Count(before, []byte{'\n'}), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])}
}

// place returns where a position is in the file.
func (l Line) place(p position) (row, column int) {
	if p.line > 1 {
		return l.Row + p.line - 1, p.column
	}
	return l.Row, l.Column + p.column - 1
}

// event makes the event of a line. Where an envelope was put around the line,
// shift is how many bytes are in front of it.
func (l Linter) event(text []byte) (event webhook.Event, shift int, err error) {
	raw, isRecord, err := recordedBody(text)
	if err != nil {
		return event, 0, err
	}
	if l.Wrap != nil {
		wrapped, err := l.Wrap(raw)
		if err != nil {
			return event, 0, err
		}
		if len(wrapped) != len(raw) && !isRecord {
			data := bytes.TrimSpace(raw)
			shift = len(wrapped) - len("}") - len(data) - bytes.Index(raw, data)
		}
		raw = wrapped
	}
	event, err = webhook.ParseEvent(raw)
	if err == nil && event.Form != webhook.Inbound {
		err = fmt.Errorf("this is an envelope of the form %s (%s); the platform accepts the form %s", event.Form, event.Type, webhook.Inbound)
	}
	return event, shift, err
}

// recordedBody returns the body of a line that is a record, and any other line
// as it is.
func recordedBody(text []byte) (body []byte, isRecord bool, err error) {
	if kindOf(text) != payload.KindRecord {
		return text, false, nil
	}
	var r webhook.Record
	if err := r.UnmarshalJSON(text); err != nil {
		return nil, true, fmt.Errorf("reading the record: %w", err)
	}
	return r.Request.Body, true, r.Request.CheckWhole()
}

// kindOf is [payload.KindOf], except that broken JSON is a payload, whose fault
// is then found.
func kindOf(text []byte) payload.Kind {
	if webhook.CheckJSON(text) != nil {
		return payload.KindPayload
	}
	return payload.KindOf(text)
}
