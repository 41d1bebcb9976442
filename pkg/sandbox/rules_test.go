package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestRules(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] || r.Refused == "" || (r.Source == Page) == (r.Section == "") || (r.Source != Page && r.Source != Ours) {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
	}
}

// TestConfigLenient sends what WorkSkedge's page does not forbid. It is refused
// with a warning for the user of the sandbox, unless the sandbox is lenient.
func TestConfigLenient(t *testing.T) {
	t.Parallel()
	for _, lenient := range []bool{false, true} {
		records := make(chan webhook.Record, 1)
		c := Config{Lenient: lenient, Received: func(r webhook.Record) { records <- r }}.withKey()
		c.Companies[0].CustomFields = map[string][]string{"vendor": {"license"}}
		d := newDesk(t, c)
		send := func(name, data string, change func(http.Header)) (reply, webhook.Record) {
			return d.request(event(name, data), change), <-records
		}
		send("timesheet.created", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15"}`, nil)
		got, record := send("timesheet.updated", `{"emp_number":"EMP-1","timesheet_date":"2026-01-15","status":"locked"}`, nil)
		if warned := strings.Contains(strings.Join(record.Verdict.Warnings, " "), "--lenient"); (got.status == 200) != lenient || warned == lenient {
			t.Errorf("lenient %v, draft to locked: %s, %q", lenient, got.raw, record.Verdict.Warnings)
		}
		if got, _ := send("vendor.created", `{"vendor_name":"V","custom_fields":{"other":"1"}}`, nil); (got.status == 200) != lenient {
			t.Errorf("lenient %v, a custom field: %s", lenient, got.raw)
		}
		body := event("test.connection", `{}`)
		old := func(h http.Header) {
			secret, err := webhook.NewSecret(testSecret)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := webhook.Sign([]byte(body), time.Now().Add(-time.Hour), secret)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{webhook.HeaderSignature, webhook.HeaderTimestamp} {
				h.Set(name, signed.Get(name))
			}
		}
		if got, _ := send("test.connection", `{}`, old); (got.status == 200) != lenient {
			t.Errorf("lenient %v, an old timestamp: %s", lenient, got.raw)
		}
		// Documented rules always apply.
		got, record = send("project.closed", `{"project_code":"P-9"}`, nil)
		if got.status != 400 || len(got.body.Details) != 1 || got.body.Details[0].Pointer != "/data/project_code" || len(record.Verdict.Warnings) > 0 {
			t.Errorf("lenient %v, an unknown project: %s, %q", lenient, got.raw, record.Verdict.Warnings)
		}
	}
}
