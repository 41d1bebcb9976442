package lint_test

import (
	"fmt"

	"github.com/wskdev/wsk/pkg/lint"
)

func Example() {
	payload := []byte(`{
  "event_type": "timesheet.created",
  "timestamp": "2026-03-17T21:05:00Z",
  "source": "site_clock",
  "data": {
    "emp_number": "EMP-3187",
    "timesheet_date": "2026-03-17",
    "total_hours": 9,
    "entries": [{"entry_date": "2026-03-18", "hours": 25}]
  }
}`)
	linter := lint.New(lint.Config{})
	checker := linter.NewChecker() // one for each goroutine
	result := checker.Payload(payload)
	fmt.Println(result.Form, result.Event, result.Errors())
	for _, f := range result.Findings {
		fmt.Printf("%d:%d: %s: %s (%s)\n", f.Line, f.Column, f.Severity, f.Message, f.Rule)
	}
	// Output:
	// inbound timesheet.created 2
	// 8:20: warning: total_hours is 9, the entries add up to 25 (hours-sum)
	// 9:32: error: entry_date 2026-03-18 differs from timesheet_date 2026-03-17 (entry-date)
	// 9:55: error: hours must be at most 24, is 25 (range)
}

func ExampleChecker_Fix() {
	checker := lint.New(lint.Config{}).NewChecker()
	fixed, places := checker.Fix([]byte(`{"event": "invoicePaid", "data": {"ids": [1, 2,],},}`))
	fmt.Println(places, string(fixed))
	// Output: 3 {"event": "invoicePaid", "data": {"ids": [1, 2]}}
}
