// Command cilint checks the payloads in a folder of a repository against the event
// catalog, and writes a report for CI: sarif, junit, github, json, ndjson or text. It
// ends with 1 if payloads have errors, and with 2 if they cannot be checked. Run it in
// the root of the repository:
//
//	cilint payloads sarif > lint.sarif
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"path"
	"path/filepath"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
)

func main() {
	if len(os.Args) != 3 {
		log.Print("usage: cilint FOLDER FORMAT")
		os.Exit(2)
	}
	counts, err := check(os.Args[1], os.Args[2])
	switch {
	case err != nil:
		log.Print(err)
		os.Exit(2)
	case counts.Errors > 0:
		os.Exit(1)
	}
}

func check(folder, format string) (report.Summary, error) {
	w, err := report.New(format, os.Stdout, report.Tool{Name: "cilint", Rules: lint.Rules()})
	if err != nil {
		return report.Summary{}, err
	}
	root := path.Clean(filepath.ToSlash(folder)) // ./payloads/ is payloads
	counts, err := lint.Dir(context.Background(), os.DirFS("."), root, lint.Config{}, w)
	return counts, errors.Join(err, w.Close(counts))
}
