// Package report writes findings in the formats that people and machines
// read: findings come in one by one, one document goes out.
//
//	w, err := report.New("sarif", os.Stdout, report.Tool{Name: "wsk", Version: "1.0.0"})
//	if err != nil { … }           // no such format
//	w.Source("order.json")        // also for a file without findings
//	w.Finding(report.Finding{File: "order.json", Line: 14, Column: 5, Severity: report.Error, Rule: "type", Message: "…"})
//	err = w.Close(report.Summary{Files: 1, Events: 1, Errors: 1})
//
// [Formats] lists the formats. Each finding is written when it comes, whole
// and in one call of Write, so memory does not grow with their number. What is
// known only at the end stands at the end: the counts of json and ndjson come
// last. JUnit XML has the counts of a suite before its cases, so a suite is
// kept until its file ends, or until it reaches 1 MiB: then it is written, and
// the file goes on in another suite of the same name.
//
// Messages, pointers and file names hold what other people sent. No format
// lets a control character, a bidirectional override or another invisible
// character through. JSON and XML write them as escapes that mean the same; in
// text and github they become visible: \x1b, \u202e.
//
// The package reads no file and keeps no state outside the writer. A writer is
// not for several goroutines at once.
package report
