package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/lint"
)

// expand turns files, folders and globs into files. A folder stands for the
// .json, .ndjson and .jsonl files in it and below, links not followed.
func expand(env *Env, args []string) ([]string, error) {
	var inputs []string
	for _, arg := range args {
		if arg == "-" {
			inputs = append(inputs, arg)
			continue
		}
		info, err := os.Stat(env.path(arg))
		switch {
		case err == nil && info.IsDir():
			found, err := walk(env, arg)
			if err != nil {
				return nil, err
			}
			inputs = append(inputs, found...)
		case err != nil && strings.ContainsAny(arg, "*?["):
			found, err := filepath.Glob(env.path(arg))
			if err != nil {
				return nil, fmt.Errorf("glob %q: %w", arg, err)
			}
			if len(found) == 0 {
				return nil, fmt.Errorf("nothing matches %q", arg)
			}
			for _, name := range found {
				inputs = append(inputs, relative(env, name))
			}
		default:
			inputs = append(inputs, arg) // one that is not there is said when it is opened
		}
	}
	return inputs, nil
}

func relative(env *Env, name string) string {
	if short, err := filepath.Rel(env.Dir, name); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return name
}

func walk(env *Env, dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(env.path(dir), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 1 && name != env.path(dir):
			return filepath.SkipDir
		case entry.Type().IsRegular() && slices.Contains([]string{".json", ".ndjson", ".jsonl"}, filepath.Ext(name)):
			found = append(found, relative(env, name))
		}
		return nil
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("there is no .json, .ndjson or .jsonl file in %s", dir)
	}
	return found, err
}

// isLines reports whether a name says that the file is NDJSON.
func isLines(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".ndjson" || ext == ".jsonl"
}

// open opens an input; the size is -1 where it is not known.
func open(env *Env, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(env.In), -1, nil
	}
	file, err := os.Open(env.path(name))
	var fault *fs.PathError
	if errors.As(err, &fault) {
		return nil, 0, fmt.Errorf("reading %s: %w", name, fault.Err)
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return file, -1, nil //nolint:nilerr // a pipe has no size, and reading it will tell what is wrong
	}
	return file, info.Size(), nil
}

// fixInputs mends files in place, each by a new file that takes its name, and
// stdin to stdout.
func fixInputs(ctx context.Context, env *Env, l *lint.Linter, inputs []string) error {
	checker := l.NewChecker()
	for _, name := range inputs {
		raw, err := env.read(ctx, name)
		if err != nil {
			return err
		}
		if isLines(name) {
			return fmt.Errorf("--fix mends one payload a file, and %s is NDJSON", name)
		}
		fixed, places := checker.Fix(raw)
		if name == "-" {
			if _, err := env.Out.Write(fixed); err != nil {
				return err
			}
		} else if places > 0 {
			if err := replace(env.path(name), fixed); err != nil {
				return fmt.Errorf("writing %s: %w", name, err)
			}
		}
		fmt.Fprintf(env.Err, "%s: %s mended\n", ui.Clean(name), ui.Plural(places, "place"))
	}
	return nil
}

// replace writes a file whole or not at all, with the mode that it had.
func replace(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".wsk-fix-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(info.Mode().Perm()), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
