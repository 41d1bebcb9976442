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

// catalog is the folder of the events' schemas.
const catalog = "../../webhook/schemas"

func loadCatalog(name string) ([]byte, error) { return os.ReadFile(filepath.Join(catalog, name)) }

// sample is a payload of the catalog and the file of its schema.
type sample struct {
	file    string
	payload []byte
}

// samples returns the samples in the schemas of the catalog, as compact JSON.
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

// catalogFiles returns the names of the events' schema files.
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
	if len(files) == 0 {
		tb.Fatalf("no schemas in %s", catalog)
	}
	return files
}

// filesOf returns a function that loads files from a map.
func filesOf(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fmt.Errorf("open %s: %w", name, os.ErrNotExist)
	}
}

// mustCompile compiles a schema that refers to no other file.
func mustCompile(tb testing.TB, text string) *schema.Schema {
	tb.Helper()
	s, err := schema.Compile(filesOf(map[string]string{"test.json": text}), "test.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// summarize writes findings as the tables do: kind and pointer of each.
func summarize(findings []schema.Finding, wanted func(schema.Kind) bool) string {
	var list []string
	for _, f := range findings {
		if wanted(f.Kind) {
			list = append(list, strings.TrimSpace(f.Kind.String()+" "+f.Pointer))
		}
	}
	return strings.Join(list, "; ")
}

// isValid reports whether the findings have no violation.
func isValid(findings []schema.Finding) bool {
	return summarize(findings, schema.Kind.IsViolation) == ""
}
