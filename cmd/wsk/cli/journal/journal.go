// Package journal implements wsk journal, which lists, shows, exports, imports and
// prunes the records of requests that were sent and received.
package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// New returns the command.
func New(env *command.Env) *cobra.Command {
	return command.NewGroup(&cobra.Command{
		Use:   "journal",
		Short: "List, show, export, import and prune what was sent and received",
		Long: `listen, send, trigger and replay keep a record of every request in the journal,
a SQLite file that only you can read. Credentials are masked in it; bodies and
signatures are kept byte for byte, so a record can be verified and replayed. Of
a request that was refused before it was verified, only the beginning of the
body is kept: see --keep-refused of wsk listen. Wherever a command takes an ID,
its beginning is enough if no other has it.`,
	}, newList(env), newShow(env), newExport(env), newImport(env), newPrune(env), newPath(env))
}

type listOptions struct {
	flags  command.Journal
	output command.Output
	query  command.Filter
	limit  int
}

func newList(env *command.Env) *cobra.Command {
	o := &listOptions{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List records, the newest first",
		Example: `  wsk journal list --status failed --since 2h
  wsk journal list --event 'work_order.*' --direction received --limit 100
  wsk journal list --json | jq -r '.records[].id'`,
		Args: command.ExactArgs(0, ""),
	}
	o.query.Add(cmd, "any")
	o.query.AddIDs(cmd)
	command.Limit(cmd, &o.limit)
	o.flags.AddRead(cmd)
	o.output.Add(cmd, "text", "json", "ndjson")
	settings := command.NewSettings(cmd)
	cmd.RunE = settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, _ []string) error {
		filter, err := o.query.Filter(env.Now())
		if err != nil {
			return err
		}
		filter.Limit, filter.Newest = o.limit, true
		if err := command.CheckLimit(o.limit); err != nil {
			return err
		}
		return command.WithJournal(ctx, env, &o.flags, func(j *journal.Journal) error {
			if err := settings.CheckEvents(env, cfg, "--event", filter.Events, command.RecordedEvents(ctx, j)); err != nil {
				return err
			}
			return o.list(ctx, env, j, filter)
		})
	})
	return cmd
}

// listed is a record in the JSON list.
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
	Truncated  bool              `json:"truncated,omitempty"` // only the beginning of the body was kept
}

// list writes the records as they are read.
func (o *listOptions) list(ctx context.Context, env *command.Env, j *journal.Journal, f journal.Filter) error {
	return command.WriteFile(env, "-", func(w io.Writer) error {
		if o.output.Text() {
			return o.table(ctx, env, w, j, f)
		}
		records := command.NewRecordWriter(w, o.output.Format)
		write := records.Write
		if o.output.Format == "json" {
			total, err := j.Count(ctx, f)
			if err != nil {
				return err
			}
			records.Before(struct {
				Journal string `json:"journal"`
				Total   int    `json:"total"`
			}{j.Path(), total})
			write = func(r webhook.Record) error { return records.WriteShort(shorten(&r)) }
		}
		return records.End(each(j.Records(ctx, f), write))
	})
}

// each calls do with every record, until an error.
func each(records iter.Seq2[webhook.Record, error], do func(webhook.Record) error) error {
	for r, err := range records {
		if err == nil {
			err = do(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tableBlock is how many rows a table aligns together. It is written in blocks, so
// that a long one is not held in memory.
const tableBlock = 1000

// table writes the records for people, and on stderr how many there are.
func (o *listOptions) table(ctx context.Context, env *command.Env, w io.Writer, j *journal.Journal, f journal.Filter) error {
	table := ui.Table{Width: env.Columns}
	shown := 0
	err := each(j.Records(ctx, f), func(r webhook.Record) error {
		listRow(&table, o.output.Palette, env.Now(), &r)
		if shown++; shown%tableBlock == 0 {
			return table.Write(w)
		}
		return nil
	})
	if err = errors.Join(err, table.Write(w)); err != nil {
		return err
	}
	switch {
	case shown == 0:
		fmt.Fprintln(env.Err, "no records")
	case shown == f.Limit:
		total, err := j.Count(ctx, f)
		if err != nil {
			return err
		}
		if total > shown {
			fmt.Fprintf(env.Err, "the newest %d of %s; --limit 0 shows all\n", shown, ui.Plural(total, "record"))
		}
	}
	return nil
}

func shorten(r *webhook.Record) listed {
	l := listed{
		ID: r.ID, Time: r.Time, Direction: r.Direction, Event: r.Event, WebhookID: r.WebhookID, Attempt: r.Attempt,
		Status: r.Status(), DurationMS: float64(r.Duration) / float64(time.Millisecond),
		Truncated: r.Request.Truncated,
	}
	if r.Verdict != nil {
		l.Outcome = r.Verdict.Outcome
	}
	return l
}

// listRow shows a record in one line: time, direction, status, event, id, outcome.
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

// outcomeText is the outcome of a record, the number of a retry, and whether the body
// was cut.
func outcomeText(r *webhook.Record) string {
	var parts []string
	if r.Verdict != nil {
		parts = append(parts, strings.ReplaceAll(string(r.Verdict.Outcome), "_", " "))
	}
	if r.Attempt > 0 {
		parts = append(parts, fmt.Sprintf("retry %d", r.Attempt))
	}
	if r.Request.Truncated {
		parts = append(parts, "body cut")
	}
	return strings.Join(parts, ", ")
}

// outcomePaint returns the colour of an outcome.
func outcomePaint(p ui.Palette, r *webhook.Record) func(string) string {
	switch {
	case r.Status()/100 == 2 && (r.Verdict == nil || r.Verdict.Outcome == webhook.Accepted):
		return p.Good
	case r.Verdict != nil && r.Verdict.Outcome == webhook.ForwardFailed:
		return p.Bad
	case r.Response != nil && r.Response.Status < 500:
		return p.Warn
	}
	return p.Bad
}

func newShow(env *command.Env) *cobra.Command {
	var flags command.Journal
	var output command.Output
	curl := false
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a record in full: request, verdict and response",
		Long:    "Show the record with that ID in full, or the last record of the webhook with\nthat ID. The beginning of an ID is enough, if no other has it.",
		Example: "  wsk journal show rec_1jb8h4k0s7q2\n  wsk journal show whk_42 --curl",
		Args:    command.ExactArgs(1, "ID"),
	}
	flags.AddRead(cmd)
	cmd.Flags().BoolVar(&curl, "curl", false, "print the request as a curl command")
	output.Add(cmd, "text", "json", "ndjson")
	settings := command.NewSettings(cmd)
	cmd.RunE = settings.RunE(env, &output, func(ctx context.Context, _ *config.Config, args []string) error {
		return command.WithJournal(ctx, env, &flags, func(j *journal.Journal) error {
			r, err := command.FindRecord(ctx, j, args[0])
			switch {
			case errors.Is(err, journal.ErrNotFound):
				return command.No(err)
			case err != nil:
				return err
			case curl && r.Request.Truncated:
				return fmt.Errorf("record %s: %w", r.ID, r.Request.CheckWhole())
			case curl:
				_, err = fmt.Fprintln(env.Out, ui.Curl(r.Request))
				return err
			case output.Text():
				return writeRecord(env, output.Palette, &r)
			}
			return webhook.NewEncoder(env.Out).Encode(r)
		})
	})
	return cmd
}

// writeRecord writes a record for people.
func writeRecord(env *command.Env, p ui.Palette, r *webhook.Record) error {
	t := ui.Table{Width: env.Columns, Wrap: true}
	row := func(label, text string, paint func(string) string) {
		if text != "" {
			t.Row(ui.Cell{Text: label, Paint: p.Quiet}, ui.Cell{Text: text, Paint: paint})
		}
	}
	row("record", r.ID, p.Name)
	row("time", r.Time.Local().Format("2006-01-02 15:04:05.000 MST"), nil)
	row("event", r.Event, nil)
	row("webhook", r.WebhookID, nil)
	if v := r.Verdict; v != nil {
		row("outcome", outcomeText(r), outcomePaint(p, r))
		row("reason", v.Reason, nil)
		row("", v.Detail, nil)
		if d := v.Diagnosis; d != nil {
			row("why", d.Summary, nil)
			row("fix", d.Fix, nil)
		}
		for _, w := range v.Warnings {
			row("warning", w, p.Warn)
		}
		for _, f := range v.Findings {
			row(f.Severity, command.FindingText(f.Message, f.Pointer, f.Rule), nil)
		}
	}
	row("error", r.Error, p.Bad)
	if err := r.Request.CheckWhole(); err != nil {
		row("body", err.Error(), p.Warn)
	}
	if err := t.Write(env.Out); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "\n%s", ui.Wire(r.Request, p)); err != nil {
		return err
	}
	return errors.Join(writeResponse(env.Out, p, "the app answered", r.Forward), writeResponse(env.Out, p, "answered", r.Response))
}

// writeResponse writes a response as it was on the wire, if there is one.
func writeResponse(w io.Writer, p ui.Palette, label string, r *webhook.Response) error {
	if r == nil {
		return nil
	}
	head := p.Quiet(label) + " " + p.Status(r.Status, ui.StatusText(r.Status))
	for _, line := range r.Header.Redacted() {
		head += "\n" + p.Quiet(ui.Clean(line.Name)+":") + " " + ui.Clean(line.Value)
	}
	_, err := fmt.Fprintf(w, "\n%s\n\n%s\n", head, ui.CleanLines(string(r.Body)))
	return err
}

func newPath(env *command.Env) *cobra.Command {
	var flags command.Journal
	var output command.Output
	cmd := &cobra.Command{
		Use:     "path",
		Short:   "Print the path of the journal",
		Example: "  sqlite3 \"$(wsk journal path)\" 'select count(*) from record'",
		Args:    command.ExactArgs(0, ""),
	}
	flags.AddRead(cmd)
	output.Add(cmd, "text", "json")
	settings := command.NewSettings(cmd)
	cmd.RunE = settings.RunE(env, &output, func(context.Context, *config.Config, []string) error {
		path, _, err := flags.Place(env)
		switch {
		case err != nil:
			return err
		case output.Text():
			_, err = fmt.Fprintln(env.Out, path)
			return err
		}
		return command.WriteJSON(env.Out, struct {
			Path string `json:"path"`
		}{path})
	})
	return cmd
}

func newPrune(env *command.Env) *cobra.Command {
	var flags command.Journal
	var output command.Output
	var older string
	dry := false
	cmd := &cobra.Command{
		Use:   "prune --older-than TIME",
		Short: "Delete old records and free their space",
		Long: `Delete the records that are older than TIME. Records that wait to be
forwarded are kept, and so are the ids by which a listener recognises a repeated
delivery.`,
		Example: "  wsk journal prune --older-than 30d\n  wsk journal prune --older-than 2026-01-01 --dry-run",
		Args:    command.ExactArgs(0, ""),
	}
	flags.AddRead(cmd)
	cmd.Flags().StringVar(&older, "older-than", "", "delete what is older than `TIME`: 30d, 12h, or 2026-01-15T14:30:00Z")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print how many records would be deleted, and delete none")
	output.Add(cmd, "text", "json")
	settings := command.NewSettings(cmd)
	cmd.RunE = settings.RunE(env, &output, func(ctx context.Context, _ *config.Config, _ []string) error {
		before, err := command.ParseTime("--older-than", older, env.Now())
		if err == nil && before.IsZero() {
			err = errors.New("--older-than is missing: wsk journal prune --older-than 30d")
		}
		if err != nil {
			return err
		}
		return command.WithJournal(ctx, env, &flags, func(j *journal.Journal) error {
			n, err := prune(ctx, j, before, dry)
			switch {
			case err != nil:
				return err
			case !output.Text():
				return command.WriteJSON(env.Out, pruned{n, dry})
			case dry:
				_, err = fmt.Fprintf(env.Out, "%s would be deleted\n", ui.Plural(n, "record"))
			default:
				_, err = fmt.Fprintf(env.Out, "%s deleted\n", ui.Plural(n, "record"))
			}
			return err
		})
	})
	return cmd
}

// pruned is the JSON of a prune.
type pruned struct {
	Deleted int  `json:"deleted"` // or would be
	DryRun  bool `json:"dry_run"`
}

// prune deletes the records before a time, or only counts them.
func prune(ctx context.Context, j *journal.Journal, before time.Time, dry bool) (int, error) {
	if dry {
		return j.CountPrune(ctx, before)
	}
	return j.Prune(ctx, before)
}
