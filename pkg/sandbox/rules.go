package sandbox

import "github.com/wskdev/wsk/pkg/sandbox/internal/rules"

// Rule is a reason for which the sandbox refuses a request.
type Rule struct {
	ID      string `json:"id"`
	Refused string `json:"refused"` // what is refused
	Source  string `json:"source"`  // [Page]: WorkSkedge's Webhooks page states it; [Ours]: the sandbox decided it
	Section string `json:"section"` // of that page; "" for a rule of ours
	Off     string `json:"off"`     // the flag of wsk sandbox that turns the rule off; "" if none does
}

// The sources of rules.
const (
	Page = "page"
	Ours = "ours"
)

const lenient = "--lenient" // sets Config.Lenient

// requestRules are about a request, whatever its event is.
var requestRules = []Rule{
	{ID: "method", Refused: "a request that is not a POST", Source: Page, Section: "Inbound Webhooks"},
	{ID: "encoding", Refused: "a body with a Content-Encoding", Source: Ours},
	{ID: "size", Refused: "a body of more than 1 MiB", Source: Ours},
	{ID: "api-key", Refused: "a request without a known API key", Source: Page, Section: "Authentication"},
	{ID: "rate-limit", Refused: "a request beyond 50 a minute or 1,000 an hour for an API key", Source: Page, Section: "Rate Limits", Off: "--no-limits"},
	{ID: "source", Refused: "an X-Webhook-Source that is not one of those listed", Source: Page, Section: "Authentication Headers"},
	{ID: "signature", Refused: "a missing or wrong signature; test.connection may be unsigned", Source: Page, Section: "Authentication Headers"},
	{ID: "timestamp", Refused: "a request without a timestamp", Source: Page, Section: "Authentication Headers"},
	{ID: "timestamp-window", Refused: "a timestamp more than 5 minutes from now", Source: Ours, Off: lenient},
	{ID: "lint", Refused: "an event that contradicts the documents: wsk lint calls it an error", Source: Page, Section: "Common Error Codes"},
	{ID: "custom-field", Refused: "a custom field that the company's configuration does not name", Source: Ours, Off: lenient},
}

// Rules returns every reason for which the sandbox refuses a request, and
// whether WorkSkedge's page states it: first those about any request, in the
// order in which they are checked, then those about events.
func Rules() []Rule {
	list := append([]Rule{}, requestRules...)
	for _, r := range rules.Rules() {
		rule := Rule{ID: r.ID, Refused: r.Refused, Source: Page, Section: r.Section}
		if !r.IsDocumented() {
			rule.Source, rule.Off = Ours, lenient
		}
		list = append(list, rule)
	}
	return list
}
