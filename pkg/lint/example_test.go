package lint_test

import (
	"fmt"
	"log"

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
	linter, err := lint.New(lint.Config{})
	if err != nil {
		log.Fatal(err)
	}
	result := linter.NewChecker().Payload(payload)
	fmt.Println(result.Form, result.Event, result.Errors())
	for _, f := range result.Findings {
		fmt.Println(f)
	}
	// Output:
	// inbound timesheet.created 2
	// warning: total_hours is 9, the entries add up to 25 (hours-sum) at /data/total_hours
	// error: entry_date 2026-03-18 differs from timesheet_date 2026-03-17 (entry-date) at /data/entries/0/entry_date
	// error: hours must be at most 24, is 25 (range) at /data/entries/0/hours
}

func ExampleChecker_Fix() {
	linter, err := lint.New(lint.Config{})
	if err != nil {
		log.Fatal(err)
	}
	fixed, places := linter.NewChecker().Fix([]byte(`{"event": "invoicePaid", "data": {"ids": [1, 2,],},}`))
	fmt.Println(places, string(fixed))
	// Output: 3 {"event": "invoicePaid", "data": {"ids": [1, 2]}}
}
