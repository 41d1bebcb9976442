package main

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stable are the packages whose exported API is promised. Each has its list in
// testdata/api; add a package here and run the test with -update. The packages
// below events have no list: they are generated from the catalog, and committed,
// so that a review sees each change in their own files.
var stable = []string{"deliver", "diagnose", "events", "lint", "observe", "observe/otelwebhook", "observe/promwebhook", "payload", "receive", "report", "webhook"}

// TestAPI compares the exported API of the stable packages with the committed
// list, so that a review sees each change. -update writes the lists.
func TestAPI(t *testing.T) {
	t.Parallel()
	for _, name := range stable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := exportedAPI(t, filepath.Join("..", "..", "pkg", name))
			golden := filepath.Join("..", "..", "testdata", "api", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got == string(want) {
				return
			}
			before, after := strings.SplitAfter(string(want), "\n\n"), strings.SplitAfter(got, "\n\n")
			for _, declaration := range before {
				if !slices.Contains(after, declaration) {
					t.Errorf("no longer exported, or changed:\n%s", declaration)
				}
			}
			for _, declaration := range after {
				if !slices.Contains(before, declaration) {
					t.Errorf("new or changed:\n%s", declaration)
				}
			}
			t.Errorf("the API of pkg/%s differs from %s: if that is intended, run go test ./cmd/wsk -run TestAPI -update", name, golden)
		})
	}
}

// exportedAPI returns the exported declarations of a package, sorted by kind
// and name, without comments and function bodies.
func exportedAPI(t *testing.T, dir string) string {
	t.Helper()
	sources, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	fileSet := token.NewFileSet()
	var files []*ast.File
	for _, name := range sources.GoFiles {
		file, err := parser.ParseFile(fileSet, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fileSet, files, "x/"+sources.Name)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	show := func(node ast.Node) {
		var text strings.Builder
		if err := printer.Fprint(&text, fileSet, node); err != nil {
			t.Fatal(err)
		}
		// Blank lines and alignment depend on the comments between.
		for line := range strings.Lines(text.String()) {
			words := strings.Join(strings.Fields(line), " ")
			if words != "" {
				out.WriteString(line[:len(line)-len(strings.TrimLeft(line, "\t"))] + words + "\n")
			}
		}
		out.WriteString("\n")
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			if v.Decl.Tok == token.VAR {
				withoutValues(v.Decl)
			}
			show(v.Decl)
		}
	}
	functions := func(list []*doc.Func) {
		for _, f := range list {
			show(f.Decl)
		}
	}
	values(pkg.Consts)
	values(pkg.Vars)
	functions(pkg.Funcs)
	for _, typ := range pkg.Types {
		show(typ.Decl)
		values(typ.Consts)
		values(typ.Vars)
		functions(typ.Funcs)
		functions(typ.Methods)
	}
	return out.String()
}

// withoutValues keeps the names and the types of variables.
func withoutValues(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		if v, ok := spec.(*ast.ValueSpec); ok {
			v.Values = nil
		}
	}
}
