package replay

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// replayView writes results as they come, or collects them for a document.
type replayView struct {
	env    *command.Env
	p      ui.Palette
	format string
	target string // masked
	event  int    // the width of the longest event
	source int    // the width of the longest source

	kept  []replay.Result
	fault string // why the last request without an answer has none
	err   error  // of writing
}

// maxSource is the widest column of sources, in characters.
const maxSource = 40

func newReplayView(env *command.Env, o *options, items []replay.Item) *replayView {
	v := &replayView{env: env, p: o.output.Palette, format: o.output.Format, target: webhook.RedactURL(o.to)}
	for _, i := range items {
		v.event = max(v.event, utf8.RuneCountInString(ui.Clean(i.Event.Type)))
		v.source = max(v.source, utf8.RuneCountInString(ui.Clean(itemName(i.Source, i.Name()))))
	}
	v.source = min(v.source, maxSource)
	return v
}

// itemName is the name of an item for people: a file, or the id of a record.
func itemName(source, id string) string {
	if source == "journal" {
		return id
	}
	return source
}

// replayLine is a result as a line of NDJSON.
type replayLine struct {
	Type string `json:"type"`
	replay.Result
}

// result shows one result, or collects it.
func (v *replayView) result(r replay.Result) {
	if r.Status == 0 {
		v.fault = r.Error
	}
	var err error
	switch v.format {
	case "text":
		err = v.line(r)
	case "ndjson":
		err = command.WriteJSON(v.env.Out, replayLine{"result", r})
	default:
		v.kept = append(v.kept, r)
	}
	v.err = errors.Join(v.err, err)
}

// line shows one result: the verdict, the status before and now, the event and
// its source, and beneath it the answer of a receiver that refused it.
func (v *replayView) line(r replay.Result) error {
	paint := v.p.Bad
	if r.Verdict.OK() {
		paint = v.p.Good
	}
	change := v.status(r.Status, 3)
	if r.Before != nil {
		change = v.status(*r.Before, 3) + " → " + change
	} else {
		change = strings.Repeat(" ", 6) + change
	}
	name := ui.Short(ui.Clean(itemName(r.Source, r.ID)), maxSource)
	verdict := strings.ReplaceAll(string(r.Verdict), "_", " ")
	text := fmt.Sprintf("%s %s  %s  %s  %s  %s\n", v.p.Mark(r.Verdict.OK()), paint(ui.Pad(verdict, 13)), change,
		v.p.Name(ui.Pad(ui.Clean(r.Event), v.event)), ui.Pad(name, v.source), v.p.Quiet(ui.Latency(r.Record.Duration)))
	if r.Refused != "" {
		text += "    " + v.p.Warn("refused when received: "+ui.Clean(r.Refused)) + "\n"
	}
	if why := v.reason(r); why != "" {
		text += "    " + v.p.Quiet(ui.Wrap(ui.Clean(why), "    ", v.env.Columns)) + "\n"
	}
	_, err := fmt.Fprint(v.env.Out, text)
	return err
}

// status writes a status, or a dash for no answer.
func (v *replayView) status(code, width int) string {
	if code == 0 {
		return v.p.Bad(ui.Pad("—", width))
	}
	return v.p.Status(code, ui.Pad(strconv.Itoa(code), width))
}

// reason returns why a result does not pass.
func (v *replayView) reason(r replay.Result) string {
	answer := r.Record.Response
	switch {
	case r.Verdict.OK():
		return ""
	case answer == nil || r.Error != "":
		return r.Error
	case answer.Status/100 == 3:
		return "redirects are not followed: to " + webhook.RedactURL(answer.Header.Get("Location"))
	}
	return ui.Short(strings.Join(strings.Fields(string(answer.Body)), " "), 400)
}

// replayDocument is the result of a replay in JSON.
type replayDocument struct {
	Type   string `json:"type,omitempty"`
	Target string `json:"target"`
	replay.Summary
	Results *[]replay.Result `json:"results,omitempty"`
}

// end writes the summary, and the results that were collected.
func (v *replayView) end(s replay.Summary) error {
	var err error
	switch v.format {
	case "text":
		_, err = fmt.Fprintln(v.env.Out, v.counts(s))
	case "ndjson":
		err = command.WriteJSON(v.env.Out, replayDocument{Type: "summary", Target: v.target, Summary: s})
	case "junit":
		err = report.WriteCases(v.env.Out, "junit", "wsk replay "+v.target, v.cases())
	default:
		if v.kept == nil {
			v.kept = []replay.Result{}
		}
		err = command.WriteJSON(v.env.Out, replayDocument{Target: v.target, Summary: s, Results: &v.kept})
	}
	return errors.Join(v.err, err)
}

// counts writes the summary in one line.
func (v *replayView) counts(s replay.Summary) string {
	text := strconv.Itoa(s.Total) + " deliveries"
	if s.Total == 1 {
		text = "1 delivery"
	}
	sep := ": "
	for _, verdict := range []replay.Verdict{replay.Fixed, replay.StillPassing, replay.Passed, replay.Regressed, replay.StillFailing, replay.Failed} {
		if n := s.Of(verdict); n > 0 {
			paint := v.p.Bad
			if verdict.OK() {
				paint = v.p.Good
			}
			text += sep + paint(fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(verdict), "_", " ")))
			sep = ", "
		}
	}
	return text
}

// cases returns the results for JUnit.
func (v *replayView) cases() []report.Case {
	var cases []report.Case
	for _, r := range v.kept {
		name := r.Event + " " + r.Source
		if r.ID != "" {
			name += " " + r.ID
		}
		c := report.Case{Class: "wsk.replay", Name: name, Verdict: report.Pass, Took: time.Duration(r.DurationMS * float64(time.Millisecond))}
		if !r.Verdict.OK() {
			c.Verdict, c.Type, c.Detail = report.Fail, string(r.Verdict), caseMessage(r)
		}
		cases = append(cases, c)
	}
	return cases
}

func caseMessage(r replay.Result) string {
	now := r.Error
	if r.Status > 0 {
		now = fmt.Sprintf("answered %d %s", r.Status, http.StatusText(r.Status))
	}
	switch {
	case r.Before == nil:
		return now
	case *r.Before == 0:
		return now + ", and no answer was recorded"
	}
	return fmt.Sprintf("%s, and %d was recorded", now, *r.Before)
}
