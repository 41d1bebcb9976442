package send

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// batchView shows how a batch goes on: what was not accepted as it happens,
// and on a terminal how far it has come.
type batchView struct {
	env     *command.Env
	palette ui.Palette
	format  string
	file    *batch.File
	pacer   *batch.Pacer
	fault   error // the first that writing met

	mu       sync.Mutex // Ctrl-C comes when it likes
	progress ui.StatusLine
	under    bool // a request is under way
	now      batch.Summary
}

func newBatchView(env *command.Env, p ui.Palette, format string, file *batch.File, pacer *batch.Pacer) *batchView {
	return &batchView{
		env: env, palette: p, format: format, file: file, pacer: pacer,
		progress: ui.StatusLine{W: env.Err}, now: file.Summary(),
	}
}

// step is told of each attempt.
func (v *batchView) step(s batch.Step) {
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
		fmt.Fprintf(v.env.Err, "wsk: line %d: %s; again in %s\n", s.Line, ui.Clean(command.AnswerLine(&s.Record)), s.Pause.Round(100*time.Millisecond))
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
func (v *batchView) failure(s batch.Step) error {
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
	if said := saidIn(r.Response.Body); said != "" {
		text += "  " + ui.Clean(ui.Short(said, 200))
	}
	_, err := fmt.Fprintln(v.env.Out, text)
	return err
}

// saidIn is what an answer says for people.
func saidIn(body []byte) string {
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

// wait waits, and shows for how long.
func (v *batchView) wait(ctx context.Context, d time.Duration) error {
	for d > 0 {
		step := d
		if v.env.ErrTTY {
			step = min(d, time.Second)
			v.mu.Lock()
			v.draw(d)
			v.mu.Unlock()
		}
		timer := time.NewTimer(step)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		d -= step
	}
	return ctx.Err()
}

// draw shows how far the batch has come, and when the next line leaves.
func (v *batchView) draw(next time.Duration) {
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
		text += "  next in " + spanText(next)
	}
	if left >= time.Second {
		text += "  about " + spanText(left) + " left"
	}
	return text
}

// clear takes the progress away, for a line to be written.
func (v *batchView) clear() {
	v.progress.Clear()
}

func (v *batchView) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
}

// interrupted says what is still waited for: a request that is broken off has
// an unknown outcome.
func (v *batchView) interrupted() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.under {
		v.clear()
		fmt.Fprintln(v.env.Err, "wsk: waiting for the answer that is under way; Ctrl-C again leaves its line unknown")
	}
}

// watch notes while a request is under way.
func (v *batchView) watch(t http.RoundTripper) http.RoundTripper { return watched{v, t} }

type watched struct {
	view *batchView
	http.RoundTripper
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	w.set(true)
	defer w.set(false)
	return w.RoundTripper.RoundTrip(r)
}

func (w watched) set(under bool) {
	w.view.mu.Lock()
	defer w.view.mu.Unlock()
	w.view.under = under
}
