package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

type journalListOptions struct {
	flags  command.Journal
	output command.Output
	query  command.Filter
	limit  int
}

func newList(env *command.Env) *cobra.Command {
	o := &journalListOptions{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List records, the newest first",
		Example: `  wsk journal list --status failed --since 2h
  wsk journal list --event 'work_order.*' --direction received --limit 100
  wsk journal list --json | jq -r '.records[].id'`,
		Args: command.ExactArgs(0, ""),
	}
	o.query.Add(cmd)
	cmd.Flags().IntVar(&o.limit, "limit", 20, "show at most `N`; 0 for all")
	o.flags.AddRead(cmd)
	o.output.Add(cmd, "text", "json", "ndjson")
	settings := command.NewSettings(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := settings.Begin(env, &o.output)
		if err != nil {
			return err
		}
		filter, err := o.query.Filter(env.Now())
		if err != nil {
			return err
		}
		if filter.Limit, filter.Newest = o.limit, true; o.limit < 0 {
			return errors.New("--limit may not be less than 0")
		}
		p, err := command.Palette(env, cfg, env.OutTTY)
		if err != nil {
			return err
		}
		return command.WithJournal(cmd.Context(), env, &o.flags, func(j *journal.Journal) error {
			return o.list(cmd.Context(), env, p, j, filter)
		})
	}
	return cmd
}

// listed is a record in short.
type listed struct {
	ID         string            `json:"id"`
	Time       time.Time         `json:"time"`
	Direction  webhook.Direction `json:"direction"`
	Event      string            `json:"event,omitempty"`
	WebhookID  string            `json:"webhook_id,omitempty"`
	Attempt    int               `json:"attempt"`
	Outcome    webhook.Outcome   `json:"outcome,omitempty"`
	Status     int               `json:"status,omitempty"`
	DurationMS float64           `json:"duration_ms"`
}

func (o *journalListOptions) list(ctx context.Context, env *command.Env, p ui.Palette, j *journal.Journal, f journal.Filter) error {
	table := ui.Table{Width: env.Columns}
	encoder := webhook.NewEncoder(env.Out)
	short := []listed{}
	for r, err := range j.Records(ctx, f) {
		switch {
		case err != nil:
			return err
		case o.output.Format == "ndjson":
			err = encoder.Encode(r)
		case o.output.Text():
			listRow(&table, p, env.Now(), &r)
		default:
			short = append(short, shorten(&r))
		}
		if err != nil {
			return err
		}
	}
	total, err := j.Count(ctx, f)
	if err != nil {
		return err
	}
	if o.output.Format == "json" {
		return command.WriteJSON(env.Out, struct {
			Journal string   `json:"journal"`
			Total   int      `json:"total"`
			Records []listed `json:"records"`
		}{j.Path(), total, short})
	}
	if err := table.Write(env.Out); err != nil {
		return err
	}
	switch {
	case total == 0:
		fmt.Fprintln(env.Err, "no record")
	case f.Limit > 0 && total > f.Limit:
		fmt.Fprintf(env.Err, "the newest %d of %s; --limit 0 shows all\n", f.Limit, ui.Plural(total, "record"))
	}
	return nil
}

func shorten(r *webhook.Record) listed {
	l := listed{
		ID: r.ID, Time: r.Time, Direction: r.Direction, Event: r.Event, WebhookID: r.WebhookID, Attempt: r.Attempt,
		DurationMS: float64(r.Duration) / float64(time.Millisecond),
	}
	if r.Verdict != nil {
		l.Outcome = r.Verdict.Outcome
	}
	if r.Response != nil {
		l.Status = r.Response.Status
	}
	return l
}

// listRow shows a record in a line: when, which way, how it ended, what, and
// its name.
func listRow(t *ui.Table, p ui.Palette, now time.Time, r *webhook.Record) {
	at := r.Time.Local()
	when := at.Format(time.TimeOnly)
	if y, d := at.Year(), at.YearDay(); y != now.Local().Year() || d != now.Local().YearDay() {
		when = at.Format("01-02 15:04")
	}
	way, status := "→", "-"
	if r.Direction == webhook.Received {
		way = "←"
	}
	if r.Response != nil {
		status = strconv.Itoa(r.Response.Status)
	}
	event := r.Event
	if event == "" {
		event = "(no event)"
	}
	t.Row(ui.Cell{Text: when, Paint: p.Quiet}, ui.Cell{Text: way, Paint: p.Quiet}, ui.Cell{Text: status, Paint: outcomePaint(p, r)},
		ui.Cell{Text: ui.Short(event, 26)}, ui.Cell{Text: r.ID}, ui.Cell{Text: outcomeText(r), Paint: p.Quiet})
}

// outcomeText names how a record ended, and which try it was.
func outcomeText(r *webhook.Record) string {
	var parts []string
	if r.Verdict != nil {
		parts = append(parts, strings.ReplaceAll(string(r.Verdict.Outcome), "_", " "))
	}
	if r.Attempt > 0 {
		parts = append(parts, fmt.Sprintf("retry %d", r.Attempt))
	}
	return strings.Join(parts, ", ")
}

// outcomePaint gives an outcome its colour.
func outcomePaint(p ui.Palette, r *webhook.Record) func(string) string {
	switch {
	case r.Response != nil && r.Response.Status/100 == 2 && (r.Verdict == nil || r.Verdict.Outcome == webhook.Accepted):
		return p.Good
	case r.Response != nil && r.Response.Status < 500:
		return p.Warn
	}
	return p.Bad
}
