package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageVariables checks that nobody writes to a package variable: it is
// a table. golangci-lint's gochecknoglobals refuses those that are not.
func TestPackageVariables(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	packages := map[string][]*ast.File{} // by folder and package name
	for _, root := range []string{"../../pkg", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err == nil {
				key := filepath.Dir(path) + " " + file.Name.Name
				packages[key] = append(packages[key], file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for key, parsed := range packages {
		for _, w := range writes(files, key, parsed) {
			t.Errorf("%s: the package variable %s is written to", files.Position(w.Pos()), w.Name)
		}
	}
}

func TestPackageVariables_writes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"x := table; x[0] = 1":               0,
		"_ = table[0]":                       0,
		"table := 1; table++":                0,
		"table = nil":                        1,
		"table[0] = 1":                       1,
		"table[0]++":                         1,
		"clear(table)":                       1,
		"_ = &table":                         0,
		"f(&table)":                          1,
		"(*here).n = 1":                      1,
		"var a int; a, here.n = 1, 2; _ = a": 1,
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "x.go", "package x\nvar table = []int{1}\nvar here = &struct{n int}{}\nfunc f(any) { "+body+" }", parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := writes(files, "x", []*ast.File{file}); len(got) != want {
			t.Errorf("%s: %d writes, want %d", body, len(got), want)
		}
	}
}

// writes returns the package variables that a package of these files assigns
// to, in whole or in part, or passes to a call by its address.
func writes(files *token.FileSet, name string, parsed []*ast.File) (found []*ast.Ident) {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	// Other packages are not loaded, and errors are ignored: what is looked for
	// is declared here, and files for different systems declare the same names.
	config := types.Config{Error: func(error) {}}
	pkg, _ := config.Check(name, files, parsed, info)
	add := func(target ast.Expr) {
		id := root(target)
		if id == nil {
			return
		}
		if v, ok := info.Uses[id].(*types.Var); ok && v.Parent() == pkg.Scope() {
			found = append(found, id)
		}
	}
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, target := range n.Lhs {
					add(target)
				}
			case *ast.IncDecStmt:
				add(n.X)
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear" || id.Name == "copy") {
					add(n.Args[0])
				}
				for _, arg := range n.Args {
					if pointer, ok := arg.(*ast.UnaryExpr); ok && pointer.Op == token.AND {
						add(pointer.X)
					}
				}
			}
			return true
		})
	}
	return found
}

// root returns the variable that an expression is a part of, or nil.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
