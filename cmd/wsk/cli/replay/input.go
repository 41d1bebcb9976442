package replay

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
)

// replaySource finds items in files and in the journal.
type replaySource struct {
	env     *command.Env
	options *options
	opened  *journal.Journal
}

// close closes the journal. What was stored is on disk already, so there is no error.
func (s *replaySource) close() {
	if s.opened != nil {
		_ = s.opened.Close()
	}
}

// journal opens it, once, for reading and for what is kept afterwards.
func (s *replaySource) journal(ctx context.Context) (*journal.Journal, error) {
	if s.opened == nil {
		var err error
		if s.opened, err = s.options.journal.Open(ctx, s.env, true); err != nil {
			return nil, err
		}
	}
	return s.opened, nil
}

// recorder stores what is sent in the journal that was read, else in the default one.
func (s *replaySource) recorder(ctx context.Context) (*command.Recorder, error) {
	if s.opened != nil && !s.options.journal.Off {
		return command.NewRecorder(s.env, s.opened), nil
	}
	r, err := s.options.journal.Recorder(ctx, s.env)
	if err == nil && s.opened == nil {
		s.opened = r.Journal()
	}
	return r, err
}

// items reads what the arguments and the filter name; there is one at least.
func (s *replaySource) items(ctx context.Context, args []string) ([]replay.Item, error) {
	filter, asked, err := s.options.query.filter(s.env.Now(), s.options.given)
	if err != nil {
		return nil, err
	}
	var items []replay.Item
	switch {
	case len(args) > 0:
		items, err = s.named(ctx, args)
		if !s.options.given("direction") {
			filter.Direction = ""
		}
		items = matching(items, filter)
	case asked:
		items, err = s.found(ctx, filter)
	default:
		return nil, errors.New("nothing to replay: give PATH, the id of a record, or a filter of the journal such as --failed --since 2h")
	}
	if err == nil && len(items) == 0 {
		err = errors.New("nothing to replay: the filter picks no record")
	}
	return items, err
}

func matching(items []replay.Item, filter replay.Filter) []replay.Item {
	var matched []replay.Item
	for i := range items {
		if filter.Match(items[i]) {
			matched = append(matched, items[i])
		}
	}
	return matched
}

// found asks the journal for the last record of each delivery. A record that
// cannot be sent again is passed over.
func (s *replaySource) found(ctx context.Context, f replay.Filter) ([]replay.Item, error) {
	j, err := s.journal(ctx)
	if err != nil {
		return nil, err
	}
	var items []replay.Item
	query := journal.Filter{Since: f.Since, Until: f.Until, Events: f.Events, Status: f.Status, Direction: f.Direction, Deliveries: true}
	for record, err := range j.Records(ctx, query) {
		if err != nil {
			return nil, err
		}
		item := replay.FromRecord("journal", record)
		if err := item.Check(); err != nil {
			fmt.Fprintf(s.env.Err, "wsk: warning: %s is passed over: %s\n", ui.Clean(record.ID), ui.Clean(err.Error()))
			continue
		}
		items = append(items, item)
	}
	return items, nil
}

// named reads each argument: a path, or an id of the journal.
func (s *replaySource) named(ctx context.Context, args []string) ([]replay.Item, error) {
	var items []replay.Item
	for _, arg := range args {
		found, err := s.one(ctx, arg)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

func (s *replaySource) one(ctx context.Context, arg string) ([]replay.Item, error) {
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

// id looks a record or a delivery up.
func (s *replaySource) id(ctx context.Context, id string) ([]replay.Item, error) {
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

func (s *replaySource) file(ctx context.Context, name string) ([]replay.Item, error) {
	raw, err := s.env.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	return replay.Read(command.SourceName(name), raw)
}

// folder reads the .json, .ndjson and .jsonl files in a folder and below. A
// link that leads out of it is refused: what a folder holds is what was meant.
func (s *replaySource) folder(ctx context.Context, dir string) ([]replay.Item, error) {
	root, err := os.OpenRoot(s.env.Path(dir))
	if err != nil {
		return nil, command.ReadingError(dir, err)
	}
	defer func() { _ = root.Close() }()
	var items []replay.Item
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		shown := filepath.Join(dir, name)
		switch {
		case err != nil:
			return command.ReadingError(shown, err)
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != ".":
			return fs.SkipDir
		}
		wanted, err := fixture(root, name, entry)
		if err != nil {
			return fmt.Errorf("%w: it is a link, and has to lead to a file within %s", command.ReadingError(shown, err), dir)
		}
		if !wanted {
			return nil
		}
		found, err := s.rooted(ctx, root, name, shown)
		items = append(items, found...)
		return err
	})
	if err == nil && len(items) == 0 {
		err = fmt.Errorf("there is no .json, .ndjson or .jsonl file in %s", dir)
	}
	return items, err
}

func (s *replaySource) rooted(ctx context.Context, root *os.Root, name, shown string) ([]replay.Item, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, command.ReadingError(shown, err)
	}
	defer func() { _ = file.Close() }()
	raw, err := command.ReadAll(ctx, file, shown)
	if err != nil {
		return nil, err
	}
	return replay.Read(shown, raw)
}

// fixture reports whether an entry of a folder is a file to read, by its name.
// A link leads to one within the folder, or is an error.
func fixture(root *os.Root, name string, entry fs.DirEntry) (bool, error) {
	wanted := slices.Contains([]string{".json", ".ndjson", ".jsonl"}, filepath.Ext(name))
	if entry.Type()&fs.ModeSymlink == 0 {
		return wanted && entry.Type().IsRegular(), nil
	}
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !wanted:
		return false, nil
	case err != nil:
		return false, err
	}
	return wanted && info.Mode().IsRegular(), nil
}
