package lint_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
)

// Envelopes for test data.
func inbound(event, data string) string {
	return `{"event_type":"` + event + `","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":` + data + `}`
}

func compact(event, data string) string {
	return `{"event":"` + event + `","timestamp":"2026-01-15T14:30:00Z","data":` + data + `}`
}

// sheet is the start of the data of a timesheet.
const sheet = `{"emp_number":"E1","timesheet_date":"2026-03-17",`

// ownSchema is a custom schema as users write them.
const ownSchema = `{
	"type": "object", "required": ["event_type", "data"],
	"properties": {
		"event_type": {"const": "own.event"}, "timestamp": {}, "source": {},
		"data": {"type": "object", "properties": {
			"code": {"type": "string", "pattern": "^[A-Z][0-9]+$"},
			"old": {"x-deprecated": "new"}, "new": {}, "ref": {"$ref": "../defs.json#/$defs/work_order_status"}
		}}
	}
}`

// TestRules has payloads with and without a finding for each rule.
func TestRules(t *testing.T) {
	t.Parallel()
	order := func(data string) string {
		return inbound("work_order.created", "{\n\"project_code\":\"P1\",\"phase_name\":\"Roof\"\n"+data+"}")
	}
	own := func(data string) string { return inbound("own.event", "{\n"+data+"}") }
	customer := func(data string) string { return inbound("customer.updated", "{\n"+data+"}") }
	po := func(data string) string { return compact("po.created", "{\n"+data+"}") }
	tests := []struct{ rule, bad, want, good string }{
		{"syntax", `{"event_type":"x",`, "1:19  error syntax", ""},
		{"syntax", "", "1:1  error syntax", ""},
		{"syntax", " \n ", "1:1  error syntax", ""},
		{"syntax", "\xef\xbb\xbf{}", "1:1  error syntax", ""},
		{"syntax", "\xff\xfe{\x00}\x00", "1:1  error syntax", ""},
		{"syntax", order(`,"status":NaN`), "3:11 /data/status error syntax", order(`,"status":"scheduled"`)},
		{"syntax", order(`,"site_lead_emp_number":"é\ud800"`), `3:27 /data/site_lead_emp_number error syntax`, order(`,"site_lead_emp_number":"é\ud83d\ude00"`)},
		{"syntax", order(`,"site_lead_emp_number":"é` + "\xff\""), "3:27 /data/site_lead_emp_number error syntax", ""},
		{"syntax", order("") + "{}", "3:3  error syntax", ""},
		{"depth", strings.Repeat("[", 600), "1:513 " + strings.Repeat("/0", 512) + " error depth", ""},
		{"depth", order(`,"custom_fields":` + strings.Repeat("[", 511)), "3:528 /data/custom_fields" + strings.Repeat("/0", 510) + " error depth", ""},
		{"duplicate-key", order(`,"phase_name":"Wall"`), "3:2 /data/phase_name error duplicate-key", order("")},
		{"duplicate-key", order(`,"phase\u005fname":"Wall"`), "3:2 /data/phase_name error duplicate-key", order("")},
		{"envelope", " []", "1:2  error envelope", order("")},
		{"envelope", "12", "1:1  error envelope", ""},
		{"envelope", `"work_order.created"`, "1:1  error envelope", ""},
		{"envelope", "null", "1:1  error envelope", ""},
		{"envelope", "\n {}", "2:2  error envelope", ""},
		{"envelope", swap(t, order(""), `{`, `{"event":"x",`), "1:2 /event warning unknown-field\n1:10 /event error envelope", order("")},
		{"type", `{"event_type":5}`, "1:15 /event_type error type", ""},
		{"type", `{"event":null}`, "1:10 /event error type", ""},
		{"type", order(`,"people_required":"3"`), "3:20 /data/people_required error type", order(`,"people_required":3`)},
		{"unknown-event", inbound("work_order.creatde", "{}"), "1:15 /event_type error unknown-event", ""},
		{"unknown-event", `{"event_type":""}`, "1:15 /event_type error unknown-event", ""},
		{"required", inbound("work_order.created", "{\n\"project_code\":\"P1\"}"), "1:93 /data error required", order("")},
		{"required", `{"event_type":"test.connection","timestamp":"2026-01-15T14:30:00Z","source":"erp"}`, "1:1  error required", ""},
		{"closed-set", inbound("project.search", "{\n"+`"search_term":"a","search_field":"name"}`), "2:34 /data/search_field error closed-set", inbound("project.search", `{"search_term":"a","search_field":"project_name"}`)},
		{"format", order(`,"start_date":"2026-02-30"`), "3:15 /data/start_date error format", order(`,"start_date":"2026-02-28"`)},
		{"range", inbound("timesheet.created", sheet+`"total_hours":-1}`), "1:155 /data/total_hours error range", inbound("timesheet.created", sheet+`"total_hours":0}`)},
		{"length", inbound("project.search", "{\n"+`"search_term":""}`), "2:15 /data/search_term error length", inbound("project.search", `{"search_term":"a"}`)},
		{"shape", own(`"code":"b1"`), "2:8 /data/code error shape", own(`"code":"B1"`)},
		{"deprecated", own(`"old":1`), "2:1 /data/old note deprecated", own(`"new":1`)},
		{"undocumented-payload", `{"event":"invoicePaid","data":{}}`, "1:1  note undocumented-payload", `{"event":"hireUpdated"}`},
		{"undocumented-value", order(`,"status":"paused"`), "3:11 /data/status warning undocumented-value", order(`,"status":"scheduled"`)},
		{"plain-http", customer(`"website":"http://a.example"`), "2:11 /data/website warning plain-http", customer(`"website":"https://a.example"`)},
		{"masked-email", customer(`"email":"[email protected]"`), "2:9 /data/email warning masked-email", customer(`"email":"a@b.example"`)},
		{"masked-email", customer(`"email":"[email\u00a0protected]"`), "2:9 /data/email warning masked-email", ""},
		{"masked-email", customer(`"email":"j***@b.example"`), "", ""},
		{
			"entry-date", inbound("timesheet.created", sheet+"\n"+`"entries":[{"entry_date":"2026-03-18","hours":8,"work_type_code":"REG"}]}`),
			"2:26 /data/entries/0/entry_date error entry-date",
			inbound("timesheet.created", sheet+"\n"+`"entries":[{"entry_date":"2026-03-17","hours":8,"work_type_code":"REG"}]}`),
		},
		{"unknown-field", order(`,"projct_code":"P1"`), "3:2 /data/projct_code warning unknown-field", order("")},
		{"end-before-start", order(`,"start_date":"2026-01-15","end_date":"2026-01-14"`), "3:39 /data/end_date warning end-before-start", order(`,"start_date":"2026-01-15","end_date":"2026-01-15"`)},
		{
			"hours-sum", inbound("timesheet.created", sheet+"\n"+`"total_hours":8,"entries":[{"hours":4,"entry_date":"2026-03-17"},{"hours":4.5,"entry_date":"2026-03-17"}]}`),
			"2:15 /data/total_hours warning hours-sum",
			inbound("timesheet.created", sheet+"\n"+`"total_hours":8.5,"entries":[{"hours":4,"entry_date":"2026-03-17"},{"hours":4.5,"entry_date":"2026-03-17"}]}`),
		},
		{"totals-sum", po(`"line_items":[{"quantity":2,"unit_price":1.5,"total":4}]`), "2:54 /data/line_items/0/total warning totals-sum", po(`"line_items":[{"quantity":2,"unit_price":1.5,"total":3}]`)},
		{"totals-sum", po(`"subtotal":3,"line_items":[{"total":2},{"total":2}]`), "2:12 /data/subtotal warning totals-sum", po(`"subtotal":4,"line_items":[{"total":2},{"total":2}]`)},
		{"totals-sum", po(`"subtotal":3,"tax":1,"total_amount":3`), "2:37 /data/total_amount warning totals-sum", po(`"subtotal":0.1,"tax":0.2,"total_amount":0.3`)},
		{"undocumented-format", customer(`"email":"nobody"`), "2:9 /data/email warning undocumented-format", customer(`"email":""`)},
		{"undocumented-type", order(`,"custom_fields":{"x":null}`), "3:23 /data/custom_fields/x note undocumented-type", order(`,"custom_fields":{"x":"none"}`)},
		{"missing-timestamp", `{"event":"workorder.created","data":{"id":"wo_123"}}`, "1:1  warning missing-timestamp", compact("workorder.created", `{"id":"wo_123"}`)},
		{"currency-case", po(`"currency":"usd"`), "2:12 /data/currency warning currency-case", po(`"currency":"USD"`)},
		{"rewritten-number", order(`,"custom_fields":{"cost":5000.00}`), "3:26 /data/custom_fields/cost note rewritten-number", order(`,"custom_fields":{"cost":5000}`)},
		{"rewritten-number", order(`,"custom_fields":{"id":9007199254740993}`), "3:24 /data/custom_fields/id note rewritten-number", order(`,"custom_fields":{"id":9007199254740991}`)},
		{"alias", order(`,"required_headcount":3`), "3:2 /data/required_headcount note alias", order(`,"people_required":3`)},
	}
	c := newLinter(t, lint.Config{Catalog: catalogOf(t, fstest.MapFS{"workskedge/inbound/own.event.json": {Data: []byte(ownSchema)}})}).NewChecker()
	tested := map[string]bool{}
	for _, test := range tests {
		tested[test.rule] = true
		result := c.Check([]byte(test.bad))
		got := summarize(ofRules(result.Findings, test.rule, test.want))
		if got != test.want && test.want != "" {
			t.Errorf("%s: %s\ngot  %s\nwant %s\nof\n%s", test.rule, test.bad, got, test.want, summarize(result.Findings))
		}
		if test.good == "" {
			continue
		}
		if result = c.Check([]byte(test.good)); len(ofRules(result.Findings, test.rule, "")) > 0 {
			t.Errorf("%s: %s has %s", test.rule, test.good, summarize(result.Findings))
		}
	}
	for _, r := range lint.Rules() {
		if !tested[r.ID] {
			t.Errorf("no payload for the rule %s", r.ID)
		}
	}
}

// ofRules returns the findings of a rule and of those that want names.
func ofRules(all []report.Finding, rule, want string) []report.Finding {
	var kept []report.Finding
	for _, f := range all {
		if f.Rule == rule || strings.Contains(want, " "+f.Rule) {
			kept = append(kept, f)
		}
	}
	return kept
}

func TestNew(t *testing.T) {
	t.Parallel()
	for want, config := range map[string]lint.Config{
		`unknown rule "entry-dat": did you mean "entry-date"?`: {Rules: map[string]report.Severity{"entry-dat": report.Off}},
		`rule type: unknown severity "Severity(0)"`:            {Rules: map[string]report.Severity{"type": 0}},
		`unknown platform "workskedg"`:                         {Platform: "workskedg"},
		`unknown form "outbond"`:                               {Form: "outbond"},
	} {
		if _, err := lint.New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", config, err, want)
		}
	}
}
