package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/command"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wskdev/wsk/cmd/wsk/cli"
)

// scripts returns the lines of all scripts that run wsk, the files that they
// carry included.
func scripts(t *testing.T) string {
	t.Helper()
	names, err := filepath.Glob("../../testdata/script/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all strings.Builder
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.String()
}

func commands(c *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		list = append(list, commands(sub)...)
	}
	return list
}

// TestFlags_are_covered_by_scripts checks that a script in testdata/script uses
// each flag of --help.
func TestFlags_are_covered_by_scripts(t *testing.T) {
	t.Parallel()
	all := scripts(t)
	for _, c := range commands(cli.NewRoot(&command.Env{})) {
		words := strings.TrimPrefix(c.CommandPath(), "wsk ")
		if c.Name() == "help" || !c.HasParent() {
			continue
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			name := `--` + f.Name
			if f.Shorthand != "" {
				name = `(--` + f.Name + `|-` + f.Shorthand + `)`
			}
			if f.Name != "help" && !regexp.MustCompile(`(?m)\b`+words+` (.* )?`+name+`\b`).MatchString(all) {
				t.Errorf("no script types wsk %s --%s", words, f.Name)
			}
		})
	}
}

// TestHelp_fits_80_columns checks that every command and flag has help, and no
// line of it is wider than 80 columns.
func TestHelp_fits_80_columns(t *testing.T) {
	t.Parallel()
	for _, c := range commands(cli.NewRoot(&command.Env{})) {
		if c.Name() == "help" {
			continue
		}
		if c.Short == "" || c.HasParent() && c.Runnable() && !c.HasSubCommands() && c.Example == "" {
			t.Errorf("%s has no help or no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Long + "\n" + c.UsageString()) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
				t.Errorf("%s --help has a line of %d columns: %s", c.CommandPath(), n, line)
			}
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no help", c.CommandPath(), f.Name)
			}
		})
	}
}

// shared lists what may differ between the flags of one name, and why.
var shared = map[string]string{
	"direction": "replay sends what was received, unless told",
	"event":     "one in render and sandbox deliveries, globs where records are selected",
	"file":      "what is signed or verified is stdin by default, and a payload the catalog's sample",
	"format":    "export writes NDJSON by default, the others text",
	"id":        "one where a request is made, several where records are selected",
	"platform":  "a default where nothing else names the platform",
	"port":      "that of a server, or the address of one",
	"retries":   "trigger also retries as the platform does",
	"speed":     "replay keeps no gaps by default",
}

// TestFlags_are_one_vocabulary checks that flags of the same name have the same type
// and the same default, that no command lacks --json, and that --json is a
// short form of --format.
func TestFlags_are_one_vocabulary(t *testing.T) {
	t.Parallel()
	type meaning struct{ command, kind, value, argument string }
	known, short := map[string]meaning{}, map[string]string{}
	differs := map[string]bool{}
	// These write a file of their own format, or only words.
	noResult := []string{"wsk", "wsk completion", "wsk render init"}
	for _, c := range commands(cli.NewRoot(&command.Env{})) {
		if c.Name() == "help" {
			continue
		}
		has := map[string]bool{}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			has[f.Name] = true
			if f.Shorthand != "" && short[f.Shorthand] != "" && short[f.Shorthand] != f.Name {
				t.Errorf("%s: -%s is short for --%s, and elsewhere for --%s", c.CommandPath(), f.Shorthand, f.Name, short[f.Shorthand])
			}
			short[f.Shorthand] = f.Name
			argument, _ := pflag.UnquoteUsage(f)
			m := meaning{c.CommandPath(), f.Value.Type(), f.DefValue, argument}
			first, found := known[f.Name]
			if !found {
				known[f.Name] = m
				return
			}
			if m.kind == first.kind && m.value == first.value && m.argument == first.argument {
				return
			}
			differs[f.Name] = true
			if shared[f.Name] == "" {
				t.Errorf("--%s of %s is a %s %s, default %q; that of %s a %s %s, default %q", f.Name,
					m.command, m.kind, m.argument, m.value, first.command, first.kind, first.argument, first.value)
			}
		})
		isGroup := c.HasSubCommands() && c.CommandPath() != "wsk render" && c.CommandPath() != "wsk sandbox"
		if !has["json"] && !isGroup && !slices.Contains(noResult, c.CommandPath()) {
			t.Errorf("%s has no --json", c.CommandPath())
		}
		if has["json"] != has["format"] {
			t.Errorf("%s has only one of --json and --format", c.CommandPath())
		}
	}
	for name := range shared {
		if !differs[name] {
			t.Errorf("--%s is the same in all commands, and need not be listed", name)
		}
	}
}

// TestFlags_json_is_one_document checks that a script holds the JSON of each
// command to one document. The output of a server is a stream.
func TestFlags_json_is_one_document(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../testdata/script/json.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands(cli.NewRoot(&command.Env{})) {
		words := c.CommandPath()
		if c.Flags().Lookup("json") == nil || words == "wsk listen" || words == "wsk sandbox" {
			continue
		}
		if !regexp.MustCompile(`(?m)\b` + words + ` (.* )?--json\b.*\ndocument\b`).Match(raw) {
			t.Errorf("json.txtar does not run %s --json", words)
		}
	}
}
