package main

import (
	"os"
	"path/filepath"
	"regexp"
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
