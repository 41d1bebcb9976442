package receive_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// comparers are functions that end at the first difference.
var comparers = []string{
	"bytes.Equal", "bytes.Compare", "bytes.EqualFold", "strings.EqualFold", "strings.Compare",
	"slices.Equal", "slices.EqualFunc", "slices.Contains", "slices.Compare", "reflect.DeepEqual",
}

// signatureWords are the names that a signature goes by in the source.
var signatureWords = []string{"sig", "mac", "digest", "want"}

// THREATS row 3. In the package that verifies, every comparison of digests is
// hmac.Equal, and this one never holds a signature at all.
func TestReceiveSource_compares_in_constant_time(t *testing.T) {
	uses := 0
	for _, file := range sources(t, "../webhook") {
		if !namesSignature(file.tree, "SignatureHeader", "hmac") {
			continue
		}
		ast.Inspect(file.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name := dotted(n.Fun)
				if name == "hmac.Equal" {
					uses++
				}
				if slices.Contains(comparers, name) {
					t.Errorf("%s: %s, in a file that handles signatures", file.place(n), name)
				}
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && (namesSignature(n.X, signatureWords...) || namesSignature(n.Y, signatureWords...)) && !harmless(n.X) && !harmless(n.Y) {
					t.Errorf("%s: a signature is compared by %s", file.place(n), n.Op)
				}
			}
			return true
		})
	}
	if uses == 0 {
		t.Error("hmac.Equal is used nowhere")
	}
	for _, file := range sources(t, ".") {
		ast.Inspect(file.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				if n.Path.Value == `"crypto/hmac"` {
					t.Errorf("%s: signatures are webhook.Verifier's alone", file.place(n))
				}
			case *ast.SelectorExpr:
				if n.Sel.Name == "SignatureHeader" || n.Sel.Name == "HeaderSignature" || n.Sel.Name == "Digest" || n.Sel.Name == "Sign" {
					t.Errorf("%s: %s: signatures are webhook.Verifier's alone", file.place(n), n.Sel.Name)
				}
			}
			return true
		})
	}
}

// harmless is what a signature may be compared with: nothing, or a length.
func harmless(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value == `""` || e.Kind == token.INT
	case *ast.Ident:
		return e.Name == "nil"
	case *ast.CallExpr:
		return dotted(e.Fun) == "len"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Size"
	}
	return false
}

// namesSignature reports whether an identifier in n begins with one of the words.
func namesSignature(n ast.Node, words ...string) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if ok {
			found = found || slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(id.Name, w) })
		}
		return true
	})
	return found
}

func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	}
	return ""
}

type source struct {
	set  *token.FileSet
	tree *ast.File
}

func (s source) place(n ast.Node) token.Position { return s.set.Position(n.Pos()) }

// sources parses the files of a package, its tests left out.
func sources(t *testing.T, folder string) []source {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no source in %s: %v", folder, err)
	}
	var list []source
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, source{set, tree})
	}
	return list
}
