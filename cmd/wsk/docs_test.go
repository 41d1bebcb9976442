package main

import (
	"go/build"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackageComments holds what a package comment promises to somebody who pastes
// from it: its code is a function of the package's examples, which compile and
// run, and its last line says whether the API is stable.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob(filepath.Join("..", "..", "pkg", "*"))
	if err != nil {
		t.Fatal(err)
	}
	names := append(slices.Clone(stable), "receive/receivetest", "sandbox/sandboxtest") // some are below others
	for _, folder := range folders {
		if name := filepath.Base(folder); name != "internal" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		folder := filepath.Join("..", "..", "pkg", name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := packageComment(t, folder)
			want := "This package is experimental: its API may change."
			if slices.Contains(stable, name) {
				want = "This package is stable."
			}
			if !strings.HasSuffix(text, "\n\n"+want+"\n") {
				t.Errorf("the comment does not end with %q", want)
			}
			examples, err := os.ReadFile(filepath.Join(folder, "example_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			blocks := 0
			var p comment.Parser
			for _, block := range p.Parse(text).Content {
				code, ok := block.(*comment.Code)
				if !ok {
					continue
				}
				blocks++
				if !strings.Contains(string(examples), "\n"+code.Text) {
					t.Errorf("the examples do not contain\n%s", code.Text)
				}
			}
			if blocks == 0 {
				t.Error("the comment shows no use")
			}
		})
	}
}

func packageComment(t *testing.T, folder string) string {
	t.Helper()
	found, err := build.ImportDir(folder, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if text := file.Doc.Text(); text != "" {
			return text
		}
	}
	t.Fatal("no package comment")
	return ""
}

// TestPromises holds that each promise names a test, and that there is one of that name.
func TestPromises(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", ".github", "PROMISES.md"))
	if err != nil {
		t.Fatal(err)
	}
	promised, _, found := strings.Cut(string(text), "\n## Not promised\n")
	if !found {
		t.Fatal("there is no section of what is not promised")
	}
	tests := map[string]bool{}
	err = filepath.WalkDir(filepath.Join("..", ".."), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, "receivetest/store.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, name := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			tests[string(name[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(?:receivetest\\.)?(Test\\w+)`")
	for _, promise := range regexp.MustCompile(`(?m)^- `).Split(promised, -1)[1:] {
		names := named.FindAllStringSubmatch(promise, -1)
		if len(names) == 0 {
			t.Errorf("a promise that names no test: %s", promise)
		}
		for _, name := range names {
			if !tests[name[1]] {
				t.Errorf("there is no %s, which is to hold: %s", name[1], promise)
			}
		}
	}
}

// TestREADME holds the Go code of the README: each part of it between empty lines
// stands in one of the programs in testdata/examples or in the examples of a package,
// line by line. Every program is linked.
func TestREADME(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(raw)
	var sources []string
	for _, root := range []string{"../../pkg", examplesFolder} {
		err := filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".go" || root != examplesFolder && filepath.Base(name) != "example_test.go" {
				return err
			}
			text, err := os.ReadFile(name)
			sources = append(sources, unindented(string(text)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	blocks := strings.Split(readme, "```go\n")[1:]
	if len(blocks) == 0 {
		t.Error("the README has no Go code")
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```\n")
		for part := range strings.SplitSeq(code, "\n\n") {
			if !slices.ContainsFunc(sources, func(source string) bool {
				return strings.Contains(source, "\n"+strings.TrimSuffix(unindented(part), "\n")+"\n")
			}) {
				t.Errorf("no example contains\n%s", part)
			}
		}
	}
	programs, err := os.ReadDir(examplesFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		if link := "](testdata/examples/" + program.Name() + "/"; program.IsDir() && !strings.Contains(readme, link) {
			t.Errorf("the README does not link testdata/examples/%s", program.Name())
		}
	}
}

// unindented returns a text without the spaces and tabs at the beginnings of its lines.
func unindented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimLeft(line, " \t"))
	}
	return b.String()
}
