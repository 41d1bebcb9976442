package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newExport(env *command.Env) *cobra.Command {
	var flags command.Journal
	var output command.Output
	var query command.Filter
	var file string
	salvage := false
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write records as NDJSON, the oldest first",
		Long: `Write records as NDJSON, one per line, the oldest first. verify, lint, replay
and journal import read them. --json writes one document with the list records.
If it ends early, it is still valid JSON, and its member error says why.

--salvage reads as much as possible of a damaged journal.`,
		Example: `  wsk journal export --since 7d -o week.ndjson
  wsk journal export --event 'timesheet.*' | jq -r .request.body
  wsk journal export --salvage -o saved.ndjson`,
		Args: command.ExactArgs(0, ""),
	}
	query.Add(cmd, "any")
	query.AddIDs(cmd)
	flags.AddRead(cmd)
	output.Add(cmd, "ndjson", "json")
	cmd.Flags().StringVarP(&file, "output", "o", "-", "write to `FILE`, complete or not at all; - is stdout")
	cmd.Flags().BoolVar(&salvage, "salvage", false, "read as much as possible of a damaged journal")
	for _, filter := range []string{"since", "until", "event", "status", "failed", "direction", "id"} {
		command.Exclusive(cmd, "salvage", filter)
	}
	settings := command.NewSettings(cmd)
	cmd.RunE = settings.RunE(env, &output, func(ctx context.Context, cfg *config.Config, _ []string) error {
		filter, err := query.Filter(env.Now())
		if err != nil {
			return err
		}
		return command.WriteFile(env, file, func(w io.Writer) error {
			records := command.NewRecordWriter(w, output.Format)
			if salvage {
				return salvaged(ctx, env, &flags, records)
			}
			return command.WithJournal(ctx, env, &flags, func(j *journal.Journal) error {
				if err := settings.CheckEvents(env, cfg, "--event", filter.Events, command.RecordedEvents(ctx, j)); err != nil {
					return err
				}
				return records.End(each(j.Records(ctx, filter), records.Write))
			})
		})
	})
	return cmd
}

func salvaged(ctx context.Context, env *command.Env, flags *command.Journal, records *command.RecordWriter) error {
	path, _, err := flags.Place(env)
	if err != nil {
		return err
	}
	read, lost, err := journal.Salvage(ctx, path, records.Write)
	if err == nil {
		fmt.Fprintf(env.Err, "%s saved, %s could not be read\n", ui.Plural(read, "record"), ui.Plural(lost, "place"))
	}
	return records.End(err)
}

func newImport(env *command.Env) *cobra.Command {
	var flags command.Journal
	var output command.Output
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Read records from NDJSON into the journal",
		Long: `Read records from NDJSON into the journal, which is created if it does not
exist. A record whose id is already in the journal is left unchanged, so an
import can be repeated. A FILE without records, as export writes it if nothing
matches, adds none.`,
		Example: "  wsk journal import week.ndjson\n  wsk journal export --journal old.db | wsk journal import -",
		Args:    command.ExactArgs(1, "FILE"),
	}
	flags.AddRead(cmd)
	output.Add(cmd, "text", "json")
	settings := command.NewSettings(cmd)
	cmd.RunE = settings.RunE(env, &output, func(ctx context.Context, _ *config.Config, args []string) (err error) {
		in, _, err := command.OpenInput(ctx, env, args[0])
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.Close()) }()
		j, err := flags.Open(ctx, env, false)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, j.Close()) }()
		result, err := importRecords(ctx, j, args[0], in)
		if output.Text() {
			fmt.Fprintf(env.Err, "%s read, %d added, %d already there\n", ui.Plural(result.Read, "record"), result.Added, result.Present)
			return err
		}
		return errors.Join(err, command.WriteJSON(env.Out, result))
	})
	return cmd
}

// The size of a commit of an import. The index of ids has a page for about 150 of
// them, which a commit writes once: where ids come in no order, the more records a
// commit has, the fewer pages are written for each.
const (
	importGroup = 2000
	importBytes = 8 << 20 // of the file, about: what is held in memory
)

// imported counts the records of an import.
type imported struct {
	Read    int `json:"read"`
	Added   int `json:"added"`
	Present int `json:"present"` // they were in the journal before
}

// importRecords stores records in order. Records before an error stay.
func importRecords(ctx context.Context, j *journal.Journal, name string, in io.Reader) (result imported, err error) {
	reader := &countingReader{r: in}
	decoder := webhook.NewDecoder(reader)
	var group []webhook.Record
	store := func() error {
		n, err := j.Import(ctx, group)
		result.Read, result.Added = result.Read+len(group), result.Added+n
		result.Present = result.Read - result.Added
		clear(group) // so that the bodies can be freed
		group, reader.n = group[:0], 0
		return err
	}
	var faults []error
	for {
		r, err := decoder.Decode()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			faults = append(faults, command.ReadingError(command.SourceName(name), err))
			var disk *fs.PathError // the next read would fail as well
			if len(faults) == 20 || errors.Is(err, webhook.ErrLineTooLong) || errors.As(err, &disk) {
				break
			}
			continue
		}
		if r.ID == "" {
			faults = append(faults, fmt.Errorf("reading %s: a record of %s has no id", command.SourceName(name), r.Time))
			continue
		}
		if group = append(group, r); len(group) == importGroup || reader.n >= importBytes {
			if err := store(); err != nil {
				return result, err
			}
		}
	}
	if err := store(); err != nil {
		return result, err
	}
	return result, errors.Join(faults...)
}

// countingReader counts the bytes that are read.
type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}
