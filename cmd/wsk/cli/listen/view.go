package listen

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/expect"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// view prints what a receiver receives, one record at a time.
type view struct {
	env    *command.Env
	p      ui.Palette
	text   bool
	config receive.Config
	tally  *expect.Tally // counts what was printed

	outcomes *command.OutcomeCounts
}

// ready prints where the receiver listens.
func (v *view) ready(address string) error {
	line, err := command.NewReady(v.env, address)
	if err != nil {
		return err
	}
	if v.text {
		_, err = fmt.Fprintf(v.env.Out, "listening on %s  %s\n", v.p.Name(line.URL), v.p.Quiet("("+describe(v.config)+")"))
		return err
	}
	if !v.config.SkipVerify && v.config.Unsigned == nil {
		line.Scheme = v.config.Verifier.Scheme.Name()
	}
	return command.WriteJSON(v.env.Out, line)
}

// describe describes in a few words what a receiver verifies.
func describe(c receive.Config) string {
	if c.SkipVerify {
		return "nothing is verified"
	}
	if c.Unsigned != nil {
		var parts []string
		if n := len(c.Unsigned.Header); n > 0 {
			parts = append(parts, ui.Plural(n, "header"))
		}
		if n := len(c.Unsigned.Query); n > 0 {
			parts = append(parts, ui.Plural(n, "parameter"))
		}
		return "no signature; required: " + strings.Join(parts, " and ")
	}
	scheme := c.Verifier.Scheme
	text := fmt.Sprintf("scheme %s, %s", scheme.Name(), ui.Plural(len(c.Verifier.Secrets), "secret"))
	switch {
	case scheme.TimestampHeader() == "":
		return text + ", no timestamp"
	case c.Verifier.Tolerance == webhook.AnyAge:
		return text + ", any age"
	}
	return fmt.Sprintf("%s, ±%d s", text, int(c.Verifier.Tolerance.Seconds()))
}

// record prints and counts a request. It is the Sink of the receiver.
func (v *view) record(r webhook.Record) {
	c := v.config
	selected := c.Wants(webhook.Event{Type: r.Event}) || !r.Verdict.Verified && !c.SkipVerify
	v.outcomes.Add(r.Verdict.Outcome)
	if !selected {
		return
	}
	var err error
	if v.text {
		err = v.line(r)
	} else {
		err = webhook.NewEncoder(v.env.Out).Encode(r)
	}
	if err == nil && r.Verdict.Outcome == webhook.Accepted { // a reader of the output must see what is counted
		v.tally.Add(r.Event)
	}
}

// contentOf describes the body of a request that has no event.
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

// line prints a record for people: time, status, event or reason, ID and duration,
// and below them the details.
func (v *view) line(r webhook.Record) error {
	p := v.p
	name, paint, note, content := r.Event, p.Name, "", ""
	if r.Form == webhook.Template {
		name, content = r.Request.Method+" "+webhook.RedactURL(r.Request.URL), contentOf(r.Request)
	}
	switch outcome := r.Verdict.Outcome; {
	case outcome == webhook.Refused:
		name, paint = r.Verdict.Reason, p.Bad
	case outcome == webhook.Failed && r.Verdict.Reason == "journal":
		note = "  " + p.Bad("not stored, so not accepted")
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
		p.Quiet(r.Time.Local().Format(time.TimeOnly)), p.Status(status, strconv.Itoa(status)),
		paint(ui.Pad(ui.Clean(name), 22)), ui.Pad(ui.Clean(shownID(r)), idWidth),
		p.Quiet(fmt.Sprintf("%.1f ms", float64(r.Duration.Microseconds())/1000)), note)
	detail := func(label, text string) { command.WriteDetail(&b, p, v.env.Columns, label, text) }
	detail("", content)
	command.WriteVerdict(detail, r.Verdict)
	if r.Forward != nil && r.Forward.Status/100 != 2 {
		detail("", fmt.Sprintf("the app answered %d %s", r.Forward.Status, http.StatusText(r.Forward.Status)))
	}
	detail("", r.Error)
	_, err := fmt.Fprint(v.env.Out, b.String())
	return err
}

// idWidth has room for an id that wsk made, in characters.
const idWidth = 30

// maxID is the longest id that is shown whole, in characters: a sender may choose it.
const maxID = 64

// shownID returns an id that finds the record in the journal: the webhook id, or
// its beginning, else the record's own.
func shownID(r webhook.Record) string {
	if r.WebhookID == "" {
		return r.ID
	}
	return ui.Short(r.WebhookID, maxID)
}

// summary is the last line of a stream.
type summary struct {
	Type     string                  `json:"type"`
	Outcomes map[webhook.Outcome]int `json:"outcomes"`
}

// summary counts the requests by outcome. An event that was given up when it was
// forwarded is counted as that alone.
func (v *view) summary(ctx context.Context) {
	counts := v.outcomes.All()
	if !v.text {
		_ = command.WriteJSON(v.env.Out, summary{"summary", counts}) // Out keeps its error for Main
		return
	}
	text := command.FormatCounts(counts, "nothing", webhook.Outcomes()...)
	command.PrintSummary(ctx, v.env, "received: "+strings.ReplaceAll(text, "_", " "))
}
