package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

// batchLinter makes events of lines, and says what is wrong with them.
type batchLinter struct {
	env        *command.Env
	name       string
	definition *webhook.Definition
	origin     string
	checker    *lint.Checker // nil with --no-lint
	errors     int
}

func newBatchLinter(env *command.Env, o *options, own fs.FS, d *webhook.Definition, origin string) *batchLinter {
	b := &batchLinter{env: env, name: o.batch.file, definition: d, origin: origin}
	if !o.noLint {
		b.checker = lint.New(lint.Config{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Overlay: own}).NewChecker()
	}
	return b
}

// survey reads the file once and shows all that is wrong with it, before
// anything is sent.
func (b *batchRun) survey(ctx context.Context) error {
	name := b.o.batch.file
	size := int64(-1)
	if info, err := b.source.Stat(); err == nil {
		size = info.Size()
	}
	progress := command.NewProgress(b.env, name, size)
	var err error
	b.file, err = batch.Read(ctx, io.TeeReader(b.source, told(progress.Add)), func(l batch.Line) bool {
		return b.linter.check(l, progress.Done)
	})
	progress.Done()
	switch n := b.linter.errors; {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return command.ReadingError(name, err)
	case n > 0 && b.o.noLint:
		return command.No(fmt.Errorf("%s in %s, so nothing was sent: these lines are no events", ui.Plural(n, "error"), name))
	case n > 0:
		return command.No(fmt.Errorf("%s in %s, so nothing was sent; --no-lint sends what contradicts the catalog alone", ui.Plural(n, "error"), name))
	case b.file.Len() == 0:
		return fmt.Errorf("%s holds no event: did what wrote it end early?", name)
	}
	return nil
}

// told is a writer that tells how much is written.
type told func(int)

func (t told) Write(p []byte) (int, error) {
	t(len(p))
	return len(p), nil
}

// check lints a line and reports whether there is an event on it. The first
// and last lines of a listener's stream hold none.
func (b *batchLinter) check(l batch.Line, before func()) bool {
	if l.TooLong {
		before()
		b.say(l.N, 1, lint.Error, fmt.Sprintf("the line is longer than %d MiB", batch.MaxLine>>20), "length")
		return true
	}
	text := l.Text()
	if b.definition == nil && isFrame(text) {
		return false
	}
	event, shift, err := b.event(text, b.env.Now())
	column, reason, rule := 1, "", "envelope"
	var syntax *webhook.SyntaxError
	var shape *webhook.EnvelopeError
	switch {
	case errors.As(err, &syntax):
		column, reason, rule = syntax.Column, syntax.Reason, "syntax"
	case errors.As(err, &shape):
		column, reason = shape.Column, shape.Reason
	case err != nil:
		before()
		b.say(l.N, 1, lint.Error, err.Error(), rule)
		return true
	}
	known := 0
	if b.checker != nil {
		body := event.Raw
		if err != nil { // lint says more of it
			body, shift = text, 0
		}
		result := b.checker.Payload(body)
		known = result.Errors()
		for _, f := range result.Findings {
			if f.Severity == lint.Note {
				continue
			}
			at := f.Column
			if shift > 0 { // the envelope was put around it, and is not in the file
				at = 1 + utf8.RuneCount(text[:min(max(f.Offset-shift, 0), len(text))])
			}
			before()
			b.say(l.N, at, f.Severity, f.Message, f.Rule)
		}
	}
	if err != nil && known == 0 {
		before()
		b.say(l.N, column, lint.Error, reason, rule)
	}
	return true
}

func (b *batchLinter) say(line, column int, severity lint.Severity, message, rule string) {
	if severity == lint.Error {
		b.errors++
	}
	fmt.Fprintf(b.env.Err, "%s:%d:%d: %s: %s (%s)\n", ui.Clean(b.name), line, column, severity, ui.Clean(message), rule)
}

// event makes the event of a line. Where an envelope was put around the line,
// shift is how many bytes stand before it.
func (b *batchLinter) event(text []byte, now time.Time) (event webhook.Event, shift int, err error) {
	raw := text
	if body, ok, err := recorded(text); err != nil {
		return event, 0, err
	} else if ok {
		raw, text = body, nil
	}
	if b.definition != nil {
		made, err := payload.Wrap(*b.definition, raw, payload.Head{Time: now, Source: b.origin})
		if err != nil {
			return event, 0, err
		}
		if len(made) != len(raw) && text != nil {
			inner := bytes.TrimSpace(raw)
			shift = len(made) - 1 - len(inner) - bytes.Index(raw, inner)
		}
		raw = made
	}
	event, err = webhook.ParseEvent(raw)
	if err == nil && event.Form != webhook.Inbound {
		err = fmt.Errorf("this is an envelope of the form %s (%s); the platform takes the form %s", event.Form, event.Type, webhook.Inbound)
	}
	return event, shift, err
}

// recorded takes the body out of a line that is a record. A payload may have a
// type of its own, but no request with it.
func recorded(text []byte) (body []byte, ok bool, err error) {
	isJSON := webhook.CheckJSON(text) == nil
	if !isJSON || gjson.GetBytes(text, "type").String() != "record" || !gjson.GetBytes(text, "request.method").Exists() {
		return nil, false, nil
	}
	var r webhook.Record
	if err := r.UnmarshalJSON(text); err != nil {
		return nil, false, fmt.Errorf("the record cannot be read: %w", err)
	}
	return r.Request.Body, true, nil
}

// isFrame reports whether a line is the first or the last of a stream of
// records.
func isFrame(text []byte) bool {
	if webhook.CheckJSON(text) != nil || gjson.GetBytes(text, "event_type").Exists() {
		return false
	}
	kind := gjson.GetBytes(text, "type").String()
	return kind == "ready" || kind == "summary"
}
