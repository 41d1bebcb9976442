// Package journal implements wsk journal: list, show, export, import and prune records.
package journal

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// New returns the command.
func New(env *command.Env) *cobra.Command {
	return command.NewGroup(&cobra.Command{
		Use:   "journal",
		Short: "Look at what was sent and received, export it, import it, prune it",
		Long: `listen, send, trigger and replay keep a record of every request in the journal,
a SQLite file that you alone can read. Credentials are masked in it; bodies and
signatures are kept byte for byte, so a record can be verified and replayed.`,
	}, newList(env), newShow(env), newExport(env), newImport(env), newPrune(env), newPath(env))
}

func newShow(env *command.Env) *cobra.Command {
	var flags command.Journal
	var output command.Output
	curl := false
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a record in full: request, verdict and answer",
		Long:    "Show the record of an ID in full, or the last one of a webhook's ID.",
		Example: "  wsk journal show rec_1jb8h4k0s7q2\n  wsk journal show whk_42 --curl",
		Args:    command.ExactArgs(1, "ID"),
	}
	flags.AddRead(cmd)
	cmd.Flags().BoolVar(&curl, "curl", false, "print the request as a curl command")
	output.Add(cmd, "text", "json", "ndjson")
	settings := command.NewSettings(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := settings.Begin(env, &output)
		if err != nil {
			return err
		}
		p, err := command.Palette(env, cfg, env.OutTTY)
		if err != nil {
			return err
		}
		return command.WithJournal(cmd.Context(), env, &flags, func(j *journal.Journal) error {
			r, err := command.FindRecord(cmd.Context(), j, args[0])
			switch {
			case errors.Is(err, journal.ErrNotFound):
				return command.No(err)
			case err != nil:
				return err
			case curl:
				_, err = fmt.Fprintln(env.Out, ui.Curl(r.Request))
				return err
			case output.Text():
				return writeRecord(env, p, &r)
			}
			return webhook.NewEncoder(env.Out).Encode(r)
		})
	}
	return cmd
}

// writeRecord shows a record to a person.
func writeRecord(env *command.Env, p ui.Palette, r *webhook.Record) error {
	t := ui.Table{Width: env.Columns, Wrap: true}
	type row struct {
		label, text string
		paint       func(string) string
	}
	rows := []row{
		{"record", r.ID, p.Name},
		{"time", r.Time.Local().Format("2006-01-02 15:04:05.000 MST"), nil},
		{"event", r.Event, nil},
		{"webhook", r.WebhookID, nil},
	}
	if v := r.Verdict; v != nil {
		rows = append(rows, row{"outcome", outcomeText(r), outcomePaint(p, r)}, row{"reason", v.Reason, nil}, row{"", v.Detail, nil})
		for _, w := range v.Warnings {
			rows = append(rows, row{"warning", w, p.Warn})
		}
		for _, f := range v.Findings {
			rows = append(rows, row{f.Severity, f.Message + " at " + f.Pointer + " (" + f.Rule + ")", nil})
		}
	}
	rows = append(rows, row{"error", r.Error, p.Bad})
	for _, l := range rows {
		if l.text != "" {
			t.Row(ui.Cell{Text: l.label, Paint: p.Quiet}, ui.Cell{Text: l.text, Paint: l.paint})
		}
	}
	if err := t.Write(env.Out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(env.Out, "\n%s", ui.Wire(r.Request, p))
	for _, answer := range []struct {
		label string
		*webhook.Response
	}{{"the app behind answered", r.Forward}, {"answered", r.Response}} {
		if answer.Response == nil || err != nil {
			continue
		}
		head := fmt.Sprintf("%s %s", p.Quiet(answer.label), p.Status(answer.Status, ui.StatusText(answer.Status)))
		for _, line := range answer.Header.Redacted() {
			head += "\n" + p.Quiet(ui.Clean(line.Name)+":") + " " + ui.Clean(line.Value)
		}
		_, err = fmt.Fprintf(env.Out, "\n%s\n\n%s\n", head, ui.CleanLines(string(answer.Body)))
	}
	return err
}

func newPath(env *command.Env) *cobra.Command {
	var flags command.Journal
	cmd := &cobra.Command{
		Use:     "path",
		Short:   "Print where the journal is",
		Example: "  sqlite3 \"$(wsk journal path)\" 'select count(*) from record'",
		Args:    command.ExactArgs(0, ""),
		RunE: func(*cobra.Command, []string) error {
			path, _, err := flags.Place(env)
			if err == nil {
				_, err = fmt.Fprintln(env.Out, path)
			}
			return err
		},
	}
	flags.AddRead(cmd)
	return cmd
}

func newPrune(env *command.Env) *cobra.Command {
	var flags command.Journal
	var older string
	dry := false
	cmd := &cobra.Command{
		Use:   "prune --older-than TIME",
		Short: "Delete old records and give their room back",
		Long: `Delete the records that are older than a TIME. What waits to be forwarded stays,
and so do the ids by which a listener knows a delivery again.`,
		Example: "  wsk journal prune --older-than 30d\n  wsk journal prune --older-than 2026-01-01 --dry-run",
		Args:    command.ExactArgs(0, ""),
	}
	flags.AddRead(cmd)
	cmd.Flags().StringVar(&older, "older-than", "", "delete what came before `TIME`: 30d, 12h, or 2026-01-15T14:30:00Z")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say how many, and delete none")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		before, err := command.ParseTime("--older-than", older, env.Now())
		if err == nil && before.IsZero() {
			err = errors.New("--older-than is missing: wsk journal prune --older-than 30d")
		}
		if err != nil {
			return err
		}
		return command.WithJournal(cmd.Context(), env, &flags, func(j *journal.Journal) error {
			if dry {
				n, err := j.Count(cmd.Context(), journal.Filter{Until: before})
				if err == nil {
					_, err = fmt.Fprintf(env.Out, "%s would be deleted\n", ui.Plural(n, "record"))
				}
				return err
			}
			n, err := j.Prune(cmd.Context(), before)
			if err == nil {
				_, err = fmt.Fprintf(env.Out, "%s deleted\n", ui.Plural(n, "record"))
			}
			return err
		})
	}
	return cmd
}
