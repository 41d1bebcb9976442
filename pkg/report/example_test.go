package report_test

import (
	"fmt"
	"os"

	"github.com/wskdev/wsk/pkg/report"
)

// A step of GitHub Actions that prints this shows the finding in the pull
// request, beside line 14.
func Example() {
	w, err := report.New("github", os.Stdout, report.Tool{Name: "wsk", Version: "1.0.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = w.Source("order.json")
	_ = w.Finding(report.Finding{
		File: "order.json", Line: 14, Column: 5, Pointer: "/data/priority",
		Severity: report.Error, Rule: "type", Message: "priority must be a string, is an object",
	})
	if err := w.Close(report.Summary{Files: 1, Events: 1, Errors: 1}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ::error file=order.json,line=14,col=5,title=type::priority must be a string, is an object at /data/priority
}

func ExampleNew_unknownFormat() {
	_, err := report.New("sarf", os.Stdout, report.Tool{})
	fmt.Println(err)
	fmt.Println(report.Formats())
	// Output:
	// unknown format "sarf": did you mean "sarif"?
	// [text json ndjson sarif junit github]
}
