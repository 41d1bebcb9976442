package lint_test

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/wskdev/wsk/pkg/lint"
)

// printFindings is the function of the package comment.
func printFindings(w io.Writer, payload []byte) error {
	linter, err := lint.New(lint.Config{}) // make it once: it compiles schemas
	if err != nil {
		return err
	}
	checker := linter.NewChecker() // one per goroutine
	result := checker.Check(payload)
	for _, f := range result.Findings {
		fmt.Fprintln(w, f) // error: priority must be a string, is an object (type) at /data/priority
	}
	if n := result.Errors(); n > 0 {
		return fmt.Errorf("%s has %d errors", result.Event, n)
	}
	return nil
}

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
	fmt.Println(printFindings(os.Stdout, payload))
	// Output:
	// warning: total_hours is 9, the entries add up to 25 (hours-sum) at /data/total_hours
	// error: entry_date 2026-03-18 differs from timesheet_date 2026-03-17 (entry-date) at /data/entries/0/entry_date
	// error: hours must be at most 24, is 25 (range) at /data/entries/0/hours
	// timesheet.created has 2 errors
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
