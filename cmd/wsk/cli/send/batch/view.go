package batch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// view shows the progress of a batch: what is not accepted, as it happens, and
// on a terminal how much is done.
type view struct {
	env     *command.Env
	palette ui.Palette
	format  string
	file    *batch.File
	pacer   *batch.Pacer
	fault   error // the first error of writing

	mu       sync.Mutex // Ctrl-C can come at any time
	progress ui.StatusLine
	sending  bool // a request was sent and not answered yet
	now      batch.Summary
}

func newView(env *command.Env, p ui.Palette, format string, file *batch.File, pacer *batch.Pacer) *view {
	return &view{
		env: env, palette: p, format: format, file: file, pacer: pacer,
		progress: ui.StatusLine{W: env.Err}, now: file.Summary(),
	}
}

// step shows one attempt.
func (v *view) step(s batch.Step) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.env.ErrTTY {
		v.now = v.file.Summary()
	}
	err := error(nil)
	switch {
	case v.format == "ndjson":
		err = webhook.NewEncoder(v.env.Out).Encode(s.Record)
	case s.Again:
		v.clear()
		fmt.Fprintf(v.env.Err, "wsk: line %d: %s; again in %s\n", s.Line, ui.Clean(command.AnswerLine(&s.Record)), ui.Duration(s.Pause))
	case v.format == "text" && s.Record.Verdict.Outcome != webhook.Accepted:
		v.clear()
		err = v.failure(s)
	}
	if v.fault == nil {
		v.fault = err
	}
	v.draw(0)
}

// failure writes a line that was not accepted.
func (v *view) failure(s batch.Step) error {
	p, r := v.palette, &s.Record
	line := p.Name(fmt.Sprintf("line %d", s.Line))
	if r.Response == nil {
		mark := p.Mark(false)
		if r.Verdict.Outcome == webhook.OutcomeUnknown {
			mark = p.Warn("?")
		}
		_, err := fmt.Fprintf(v.env.Out, "%s  %s %s\n", line, mark, p.Bad(ui.Clean(r.Error)))
		return err
	}
	text := fmt.Sprintf("%s  %s %s", line, p.Mark(false), p.Status(r.Response.Status, ui.Clean(command.AnswerLine(r))))
	if message := messageIn(r.Response.Body); message != "" {
		text += "  " + ui.Clean(ui.Short(message, 200))
	}
	_, err := fmt.Fprintln(v.env.Out, text)
	return err
}

// messageIn returns the text for people in a response.
func messageIn(body []byte) string {
	if webhook.CheckJSON(body) != nil {
		return string(body)
	}
	for _, name := range []string{"message", "error"} {
		if v := gjson.GetBytes(body, name); v.Exists() {
			return v.String()
		}
	}
	return ""
}

// wait waits, and shows for how long on a terminal.
func (v *view) wait(ctx context.Context, d time.Duration) error {
	for d > 0 {
		step := d
		if v.env.ErrTTY {
			step = min(d, time.Second)
			v.mu.Lock()
			v.draw(d)
			v.mu.Unlock()
		}
		if err := deliver.Wait(ctx, step); err != nil {
			return err
		}
		d -= step
	}
	return ctx.Err()
}

// draw shows how much of the batch is done, and when the next line is sent.
func (v *view) draw(next time.Duration) {
	if v.env.ErrTTY {
		v.progress.Draw(progressLine(v.now, next, v.pacer.Left(v.now.Pending)))
	}
}

func progressLine(s batch.Summary, next, left time.Duration) string {
	text := ui.Thousands(s.Accepted+s.Refused+s.Unknown) + " of " + ui.Thousands(s.Lines)
	if s.Refused > 0 {
		text += "  " + ui.Thousands(s.Refused) + " refused"
	}
	if s.Unknown > 0 {
		text += "  " + ui.Thousands(s.Unknown) + " unknown"
	}
	if next >= time.Second {
		text += "  next in " + ui.Span(next)
	}
	if left >= time.Second {
		text += "  about " + ui.Span(left) + " left"
	}
	return text
}

// clear removes the progress line, so that another line can be written.
func (v *view) clear() {
	v.progress.Clear()
}

func (v *view) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
}

// interrupted prints what the batch still waits for: a request that is cut off
// has an unknown outcome.
func (v *view) interrupted() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sending {
		v.clear()
		fmt.Fprintln(v.env.Err, "wsk: waiting for the answer to the last request; Ctrl-C again leaves the outcome of its line unknown")
	}
}

// watched notes when a request is sent and when it is answered.
type watched struct {
	view *view
	http.RoundTripper
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	w.set(true)
	defer w.set(false)
	return w.RoundTripper.RoundTrip(r)
}

func (w watched) set(sending bool) {
	w.view.mu.Lock()
	defer w.view.mu.Unlock()
	w.view.sending = sending
}

// result is the result in JSON, and the last line of NDJSON.
type result struct {
	Type   string `json:"type"`
	File   string `json:"file"`
	Target string `json:"target"`
	batch.Report
	FailedTo   string       `json:"failed_to"`
	Stopped    batch.Reason `json:"stopped,omitempty"`
	DurationMS float64      `json:"duration_ms"`
}

// maxListed is how many line numbers are shown to people.
const maxListed = 20

// end writes the result and turns it into the error that decides the exit
// code.
func (b *run) end(err error, before batch.Summary) error {
	report := b.file.Report(before)
	var stopped *batch.StopError
	errors.As(err, &stopped)
	var fault error
	if b.Format == "text" {
		fault = b.table(report)
	} else {
		r := result{
			Type: "batch", File: b.Flags.File, Target: b.target(), Report: report, FailedTo: b.Flags.failedTo,
			DurationMS: float64(b.env.Now().Sub(b.began)) / float64(time.Millisecond),
		}
		if stopped != nil {
			r.Stopped = stopped.Reason
		}
		if b.Format == "ndjson" {
			r.Type = "summary"
		}
		fault = command.WriteJSON(b.env.Out, r)
	}
	return errors.Join(b.judge(err, stopped, report.Summary), fault)
}

// table writes the counts for people.
func (b *run) table(r batch.Report) error {
	t := ui.Table{}
	row := func(name string, n int, paint func(string) string, more string) {
		if n == 0 {
			paint = b.Palette.Quiet
		}
		cells := []ui.Cell{{Text: name, Paint: b.Palette.Quiet}, {Text: ui.Thousands(n), Paint: paint}}
		if more != "" {
			cells = append(cells, ui.Cell{Text: more, Paint: b.Palette.Quiet})
		}
		t.Row(cells...)
	}
	inThisRun := func(all, now int) string {
		if now == 0 || now == all {
			return ""
		}
		return ui.Thousands(now) + " in this run"
	}
	row("lines", r.Lines, nil, "")
	row("accepted", r.Accepted, b.Palette.Good, inThisRun(r.Accepted, r.ThisRun.Accepted))
	row("refused", r.Refused, b.Palette.Bad, inThisRun(r.Refused, r.ThisRun.Refused))
	row("unknown", r.Unknown, b.Palette.Warn, lineList(r.UnknownLines))
	row("not sent", r.Pending, b.Palette.Warn, "")
	if name := b.Flags.failedTo; name != "" {
		t.Field(b.Palette, "refused lines in", name)
	}
	return t.Write(b.env.Out)
}

// lineList lists the first of some line numbers.
func lineList(numbers []int) string {
	if len(numbers) == 0 {
		return ""
	}
	var words []string
	for _, n := range numbers[:min(len(numbers), maxListed)] {
		words = append(words, strconv.Itoa(n))
	}
	text := "lines " + strings.Join(words, ", ")
	if len(numbers) == 1 {
		text = "line " + words[0]
	}
	if more := len(numbers) - len(words); more > 0 {
		text += fmt.Sprintf(" and %s more", ui.Thousands(more))
	}
	return text
}

// judge turns the outcome of the lines into the error that decides the exit
// code, with the next step.
func (b *run) judge(err error, stopped *batch.StopError, s batch.Summary) error {
	resume := fmt.Sprintf("%s of %s lines are answered; the same command with --resume sends the rest", ui.Thousands(s.Accepted+s.Refused), ui.Thousands(s.Lines))
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(b.env.Err, "wsk: "+resume)
		return err
	case stopped != nil && stopped.Reason == batch.Unauthorized:
		return command.No(fmt.Errorf("%w, so the batch was stopped, and these lines count as not sent: check the key and the secret\n  %s\n  %s",
			stopped, command.Hint(&stopped.Record), resume))
	case stopped != nil && stopped.Reason == batch.Unreachable:
		return command.NoResponse(fmt.Errorf("%s: line %d: %s\n  %s", b.target(), stopped.Line, command.NoAnswer(stopped.Record.Error, b.Format == "text"), resume))
	case stopped != nil:
		return command.NoResponse(fmt.Errorf("%s: %w\n  %s", b.target(), stopped, resume))
	case errors.Is(err, batch.ErrChanged):
		return fmt.Errorf("%s: %w, and no more of it is sent: restore it, then --resume continues", b.Flags.File, err)
	case err != nil:
		return fmt.Errorf("%w\n  %s", err, resume)
	case s.Unknown > 0:
		return command.NoResponse(fmt.Errorf("the outcome of %s is unknown: check whether the platform has them; --resume --retry-unknown sends them again",
			ui.Plural(s.Unknown, "line")))
	case s.Refused > 0:
		return command.No(fmt.Errorf("%s refused", linesWere(s.Refused)))
	}
	return nil
}

func linesWere(n int) string {
	if n == 1 {
		return "1 line was"
	}
	return ui.Thousands(n) + " lines were"
}
