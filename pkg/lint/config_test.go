package lint_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestCheckerPayloadScope(t *testing.T) {
	t.Parallel()
	tests := []struct {
		config  lint.Config
		payload string
		want    string // platform form event, and the first rule
	}{
		{lint.Config{}, `{"event_type":"test.connection"}`, "workskedge inbound test.connection required"},
		{lint.Config{}, `{"event_type":"work_order.created","event_id":1}`, "workskedge outbound work_order.created required"},
		{lint.Config{}, `{"company_id":1,"event_type":"work_order.created"}`, "workskedge outbound work_order.created required"},
		{lint.Config{}, `{"event":"workorder.created"}`, "workskedge compact workorder.created required"},
		{lint.Config{}, `{"event":"hireUpdated"}`, "worksome worksome hireUpdated required"},
		{lint.Config{}, `{"\u0065vent":"hire\u0055pdated"}`, "worksome worksome hireUpdated required"},
		{lint.Config{}, `{}`, "workskedge inbound  envelope"},
		{lint.Config{}, ``, "workskedge inbound  syntax"},
		{lint.Config{Form: webhook.Outbound}, `{"event_type":"work_order.created"}`, "workskedge outbound work_order.created required"},
		{lint.Config{Form: webhook.Compact}, `{"event_type":"workorder.created"}`, "workskedge compact workorder.created required"},
		{lint.Config{Form: webhook.Compact}, `{"event":"workorder.created","event_type":"x"}`, "workskedge compact workorder.created required"},
		{lint.Config{Form: webhook.WorksomeForm}, `{"event":"a.b"}`, "worksome worksome a.b unknown-event"},
		{lint.Config{Form: webhook.Template}, `{"event":"accepted"}`, "workmarket template accepted "},
		{lint.Config{Platform: webhook.Worksome}, `{"event":"a.b"}`, "worksome worksome a.b unknown-event"},
		{lint.Config{Platform: webhook.WorkSkedge}, `{"event":"hireUpdated"}`, "workskedge compact hireUpdated unknown-event"},
		{lint.Config{Platform: webhook.WorkMarket}, `{"event":"accepted"}`, "workmarket template accepted "},
	}
	for _, test := range tests {
		r := newLinter(t, test.config).NewChecker().Check([]byte(test.payload))
		got := string(r.Platform) + " " + string(r.Form) + " " + r.Event + " "
		if len(r.Findings) > 0 {
			got += r.Findings[0].Rule
		}
		if got != test.want {
			t.Errorf("%+v %s: %s, want %s", test.config, test.payload, got, test.want)
		}
	}
}

func TestCheckerUnknownEvents(t *testing.T) {
	t.Parallel()
	c := newLinter(t, lint.Config{}).NewChecker()
	for payload, want := range map[string]string{
		`{"event_type":"work_order.creatde"}`:                      `unknown inbound event "work_order.creatde": did you mean "work_order.created"?`,
		`{"event_type":"workorder.created"}`:                       "there is no inbound event workorder.created; workorder.created exists in the form compact",
		`{"event":"work_order.created"}`:                           "there is no compact event work_order.created; work_order.created exists in the form inbound",
		`{"event_type":"work_order.search","event_id":"e"}`:        "there is no outbound event work_order.search; work_order.search exists in the form inbound",
		`{"event_type":"zzz"}`:                                     `unknown inbound event "zzz": none of the `,
		`{"event_type":"../defs"}`:                                 `unknown inbound event "../defs": none of the `,
		`{"event_type":"` + strings.Repeat("é", 1<<20) + `"}`:      `unknown inbound event "` + strings.Repeat("é", 60),
		`{"event_type":"` + strings.Repeat("a/../", 1<<16) + `b"}`: `unknown inbound event "` + strings.Repeat("a/../", 12),
	} {
		r := c.Check([]byte(payload))
		if len(r.Findings) != 1 || r.Findings[0].Rule != "unknown-event" || !strings.HasPrefix(r.Findings[0].Message, want) || len(r.Findings[0].Message) > 300 || len(r.Event) > 200 {
			t.Errorf("%.60s: %.300s", payload, r.Findings)
		}
	}
}

func TestConfigRules(t *testing.T) {
	t.Parallel()
	payload := []byte(inbound("work_order.created", `{"project_code":"P","phase_name":"R","required_headcount":1,"nothing":1}`))
	for want, config := range map[string]lint.Config{
		"warning unknown-field, note alias":  {},
		"error unknown-field, note alias":    {Strict: true},
		"warning unknown-field, error alias": {Strict: true, Rules: map[string]report.Severity{"unknown-field": report.Warning, "alias": report.Error}},
		"note alias":                         {Strict: true, Rules: map[string]report.Severity{"unknown-field": report.Off}},
		"":                                   {Rules: map[string]report.Severity{"unknown-field": report.Off, "alias": report.Off}},
	} {
		var got []string
		for _, f := range newLinter(t, config).NewChecker().Check(payload).Findings {
			got = append([]string{f.Severity.String() + " " + f.Rule}, got...)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%+v: %q, want %q", config, got, want)
		}
	}
	// A rule that is off has no findings.
	for _, r := range lint.Rules() {
		c := newLinter(t, lint.Config{Rules: map[string]report.Severity{r.ID: report.Off}}).NewChecker()
		for _, text := range []string{"", "[]", "{}", `{"event_type":"x"}`, `{"event_type":1,"event":2}`, inbound("test.connection", "{}"), strings.Repeat("[", 600)} {
			for _, f := range c.Check([]byte(text)).Findings {
				if f.Rule == r.ID {
					t.Errorf("%s is off: %s", r.ID, f)
				}
			}
		}
	}
}

// TestCheckerPrefersErrors has more warnings than are kept, followed by an error.
func TestCheckerPrefersErrors(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 200 {
		many.WriteString(`"x` + strconv.Itoa(i) + `":1,`)
	}
	r := newLinter(t, lint.Config{}).NewChecker().Check([]byte(inbound("timesheet.created", sheet+many.String()+`"entries":[{"entry_date":"2026-03-18","hours":1}]}`)))
	if len(r.Findings) != schema.MaxFindings || r.Errors() != 1 {
		t.Errorf("%d findings, %d errors", len(r.Findings), r.Errors())
	}
}

func TestConfigCatalog(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"workskedge/inbound/own.event.json":         {Data: []byte(ownSchema)},
		"workskedge/inbound/timesheet.created.json": {Data: []byte(`{"properties":{"event_type":{},"timestamp":{},"source":{},"data":{"required":["crew"]}}}`)},
		"workskedge/inbound/broken.event.json":      {Data: []byte(`{"type":"object","patternProperties":{}}`)},
		"workskedge/inbound/far.event.json":         {Data: []byte(`{"$ref":"../../../../etc/passwd"}`)},
		"secret.json":                               {Data: []byte(`{}`)},
		"workskedge/secret.json":                    {Data: []byte(`{}`)},
	}
	c := newLinter(t, lint.Config{Catalog: catalogOf(t, files)}).NewChecker()
	for _, test := range []struct{ payload, want string }{
		{inbound("own.event", `{"code":"B1","ref":"scheduled"}`), ""},
		{inbound("own.event", `{"code":"B1","ref":1}`), "1:103 /data/ref error type"},
		{inbound("timesheet.created", sheet+`"crew":1}`), ""},
		{inbound("timesheet.created", sheet+`"entries":[{"entry_date":"2026-03-18"}]}`), "1:92 /data error required\n1:166 /data/entries/0/entry_date error entry-date"},
		{inbound("work_order.deleted", `{}`), "1:93 /data error required"},
		{inbound("broken.event", `{}`), "1:15 /event_type error shape"},
		{inbound("far.event", `{}`), "1:15 /event_type error shape"},
		{inbound("../secret", `{}`), "1:15 /event_type error unknown-event"},
		{inbound("../../secret", `{}`), "1:15 /event_type error unknown-event"},
		{inbound("own.event\\u0000", `{}`), "1:15 /event_type error unknown-event"},
	} {
		if got := summarize(c.Check([]byte(test.payload)).Findings); got != test.want {
			t.Errorf("%s: %s, want %s", test.payload, got, test.want)
		}
	}
}

// TestLinterIsShared shares one linter among goroutines, with more unknown events
// than it keeps.
func TestLinterIsShared(t *testing.T) {
	t.Parallel()
	l := newLinter(t, lint.Config{})
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			c := l.NewChecker()
			for i := range 200 {
				if r := c.Check([]byte(`{"event_type":"e` + strconv.Itoa(i+n*100) + `"}`)); r.Errors() != 1 {
					t.Error(summarize(r.Findings))
				}
			}
			for _, d := range samples() {
				if r := c.Check(d.Sample()); len(r.Findings) > 0 {
					t.Error(summarize(r.Findings))
				}
			}
		})
	}
	wait.Wait()
}

// TestCheckerPayloadForm checks that lint classifies envelopes as ParseEvent does.
func TestCheckerPayloadForm(t *testing.T) {
	t.Parallel()
	c := newLinter(t, lint.Config{}).NewChecker()
	for _, raw := range []string{
		`{"event":5,"data":{}}`, `{"event":"","timestamp":"t"}`, `{"event":["a.b"],"timestamp":1}`, `{"event":"hireUpdated","timestamp":"t"}`,
		`{"event":"a.b"}`, `{"event_type":5}`, `{"event_type":null,"company_id":null}`, `{"event_id":1,"event":"a.b","event_type":"c"}`,
		`{"event":"hireUpdated","event_type":"a.b"}`,
	} {
		event, _ := webhook.ParseEvent([]byte(raw))
		if r := c.Check([]byte(raw)); r.Form != event.Form || r.Platform != event.Platform {
			t.Errorf("%s: %s %s, want %s %s", raw, r.Platform, r.Form, event.Platform, event.Form)
		}
	}
}
