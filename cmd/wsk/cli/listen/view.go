package listen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/expect"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// listenView writes what a listener receives, one record at a time.
type listenView struct {
	env      *command.Env
	palette  ui.Palette
	text     bool
	verifier webhook.Verifier
	unsigned *receive.Unsigned // what is asked for where nothing is signed
	skip     bool
	tally    *expect.Tally
	wants    func(eventType string) bool

	explain diagnose.Limiter
	came    command.OutcomeCounts
}

// ready says where the receiver listens.
func (v *listenView) ready(address string) error {
	line, err := command.NewReady(v.env, address)
	if err != nil {
		return err
	}
	if v.text {
		_, err = fmt.Fprintf(v.env.Out, "listening on %s  %s\n", v.palette.Name("http://"+address), v.palette.Quiet("("+v.described()+")"))
		return err
	}
	if !v.skip && v.unsigned == nil {
		line.Scheme = v.verifier.Scheme.Name()
	}
	return command.WriteJSON(v.env.Out, line)
}

// record shows one receipt and counts it. It is the receiver's sink.
func (v *listenView) record(r webhook.Record) {
	unwanted := (r.Verdict.Verified || v.skip) && !v.wants(r.Event)
	v.diagnose(&r)
	v.came.Add(r.Verdict.Outcome)
	if unwanted {
		return
	}
	var err error
	if v.text {
		err = v.line(r)
	} else {
		err = webhook.NewEncoder(v.env.Out).Encode(r)
	}
	if err == nil && r.Verdict.Outcome == webhook.Accepted { // what could not be shown did not come
		v.tally.Add(r.Event)
	}
}

// diagnose says why a request was refused, where that can be afforded.
func (v *listenView) diagnose(r *webhook.Record) {
	if r.Verdict.Outcome == webhook.Refused && !v.skip && v.unsigned == nil {
		r.Verdict.Diagnosis = v.explain.Refusal(v.verifier, r.Request, webhook.Reason(r.Verdict.Reason))
	}
}

// described says what is checked, in a few words.
func (v *listenView) described() string {
	if v.unsigned == nil || v.skip {
		return describeVerifier(v.verifier, v.skip)
	}
	var parts []string
	if n := len(v.unsigned.Header); n > 0 {
		parts = append(parts, ui.Plural(n, "header"))
	}
	if n := len(v.unsigned.Query); n > 0 {
		parts = append(parts, ui.Plural(n, "parameter"))
	}
	return "nothing is signed; required: " + strings.Join(parts, " and ")
}

// contentOf says what a request without an event holds.
func contentOf(r webhook.Request) string {
	kind := r.Header.Get("Content-Type")
	if kind == "" {
		kind = "no Content-Type"
	}
	text := kind + ", " + ui.Plural(len(r.Body), "byte")
	if shown := strings.Join(strings.Fields(string(r.Body)), " "); shown != "" && utf8.ValidString(shown) {
		text += ": " + ui.Short(shown, 400)
	}
	return text
}

// line shows a record to a person: time, status, event (or why there is none),
// id, and beneath it what is worth knowing.
func (v *listenView) line(r webhook.Record) error {
	p := v.palette
	name, paint := r.Event, p.Name
	note, more := "", ""
	if r.Form == webhook.Template {
		name, more = r.Request.Method+" "+webhook.RedactURL(r.Request.URL), contentOf(r.Request)
	}
	switch outcome := r.Verdict.Outcome; {
	case outcome == webhook.Refused:
		name, paint = r.Verdict.Reason, p.Bad
	case outcome == webhook.Failed && r.Verdict.Reason == "journal":
		note = "  " + p.Bad("not kept, so not taken")
	case outcome == webhook.Failed:
		note = "  " + p.Bad("the app refused it")
	case outcome != webhook.Accepted:
		note = "  " + p.Warn(strings.ReplaceAll(string(outcome), "_", " "))
	}
	if name == "" {
		name = "(no event)"
	}
	status := http.StatusInternalServerError // what a sender sees when there was no answer
	if r.Response != nil {
		status = r.Response.Status
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s  %s  %s%s\n",
		p.Quiet(r.Time.Format("15:04:05")), p.Status(status, strconv.Itoa(status)),
		paint(ui.Pad(ui.Clean(name), 24)), ui.Pad(ui.Clean(ui.Short(idOf(r), 24)), 12),
		p.Quiet(fmt.Sprintf("%.1f ms", float64(r.Duration.Microseconds())/1000)), note)
	detail := func(label, text string) { command.WriteDetail(&b, p, v.env.Columns, label, text) }
	detail("", more)
	command.WriteVerdict(detail, r.Verdict)
	if r.Forward != nil && r.Forward.Status/100 != 2 {
		detail("", fmt.Sprintf("the app answered %d %s", r.Forward.Status, http.StatusText(r.Forward.Status)))
	}
	detail("", r.Error)
	_, err := fmt.Fprint(v.env.Out, b.String())
	return err
}

// idOf names a delivery: by its webhook id, else by the event's own.
func idOf(r webhook.Record) string {
	if r.WebhookID != "" {
		return r.WebhookID
	}
	if r.Event == "" {
		return ""
	}
	event, err := webhook.ParseEvent(r.Request.Body)
	var shape *webhook.EnvelopeError
	if err != nil && !errors.As(err, &shape) {
		return ""
	}
	return event.ID
}

// summaryLine is the last line of a stream.
type summaryLine struct {
	Type   string                  `json:"type"`
	Counts map[webhook.Outcome]int `json:"outcomes"`
}

// done says how many of what came.
func (v *listenView) done(ctx context.Context) {
	counts := v.came.All()
	if !v.text {
		_ = command.WriteJSON(v.env.Out, summaryLine{"summary", counts}) // Out keeps its error for Main
		return
	}
	came := command.FormatCounts(counts, "nothing", webhook.Accepted, webhook.Duplicate, webhook.ReplaySuspect, webhook.Conflict, webhook.Refused, webhook.Failed)
	command.PrintSummary(ctx, v.env, "received: "+strings.ReplaceAll(came, "_", " "))
}

// describeVerifier says how requests are verified, in a few words.
func describeVerifier(v webhook.Verifier, skip bool) string {
	if skip {
		return "nothing is verified"
	}
	text := fmt.Sprintf("scheme %s, %s", v.Scheme.Name(), ui.Plural(len(v.Secrets), "secret"))
	switch {
	case v.Scheme.TimestampHeader() == "":
		return text + ", no timestamp"
	case v.Tolerance == webhook.AnyAge:
		return text + ", any age"
	}
	return fmt.Sprintf("%s, ±%d s", text, int(v.Tolerance.Seconds()))
}
