package cli

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// triggerView shows deliveries as they go, and counts what came of them.
type triggerView struct {
	env    *Env
	p      ui.Palette
	text   bool
	plan   *triggerPlan
	chosen bool // the schedule, by --retries: it is not the platform's

	deliveries int
	dead       int
	answers    int // attempts that were answered
	last       webhook.Record
	err        error // of writing a record
}

// statusWidth has room for "500 Internal Server Error".
const statusWidth = 25

// begin writes a delivery's head: event, id, URL.
func (v *triggerView) begin(d *deliver.Delivery) {
	v.deliveries++
	if !v.text {
		return
	}
	if v.deliveries > 1 {
		fmt.Fprintln(v.env.Out)
	}
	event, id, target := ui.Clean(d.Event.Type), ui.Clean(d.WebhookID), ui.Clean(webhook.RedactURL(d.URL))
	if id != "" {
		id = "  " + id
	}
	gap := "  "
	if width := v.env.Columns; width > 0 && utf8.RuneCountInString(event+id+gap+target) > width {
		gap = "\n  "
	}
	fmt.Fprintf(v.env.Out, "%s%s%s%s\n", v.p.Name(event), v.p.Quiet(id), gap, target)
}

// step shows one attempt: its number, the time, what came of it, how long that
// took, and when the next one follows.
func (v *triggerView) step(s deliver.Step) {
	r := &s.Record
	if r.Response != nil {
		v.answers++
	}
	if !v.text {
		v.err = joined(v.err, webhook.NewEncoder(v.env.Out).Encode(*r))
		return
	}
	p := v.p
	status, paint, detail := v.outcome(r)
	line := fmt.Sprintf("%*d  %s  %s %s  %6s", len(strconv.Itoa(len(v.plan.schedule)+1))+2, r.Attempt+1,
		p.Quiet(r.Time.Local().Format("15:04:05")), p.Mark(r.Verdict.Outcome == webhook.Accepted),
		paint(status)+strings.Repeat(" ", max(0, statusWidth-utf8.RuneCountInString(status))), span(r.Duration))
	if s.Again {
		line += "  " + v.again(s)
	}
	fmt.Fprintln(v.env.Out, line)
	beneath := func(paint func(string) string, text string) {
		if text != "" {
			const indent = "     "
			fmt.Fprintln(v.env.Out, indent+paint(ui.Wrap(ui.Clean(text), indent, v.env.Columns)))
		}
	}
	beneath(p.Quiet, detail)
	for _, w := range r.Verdict.Warnings {
		beneath(p.Warn, w)
	}
}

// outcome is an attempt's outcome in a few words, and what there is to say
// beneath: the beginning of a refusal's body, or why there was no answer.
func (v *triggerView) outcome(r *webhook.Record) (status string, paint func(string) string, detail string) {
	if r.Response == nil {
		if status = ui.Clean(r.Error); utf8.RuneCountInString(status) > statusWidth {
			return "no answer", v.p.Bad, r.Error
		}
		return status, v.p.Bad, ""
	}
	code := r.Response.Status
	status = strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
	if r.Verdict.Outcome != webhook.Accepted {
		detail = ui.Short(strings.Join(strings.Fields(string(r.Response.Body)), " "), 400)
	}
	if to := r.Response.Header.Get("Location"); code/100 == 3 && to != "" && detail == "" {
		detail = "to " + webhook.RedactURL(to)
	}
	return status, func(s string) string { return v.p.Status(code, s) }, detail
}

// again says when the next attempt follows, and when it would at speed 1.
func (v *triggerView) again(s deliver.Step) string {
	pause := span(v.plan.schedule[s.Record.Attempt])
	switch {
	case math.IsInf(v.plan.factor, 0):
		return fmt.Sprintf("again at once (for %s)", pause)
	case v.plan.factor > 1:
		return fmt.Sprintf("again in %s (for %s)", span(s.Pause), pause)
	}
	return "again in " + pause
}

// end counts a delivery by its last record.
func (v *triggerView) end(r webhook.Record) {
	v.last = r
	if r.Verdict.Outcome == webhook.Accepted {
		return
	}
	v.dead++
	if v.text {
		fmt.Fprintln(v.env.Out, v.p.Bad(v.epitaph(&r)))
	}
}

// epitaph says why a delivery is given up.
func (v *triggerView) epitaph(r *webhook.Record) string {
	text := fmt.Sprintf("dead after %s: ", ui.Plural(r.Attempt+1, "attempt"))
	switch {
	case r.Response != nil && r.Response.Status < 500:
		return text + fmt.Sprintf("%d is final, only 5xx and no answer are repeated", r.Response.Status)
	case v.chosen:
		return text + "--retries allows no more"
	}
	return text + "the platform gives up here"
}

// result is the error that decides the exit code.
func (v *triggerView) result() error {
	if v.text && v.deliveries > 1 {
		fmt.Fprintf(v.env.Out, "\n%d deliveries: %d accepted, %d dead\n", v.deliveries, v.deliveries-v.dead, v.dead)
	}
	switch {
	case v.err != nil:
		return v.err
	case v.dead == 0:
		return nil
	case v.answers == 0:
		return &unreachableError{fmt.Errorf("%s: %s", webhook.RedactURL(v.last.Request.URL), v.last.Error)}
	case v.text:
		return &noError{errSaid}
	case v.deliveries > 1:
		return &noError{fmt.Errorf("%d of %d deliveries are dead", v.dead, v.deliveries)}
	}
	return &noError{errors.New(v.epitaph(&v.last))}
}
