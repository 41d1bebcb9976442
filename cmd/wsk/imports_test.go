package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wskdev/wsk/"

// layers lists the layers of packages from the lowest up. A package imports
// from lower layers and from its own folder; "*" is any one folder.
var layers = [][]string{
	{"pkg/internal/classify", "pkg/internal/failpoint", "pkg/internal/jsonpath", "pkg/internal/jsontext", "pkg/internal/nearest"},
	{"pkg/internal/logvalue"},
	{"pkg/webhook"},
	{"pkg/observe"},
	{"pkg/events", "pkg/internal/*", "pkg/payload", "pkg/report"},
	{"pkg/deliver", "pkg/diagnose", "pkg/lint", "pkg/receive", "pkg/render"},
	{"pkg/journal"},
	{"pkg/check", "pkg/sandbox"},
	{"pkg/receive/receivetest"},
	{"cmd/wsk/internal/rate"},
	{"cmd/wsk/config", "cmd/wsk/internal/*", "cmd/wsk/ui"},
	{"cmd/wsk/command"},
	{"cmd/wsk/cli/*"},
	{"cmd/wsk/cli"},
	{"cmd/wsk", "cmd/gen"},
}

// gjson is the only module that the packages for production services need
// besides the standard library.
var gjson = []string{"github.com/tidwall/gjson", "github.com/tidwall/match", "github.com/tidwall/pretty"}

// modules lists the third-party modules that a public package depends on.
var modules = map[string][]string{
	"pkg/deliver":           gjson,
	"pkg/diagnose":          gjson,
	"pkg/events":            gjson,
	"pkg/events/workskedge": gjson,
	"pkg/events/worksome":   gjson,
	"pkg/lint":              gjson,
	"pkg/observe":           gjson,
	"pkg/payload":           gjson,
	"pkg/receive":           gjson,
	"pkg/report":            gjson,
	"pkg/webhook":           gjson,

	"pkg/receive/receivetest": gjson,

	"pkg/observe/otelwebhook": append(slices.Clone(gjson),
		"github.com/cespare/xxhash/v2", "go.opentelemetry.io/otel", "go.opentelemetry.io/otel/metric"),
	"pkg/observe/promwebhook": append(slices.Clone(gjson),
		"github.com/beorn7/perks", "github.com/cespare/xxhash/v2", "github.com/munnerz/goautoneg", "github.com/prometheus/client_golang",
		"github.com/prometheus/client_model", "github.com/prometheus/common", "github.com/prometheus/procfs",
		"golang.org/x/sys", "google.golang.org/protobuf"),
}

// adaptors lists the modules that one package is for: no other depends on them, cmd/wsk
// included.
var adaptors = map[string]string{
	"github.com/prometheus/client_golang": "pkg/observe/promwebhook",
	"go.opentelemetry.io/otel":            "pkg/observe/otelwebhook",
	"go.opentelemetry.io/otel/metric":     "pkg/observe/otelwebhook",
}

// testOnly lists the packages that only tests import.
var testOnly = []string{"cmd/wsk/internal/powerfs", "pkg/internal/webhooktest"}

// place returns the layer of a package and its folder there, or -1.
func place(name string) (layer int, folder string) {
	layer = -1
	parts := strings.Split(name, "/")
	for i, patterns := range layers {
		for _, pattern := range patterns {
			n := min(strings.Count(pattern, "/")+1, len(parts))
			candidate := strings.Join(parts[:n], "/")
			if ok, _ := path.Match(pattern, candidate); ok && len(candidate) > len(folder) {
				layer, folder = i, candidate
			}
		}
	}
	return layer, folder
}

// mayImport reports whether a package may import another of this module.
func mayImport(from, to string) bool {
	fromLayer, fromFolder := place(from)
	toLayer, toFolder := place(to)
	return fromFolder == toFolder || 0 <= toLayer && toLayer < fromLayer
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, to string
		want     bool
	}{
		{"cmd/wsk/cli", "cmd/wsk/cli/send", true},
		{"cmd/wsk/cli/send", "cmd/wsk/cli/send/batch", true},
		{"cmd/wsk/cli/send", "cmd/wsk/cli/trigger", false},
		{"cmd/wsk/cli/send", "cmd/wsk/command", true},
		{"cmd/wsk/command", "cmd/wsk/cli/send", false},
		{"cmd/wsk/ui", "cmd/wsk/config", false},
		{"pkg/sandbox/internal/outbox", "pkg/sandbox/internal/store", true},
		{"pkg/sandbox", "pkg/deliver", true},
		{"pkg/receive", "pkg/deliver", false},
		{"pkg/receive", "pkg/journal", false},
		{"pkg/receive", "pkg/receive/receivetest", false},
		{"pkg/receive/receivetest", "pkg/check", true},
		{"pkg/events/workskedge", "pkg/events", true},
		{"pkg/events", "pkg/receive", false},
		{"pkg/journal", "pkg/receive", true},
		{"pkg/report", "cmd/wsk/ui", false},
		{"pkg/webhook", "pkg/internal/schema", false},
		{"pkg/queue", "pkg/webhook", false},
	} {
		if got := mayImport(test.from, test.to); got != test.want {
			t.Errorf("%s imports %s: %t, want %t", test.from, test.to, got, test.want)
		}
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	type goPackage struct {
		ImportPath string
		Imports    []string
		Deps       []string // direct and indirect
		Module     *struct{ Path string }
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps,Module", module+"...")
	out, err := list.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Start(); err != nil {
		t.Fatal(err)
	}
	packages := map[string]goPackage{}
	for d := json.NewDecoder(out); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
	if err := list.Wait(); err != nil || len(packages) < 50 {
		t.Fatalf("go list: %v, %d packages", err, len(packages))
	}
	for _, p := range packages {
		name, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		if layer, _ := place(name); layer < 0 {
			t.Errorf("%s is on no layer: add it to the table", name)
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if ours && !mayImport(name, to) {
				t.Errorf("%s imports %s, which is not on a lower layer", name, to)
			}
			if ours && slices.Contains(testOnly, to) {
				t.Errorf("%s imports %s, which is for tests", name, to)
			}
		}
		want, limited := modules[name]
		for _, dep := range p.Deps {
			m := packages[dep].Module
			if m != nil && adaptors[m.Path] != "" && adaptors[m.Path] != name {
				t.Errorf("%s depends on %s, which %s alone may", name, m.Path, adaptors[m.Path])
			}
			if limited && m != nil && m.Path+"/" != module && !slices.Contains(want, m.Path) {
				t.Errorf("%s depends on %s, want only %q", name, m.Path, want)
			}
		}
	}
	readFolders(t)
}

// readFolders reads every folder of source, so that go test does not repeat a
// cached result after a change.
func readFolders(t *testing.T) {
	t.Helper()
	for _, root := range []string{"../../pkg", "../../cmd", examplesFolder} {
		if err := filepath.WalkDir(root, func(string, fs.DirEntry, error) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}
