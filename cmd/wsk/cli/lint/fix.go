package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/lint"
)

// fixInputs fixes files in place, each with a new file that replaces it, and
// stdin to stdout. Remaining errors result in exit code 1.
func fixInputs(ctx context.Context, env *command.Env, l *lint.Linter, inputs []string, failed []error) error {
	checker := l.NewChecker()
	remain := 0
	for _, name := range inputs {
		left, err := fixInput(ctx, env, checker, name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failed = append(failed, err)
		}
		remain += left
	}
	switch {
	case len(failed) > 0:
		return errors.Join(failed...)
	case remain > 0:
		return command.No(fmt.Errorf("%s that --fix cannot fix; wsk lint shows them", ui.Plural(remain, "error")))
	}
	return nil
}

// fixInput fixes one file and returns how many errors remain in it.
func fixInput(ctx context.Context, env *command.Env, checker *lint.Checker, name string) (remain int, err error) {
	if lint.IsLines(name) {
		return 0, fmt.Errorf("--fix works on files with one payload, and %s is NDJSON", name)
	}
	if command.IsYAML(name) {
		return 0, fmt.Errorf("--fix works on payloads, and %s is a template", name)
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
	if places > 0 {
		fmt.Fprintf(env.Err, "%s: %s fixed\n", ui.Clean(command.SourceName(name)), ui.Plural(places, "place"))
	}
	return checker.Check(fixed).Errors(), nil
}

// replace replaces a file completely or not at all, and keeps its mode.
func replace(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return command.ReplaceFile(path, info.Mode().Perm(), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
