package listen

import (
	"context"
	"net/http"
	"sync"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// linting notes in the record what lint says of a verified body. With strict,
// an error is answered with 422 and goes no further. A body that is no event
// of a platform is left alone, unless strict asks for one.
func linting(l *lint.Linter, strict bool, next receive.App) receive.App {
	checkers := sync.Pool{New: func() any { return l.NewChecker() }}
	return func(ctx context.Context, r *webhook.Record) receive.Answer {
		if r.Event == "" && !strict {
			return next(ctx, r)
		}
		checker, _ := checkers.Get().(*lint.Checker)
		result := checker.Payload(r.Request.Body)
		for _, f := range result.Findings {
			r.Verdict.Findings = append(r.Verdict.Findings, webhook.Remark{Severity: f.Severity.String(), Rule: f.Rule, Pointer: f.Pointer, Message: f.Message})
		}
		errors := result.Errors()
		checkers.Put(checker)
		if strict && errors > 0 {
			r.Verdict.Outcome, r.Verdict.Reason = webhook.Refused, "lint"
			return receive.Status(http.StatusUnprocessableEntity)
		}
		return next(ctx, r)
	}
}
