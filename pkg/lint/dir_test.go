package lint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
)

const (
	goodVendor = `{"event_type":"vendor.created","timestamp":"2026-01-15T14:30:00Z","source":"x","data":{"vendor_name":"V"}}`
	badVendor  = `{"event_type":"vendor.created","timestamp":"2026-01-15T14:30:00Z","source":"x","data":{"vendor_name":7}}`
)

// lintPayloads is the function of Dir's comment.
func lintPayloads(ctx context.Context, fsys fs.FS, root string, out io.Writer) error {
	sarif, err := report.New("sarif", out, report.Tool{Name: "payloads", Rules: lint.Rules()})
	if err != nil {
		return err
	}
	counts, err := lint.Dir(ctx, fsys, root, lint.Config{}, sarif)
	if err == nil && counts.Errors > 0 {
		err = fmt.Errorf("%d errors in %d payloads", counts.Errors, counts.Events)
	}
	return errors.Join(err, sarif.Close(counts))
}

func TestDir(t *testing.T) {
	t.Parallel()
	payloads := fstest.MapFS{
		"a/good.json":      {Data: []byte(goodVendor)},
		"a/b/bad.json":     {Data: []byte(badVendor)},
		"lines.ndjson":     {Data: []byte(goodVendor + "\n" + badVendor + "\n" + badVendor)},
		"z.jsonl":          {Data: []byte(goodVendor)},
		"notes.txt":        {Data: []byte("not a payload")},
		".git/broken.json": {Data: []byte("{")},
	}
	var all found
	counts, err := lint.Dir(t.Context(), payloads, ".", lint.Config{}, &all)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a/b/bad.json:1", "lines.ndjson:2", "lines.ndjson:3"}; !slices.Equal(all.errors, want) {
		t.Errorf("the errors are in %v, want %v", all.errors, want)
	}
	if want := []string{"a/b/bad.json", "a/good.json", "lines.ndjson", "z.jsonl"}; !slices.Equal(all.sources, want) {
		t.Errorf("the files are %v, want %v", all.sources, want)
	}
	if counts.Files != 4 || counts.Events != 6 || counts.Errors != 3 {
		t.Errorf("the counts are %+v", counts)
	}
	if again, err := lint.Dir(t.Context(), payloads, ".", lint.Config{}, nil); err != nil || again != counts {
		t.Errorf("without a reporter: %+v, %v", again, err)
	}

	// Below a root the names remain those of the file system, and a hidden root is read.
	var below found
	if counts, err := lint.Dir(t.Context(), payloads, "a", lint.Config{}, &below); err != nil || counts.Files != 2 {
		t.Errorf("below a: %+v, %v", counts, err)
	}
	if want := []string{"a/b/bad.json", "a/good.json"}; !slices.Equal(below.sources, want) {
		t.Errorf("the files below a are %v, want %v", below.sources, want)
	}
	if counts, err := lint.Dir(t.Context(), payloads, ".git", lint.Config{}, nil); err != nil || counts.Files != 1 {
		t.Errorf("below .git: %+v, %v", counts, err)
	}
}

// found collects what Dir finds, and fails if it has an error for that.
type found struct {
	sources, errors           []string
	sourceError, findingError error
}

func (f *found) Source(name string) error {
	f.sources = append(f.sources, name)
	return f.sourceError
}

func (f *found) Finding(finding report.Finding) error {
	if finding.Severity == report.Error {
		f.errors = append(f.errors, fmt.Sprintf("%s:%d", finding.File, finding.Line))
	}
	return f.findingError
}

func TestDirErrors(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	bad := fstest.MapFS{"bad.json": {Data: []byte(badVendor)}}
	for name, tt := range map[string]struct {
		ctx  context.Context
		fsys fs.FS
		root string
		c    lint.Config
		r    lint.Reporter
		want string
		is   error
	}{
		"no payload":         {t.Context(), fstest.MapFS{"a.txt": {}}, ".", lint.Config{}, nil, "there is no .json, .ndjson or .jsonl file to lint in .", nil},
		"no file system":     {t.Context(), os.DirFS(filepath.Join(t.TempDir(), "none")), ".", lint.Config{}, nil, "", fs.ErrNotExist},
		"no folder":          {t.Context(), bad, "payloads", lint.Config{}, nil, "", fs.ErrNotExist},
		"a bad config":       {t.Context(), bad, ".", lint.Config{Platform: "workday"}, nil, `linting: unknown platform "workday": known are workskedge, workmarket, worksome`, nil},
		"the reporter fails": {t.Context(), bad, ".", lint.Config{}, &found{findingError: full}, "", full},
		"it fails at once":   {t.Context(), bad, ".", lint.Config{}, &found{sourceError: full}, "", full},
		"the ctx ended":      {canceled, bad, ".", lint.Config{}, nil, "", context.Canceled},
	} {
		_, err := lint.Dir(tt.ctx, tt.fsys, tt.root, tt.c, tt.r)
		if err == nil || tt.want != "" && err.Error() != tt.want || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleDir() {
	payloads := fstest.MapFS{"payloads/vendor.json": {Data: []byte(badVendor)}} // os.DirFS(".") in a repository
	var out bytes.Buffer
	fmt.Println(lintPayloads(context.Background(), payloads, "payloads", &out))
	fmt.Println(strings.Contains(out.String(), `"uri":"payloads/vendor.json"`))
	// Output:
	// 1 errors in 1 payloads
	// true
}
