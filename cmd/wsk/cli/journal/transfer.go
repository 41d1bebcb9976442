package journal

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newExport(env *command.Env) *cobra.Command {
	var flags command.Journal
	var query command.Filter
	var file string
	salvage := false
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write records as NDJSON, the oldest first",
		Long: `Write records as NDJSON, one per line, the oldest first. verify, lint, replay
and journal import read them.

--salvage reads as much as possible of a damaged journal.`,
		Example: `  wsk journal export --since 7d -o week.ndjson
  wsk journal export --event 'timesheet.*' | jq -r .request.body
  wsk journal export --salvage -o saved.ndjson`,
		Args: command.ExactArgs(0, ""),
	}
	query.Add(cmd)
	flags.AddRead(cmd)
	cmd.Flags().StringVarP(&file, "output", "o", "-", "write to `FILE`, complete or not at all; - is stdout")
	cmd.Flags().BoolVar(&salvage, "salvage", false, "read as much as possible of a damaged journal")
	for _, filter := range []string{"since", "until", "event", "status", "direction", "id"} {
		cmd.MarkFlagsMutuallyExclusive("salvage", filter)
	}
	settings := command.NewSettings(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		filter, err := query.Filter(env.Now())
		if err != nil {
			return err
		}
		cfg, err := settings.Load(env)
		if err != nil {
			return err
		}
		return command.WriteFile(env, file, func(w io.Writer) error {
			if salvage {
				return salvaged(cmd.Context(), env, &flags, w)
			}
			return command.WithJournal(cmd.Context(), env, &flags, func(j *journal.Journal) error {
				if err := settings.CheckEvents(env, cfg, "--event", filter.Events, command.RecordedEvents(cmd.Context(), j)); err != nil {
					return err
				}
				encoder := webhook.NewEncoder(w)
				for r, err := range j.Records(cmd.Context(), filter) {
					if err == nil {
						err = encoder.Encode(r)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	return cmd
}

func salvaged(ctx context.Context, env *command.Env, flags *command.Journal, w io.Writer) error {
	path, _, err := flags.Place(env)
	if err != nil {
		return err
	}
	read, lost, err := journal.Salvage(ctx, path, webhook.NewEncoder(w).Encode)
	if err == nil {
		fmt.Fprintf(env.Err, "%s saved, %s could not be read\n", ui.Plural(read, "record"), ui.Plural(lost, "place"))
	}
	return err
}

func newImport(env *command.Env) *cobra.Command {
	var flags command.Journal
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Read records from NDJSON into the journal",
		Long: `Read records from NDJSON into the journal, which is created if it does not
exist. A record whose id is already in the journal is left unchanged, so an
import can be repeated.`,
		Example: "  wsk journal import week.ndjson\n  wsk journal export --journal old.db | wsk journal import -",
		Args:    command.ExactArgs(1, "FILE"),
	}
	flags.AddRead(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		in, _, err := command.OpenInput(env, args[0])
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.Close()) }()
		j, err := flags.Open(cmd.Context(), env, false)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, j.Close()) }()
		return importRecords(cmd.Context(), env, j, args[0], in)
	}
	return cmd
}

// importGroup is the number of records in one commit.
const importGroup = 200

// importRecords stores records in order. Records before an error stay.
func importRecords(ctx context.Context, env *command.Env, j *journal.Journal, name string, in io.Reader) error {
	decoder := webhook.NewDecoder(in)
	var group []webhook.Record
	read, added := 0, 0
	store := func() error {
		n, err := j.Import(ctx, group)
		read, added, group = read+len(group), added+n, group[:0]
		return err
	}
	var faults []error
	for {
		r, err := decoder.Decode()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("reading %s: %w", command.SourceName(name), err))
			if len(faults) == 20 || errors.Is(err, webhook.ErrLineTooLong) {
				break
			}
			continue
		}
		if r.ID == "" {
			faults = append(faults, fmt.Errorf("reading %s: a record of %s has no id", command.SourceName(name), r.Time))
			continue
		}
		if group = append(group, r); len(group) == importGroup {
			if err := store(); err != nil {
				return err
			}
		}
	}
	if err := store(); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "%s read, %d added, %d already there\n", ui.Plural(read, "record"), added, read-added)
	return errors.Join(faults...)
}
