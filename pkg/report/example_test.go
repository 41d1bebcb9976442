package report_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/wskdev/wsk/pkg/report"
)

// write is the function of the package comment.
func write(out io.Writer, format, file string, findings []report.Finding) error {
	w, err := report.New(format, out, report.Tool{Name: "wsk", Version: "1.0.0"})
	if err != nil {
		return err // the format is unknown
	}
	if err := w.Source(file); err != nil { // shows a file without findings too
		return err
	}
	for _, f := range findings {
		if err := w.Finding(f); err != nil {
			return err
		}
	}
	return w.Close(report.Count(findings).Plus(report.Summary{Files: 1, Events: 1}))
}

// A step of GitHub Actions that prints this shows the finding in the pull
// request, next to line 14.
func Example() {
	err := write(os.Stdout, "github", "order.json", []report.Finding{{
		File: "order.json", Line: 14, Column: 5, Pointer: "/data/priority",
		Severity: report.Error, Rule: "type", Message: "priority must be a string, is an object",
	}})
	if err != nil {
		log.Fatal(err)
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

func ExampleWriteCases() {
	err := report.WriteCases(os.Stdout, "tap", "", []report.Case{
		{Name: "signature_valid", Verdict: report.Pass, Took: 12 * time.Millisecond},
		{Name: "signature_wrong", Verdict: report.Fail, Detail: "accepted a wrong signature with 200", Took: 8 * time.Millisecond},
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// TAP version 14
	// 1..2
	// ok 1 - signature_valid
	// not ok 2 - signature_wrong
	//   ---
	//   severity: fail
	//   message: "accepted a wrong signature with 200"
	//   duration_ms: 8.000
	//   ...
}
