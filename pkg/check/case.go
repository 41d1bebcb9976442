package check

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Severity is how much a case weighs.
type Severity string

// The severities. A case that does not hold is a failure when it is an Error
// and a warning when it is a Warning.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Verdict is what became of a case.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	Fail Verdict = "fail"
	Warn Verdict = "warn"
	Skip Verdict = "skip"
)

// Mend says how to mend a receiver, in one sentence for each language.
type Mend struct {
	Node   string `json:"node"`
	Python string `json:"python"`
	PHP    string `json:"php"`
	Go     string `json:"go"`
}

// Case is one thing that a receiver is held to.
type Case struct {
	ID       string
	Severity Severity
	Title    string // what is right, in one line
	Why      string // why it matters, in a sentence or two
	Mend     Mend

	platforms []webhook.Platform // none: all
	after     string             // the case that explains this one, where that was answered with 2xx
	always    bool               // it can be told although the valid event was refused
	send      func(*session) []*shot
	want      want
	judge     func(context.Context, *session) (finding, error) // in place of send and want
}

// shot is one request of a case.
type shot struct {
	what    string // "a signature of 63 digits"
	method  string // default: POST
	attempt int    // for X-Webhook-Retry
	header  webhook.Header
	body    []byte
	right   string // the signature that would be right for it
}

// want is what a receiver is expected to answer.
type want uint8

const (
	taken           want = iota // 2xx
	refused                     // 4xx
	takenOrTooLarge             // 2xx or 413
	notTaken                    // anything but 2xx
)

// finding is what a case has come to.
type finding struct {
	verdict Verdict // "": it holds
	status  int
	detail  string
	record  *webhook.Record // that decided
}

// judged says what is wrong with an answer, or "".
func (w want) judged(what string, r *webhook.Record) string {
	if r.Response == nil {
		return fmt.Sprintf("gave no answer to %s: %s", what, r.Error)
	}
	status := r.Response.Status
	answered := fmt.Sprintf("answered %d to %s", status, what)
	class := status / 100
	switch {
	case class == 2 && w != refused && w != notTaken,
		class == 4 && w == refused,
		class != 2 && w == notTaken,
		status == http.StatusRequestEntityTooLarge && w == takenOrTooLarge:
		return ""
	case class == 2:
		return fmt.Sprintf("took %s, and answered %d", what, status)
	case class == 5 && w == refused:
		return answered + ": it crashed, and the platform would send it six times"
	case class == 3:
		return answered + ": a redirect is not followed, and counts as a failure"
	}
	return answered
}

// Cases lists the cases for a platform in the order in which they run.
func Cases(p webhook.Platform) []Case {
	all := slices.Concat(firstCases(), bodyCases(), shapeCases(), forgeryCases(), timestampCases(), deliveryCases(), lastCases())
	var list []Case
	for i := range all {
		if only := all[i].platforms; len(only) == 0 || slices.Contains(only, p) {
			list = append(list, all[i])
		}
	}
	return list
}
