package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wskdev/wsk"

// goPackage is what the rules need of a package that go list shows.
type goPackage struct {
	ImportPath string
	Imports    []string // by its own files
	Deps       []string // by its own files and by what they import
	Standard   bool
}

// floors is the house from the ground up: a package imports what stands on a
// lower floor only. A folder's own subfolders stand on its floor.
var floors = []string{
	0: "pkg/webhook",
	1: "pkg/internal/schema pkg/diagnose pkg/internal/sqlfile",
	2: "pkg/deliver pkg/receive pkg/journal pkg/lint pkg/render",
	3: "pkg/check pkg/sandbox",
	4: "pkg/report",
	5: "cmd/wsk/config cmd/wsk/ui cmd/wsk/internal/replay cmd/wsk/internal/batch",
	6: "cmd/wsk/command",
	7: "cmd/wsk/cli",
	8: "cmd/wsk cmd/gen",
}

// apart names packages whose import is a matter of its own: who may import
// them directly, and who may not depend on them at all.
var apart = []struct {
	imported string   // with everything below it
	only     []string // the only importers, if any are named
	never    []string // no dependency, direct or not, with everything below
	why      string
}{
	{imported: "github.com/spf13/viper", only: []string{"cmd/wsk/config"}, never: []string{"pkg"}, why: "settings are read in one place"},
	{imported: "github.com/fatih/color", only: []string{"cmd/wsk/ui"}, never: []string{"pkg"}, why: "colour is for people"},
	{imported: "github.com/spf13/cobra", never: []string{"pkg"}, why: "the toolkit has no command line"},
	{imported: "github.com/spf13/pflag", never: []string{"pkg"}, why: "the toolkit has no command line"},
	{imported: module + "/cmd", never: []string{"pkg"}, why: "the toolkit does not know the edge"},
	{imported: module + "/pkg/deliver", never: []string{"pkg/receive"}, why: "only cli puts the two together"},
	{imported: module + "/pkg/receive", never: []string{"pkg/deliver"}, why: "only cli puts the two together"},
	{imported: "github.com/santhosh-tekuri/jsonschema", never: []string{"pkg", "cmd"}, why: "it is an oracle of the tests"},
}

// coreMayImport is all that the shared core pulls in beside the standard
// library.
var coreMayImport = []string{"github.com/tidwall/gjson", "github.com/tidwall/match", "github.com/tidwall/pretty"}

// emptyNames say nothing about what a package holds.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "type", "types", "model", "models", "misc", "base", "shared"}

// floorOf finds the floor that a package stands on and the folder that put it
// there.
func floorOf(relative string) (floor int, folder string, found bool) {
	for i, folders := range floors {
		for f := range strings.FieldsSeq(folders) {
			if below(relative, f) && len(f) > len(folder) {
				floor, folder, found = i, f, true
			}
		}
	}
	return floor, folder, found
}

func below(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

// importFaults lists what is wrong with the imports among the packages.
func importFaults(packages []goPackage) []string {
	var faults []string
	standard := map[string]bool{"C": true}
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range packages {
		if !below(p.ImportPath, module) {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		report := func(format string, args ...any) { faults = append(faults, name+" "+fmt.Sprintf(format, args...)) }
		if slices.Contains(emptyNames, path.Base(name)) {
			report("has a name that says nothing")
		}
		floor, folder, found := floorOf(name)
		if !found {
			report("stands on no floor: give it a place in the table")
		}
		for _, imported := range p.Imports {
			inside, ours := strings.CutPrefix(imported, module+"/")
			if other, otherFolder, known := floorOf(inside); ours && known && otherFolder != folder && other >= floor {
				report("imports %s, which is not below it", inside)
			}
		}
		faults = append(faults, apartFaults(name, p)...)
		for _, dep := range p.Deps {
			if name == "pkg/webhook" && !standard[dep] && !slices.Contains(coreMayImport, dep) && !below(dep, module+"/pkg/webhook") {
				report("pulls in %s: the core has the standard library and gjson", dep)
			}
		}
	}
	return faults
}

func apartFaults(name string, p goPackage) (faults []string) {
	under := func(folders []string) bool {
		return slices.ContainsFunc(folders, func(f string) bool { return below(name, f) })
	}
	for _, rule := range apart {
		is := func(imported string) bool { return below(imported, rule.imported) }
		switch {
		case under(rule.never) && slices.ContainsFunc(append(slices.Clone(p.Imports), p.Deps...), is):
			faults = append(faults, fmt.Sprintf("%s depends on %s: %s", name, rule.imported, rule.why))
		case len(rule.only) > 0 && !under(rule.only) && slices.ContainsFunc(p.Imports, is):
			faults = append(faults, fmt.Sprintf("%s imports %s: %s", name, rule.imported, rule.why))
		}
	}
	return faults
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Imports,Deps,Standard", module+"/...")
	var problems bytes.Buffer
	list.Stderr = &problems
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, problems.String())
	}
	var packages []goPackage
	ours := 0
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if below(p.ImportPath, module) {
			ours++
		}
		packages = append(packages, p)
	}
	seeFolders(t) // else a cached result would outlive a change
	if ours < 3 || len(packages) < 50 {
		t.Fatalf("go list shows %d packages, %d of them ours", len(packages), ours)
	}
	for _, fault := range importFaults(packages) {
		t.Error(fault)
	}
}

// seeFolders reads every folder of source, so that go test knows what the
// answer of go list depends on.
func seeFolders(t *testing.T) {
	t.Helper()
	for _, root := range []string{"../../pkg", "../../cmd"} {
		err := filepath.WalkDir(root, func(string, fs.DirEntry, error) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheRulesOnImportsFire(t *testing.T) {
	t.Parallel()
	known := []goPackage{{ImportPath: "fmt", Standard: true}, {ImportPath: "github.com/tidwall/gjson"}}
	for name, test := range map[string]struct {
		from, imports string // imports of our own begin with ./
		deps          string // what these pull in
		want          string // "" for none
	}{
		"cli imports a package":                   {"cmd/wsk/cli", "fmt ./pkg/receive ./cmd/wsk/ui", "", ""},
		"main imports cli":                        {"cmd/wsk", "./cmd/wsk/cli", "github.com/spf13/viper", ""},
		"config imports viper":                    {"cmd/wsk/config", "github.com/spf13/viper", "", ""},
		"the core imports gjson":                  {"pkg/webhook", "fmt github.com/tidwall/gjson", "github.com/tidwall/match", ""},
		"a subfolder of a package imports it":     {"pkg/sandbox/store", "./pkg/sandbox", "", ""},
		"sandbox imports deliver and lint":        {"pkg/sandbox", "./pkg/deliver ./pkg/lint ./pkg/webhook", "./pkg/internal/schema", ""},
		"the core imports a package of the house": {"pkg/webhook", "./pkg/internal/schema", "", "imports pkg/internal/schema, which is not below it"},
		"the core imports another library":        {"pkg/webhook", "fmt", "github.com/tidwall/sjson", "pulls in github.com/tidwall/sjson"},
		"the core imports a schema library":       {"pkg/webhook", "github.com/santhosh-tekuri/jsonschema/v6", "", "depends on github.com/santhosh-tekuri/jsonschema"},
		"receive imports deliver":                 {"pkg/receive", "./pkg/deliver", "", "depends on " + module + "/pkg/deliver"},
		"receive gets deliver from elsewhere":     {"pkg/receive", "./pkg/internal/schema", "./pkg/deliver", "depends on " + module + "/pkg/deliver"},
		"two packages on one floor":               {"pkg/lint", "./pkg/render", "", "imports pkg/render, which is not below it"},
		"lint imports sandbox":                    {"pkg/lint", "./pkg/sandbox", "", "imports pkg/sandbox, which is not below it"},
		"a package imports cmd":                   {"pkg/report", "./cmd/wsk/ui", "", "depends on " + module + "/cmd"},
		"a package imports cobra":                 {"pkg/report", "github.com/spf13/cobra", "", "depends on github.com/spf13/cobra"},
		"a package imports cobra's docs":          {"pkg/report", "github.com/spf13/cobra/doc", "", "depends on github.com/spf13/cobra"},
		"a package gets pflag from elsewhere":     {"pkg/report", "fmt", "github.com/spf13/pflag", "depends on github.com/spf13/pflag"},
		"cli imports viper":                       {"cmd/wsk/cli", "github.com/spf13/viper", "", "imports github.com/spf13/viper"},
		"cli imports color":                       {"cmd/wsk/cli", "github.com/fatih/color", "", "imports github.com/fatih/color"},
		"ui imports config":                       {"cmd/wsk/ui", "./cmd/wsk/config", "", "imports cmd/wsk/config, which is not below it"},
		"config imports cli":                      {"cmd/wsk/config", "./cmd/wsk/cli", "", "imports cmd/wsk/cli, which is not below it"},
		"a package that nobody placed":            {"pkg/queue", "fmt", "", "stands on no floor"},
		"a name that says nothing":                {"pkg/webhook/util", "fmt", "", "has a name that says nothing"},
		"models":                                  {"cmd/wsk/cli/models", "fmt", "", "has a name that says nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expand := func(paths string) []string { return strings.Fields(strings.ReplaceAll(paths, "./", module+"/")) }
			p := goPackage{ImportPath: module + "/" + test.from, Imports: expand(test.imports), Deps: expand(test.imports + " " + test.deps)}
			faults := importFaults(append([]goPackage{p}, known...))
			if test.want == "" && len(faults) > 0 {
				t.Errorf("faults %q, want none", faults)
			}
			if test.want != "" && !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, test.from+" "+test.want) }) {
				t.Errorf("faults %q, want %q", faults, test.want)
			}
		})
	}
}
