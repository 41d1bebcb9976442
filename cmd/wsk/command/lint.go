package command

import (
	"fmt"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// LintBeforeSending lints an event and writes the findings to stderr. Errors are an
// [*AnswerNo]: nothing is to be sent.
func LintBeforeSending(env *Env, catalog *webhook.Catalog, e *webhook.Event) error {
	linter, err := lint.New(lint.Config{Platform: e.Platform, Form: e.Form, Catalog: catalog})
	if err != nil {
		return err
	}
	result := linter.NewChecker().Check(e.Raw)
	for _, f := range result.Findings {
		if f.Severity != report.Note {
			fmt.Fprintf(env.Err, "%s: %s\n", f.Severity, ui.Clean(FindingText(f.Message, f.Pointer, f.Rule)))
		}
	}
	if n := result.Errors(); n > 0 {
		return No(fmt.Errorf("%s in the payload, so nothing was sent; --no-lint sends it anyway", ui.Plural(n, "error")))
	}
	return nil
}
