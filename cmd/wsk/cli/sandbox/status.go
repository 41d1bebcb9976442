package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/sandbox"
)

func newStatus(env *command.Env) *cobra.Command {
	var flags askFlags
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show how much a running sandbox holds, and what is due",
		Example: "  wsk sandbox status\n  wsk sandbox status --json | jq .deliveries",
		Args:    command.ExactArgs(0, ""),
	}
	flags.add(cmd, env, func(ctx context.Context, s *asker, _ []string) error {
		var status sandbox.Status
		raw, err := s.get(ctx, "status", nil, &status)
		switch {
		case err != nil:
			return err
		case s.format == "json":
			return s.raw(raw)
		}
		return s.status(status)
	})
	return cmd
}

func (s *asker) status(status sandbox.Status) error {
	t, row := s.sheet()
	row("sandbox", s.base)
	for _, c := range status.Companies {
		row("company", c.ID+"  "+strings.Join(c.Keys, ", "))
	}
	row("records", command.FormatCounts(status.Records, "none", sandbox.Kinds()...))
	row("subscriptions", strconv.Itoa(status.Subscriptions))
	row("deliveries", command.FormatCounts(status.Deliveries, "none", sandbox.Delivered, sandbox.Pending, sandbox.Sending, sandbox.Dead))
	if status.Advanced != "0s" {
		row("clock", status.Clock.Local().Format(time.DateTime)+", "+status.Advanced+" ahead")
	}
	if status.NextDue != nil {
		row("next attempt", status.NextDue.Local().Format(time.DateTime)+", in "+ui.Duration(max(status.NextDue.Sub(status.Clock), 0)))
	}
	return t.Write(s.env.Out)
}

func newRecords(env *command.Env) *cobra.Command {
	var flags askFlags
	var kind, company string
	var limit int
	cmd := &cobra.Command{
		Use:   "records [ID]",
		Short: "List what the companies have, the newest first, or show a record",
		Example: `  wsk sandbox records --kind work_order
  wsk sandbox records wo_4k2j7q9x1m5n8b3v
  wsk sandbox records --json | jq '.records[].fields'`,
		Args: command.MaxArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "list records of `KIND`, such as project, work_order or employee")
	f.StringVar(&company, "company", "", "list those of the company `ID`")
	f.IntVar(&limit, "limit", 100, "list `N` at the most")
	command.CompleteFlag(cmd, "kind", sandbox.Kinds()...)
	flags.add(cmd, env, func(ctx context.Context, s *asker, args []string) error {
		query := url.Values{"kind": {kind}, "company": {company}, "limit": {strconv.Itoa(limit)}}
		var found []sandbox.Record
		return s.list(ctx, "record", "records", query, args, &found, func() error { return s.record(found[0]) }, func() error { return s.records(found) })
	}, "ndjson")
	return cmd
}

func (s *asker) records(list []sandbox.Record) error {
	t := ui.Table{Width: s.env.Columns}
	for _, r := range list {
		t.Row(ui.Cell{Text: r.Updated.Local().Format(time.TimeOnly), Paint: s.p.Quiet}, ui.Cell{Text: r.Kind}, ui.Cell{Text: r.ID, Paint: s.p.Quiet}, ui.Cell{Text: label(r)})
	}
	if len(list) == 0 {
		fmt.Fprintln(s.env.Err, "no record")
	}
	return t.Write(s.env.Out)
}

// label is what people know a record by: its number or code, its name, and how
// far it is.
func label(r sandbox.Record) string {
	var parts []string
	for _, name := range []string{"work_order_number", "project_code", "emp_number", "timesheet_date", "report_date", "start_date"} {
		if text, ok := r.Fields[name].(string); ok && len(parts) < 2 {
			parts = append(parts, text)
		}
	}
	parts = append(parts, r.Name)
	if status, ok := r.Fields["status"].(string); ok {
		parts = append(parts, "("+status+")")
	}
	return strings.Join(parts, "  ")
}

// record shows all that a record holds.
func (s *asker) record(r sandbox.Record) error {
	t, row := s.sheet()
	row("id", r.ID)
	row("kind", r.Kind)
	row("company", r.Company)
	row("created", r.Created.Local().Format(time.DateTime))
	row("updated", r.Updated.Local().Format(time.DateTime))
	if err := t.Write(s.env.Out); err != nil {
		return err
	}
	fields, err := json.MarshalIndent(r.Fields, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.env.Out, ui.CleanLines(string(fields)))
	return err
}
