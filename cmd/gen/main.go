// Command gen writes what is derived from the command tree, the completion
// scripts in completions/ and the man pages, and what is derived from the
// catalog, the Go types in pkg/events. All but the man pages, which releases
// contain, are committed.
//
//	go run ./cmd/gen
//	go run ./cmd/gen --man man
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra/doc"

	"github.com/wskdev/wsk/cmd/wsk/cli"
	"github.com/wskdev/wsk/cmd/wsk/cli/completion"
	"github.com/wskdev/wsk/cmd/wsk/command"
)

// fileNames are the names under which each shell looks for a script.
var fileNames = map[string]string{
	"bash":       "wsk.bash",
	"zsh":        "_wsk",
	"fish":       "wsk.fish",
	"powershell": "wsk.ps1",
}

func main() {
	completions := flag.String("completions", "completions", "write the completion scripts to `DIR`")
	events := flag.String("events", filepath.Join("pkg", "events"), "write the Go types of the events below `DIR`")
	man := flag.String("man", "", "write the man pages to `DIR`; none are written without it")
	flag.Parse()
	err := writeCompletions(*completions)
	if err == nil {
		err = writeEvents(*events)
	}
	if err == nil && *man != "" {
		err = writeMan(*man)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func writeCompletions(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := cli.NewRoot(&command.Env{})
	for _, shell := range completion.Shells() {
		var script bytes.Buffer
		if err := completion.Write(root, shell, &script); err != nil {
			return fmt.Errorf("writing the completion of %s: %w", shell, err)
		}
		if err := os.WriteFile(filepath.Join(dir, fileNames[shell]), script.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func writeMan(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := cli.NewRoot(&command.Env{})
	root.DisableAutoGenTag = true
	epoch := time.Unix(0, 0).UTC() // the same tree gives the same pages
	return doc.GenManTree(root, &doc.GenManHeader{Title: "WSK", Section: "1", Source: "wsk", Manual: "wsk", Date: &epoch}, dir)
}
