package lint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/lint"
)

// expand turns files, folders and globs into files. A folder stands for the
// .json, .ndjson and .jsonl files in it and below, links not followed, and for
// the templates among its .yaml and .yml files. What
// stands for nothing is a fault, which keeps none of the others away.
func expand(env *command.Env, args []string) (inputs []string, faults []error) {
	for _, arg := range args {
		found, err := command.Expand(env, arg)
		if err != nil {
			faults = append(faults, err)
		}
		inputs = append(inputs, found...)
	}
	return inputs, faults
}

// isLines reports whether a name says that the file is NDJSON.
func isLines(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".ndjson" || ext == ".jsonl"
}

// fixInputs mends files in place, each by a new file that takes its name, and
// stdin to stdout. Errors that remain are the answer no.
func fixInputs(ctx context.Context, env *command.Env, l *lint.Linter, inputs []string, faults []error) error {
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
		return errors.Join(faults...)
	case remain > 0:
		return command.No(fmt.Errorf("%s that --fix cannot mend; wsk lint shows them", ui.Plural(remain, "error")))
	}
	return nil
}

// fixInput mends one file and returns how many errors remain in it.
func fixInput(ctx context.Context, env *command.Env, checker *lint.Checker, name string) (remain int, err error) {
	if isLines(name) {
		return 0, fmt.Errorf("--fix mends one payload a file, and %s is NDJSON", name)
	}
	if command.IsYAML(name) {
		return 0, fmt.Errorf("--fix mends payloads, and %s is a template", name)
	}
	raw, err := env.Read(ctx, name)
	if err != nil {
		return 0, err
	}
	fixed, places := checker.Fix(raw)
	switch {
	case name == "-":
		_, err = env.Out.Write(fixed)
	case places > 0:
		err = replace(env.Path(name), fixed)
	}
	if err != nil {
		return 0, fmt.Errorf("writing %s: %w", command.SourceName(name), err)
	}
	fmt.Fprintf(env.Err, "%s: %s mended\n", ui.Clean(command.SourceName(name)), ui.Plural(places, "place"))
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
	err = errors.Join(err, file.Chmod(info.Mode().Perm()), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
