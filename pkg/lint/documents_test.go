package lint_test

import (
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/lint"
)

// TestCheckerPayload has payloads that the platforms' documents show or allow,
// and their neighbours that contradict them.
func TestCheckerPayload(t *testing.T) {
	t.Parallel()
	customer := func(data string) string { return inbound("customer.updated", `{"customer_name":"Acme",`+data+`}`) }
	fields := func(value string) string {
		return inbound("work_order.created", `{"project_code":"P1","phase_name":"Roof","custom_fields":{"x":`+value+`}}`)
	}
	hire := func(currency string) string {
		return swap(t, sampleOf(t, "worksome", "hireUpdated"), `"currency":"EUR"`, `"currency":"`+currency+`"`)
	}
	const half = `"total_hours":8,"entries":[{"entry_date":"2026-03-17","hours":2}]}`
	for name, test := range map[string]struct{ payload, want string }{
		"an e-mail address has no documented format":       {customer(`"email":"front desk"`), "warning undocumented-format /data/email"},
		"an empty e-mail address is none":                  {customer(`"email":""`), ""},
		"a website has no documented format":               {customer(`"website":"acme.example"`), "warning undocumented-format /data/website"},
		"an empty website is none":                         {customer(`"website":""`), ""},
		"an e-mail address is still a string":              {customer(`"email":5`), "error type /data/email"},
		"an attachment's URL has no documented format":     {compact("po.attachment.added", `{"attachment":{"download_url":"files/1"}}`), "warning undocumented-format /data/attachment/download_url"},
		"a worker's empty e-mail address is none":          {swap(t, sampleOf(t, "worksome", "hireUpdated"), `"tomasz.wilk@example.com"`, `""`), ""},
		"the test payload has no timestamp":                {`{"event":"workorder.created","data":{"id":"wo_123"}}`, "warning missing-timestamp "},
		"an outbound event has a timestamp":                {`{"event_type":"customer.deleted","event_id":"e","company_id":"c","data":{}}`, "error required "},
		"the entries of an update are partial":             {inbound("timesheet.updated", sheet+half), ""},
		"the entries of a compact update are partial":      {compact("timesheet.updated", sheet+half), ""},
		"the entries of a new timesheet add up":            {inbound("timesheet.created", sheet+half), "warning hours-sum /data/total_hours"},
		"a currency of Worksome is in ISO 4217":            {hire("EUX"), "error format /data/contract/currency"},
		"a currency of Worksome is in capitals":            {hire("eur"), "warning currency-case /data/contract/currency"},
		"a currency that was replaced is one":              {hire("HRK"), ""},
		"a currency of a purchase order is not documented": {compact("po.created", `{"currency":"EUX"}`), "warning undocumented-format /data/currency"},
		"the numbers of a purchase order are one note":     {compact("po.created", `{"not_to_exceed_amount":25000.00,"line_items":[{"quantity":2,"unit_price":5500.00,"total":11000.00}],"subtotal":11000.00,"tax":880.00,"total_amount":11880.00}`), "note rewritten-number /data/not_to_exceed_amount"},
		"a custom field may be null":                       {fields(`null`), "note undocumented-type /data/custom_fields/x"},
		"a custom field may be a list":                     {fields(`["a"]`), "note undocumented-type /data/custom_fields/x"},
		"a custom field may be an object":                  {fields(`{"a":1}`), "note undocumented-type /data/custom_fields/x"},
		"a custom field is shown as a text":                {fields(`"a"`), ""},
		"a custom field is shown as a number":              {fields(`2`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range newLinter(t, lint.Config{}).NewChecker().Check([]byte(test.payload)).Findings {
				got = append(got, f.Severity.String()+" "+f.Rule+" "+f.Pointer)
			}
			if strings.Join(got, "; ") != test.want {
				t.Errorf("%s\ngot  %s\nwant %s", test.payload, strings.Join(got, "; "), test.want)
			}
		})
	}
}
