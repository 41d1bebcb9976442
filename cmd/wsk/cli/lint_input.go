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
	"github.com/wskdev/wsk/pkg/render"
)

// expand turns files, folders and globs into files. A folder stands for the
// .json, .ndjson and .jsonl files in it and below, links not followed, and for
// the templates among its .yaml and .yml files. What
// stands for nothing is a fault, which keeps none of the others away.
func expand(env *Env, args []string) (inputs []string, faults []error) {
	for _, arg := range args {
		found, err := expandOne(env, arg)
		if err != nil {
			faults = append(faults, err)
		}
		inputs = append(inputs, found...)
	}
	return inputs, faults
}

func expandOne(env *Env, arg string) ([]string, error) {
	switch arg {
	case "-":
		return []string{arg}, nil
	case "":
		return nil, errors.New("a PATH is empty: is a variable not set?")
	}
	info, err := os.Stat(env.path(arg))
	switch {
	case err == nil && info.IsDir():
		return walk(env, arg)
	case err == nil || !strings.ContainsAny(arg, "*?["):
		return []string{arg}, nil // one that is not there is said when it is opened
	}
	found, err := filepath.Glob(env.path(arg))
	switch {
	case err != nil:
		return nil, fmt.Errorf("glob %q: %w", arg, err)
	case len(found) == 0:
		return nil, fmt.Errorf("nothing matches %q", arg)
	}
	for i, name := range found {
		found[i] = relative(env, name)
	}
	return found, nil
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
		case entry.Type().IsRegular() && isYAML(name) && isTemplate(name):
			found = append(found, relative(env, name))
		}
		return nil
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("there is no .json, .ndjson or .jsonl file in %s", dir)
	}
	return found, err
}

// isTemplate reports whether a YAML file among others is a template, or means
// to be one.
func isTemplate(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return true // to be said when it is linted
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, render.MaxTemplate))
	return err != nil || render.LooksLikeTemplate(raw)
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
	file, err := env.open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return file, -1, nil //nolint:nilerr // a pipe has no size, and reading it will tell what is wrong
	}
	return file, info.Size(), nil
}

// fixInputs mends files in place, each by a new file that takes its name, and
// stdin to stdout. Errors that remain are the answer no.
func fixInputs(ctx context.Context, env *Env, l *lint.Linter, inputs []string, faults []error) error {
	checker := l.NewChecker()
	remain := 0
	for _, name := range inputs {
		left, err := fixInput(ctx, env, checker, name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			faults = append(faults, err)
		}
		remain += left
	}
	switch {
	case len(faults) > 0:
		return joined(faults...)
	case remain > 0:
		return &noError{fmt.Errorf("%s that --fix cannot mend; wsk lint shows them", ui.Plural(remain, "error"))}
	}
	return nil
}

// fixInput mends one file and returns how many errors remain in it.
func fixInput(ctx context.Context, env *Env, checker *lint.Checker, name string) (remain int, err error) {
	if isLines(name) {
		return 0, fmt.Errorf("--fix mends one payload a file, and %s is NDJSON", name)
	}
	if isYAML(name) {
		return 0, fmt.Errorf("--fix mends payloads, and %s is a template", name)
	}
	raw, err := env.read(ctx, name)
	if err != nil {
		return 0, err
	}
	fixed, places := checker.Fix(raw)
	switch {
	case name == "-":
		_, err = env.Out.Write(fixed)
	case places > 0:
		err = replace(env.path(name), fixed)
	}
	if err != nil {
		return 0, fmt.Errorf("writing %s: %w", sourceName(name), err)
	}
	fmt.Fprintf(env.Err, "%s: %s mended\n", ui.Clean(sourceName(name)), ui.Plural(places, "place"))
	return checker.Payload(fixed).Errors(), nil
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
	err = joined(err, file.Chmod(info.Mode().Perm()), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
