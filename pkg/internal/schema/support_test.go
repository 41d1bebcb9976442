package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// catalog is where the schemas of the events are.
const catalog = "../../webhook/schemas"

func loadCatalog(name string) ([]byte, error) { return os.ReadFile(filepath.Join(catalog, name)) }

// sample is a payload of the catalog and the file of its schema.
type sample struct {
	file    string
	payload []byte
}

// samples reads the samples that the catalog's schemas bring, without the
// white space around their parts.
func samples(tb testing.TB) []sample {
	tb.Helper()
	var list []sample
	for _, file := range catalogFiles(tb) {
		raw, err := loadCatalog(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, example := range gjson.GetBytes(raw, "examples").Array() {
			var compact bytes.Buffer
			if err := json.Compact(&compact, []byte(example.Raw)); err != nil {
				tb.Fatalf("%s: %v", file, err)
			}
			list = append(list, sample{file, compact.Bytes()})
		}
	}
	if len(list) == 0 {
		tb.Fatal("the catalog has no samples")
	}
	return list
}

// catalogFiles lists the schema files of events.
func catalogFiles(tb testing.TB) []string {
	tb.Helper()
	paths, err := filepath.Glob(catalog + "/*/*/*.json")
	if err != nil {
		tb.Fatal(err)
	}
	var files []string
	for _, path := range paths {
		name, err := filepath.Rel(catalog, path)
		if err != nil {
			tb.Fatal(err)
		}
		files = append(files, filepath.ToSlash(name))
	}
	return files
}

// filesOf makes a loader of some files.
func filesOf(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fmt.Errorf("open %s: %w", name, os.ErrNotExist)
	}
}

// mustCompile compiles one schema that needs no other file.
func mustCompile(tb testing.TB, text string) *schema.Schema {
	tb.Helper()
	s, err := schema.Compile(filesOf(map[string]string{"test.json": text}), "test.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// said writes findings as the tests' tables do: kind and pointer of each.
func said(findings []schema.Finding, wanted func(schema.Kind) bool) string {
	var list []string
	for _, f := range findings {
		if wanted(f.Kind) {
			list = append(list, strings.TrimSpace(f.Kind.String()+" "+f.Pointer))
		}
	}
	return strings.Join(list, "; ")
}

// isRight reports whether there is no violation among the findings.
func isRight(findings []schema.Finding) bool {
	return said(findings, schema.Kind.IsViolation) == ""
}
