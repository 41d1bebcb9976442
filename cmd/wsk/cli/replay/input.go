package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
)

// query are the flags that pick records.
type query struct {
	command.Filter
	refused bool // those as well that were refused when they were received
}

func (q *query) add(cmd *cobra.Command) {
	q.Add(cmd, "received")
	cmd.Flags().BoolVar(&q.refused, "include-refused", false, "sign also requests that were refused: by their signature, their timestamp or their form, or as a suspected replay")
}

// filter reads the flags. isSet is false when none of them was given.
func (q *query) filter(now time.Time, given func(string) bool) (f journal.Filter, isSet bool, err error) {
	for _, flag := range []string{"failed", "since", "until", "event", "status", "direction"} {
		isSet = isSet || given(flag)
	}
	f, err = q.Filter.Filter(now)
	return f, isSet, err
}

// wantsFailed reports whether only failed deliveries are selected. It is good news
// when there are none.
func (q *query) wantsFailed() bool {
	return q.Failed || len(q.Status) == 1 && q.Status[0] == "failed"
}

// source finds items in files and in the journal.
type source struct {
	env     *command.Env
	options *options
	opened  *journal.Journal
}

// close closes the journal. What was stored is on disk already, so there is no error.
func (s *source) close() {
	if s.opened != nil {
		_ = s.opened.Close()
	}
}

// journal opens the journal, once, for reading and for the new records.
func (s *source) journal(ctx context.Context) (*journal.Journal, error) {
	if s.opened == nil {
		var err error
		if s.opened, err = s.options.journal.Open(ctx, s.env, true); err != nil {
			return nil, err
		}
	}
	return s.opened, nil
}

// recorder stores what is sent in the journal that was read, else in the default one.
func (s *source) recorder(ctx context.Context) (*command.Recorder, error) {
	if s.opened != nil && !s.options.journal.Off {
		return command.NewRecorder(s.env, s.opened), nil
	}
	r, err := s.options.journal.Recorder(ctx, s.env)
	if err == nil && s.opened == nil {
		s.opened = r.Journal()
	}
	return r, err
}

// items returns what the arguments and the filter name. There is at least one
// item, except with --failed.
func (s *source) items(ctx context.Context, cfg *config.Config, args []string) ([]replay.Item, error) {
	filter, isSet, err := s.options.query.filter(s.env.Now(), s.options.given)
	if err != nil {
		return nil, err
	}
	var items []replay.Item
	checkEvents := func(has func(glob string) (bool, error)) error {
		return s.options.settings.CheckEvents(s.env, cfg, "--event", filter.Events, has)
	}
	switch {
	case len(args) > 0:
		if items, err = s.fromArgs(ctx, args); err != nil {
			return nil, err
		}
		err = checkEvents(func(glob string) (bool, error) {
			return slices.ContainsFunc(items, func(i replay.Item) bool { return i.Matches(journal.Filter{Events: []string{glob}}) }), nil
		})
		if !s.options.given("direction") {
			filter.Direction = ""
		}
		items = slices.DeleteFunc(items, func(i replay.Item) bool { return !i.Matches(filter) })
	case isSet:
		if err := s.env.CheckStdin("PATH -", "the journal"); err != nil {
			return nil, err
		}
		j, opening := s.journal(ctx)
		if opening != nil {
			return nil, opening
		}
		if err = checkEvents(command.RecordedEvents(ctx, j)); err == nil {
			items, err = s.fromJournal(ctx, j, filter)
		}
	default:
		return nil, errors.New("nothing to replay: give PATH, the id of a record, or a filter of the journal such as --failed --since 2h")
	}
	if err != nil {
		return nil, err
	}
	found := len(items)
	if !s.options.verbatim && !s.options.query.refused {
		items = slices.DeleteFunc(items, func(i replay.Item) bool { return i.Refused() != "" })
	}
	refused := found - len(items)
	items = slices.DeleteFunc(items, func(i replay.Item) bool { return i.Record != nil && i.Record.Request.Truncated })
	if n := found - refused - len(items); n > 0 {
		fmt.Fprintf(s.env.Err, "wsk: skipped, because only the beginning of the body was kept: %s\n", ui.Plural(n, "record"))
		if len(items) == 0 {
			return nil, errors.New("nothing to replay: no record has its whole body")
		}
	}
	switch {
	case len(items) > 0:
	case s.options.query.wantsFailed():
		fmt.Fprintln(s.env.Err, "wsk: nothing to replay: no delivery failed")
	case refused > 0:
		return nil, fmt.Errorf("nothing to replay: refused when received, and a new signature would make it genuine: %s; --include-refused signs all the same, --verbatim keeps the signature", ui.Plural(refused, "record"))
	default:
		return nil, errors.New("nothing to replay: no record matches the filter")
	}
	if refused > 0 {
		fmt.Fprintf(s.env.Err, "wsk: refused when received, so not signed again: %s; --include-refused signs all the same\n", ui.Plural(refused, "record"))
	}
	return items, nil
}

// fromJournal queries the journal.
func (s *source) fromJournal(ctx context.Context, j *journal.Journal, f journal.Filter) ([]replay.Item, error) {
	return replay.FromJournal(ctx, j, f, func(id string, why error) {
		fmt.Fprintf(s.env.Err, "wsk: warning: %s is skipped: %s\n", ui.Clean(id), ui.Clean(why.Error()))
	})
}

// fromArgs reads each argument: a path, or an id in the journal.
func (s *source) fromArgs(ctx context.Context, args []string) ([]replay.Item, error) {
	var items []replay.Item
	for _, arg := range args {
		found, err := s.fromArg(ctx, arg)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

func (s *source) fromArg(ctx context.Context, arg string) ([]replay.Item, error) {
	info, err := os.Stat(s.env.Path(arg))
	switch {
	case arg == "-":
		return s.file(ctx, arg)
	case arg != "" && err == nil && info.IsDir():
		return s.folder(ctx, arg)
	case arg != "" && errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(arg, "*?["):
		return s.id(ctx, arg)
	}
	paths, err := command.Expand(s.env, arg)
	if err != nil {
		return nil, err
	}
	var items []replay.Item
	for _, name := range paths {
		found, err := s.file(ctx, name)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

// id looks up a record or a delivery.
func (s *source) id(ctx context.Context, id string) ([]replay.Item, error) {
	j, err := s.journal(ctx)
	if err != nil {
		if strings.HasPrefix(id, "rec_") {
			return nil, err
		}
		return nil, fmt.Errorf("reading %s: there is no such file, and no journal to look an id up in", id)
	}
	record, err := j.Get(ctx, id)
	switch {
	case errors.Is(err, journal.ErrNotFound) && strings.HasPrefix(id, "rec_"):
		return nil, fmt.Errorf("the journal %s has no record %s", j.Path(), id)
	case errors.Is(err, journal.ErrNotFound):
		return nil, fmt.Errorf("reading %s: there is no such file, and the journal %s has no such id", id, j.Path())
	case err != nil:
		return nil, err
	}
	return []replay.Item{replay.FromRecord("journal", record)}, nil
}

func (s *source) file(ctx context.Context, name string) ([]replay.Item, error) {
	raw, err := s.env.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	return replay.Read(command.SourceName(name), raw)
}

func (s *source) folder(ctx context.Context, dir string) ([]replay.Item, error) {
	root, err := os.OpenRoot(s.env.Path(dir))
	if err != nil {
		return nil, command.ReadingError(dir, err)
	}
	defer func() { _ = root.Close() }()
	return replay.ReadFolder(dir, root, func(file io.Reader, name string) ([]byte, error) {
		return command.ReadAll(ctx, file, name)
	})
}

// editItem opens the payload of the only item in the person's editor.
func editItem(ctx context.Context, env *command.Env, items []replay.Item) error {
	if len(items) != 1 {
		return fmt.Errorf("--edit opens one payload, but there are %d: name one", len(items))
	}
	if !env.InTTY || !env.ErrTTY {
		return errors.New("--edit: there is no terminal for an editor")
	}
	item := &items[0]
	if err := item.Check(); err != nil {
		return fmt.Errorf("%s: %w", item.Name(), err)
	}
	edited, err := editBytes(ctx, env, item.Event.Raw)
	if err == nil {
		err = item.Edit(edited)
	}
	if err != nil {
		return fmt.Errorf("--edit: %w", err)
	}
	return nil
}

// editBytes opens bytes in $VISUAL or $EDITOR, in a file that only this person
// can read and that is removed afterwards, and returns the edited bytes.
func editBytes(ctx context.Context, env *command.Env, raw []byte) (edited []byte, err error) {
	name := env.Getenv("VISUAL")
	if name == "" {
		name = env.Getenv("EDITOR")
	}
	words := strings.Fields(name) // "code --wait"
	if len(words) == 0 {
		return nil, errors.New("no editor: set $VISUAL or $EDITOR")
	}
	file, err := os.CreateTemp("", "wsk-*.json") // made with mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = file.Write(raw)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, words[0], append(words[1:], file.Name())...)
	c.Stdin, c.Stdout, c.Stderr, c.Dir = env.In, env.Err, env.Err, env.Dir
	if env.Environ != nil {
		c.Env = env.Environ()
	}
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("running %s: %w", words[0], err)
	}
	return os.ReadFile(file.Name())
}
