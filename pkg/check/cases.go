package check

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Fix says how to fix a receiver, in one sentence for each language.
type Fix struct {
	Node   string `json:"node"`
	Python string `json:"python"`
	PHP    string `json:"php"`
	Go     string `json:"go"`
}

// Case is one requirement that a receiver is checked for.
type Case struct {
	ID       string
	Severity report.Severity // of a broken case: report.Error for a failure, report.Warning for a warning
	Title    string          // the requirement, in one line
	Why      string          // why it matters, in a sentence or two
	Fix      Fix

	platforms []webhook.Platform // empty: all
	after     string             // an earlier case that explains this one if its request was accepted
	always    bool               // it runs even if the receiver refuses the valid event

	// A case either sends requests and expects each response to be as wanted,
	// or judges the receiver itself.
	send  func(*session) []*request
	want  expectation
	judge func(context.Context, *session) (finding, error)
}

// request is one request of a case.
type request struct {
	name      string // such as "a signature of 63 digits"
	method    string // default: POST
	attempt   int    // for X-Webhook-Retry
	header    webhook.Header
	body      []byte
	signature string // the valid signature of the body
}

// expectation is what the response to a request should be.
type expectation uint8

const (
	accepted           expectation = iota // 2xx
	refused                               // 4xx
	acceptedOrTooLarge                    // 2xx or 413
	notAccepted                           // anything but 2xx
)

// finding is what a case has found.
type finding struct {
	verdict report.Verdict // default: report.Pass
	status  int
	detail  string
	record  *webhook.Record // the exchange that decided, if one did
}

// failure is the finding of a case that one exchange has decided.
func failure(detail string, r *webhook.Record) finding {
	return finding{verdict: report.Fail, detail: detail, record: r, status: r.Status()}
}

// problem describes what is wrong with a response. It returns "" if the
// response is as expected.
func (e expectation) problem(name string, r *webhook.Record) string {
	if r.Response == nil {
		return fmt.Sprintf("did not respond to %s: %s", name, r.Error)
	}
	status := r.Response.Status
	class := status / 100
	switch {
	case class == 2 && (e == accepted || e == acceptedOrTooLarge),
		class == 4 && e == refused,
		class != 2 && e == notAccepted,
		status == http.StatusRequestEntityTooLarge && e == acceptedOrTooLarge:
		return ""
	case class == 2:
		return fmt.Sprintf("accepted %s with %d", name, status)
	}
	text := fmt.Sprintf("responded %d to %s", status, name)
	switch {
	case class == 5 && e == refused:
		text += ": the platform sends a request that gets a 5xx again, up to six times"
	case class == 3:
		text += ": platforms do not follow redirects, so the delivery fails"
	}
	return text
}

// Cases lists the cases for a platform, in the order in which they run.
func Cases(p webhook.Platform) []Case {
	all := slices.Concat([]Case{validCase}, bodyCases, signatureCases, timestampCases, deliveryCases, endpointCases)
	return slices.DeleteFunc(all, func(c Case) bool { return len(c.platforms) > 0 && !slices.Contains(c.platforms, p) })
}
