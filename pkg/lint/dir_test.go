package lint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
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
func lintPayloads(ctx context.Context, dir string, out io.Writer) error {
	sarif, err := report.New("sarif", out, report.Tool{Name: "payloads", Rules: lint.Rules()})
	if err != nil {
		return err
	}
	counts, err := lint.Dir(ctx, os.DirFS(dir), lint.Config{}, sarif.Finding)
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
	var files []string
	counts, err := lint.Dir(t.Context(), payloads, lint.Config{}, func(f report.Finding) error {
		if f.Severity == report.Error {
			files = append(files, fmt.Sprintf("%s:%d", f.File, f.Line))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a/b/bad.json:1", "lines.ndjson:2", "lines.ndjson:3"}; !reflect.DeepEqual(files, want) {
		t.Errorf("the errors are in %v, want %v", files, want)
	}
	if counts.Files != 4 || counts.Events != 6 || counts.Errors != 3 {
		t.Errorf("the counts are %+v", counts)
	}
	if again, err := lint.Dir(t.Context(), payloads, lint.Config{}, nil); err != nil || again != counts {
		t.Errorf("without emit: %+v, %v", again, err)
	}
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
		c    lint.Config
		want string
		is   error
	}{
		"no payload":    {t.Context(), fstest.MapFS{"a.txt": {}}, lint.Config{}, "there is no .json, .ndjson or .jsonl file to lint", nil},
		"no folder":     {t.Context(), os.DirFS(filepath.Join(t.TempDir(), "none")), lint.Config{}, "", fs.ErrNotExist},
		"a bad config":  {t.Context(), bad, lint.Config{Platform: "workday"}, `linting: unknown platform "workday": known are workskedge, workmarket, worksome`, nil},
		"emit fails":    {t.Context(), bad, lint.Config{}, "", full},
		"the ctx ended": {canceled, bad, lint.Config{}, "", context.Canceled},
	} {
		_, err := lint.Dir(tt.ctx, tt.fsys, tt.c, func(report.Finding) error { return full })
		if err == nil || tt.want != "" && err.Error() != tt.want || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleDir() {
	dir, err := os.MkdirTemp("", "payloads")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "vendor.json"), []byte(badVendor), 0o600); err != nil {
		panic(err)
	}
	var out bytes.Buffer
	fmt.Println(lintPayloads(context.Background(), dir, &out))
	fmt.Println(json.Valid(out.Bytes()))
	// Output:
	// 1 errors in 1 payloads
	// true
}
