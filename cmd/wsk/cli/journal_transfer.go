package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newJournalExport(env *Env) *cobra.Command {
	var flags journalFlags
	var query filterFlags
	var file string
	salvage := false
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write records as NDJSON, the oldest first",
		Long: `Write records as NDJSON, one line a record, the oldest first. verify, lint,
replay and journal import read them.

--salvage reads what can still be read of a journal that is damaged.`,
		Example: `  wsk journal export --since 7d -o week.ndjson
  wsk journal export --event 'timesheet.*' | jq -r .request.body
  wsk journal export --salvage -o saved.ndjson`,
		Args: exactly(0, ""),
	}
	query.add(cmd)
	flags.read(cmd)
	cmd.Flags().StringVarP(&file, "output", "o", "-", "write to `FILE`, whole or not at all; - is stdout")
	cmd.Flags().BoolVar(&salvage, "salvage", false, "read what can be read of a damaged journal")
	for _, filter := range []string{"since", "until", "event", "status", "direction", "id"} {
		cmd.MarkFlagsMutuallyExclusive("salvage", filter)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		filter, err := query.filter(env.Now())
		if err != nil {
			return err
		}
		return toFile(env, file, func(w io.Writer) error {
			if salvage {
				return salvaged(cmd.Context(), env, &flags, w)
			}
			return withJournal(cmd.Context(), env, &flags, func(j *journal.Journal) error {
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

func salvaged(ctx context.Context, env *Env, flags *journalFlags, w io.Writer) error {
	path, _, err := flags.place(env)
	if err != nil {
		return err
	}
	read, lost, err := journal.Salvage(ctx, path, webhook.NewEncoder(w).Encode)
	if err == nil {
		fmt.Fprintf(env.Err, "%s saved, %s could not be read\n", ui.Plural(read, "record"), ui.Plural(lost, "place"))
	}
	return err
}

// toFile writes a result to stdout for "-", else to a file that is there whole
// or not at all, and that its owner alone can read.
func toFile(env *Env, name string, write func(io.Writer) error) error {
	if name == "-" {
		w := bufio.NewWriterSize(env.Out, 64<<10)
		return joined(write(w), w.Flush())
	}
	path := env.path(name)
	file, err := os.CreateTemp(filepath.Dir(path), ".wsk-*") // with mode 0600
	if err != nil {
		return writingError(name, err)
	}
	w := bufio.NewWriterSize(file, 64<<10)
	err = write(w)
	if fault := joined(w.Flush(), file.Sync(), file.Close()); fault != nil && err == nil {
		err = writingError(name, fault)
	}
	if err == nil {
		if err = os.Rename(file.Name(), path); err != nil {
			err = writingError(name, err)
		}
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

func newJournalImport(env *Env) *cobra.Command {
	var flags journalFlags
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Read records from NDJSON into the journal",
		Long: `Read records from NDJSON into the journal, which is made where there is none.
A record whose id is there already is left as it is, so an import can be
repeated.`,
		Example: "  wsk journal import week.ndjson\n  wsk journal export --journal old.db | wsk journal import -",
		Args:    exactly(1, "FILE"),
	}
	flags.read(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		in, _, err := open(env, args[0])
		if err != nil {
			return err
		}
		defer func() { err = joined(err, in.Close()) }()
		j, err := flags.open(cmd.Context(), env, false)
		if err != nil {
			return err
		}
		defer func() { err = joined(err, j.Close()) }()
		return importRecords(cmd.Context(), env, j, args[0], in)
	}
	return cmd
}

// importGroup is how many records are stored by one commit.
const importGroup = 200

// importRecords stores records in their order. What was stored before a fault
// stays.
func importRecords(ctx context.Context, env *Env, j *journal.Journal, name string, in io.Reader) error {
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
			faults = append(faults, fmt.Errorf("reading %s: %w", sourceName(name), err))
			if len(faults) == 20 || errors.Is(err, webhook.ErrLineTooLong) {
				break
			}
			continue
		}
		if r.ID == "" {
			faults = append(faults, fmt.Errorf("reading %s: a record of %s has no id", sourceName(name), r.Time))
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
	fmt.Fprintf(env.Err, "%s read, %d added, %d there before\n", ui.Plural(read, "record"), added, read-added)
	return joined(faults...)
}
