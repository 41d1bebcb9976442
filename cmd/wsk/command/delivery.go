package command

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// DeliveryPlan is what the platform's side delivers, and when.
type DeliveryPlan struct {
	Definition webhook.Definition
	Given      Content // of the payload
	Delivery   deliver.Delivery
	Schedule   deliver.Schedule // at speed 1
	Factor     float64          // by which the pauses are divided
}

// ParseSpeed reads --speed, a factor from 1: 60x, 2.5x or 60. "max" is infinite.
func ParseSpeed(text string) (float64, error) {
	if text == "max" {
		return math.Inf(1), nil
	}
	factor, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || !(factor >= 1) || math.IsInf(factor, 0) { // NaN is not at least 1 either
		return 0, fmt.Errorf("--speed %q: write a factor of 1 or more, such as 60x or 2.5x, or max", text)
	}
	return factor, nil
}

// DeliveryView shows deliveries attempt by attempt and counts their outcomes.
type DeliveryView struct {
	Env    *Env
	P      ui.Palette
	Format string
	Plan   *DeliveryPlan
	Chosen bool // --retries chose the schedule, not the platform

	deliveries int
	ended      int
	dead       int
	answers    int // attempts that were answered
	last       webhook.Record
	records    *RecordWriter // nil in format text
	err        error         // of writing a record
}

// deliveryCounts are the members beside the records.
type deliveryCounts struct {
	Deliveries int `json:"deliveries"`
	Accepted   int `json:"accepted"`
	Dead       int `json:"dead"`
}

func (v *DeliveryView) text() bool { return v.Format == "text" }

// statusWidth has room for "500 Internal Server Error".
const statusWidth = 25

// Begin writes the heading of a delivery: event, id and URL.
func (v *DeliveryView) Begin(d deliver.Delivery) {
	v.deliveries++
	if !v.text() {
		if v.records == nil {
			v.records = NewRecordWriter(v.Env.Out, v.Format)
		}
		return
	}
	if v.deliveries > 1 {
		fmt.Fprintln(v.Env.Out)
	}
	event, id, target := ui.Clean(d.Event.Type), ui.Clean(d.WebhookID), targetLine(d.Method, d.URL)
	if id != "" {
		id = "  " + id
	}
	gap := "  "
	if width := v.Env.Columns; width > 0 && utf8.RuneCountInString(event+id+gap+target) > width {
		gap = "\n  "
	}
	fmt.Fprintf(v.Env.Out, "%s%s%s%s\n", v.P.Name(event), v.P.Quiet(id), gap, target)
}

// Step shows one attempt: number, time, outcome, duration, and when the next one
// follows.
func (v *DeliveryView) Step(s deliver.Step) {
	r := &s.Record
	if r.Response != nil {
		v.answers++
	}
	if !v.text() {
		v.err = errors.Join(v.err, v.records.Write(*r))
		return
	}
	p := v.P
	status, paint, detail := v.outcome(r)
	line := fmt.Sprintf("%*d  %s  %s %s  %6s", len(strconv.Itoa(len(v.Plan.Schedule)+1))+2, r.Attempt+1,
		p.Quiet(r.Time.Local().Format("15:04:05")), p.Mark(r.Verdict.Outcome == webhook.Accepted),
		paint(status)+strings.Repeat(" ", max(0, statusWidth-utf8.RuneCountInString(status))), ui.Duration(r.Duration))
	if s.Again {
		line += "  " + v.nextAttempt(s)
	}
	fmt.Fprintln(v.Env.Out, line)
	below := func(paint func(string) string, text string) {
		if text != "" {
			const indent = "     "
			fmt.Fprintln(v.Env.Out, indent+paint(ui.Wrap(ui.Clean(text), indent, v.Env.Columns)))
		}
	}
	below(p.Quiet, detail)
	if s.Again && r.Platform == webhook.WorkMarket {
		below(p.Quiet, "Work Market retries once and documents no pause: the minute is wsk's choice")
	}
	for _, w := range r.Verdict.Warnings {
		below(p.Warn, w)
	}
}

// outcome returns an attempt's outcome in a few words, and the detail below it: the
// beginning of a refusal's body, or why there was no answer.
func (v *DeliveryView) outcome(r *webhook.Record) (status string, paint func(string) string, detail string) {
	if r.Response == nil {
		if status = ui.Clean(r.Error); utf8.RuneCountInString(status) > statusWidth {
			return "no answer", v.P.Bad, r.Error
		}
		return status, v.P.Bad, ""
	}
	code := r.Response.Status
	status = ui.StatusText(code)
	if r.Verdict.Outcome != webhook.Accepted {
		detail = ui.Short(strings.Join(strings.Fields(string(r.Response.Body)), " "), 400)
	}
	if to := r.Response.Header.Get("Location"); code/100 == 3 && to != "" && detail == "" {
		detail = "to " + webhook.RedactURL(to)
	}
	return status, func(s string) string { return v.P.Status(code, s) }, detail
}

// nextAttempt returns when the next attempt follows, and when it would at speed 1.
func (v *DeliveryView) nextAttempt(s deliver.Step) string {
	pause := ui.Duration(v.Plan.Schedule[s.Record.Attempt])
	switch {
	case math.IsInf(v.Plan.Factor, 0):
		return fmt.Sprintf("again at once (for %s)", pause)
	case v.Plan.Factor > 1:
		return fmt.Sprintf("again in %s (for %s)", ui.Duration(s.Pause), pause)
	}
	return "again in " + pause
}

// End counts a delivery by the record of its last attempt, and writes the id by
// which the journal has that, unless it is "".
func (v *DeliveryView) End(r webhook.Record, id string) {
	v.last = r
	v.ended++
	if v.text() && id != "" {
		fmt.Fprintln(v.Env.Out, "     "+v.P.Quiet("journal  ")+id)
	}
	if r.Verdict.Outcome == webhook.Accepted {
		return
	}
	v.dead++
	if v.text() {
		fmt.Fprintln(v.Env.Out, v.P.Bad(v.deadReason(&r)))
	}
}

// deadReason explains why there is no further attempt.
func (v *DeliveryView) deadReason(r *webhook.Record) string {
	text := fmt.Sprintf("dead after %s: ", ui.Plural(r.Attempt+1, "attempt"))
	switch {
	case r.Response != nil && deliver.IsFinal(r.Platform, r.Response.Status):
		return text + fmt.Sprintf("%d is final: only 5xx and no answer are retried", r.Response.Status)
	case v.Chosen:
		return text + "--retries allows no more"
	}
	return text + "the platform gives up here"
}

// Close ends the document in format json. Result does as well; Close is for a run
// that was interrupted.
func (v *DeliveryView) Close() {
	if v.records != nil {
		accepted := v.ended - v.dead
		v.err = errors.Join(v.err, v.records.Close(deliveryCounts{v.deliveries, accepted, v.dead}))
	}
}

// Result returns the error that decides the exit code.
func (v *DeliveryView) Result() error {
	v.Close()
	if v.text() && v.deliveries > 1 {
		fmt.Fprintf(v.Env.Out, "\n%d deliveries: %d accepted, %d dead\n", v.deliveries, v.deliveries-v.dead, v.dead)
	}
	switch {
	case v.err != nil:
		return v.err
	case v.dead == 0:
		return nil
	case v.answers == 0:
		return Unanswered(v.last.Request.URL, v.last.Error, v.text())
	case v.text():
		return No(ErrReported)
	case v.deliveries > 1:
		return No(fmt.Errorf("%d of %d deliveries are dead", v.dead, v.deliveries))
	}
	return No(errors.New(v.deadReason(&v.last)))
}
