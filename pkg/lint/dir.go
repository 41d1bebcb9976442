package lint

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/wskdev/wsk/pkg/report"
)

// Reporter receives what [Dir] finds. A [report.Writer] is one.
type Reporter interface {
	Source(name string) error             // a file begins
	Finding(finding report.Finding) error // in that file
}

// Dir lints the payloads in a folder of a file system, at any depth: the files with the
// extension .json, .ndjson and .jsonl, in lexical order. Folders below it whose name
// begins with a dot are left out. A file has the name that it has in fsys, root
// included: what reads a report in CI looks for the files of a repository, whose file
// system is os.DirFS("."). The root "." is all of fsys.
//
//	func lintPayloads(ctx context.Context, fsys fs.FS, root string, out io.Writer) error {
//		sarif, err := report.New("sarif", out, report.Tool{Name: "payloads", Rules: lint.Rules()})
//		if err != nil {
//			return err
//		}
//		counts, err := lint.Dir(ctx, fsys, root, lint.Config{}, sarif)
//		if err == nil && counts.Errors > 0 {
//			err = fmt.Errorf("%d errors in %d payloads", counts.Errors, counts.Events)
//		}
//		return errors.Join(err, sarif.Close(counts))
//	}
//
// The reporter may be nil. The error is one of [New], of a file that cannot be read, of
// the reporter, or of ctx; it ends the run. A folder without such a file is an error.
func Dir(ctx context.Context, fsys fs.FS, root string, c Config, r Reporter) (counts report.Summary, err error) {
	linter, err := New(c)
	if err != nil {
		return counts, err
	}
	err = fs.WalkDir(fsys, root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != root:
			return fs.SkipDir
		case !entry.Type().IsRegular() || !IsPayload(name):
			return nil
		}
		found, err := linter.file(ctx, fsys, name, r)
		counts = counts.Plus(found)
		return err
	})
	if err == nil && counts.Files == 0 {
		err = fmt.Errorf("there is no .json, .ndjson or .jsonl file to lint in %s", root)
	}
	return counts, err
}

// file lints one file.
func (l *Linter) file(ctx context.Context, fsys fs.FS, name string, r Reporter) (report.Summary, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return report.Summary{}, err
	}
	defer func() { _ = file.Close() }()
	if r == nil {
		r = discard{}
	}
	if err := r.Source(name); err != nil {
		return report.Summary{}, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	counts, err := Stream{Name: name, Lines: IsLines(name), Emit: func(findings []report.Finding) {
		for _, f := range findings {
			if ctx.Err() != nil {
				return
			}
			if err := r.Finding(f); err != nil {
				stop(err)
			}
		}
	}}.Run(ctx, l, file)
	if cause := context.Cause(ctx); cause != nil {
		return counts, cause
	}
	if err != nil {
		err = fmt.Errorf("reading %s: %w", name, err)
	}
	return counts, err
}

// discard is the Reporter of a caller who wants the counts alone.
type discard struct{}

func (discard) Source(string) error          { return nil }
func (discard) Finding(report.Finding) error { return nil }

// IsPayload reports whether the name of a file says that it contains payloads.
func IsPayload(name string) bool { return path.Ext(name) == ".json" || IsLines(name) }

// IsLines reports whether the name of a file says that it is NDJSON.
func IsLines(name string) bool {
	ext := path.Ext(name)
	return ext == ".ndjson" || ext == ".jsonl"
}
