package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// view prints what a sandbox receives and delivers.
type view struct {
	env  *command.Env
	p    ui.Palette
	text bool
	data string // the file of the state, or ""

	started  chan struct{} // closed after the ready line
	outcomes command.OutcomeCounts
}

// ready is the first line of a sandbox's stream. URL is where events are sent. The
// key and the secret are those of the first company, for the program that reads the
// line and sends with them.
type ready struct {
	command.Ready
	Base      string      `json:"base_url"`
	Company   string      `json:"company_id"`
	APIKey    string      `json:"api_key"`
	Secret    string      `json:"secret"` // "" unless it was generated
	Companies []readyKeys `json:"companies"`
}

type readyKeys struct {
	ID   string        `json:"id"`
	Keys []sandbox.Key `json:"api_keys"`
}

func newReady(env *command.Env, address string, companies []sandbox.Company) (ready, error) {
	line, err := command.NewReady(env, address)
	first := companies[0]
	r := ready{Ready: line, Base: line.URL, Company: first.ID, APIKey: first.Keys[0].Key, Secret: first.Keys[0].Secret}
	r.URL += sandbox.Path
	for _, c := range companies {
		r.Companies = append(r.Companies, readyKeys{c.ID, c.Keys})
	}
	return r, err
}

// withoutGiven returns r without the secrets that were configured: who gave them has
// them, and a log of the output must not.
func (r ready) withoutGiven(configured []sandbox.Company) ready {
	var given []string
	for _, c := range configured {
		for _, k := range c.Keys {
			given = append(given, k.Secret)
		}
	}
	if slices.Contains(given, r.Secret) {
		r.Secret = ""
	}
	r.Companies = slices.Clone(r.Companies)
	for i, c := range r.Companies {
		r.Companies[i].Keys = slices.Clone(c.Keys)
		for n, k := range c.Keys {
			if slices.Contains(given, k.Secret) {
				r.Companies[i].Keys[n].Secret = ""
			}
		}
	}
	return r
}

// variables returns the environment of a command that sends to the sandbox.
func (r *ready) variables() []string {
	return []string{"WSK_SANDBOX_URL=" + r.Base, "WSK_URL=" + r.URL, "WSK_API_KEY=" + r.APIKey, "WSK_SECRET=" + r.Secret}
}

// ready prints the ready line, and for people what to type next. It shows the key and
// the secret only if they were generated, that is, not configured. A command that
// runs beside the sandbox needs no advice.
func (v *view) ready(r ready, configured []sandbox.Company, hasCommand bool) error {
	if !v.text {
		return command.WriteJSON(v.env.Out, r.withoutGiven(configured))
	}
	p, company, place := v.p, r.Company, "in memory"
	if more := len(r.Companies) - 1; more > 0 {
		company += " and " + strconv.Itoa(more) + " more"
	}
	if v.data != "" {
		place = "kept in " + v.data
	}
	var b strings.Builder
	fmt.Fprintf(&b, "WorkSkedge on %s  %s\n\n", p.Name(r.Base), p.Quiet(ui.Clean("("+company+", "+place+")")))
	if !hasCommand {
		var given sandbox.Key
		if keys := configured[0].Keys; len(keys) > 0 {
			given = keys[0]
		}
		fmt.Fprintf(&b, "  export WSK_URL=%s\n", r.URL)
		if given.Key == "" {
			fmt.Fprintf(&b, "  export WSK_API_KEY=%s\n", r.APIKey)
		}
		if given.Secret == "" {
			fmt.Fprintf(&b, "  export WSK_SECRET=%s\n", r.Secret)
		}
		fmt.Fprintf(&b, `
  wsk send customer.created --set data.name=Acme   %s
  wsk sandbox subscribe http://127.0.0.1:3000      %s
  wsk sandbox records                              %s

`, p.Quiet("# send an event"), p.Quiet("# deliver to wsk listen"), p.Quiet("# list what is stored"))
	}
	_, err := fmt.Fprint(v.env.Out, b.String())
	return err
}

// writeRules prints the reasons for which the sandbox refuses requests.
func writeRules(env *command.Env, o *options) error {
	list := sandbox.Rules()
	if !o.output.Text() {
		return command.WriteList(env.Out, o.output.Format, "rules", list)
	}
	p := o.output.Palette
	table := ui.Table{Width: env.Columns, Wrap: true}
	for _, r := range list {
		source, paint := "documented", p.Quiet
		if r.Source == sandbox.Ours {
			source, paint = "sandbox", p.Warn
		}
		table.Row(ui.Cell{Text: r.ID, Paint: p.Name}, ui.Cell{Text: source, Paint: paint}, ui.Cell{Text: r.Off, Paint: p.Quiet}, ui.Cell{Text: r.Refused})
	}
	return table.Write(env.Out)
}

// received prints a request to the platform.
func (v *view) received(r webhook.Record) {
	v.outcomes.Add(r.Verdict.Outcome)
	if !v.text {
		v.encode(r)
		return
	}
	name, paint, id := r.Event, v.p.Name, ""
	switch {
	case r.Verdict.Outcome == webhook.Accepted:
		id = gjson.GetBytes(r.Response.Body, "record_id").String()
	case r.Event == "":
		name, paint = r.Verdict.Reason, v.p.Bad
	}
	var b strings.Builder
	v.writeLine(&b, r, "←", name, paint, id)
	command.WriteVerdict(func(label, text string) { command.WriteDetail(&b, v.p, v.env.Columns, label, text) }, r.Verdict)
	fmt.Fprint(v.env.Out, b.String())
}

// delivered prints an attempt of a delivery. Attempts that are due at the start are
// printed after the ready line.
func (v *view) delivered(d sandbox.Delivery, r webhook.Record) {
	<-v.started
	if !v.text {
		v.encode(r)
		return
	}
	var b strings.Builder
	v.writeLine(&b, r, "→", r.Event, nil, d.ID)
	command.WriteDetail(&b, v.p, v.env.Columns, "", nextStep(r, d))
	fmt.Fprint(v.env.Out, b.String())
}

func (v *view) encode(r webhook.Record) {
	_ = webhook.NewEncoder(v.env.Out).Encode(r) // Out keeps its error for Main
}

// writeLine writes the first line of a record: time, direction, status, name, ID and
// duration.
func (v *view) writeLine(b *strings.Builder, r webhook.Record, direction, name string, paint func(string) string, id string) {
	status := v.p.Status(0, "---")
	if r.Response != nil {
		status = v.p.Status(r.Response.Status, strconv.Itoa(r.Response.Status))
	}
	name = ui.Pad(ui.Clean(ui.Short(name, 40)), 24)
	if paint != nil {
		name = paint(name)
	}
	fmt.Fprintf(b, "%s  %s  %s  %s  %s  %s\n", v.p.Quiet(r.Time.Local().Format(time.TimeOnly)), v.p.Quiet(direction), status,
		name, ui.Pad(ui.Clean(ui.Short(id, 24)), 21), v.p.Quiet(ui.Duration(r.Duration)))
}

// nextStep describes why an attempt failed and what happens to its delivery, or
// returns "" if it was accepted.
func nextStep(r webhook.Record, d sandbox.Delivery) string {
	host := r.Request.URL
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	why := r.Error
	if r.Response != nil {
		why = http.StatusText(r.Response.Status)
	}
	switch d.State {
	case sandbox.Delivered:
		return ""
	case sandbox.Dead:
		return fmt.Sprintf("%s: %s; dead after %s", host, why, ui.Plural(d.Attempts, "attempt"))
	}
	return fmt.Sprintf("%s: %s; again at %s", host, why, d.Due.Local().Format(time.TimeOnly))
}

// summary is the last line of a sandbox's stream.
type summary struct {
	Type       string                  `json:"type"`
	Outcomes   map[webhook.Outcome]int `json:"outcomes"`
	Deliveries map[sandbox.State]int   `json:"deliveries"`
}

// summary counts what the sandbox received and delivered.
func (v *view) summary(ctx context.Context, box *sandbox.Sandbox) error {
	status, err := box.Status(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	outcomes := v.outcomes.All()
	if !v.text {
		return command.WriteJSON(v.env.Out, summary{"summary", outcomes, status.Deliveries})
	}
	text := "received: " + command.FormatCounts(outcomes, "none", webhook.Accepted, webhook.Refused, webhook.Failed) +
		"; deliveries: " + formatDeliveries(status.Deliveries)
	if status.Deliveries[sandbox.Pending]+status.Deliveries[sandbox.Sending] > 0 && v.data != "" {
		text += "; pending deliveries continue with the next start on " + v.data
	}
	command.PrintSummary(ctx, v.env, ui.Clean(text))
	return nil
}

// formatDeliveries writes the number of deliveries in each state.
func formatDeliveries(counts map[sandbox.State]int) string {
	return command.FormatCounts(counts, "none", sandbox.Delivered, sandbox.Pending, sandbox.Sending, sandbox.Dead)
}
