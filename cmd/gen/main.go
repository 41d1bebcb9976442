// Command gen writes what is made from the command tree: the completion
// scripts in completions/, and with --man the man pages.
//
//	go run ./cmd/gen
//	go run ./cmd/gen --man man
package main

import (
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

func main() {
	completions := flag.String("completions", "completions", "the folder for completion scripts")
	man := flag.String("man", "", "the folder for man pages; none are written without it")
	flag.Parse()
	err := writeCompletions(*completions)
	if err == nil && *man != "" {
		err = writeMan(*man)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// fileNames are the names under which each shell looks for a script.
func fileNames() map[string]string {
	return map[string]string{"bash": "wsk.bash", "zsh": "_wsk", "fish": "wsk.fish", "powershell": "wsk.ps1"}
}

func writeCompletions(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, shell := range completion.Shells() {
		if err := writeCompletion(filepath.Join(dir, fileNames()[shell]), shell); err != nil {
			return err
		}
	}
	return nil
}

func writeCompletion(path, shell string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := completion.Write(cli.NewRoot(&command.Env{}), shell, file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return file.Close()
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
