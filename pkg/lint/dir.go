package lint

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/wskdev/wsk/pkg/report"
)

// Dir lints the payloads in a file system, at any depth: the files with the extension
// .json, .ndjson and .jsonl, in lexical order. Folders whose name begins with a dot are
// left out. Each finding has the name of its file, and emit, which may be nil, gets
// them file by file, as a [report.Writer] takes them.
//
//	func lintPayloads(ctx context.Context, dir string, out io.Writer) error {
//		sarif, err := report.New("sarif", out, report.Tool{Name: "payloads", Rules: lint.Rules()})
//		if err != nil {
//			return err
//		}
//		counts, err := lint.Dir(ctx, os.DirFS(dir), lint.Config{}, sarif.Finding)
//		if err == nil && counts.Errors > 0 {
//			err = fmt.Errorf("%d errors in %d payloads", counts.Errors, counts.Events)
//		}
//		return errors.Join(err, sarif.Close(counts))
//	}
//
// The error is one of [New], of a file that cannot be read, of emit, or of ctx; it ends
// the run. A file system without such a file is an error.
func Dir(ctx context.Context, fsys fs.FS, c Config, emit func(report.Finding) error) (counts report.Summary, err error) {
	linter, err := New(c)
	if err != nil {
		return counts, err
	}
	err = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != ".":
			return fs.SkipDir
		case !entry.Type().IsRegular() || !IsPayload(name):
			return nil
		}
		found, err := linter.file(ctx, fsys, name, emit)
		counts = counts.Plus(found)
		return err
	})
	if err == nil && counts.Files == 0 {
		err = fmt.Errorf("there is no .json, .ndjson or .jsonl file to lint")
	}
	return counts, err
}

// file lints one file.
func (l *Linter) file(ctx context.Context, fsys fs.FS, name string, emit func(report.Finding) error) (report.Summary, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return report.Summary{}, err
	}
	defer func() { _ = file.Close() }()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	counts, err := Stream{Name: name, Lines: IsLines(name), Emit: func(findings []report.Finding) {
		for _, f := range findings {
			if emit == nil || ctx.Err() != nil {
				return
			}
			if err := emit(f); err != nil {
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

// IsPayload reports whether the name of a file says that it contains payloads.
func IsPayload(name string) bool { return path.Ext(name) == ".json" || IsLines(name) }

// IsLines reports whether the name of a file says that it is NDJSON.
func IsLines(name string) bool {
	ext := path.Ext(name)
	return ext == ".ndjson" || ext == ".jsonl"
}
