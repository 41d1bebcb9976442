package command

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// PlatformPlan is what is delivered, and when.
type PlatformPlan struct {
	Definition webhook.Definition
	Given      Content // of the payload
	Delivery   *deliver.Delivery
	Schedule   deliver.Schedule // at speed 1
	Factor     float64          // that the pauses are divided by
}

// ParseSpeed reads a factor: 60x, 2.5x or 60; max is without bound.
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

// FormatSpan writes a length of time without units that are zero: "1m", "7h21m".
func FormatSpan(d time.Duration) string {
	if d >= time.Second {
		d = d.Round(100 * time.Millisecond)
	} else {
		d = d.Round(time.Millisecond)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// PlatformView shows deliveries as they go, and counts what came of them.
type PlatformView struct {
	Env    *Env
	P      ui.Palette
	Text   bool
	Plan   *PlatformPlan
	Chosen bool // the schedule, by --retries: it is not the platform's

	deliveries int
	dead       int
	answers    int // attempts that were answered
	last       webhook.Record
	err        error // of writing a record
}

// statusWidth has room for "500 Internal Server Error".
const statusWidth = 25

// Begin writes a delivery's head: event, id, URL.
func (v *PlatformView) Begin(d *deliver.Delivery) {
	v.deliveries++
	if !v.Text {
		return
	}
	if v.deliveries > 1 {
		fmt.Fprintln(v.Env.Out)
	}
	event, id, target := ui.Clean(d.Event.Type), ui.Clean(d.WebhookID), ui.Clean(webhook.RedactURL(d.URL))
	if id != "" {
		id = "  " + id
	}
	gap := "  "
	if width := v.Env.Columns; width > 0 && utf8.RuneCountInString(event+id+gap+target) > width {
		gap = "\n  "
	}
	fmt.Fprintf(v.Env.Out, "%s%s%s%s\n", v.P.Name(event), v.P.Quiet(id), gap, target)
}

// Step shows one attempt: its number, the time, what came of it, how long that
// took, and when the next one follows.
func (v *PlatformView) Step(s deliver.Step) {
	r := &s.Record
	if r.Response != nil {
		v.answers++
	}
	if !v.Text {
		v.err = errors.Join(v.err, webhook.NewEncoder(v.Env.Out).Encode(*r))
		return
	}
	p := v.P
	status, paint, detail := v.outcome(r)
	line := fmt.Sprintf("%*d  %s  %s %s  %6s", len(strconv.Itoa(len(v.Plan.Schedule)+1))+2, r.Attempt+1,
		p.Quiet(r.Time.Local().Format("15:04:05")), p.Mark(r.Verdict.Outcome == webhook.Accepted),
		paint(status)+strings.Repeat(" ", max(0, statusWidth-utf8.RuneCountInString(status))), FormatSpan(r.Duration))
	if s.Again {
		line += "  " + v.again(s)
	}
	fmt.Fprintln(v.Env.Out, line)
	beneath := func(paint func(string) string, text string) {
		if text != "" {
			const indent = "     "
			fmt.Fprintln(v.Env.Out, indent+paint(ui.Wrap(ui.Clean(text), indent, v.Env.Columns)))
		}
	}
	beneath(p.Quiet, detail)
	for _, w := range r.Verdict.Warnings {
		beneath(p.Warn, w)
	}
}

// outcome is an attempt's outcome in a few words, and what there is to say
// beneath: the beginning of a refusal's body, or why there was no answer.
func (v *PlatformView) outcome(r *webhook.Record) (status string, paint func(string) string, detail string) {
	if r.Response == nil {
		if status = ui.Clean(r.Error); utf8.RuneCountInString(status) > statusWidth {
			return "no answer", v.P.Bad, r.Error
		}
		return status, v.P.Bad, ""
	}
	code := r.Response.Status
	status = strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
	if r.Verdict.Outcome != webhook.Accepted {
		detail = ui.Short(strings.Join(strings.Fields(string(r.Response.Body)), " "), 400)
	}
	if to := r.Response.Header.Get("Location"); code/100 == 3 && to != "" && detail == "" {
		detail = "to " + webhook.RedactURL(to)
	}
	return status, func(s string) string { return v.P.Status(code, s) }, detail
}

// again says when the next attempt follows, and when it would at speed 1.
func (v *PlatformView) again(s deliver.Step) string {
	pause := FormatSpan(v.Plan.Schedule[s.Record.Attempt])
	switch {
	case math.IsInf(v.Plan.Factor, 0):
		return fmt.Sprintf("again at once (for %s)", pause)
	case v.Plan.Factor > 1:
		return fmt.Sprintf("again in %s (for %s)", FormatSpan(s.Pause), pause)
	}
	return "again in " + pause
}

// End counts a delivery by its last record.
func (v *PlatformView) End(r webhook.Record) {
	v.last = r
	if r.Verdict.Outcome == webhook.Accepted {
		return
	}
	v.dead++
	if v.Text {
		fmt.Fprintln(v.Env.Out, v.P.Bad(v.epitaph(&r)))
	}
}

// epitaph says why a delivery is given up.
func (v *PlatformView) epitaph(r *webhook.Record) string {
	text := fmt.Sprintf("dead after %s: ", ui.Plural(r.Attempt+1, "attempt"))
	switch {
	case r.Response != nil && r.Response.Status < 500:
		return text + fmt.Sprintf("%d is final, only 5xx and no answer are repeated", r.Response.Status)
	case v.Chosen:
		return text + "--retries allows no more"
	}
	return text + "the platform gives up here"
}

// Result is the error that decides the exit code.
func (v *PlatformView) Result() error {
	if v.Text && v.deliveries > 1 {
		fmt.Fprintf(v.Env.Out, "\n%d deliveries: %d accepted, %d dead\n", v.deliveries, v.deliveries-v.dead, v.dead)
	}
	switch {
	case v.err != nil:
		return v.err
	case v.dead == 0:
		return nil
	case v.answers == 0:
		return NoResponse(fmt.Errorf("%s: %s", webhook.RedactURL(v.last.Request.URL), v.last.Error))
	case v.Text:
		return No(ErrReported)
	case v.deliveries > 1:
		return No(fmt.Errorf("%d of %d deliveries are dead", v.dead, v.deliveries))
	}
	return No(errors.New(v.epitaph(&v.last)))
}
