package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// sandboxView writes what comes to a sandbox and what goes out of it.
type sandboxView struct {
	env  *command.Env
	p    ui.Palette
	text bool
	data string // where the state is kept
	runs bool   // a command, which needs no advice

	begun chan struct{} // closed behind the ready line
	came  command.OutcomeCounts
}

// sandboxReady is the first line of a sandbox's stream. URL is where events are
// sent to. The key and the secret are in it for the program that starts the
// sandbox and has to send with them.
type sandboxReady struct {
	command.Ready
	Base      string             `json:"base_url"`
	Company   string             `json:"company_id"`
	APIKey    string             `json:"api_key"`
	Secret    string             `json:"secret"`
	Companies []sandboxReadyKeys `json:"companies"`
}

type sandboxReadyKeys struct {
	ID   string        `json:"id"`
	Keys []sandbox.Key `json:"api_keys"`
}

// ready says where the sandbox is and how to send to it; given is what the
// caller said of the first company's keys.
func (v *sandboxView) ready(address string, box *sandbox.Sandbox, given []sandbox.Key) (sandboxReady, error) {
	line, err := command.NewReady(v.env, address)
	companies := box.Companies()
	first := companies[0]
	ready := sandboxReady{Ready: line, Base: line.URL, Company: first.ID, APIKey: first.Keys[0].Key, Secret: first.Keys[0].Secret}
	ready.URL += sandbox.Path
	for _, c := range companies {
		ready.Companies = append(ready.Companies, sandboxReadyKeys{c.ID, c.Keys})
	}
	switch {
	case err != nil:
		return ready, err
	case v.text:
		return ready, v.welcome(ready, given)
	}
	return ready, command.WriteJSON(v.env.Out, ready)
}

// welcome shows what to type. What was made up is shown; what was given is
// known, and is not for the screen.
func (v *sandboxView) welcome(ready sandboxReady, given []sandbox.Key) error {
	p, where := v.p, "in memory"
	if v.data != "" {
		where = "kept in " + v.data
	}
	company := ready.Company
	if more := len(ready.Companies) - 1; more > 0 {
		company += " and " + strconv.Itoa(more) + " more"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "WorkSkedge on %s  %s\n\n", p.Name(ready.Base), p.Quiet(ui.Clean("("+company+", "+where+")")))
	if v.runs {
		_, err := fmt.Fprint(v.env.Out, b.String())
		return err
	}
	fmt.Fprintf(&b, "  export WSK_URL=%s\n", ready.URL)
	if len(given) == 0 || given[0].Key == "" {
		fmt.Fprintf(&b, "  export WSK_API_KEY=%s\n", ready.APIKey)
	}
	if len(given) == 0 || given[0].Secret == "" {
		fmt.Fprintf(&b, "  export WSK_SECRET=%s\n", ready.Secret)
	}
	fmt.Fprintf(&b, `
  wsk send customer.created --set data.name=Acme   %s
  wsk sandbox subscribe http://127.0.0.1:3000      %s
  wsk sandbox records                              %s

`, p.Quiet("an event goes in,"), p.Quiet("and out to wsk listen"), p.Quiet("what is there"))
	_, err := fmt.Fprint(v.env.Out, b.String())
	return err
}

// show writes a record; d is its delivery, where it is an attempt of one.
func (v *sandboxView) show(r webhook.Record, d *sandbox.Delivery) {
	if !v.text {
		_ = webhook.NewEncoder(v.env.Out).Encode(r) // Out keeps its error for Main
		return
	}
	fmt.Fprint(v.env.Out, v.lines(r, d))
}

// lines shows a record to a person: when, which way, status, event or why
// there is none, the record's or the delivery's name, how long it took.
func (v *sandboxView) lines(r webhook.Record, d *sandbox.Delivery) string {
	p := v.p
	way, name, paint, id := "←", r.Event, p.Name, ""
	switch {
	case d != nil:
		way, paint, id = "→", func(s string) string { return s }, d.ID
	case r.Verdict.Outcome == webhook.Accepted:
		id = gjson.GetBytes(r.Response.Body, "record_id").String()
	case r.Event == "":
		name, paint = r.Verdict.Reason, p.Bad
	}
	status, said := 0, "---"
	if r.Response != nil {
		status = r.Response.Status
		said = strconv.Itoa(status)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s  %s  %s  %s\n", p.Quiet(r.Time.Local().Format("15:04:05")), p.Quiet(way), p.Status(status, said),
		paint(ui.Pad(ui.Clean(ui.Short(name, 40)), 24)), ui.Pad(ui.Clean(ui.Short(id, 24)), 21), p.Quiet(ui.Duration(r.Duration)))
	detail := func(label, text string) { command.WriteDetail(&b, p, v.env.Columns, label, text) }
	if d == nil {
		command.WriteVerdict(detail, r.Verdict)
	} else {
		detail("", fate(r, *d))
	}
	return b.String()
}

// fate says what becomes of a delivery that was not taken.
func fate(r webhook.Record, d sandbox.Delivery) string {
	host := r.Request.URL
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	what := r.Error
	if r.Response != nil {
		what = http.StatusText(r.Response.Status)
	}
	switch d.State {
	case sandbox.Delivered:
		return ""
	case sandbox.Dead:
		return fmt.Sprintf("%s: %s; dead after %s", host, what, ui.Plural(d.Attempts, "attempt"))
	}
	return fmt.Sprintf("%s: %s; again at %s", host, what, d.Due.Local().Format("15:04:05"))
}

// sandboxSummary is the last line of a sandbox's stream.
type sandboxSummary struct {
	Type       string                  `json:"type"`
	Counts     map[webhook.Outcome]int `json:"outcomes"`
	Deliveries map[sandbox.State]int   `json:"deliveries"`
}

// done says how much came and what became of the deliveries.
func (v *sandboxView) done(ctx context.Context, box *sandbox.Sandbox) error {
	status, err := box.Status(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	counts := v.came.All()
	if !v.text {
		return command.WriteJSON(v.env.Out, sandboxSummary{"summary", counts, status.Deliveries})
	}
	events, deliveries := command.FormatCounts(counts, "none", webhook.Accepted, webhook.Refused, webhook.Failed), command.FormatCounts(status.Deliveries, "none", sandbox.Delivered, sandbox.Dead, sandbox.Pending, sandbox.Sending)
	text := "received: " + events + "; deliveries: " + deliveries
	if status.Deliveries[sandbox.Pending]+status.Deliveries[sandbox.Sending] > 0 && v.data != "" {
		text += "; what waits goes on with the next start on " + v.data
	}
	command.PrintSummary(ctx, v.env, ui.Clean(text))
	return nil
}
