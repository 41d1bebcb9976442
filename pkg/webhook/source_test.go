package webhook_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Signatures are compared with hmac.Equal alone, whose time does not depend on
// where the two differ.

// comparers are the functions that compare and stop at the first difference,
// and those of subtle, which answer for unequal lengths in another way.
var comparers = []string{
	"bytes.Equal", "bytes.EqualFold", "bytes.Compare", "bytes.HasPrefix", "bytes.HasSuffix", "bytes.Contains",
	"strings.EqualFold", "strings.Compare", "strings.HasPrefix", "strings.HasSuffix", "strings.Contains",
	"slices.Equal", "slices.EqualFunc", "slices.Compare", "slices.Contains", "slices.Index", "cmp.Compare",
	"reflect.DeepEqual", "subtle.ConstantTimeCompare", "subtle.ConstantTimeEq",
}

// confidential is the name of something that a forger would like to guess. A
// plain digest of a file or a body is nothing of the kind, so that name counts
// in the core alone.
var (
	confidential     = regexp.MustCompile(`(?i:signature|hmac)|^macs?$|M(ac|AC)s?$`)
	confidentialCore = regexp.MustCompile(`(?i:signature|hmac|digest)|^macs?$|M(ac|AC)s?$`)
)

// core lists the files that decide on signatures: nothing in them compares
// bytes in another way, whatever the operands are called.
var core = []string{"pkg/webhook/verify.go", "pkg/webhook/scheme.go"}

// comparisonFaults lists the comparisons in a file that may be of signatures
// and are not hmac.Equal.
func comparisonFaults(name string, file *ast.File, positions *token.FileSet) []string {
	var faults []string
	strict := slices.Contains(core, name)
	secret := operand{confidential}
	if strict {
		secret = operand{confidentialCore}
	}
	report := func(n ast.Node, what string) {
		faults = append(faults, positions.Position(n.Pos()).String()+": "+what)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			called := nameOf(n.Fun)
			if slices.Contains(comparers, called) && (strict && comparesAll(called) || slices.ContainsFunc(n.Args, secret.match)) {
				report(n, called)
			}
		case *ast.BinaryExpr:
			if n.Op != token.EQL && n.Op != token.NEQ || isPlain(n.X) || isPlain(n.Y) {
				return true
			}
			if secret.match(n.X) || secret.match(n.Y) || strict && (isConversion(n.X) || isConversion(n.Y)) {
				report(n, n.Op.String())
			}
		case *ast.SwitchStmt:
			if n.Tag != nil && secret.match(n.Tag) {
				report(n, "switch")
			}
		case *ast.IndexExpr:
			if isConversion(n.Index) && secret.match(n.Index) {
				report(n, "map")
			}
		}
		return true
	})
	return faults
}

// comparesAll reports whether a function compares the whole of its operands:
// prefixes and the like have their place beside signatures.
func comparesAll(called string) bool {
	return !strings.Contains(called, "Has") && !strings.Contains(called, "Contains") && !strings.Contains(called, "Index")
}

// operand tells signatures by their names.
type operand struct{ names *regexp.Regexp }

func (o operand) match(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CallExpr:
		called := nameOf(e.Fun)
		return called != "len" && (o.matchName(called) || slices.ContainsFunc(e.Args, o.match))
	case *ast.SliceExpr:
		return o.match(e.X)
	}
	return o.matchName(nameOf(e))
}

// matchName looks at the last part of a name; the name of a header is no
// secret.
func (o operand) matchName(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return !strings.Contains(last, "Header") && o.names.MatchString(last)
}

// isPlain reports whether an operand makes the comparison harmless: "", nil,
// and a length.
func isPlain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value == `""` || e.Kind == token.INT
	case *ast.CallExpr:
		return nameOf(e.Fun) == "len"
	}
	return nameOf(e) == "nil"
}

// isConversion reports whether e turns bytes into something that == takes.
func isConversion(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	_, array := call.Fun.(*ast.ArrayType)
	return array || nameOf(call.Fun) == "string"
}

// nameOf writes identifiers and selectors as in the source; "" for the rest.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return nameOf(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return nameOf(e.X)
	case *ast.ParenExpr:
		return nameOf(e.X)
	}
	return ""
}

func TestSource_compares_signatures_in_constant_time(t *testing.T) {
	t.Parallel()
	root, seen, calls := filepath.Join("..", ".."), 0, 0
	for _, tree := range []string{"pkg", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, tree), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			positions := token.NewFileSet()
			file, err := parser.ParseFile(positions, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return nil // the compiler reports it
			}
			relative, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			relative = filepath.ToSlash(relative)
			for _, fault := range comparisonFaults(relative, file, positions) {
				t.Errorf("%s: compare signatures with hmac.Equal", fault)
			}
			if relative == core[0] {
				calls = countCalls(file, "hmac.Equal")
			}
			seen++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if calls != 1 {
		t.Errorf("%s calls hmac.Equal %d times, want once", core[0], calls)
	}
	if seen < len(core) {
		t.Errorf("only %d files read", seen)
	}
}

func countCalls(file *ast.File, called string) (n int) {
	ast.Inspect(file, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && nameOf(call.Fun) == called {
			n++
		}
		return true
	})
	return n
}

func TestComparisons_that_the_rule_finds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, statement string
		faults          int
	}{
		"bytes.Equal in the core":               {core[0], `_ = bytes.Equal(d, want)`, 1},
		"== of strings in the core":             {core[0], `_ = string(d) == string(want)`, 1},
		"== of arrays in the core":              {core[0], `_ = [32]byte(d) == [32]byte(want)`, 1},
		"reflect.DeepEqual in the core":         {core[1], `_ = reflect.DeepEqual(d, want)`, 1},
		"slices.Equal in the core":              {core[1], `_ = slices.Equal(d, want)`, 1},
		"subtle in the core":                    {core[0], `_ = subtle.ConstantTimeCompare(d, want)`, 1},
		"a signature compared elsewhere":        {"pkg/receive/read.go", `_ = r.Signature == expected`, 1},
		"a signature by EqualFold":              {"cmd/wsk/cli/x.go", `_ = strings.EqualFold(signature, x)`, 1},
		"an expected HMAC":                      {"cmd/wsk/cli/x.go", `_ = bytes.Equal(x, expectedHMAC)`, 1},
		"a mac's sum":                           {"cmd/wsk/cli/x.go", `_ = bytes.Equal(hmacOf(x), y)`, 1},
		"a signature's prefix":                  {"cmd/wsk/cli/x.go", `_ = strings.HasPrefix(want, signature)`, 1},
		"a switch over a signature":             {"cmd/wsk/cli/x.go", `switch signature { case want: }`, 1},
		"a map of signatures":                   {"cmd/wsk/cli/x.go", `_ = known[string(signature)]`, 1},
		"a digest in the core":                  {core[1], `_ = digest == want`, 1},
		"a mac":                                 {"pkg/x/x.go", `_ = wantMAC != x`, 1},
		"hmac.Equal":                            {core[0], `_ = hmac.Equal(digest, want)`, 0},
		"a missing signature":                   {core[0], `_ = signature == ""`, 0},
		"no digests":                            {core[0], `_ = len(digests) == 0 || digest == nil`, 0},
		"a length":                              {core[0], `_ = len(digest) != sha256.Size`, 0},
		"names of headers outside of the core":  {"pkg/x/x.go", `_ = strings.EqualFold(p.Name, name)`, 0},
		"bodies compared outside of the core":   {"pkg/x/x.go", `_ = bytes.Equal(body, other)`, 0},
		"a scheme's name in the core":           {core[1], `_ = s.Name() == name`, 0},
		"the digest of a file":                  {"pkg/x/x.go", `_ = file.Digest == known`, 0},
		"the name of a header":                  {"pkg/x/x.go", `_ = strings.EqualFold(name, s.SignatureHeader())`, 0},
		"a word that has mac in it, as machine": {"pkg/x/x.go", `_ = machine == other`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			positions := token.NewFileSet()
			file, err := parser.ParseFile(positions, test.file, "package p\nfunc f() { "+test.statement+" }", parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if got := comparisonFaults(test.file, file, positions); len(got) != test.faults {
				t.Errorf("%d faults %q, want %d", len(got), got, test.faults)
			}
		})
	}
}
