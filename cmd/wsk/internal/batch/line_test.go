package batch_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	employee = `{"emp_number":"E1","name":"Ada","email":"ada@example.com","employee_type":"site_worker"}`
	envelope = `{"event_type":"employee.created","timestamp":"2026-01-15T14:30:00Z","source":"hr","data":` + employee + `}`
)

func record(t testing.TB, body string) string {
	t.Helper()
	var b bytes.Buffer
	r := webhook.Record{ID: "rec_1", Request: webhook.Request{Method: "POST", URL: "/", Body: []byte(body)}}
	if err := webhook.NewEncoder(&b).Encode(r); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func inboundChecker(t testing.TB) *lint.Checker {
	t.Helper()
	linter, err := lint.New(lint.Config{Platform: webhook.WorkSkedge, Form: webhook.Inbound})
	if err != nil {
		t.Fatal(err)
	}
	return linter.NewChecker()
}

func employeeLinter(t testing.TB) batch.Linter {
	t.Helper()
	definition, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, "employee.created")
	if err != nil {
		t.Fatal(err)
	}
	return batch.Linter{
		Wrap: func(line []byte) ([]byte, error) {
			return payload.Wrap(definition, line, payload.Head{Time: time.Unix(0, 0), Source: "hr"})
		},
		Checker: inboundChecker(t),
	}
}

func TestLinterCheck(t *testing.T) {
	t.Parallel()
	wrapping := employeeLinter(t)
	whole := batch.Linter{Checker: inboundChecker(t)}
	unchecked := batch.Linter{}
	for _, test := range []struct {
		name   string
		linter batch.Linter
		line   string
		want   []string // column: severity: rule
	}{
		{"a data object", wrapping, employee, nil},
		{"an envelope of the event", wrapping, envelope, nil},
		{"an envelope of another event", wrapping, strings.Replace(envelope, "created", "deleted", 1), []string{"1: error: envelope"}},
		{"a record", wrapping, record(t, envelope), nil},
		{"a place in a data object is that of the file", wrapping, strings.Replace(employee, "ada@", "ada", 1), []string{"41: warning: undocumented-format"}},
		{"a place behind spaces too", wrapping, "  " + strings.Replace(employee, "ada@", "ada", 1), []string{"43: warning: undocumented-format"}},
		{"a warning", wrapping, strings.Replace(employee, `"name"`, `"colour":"red","name"`, 1), []string{"20: warning: unknown-field"}},
		{"broken JSON", wrapping, `{"emp_number":`, []string{"15: error: syntax"}},
		{"a record that is cut off", whole, `{"type":"record","request":{"method":"POST",`, []string{"45: error: syntax"}},
		{"a frame that is cut off", whole, `{"type":"ready"`, []string{"16: error: syntax"}},
		{"an envelope that names its event", whole, envelope, nil},
		{"a record that names its event", whole, record(t, envelope), nil},
		{"a data object without an event", whole, employee, []string{"1: error: envelope"}},
		{"an outbound envelope", whole, `{"event_id":"e","event_type":"workorder.created","timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{}}`, []string{"1: error: envelope"}},
		{"without a checker only the envelope counts", unchecked, strings.Replace(envelope, "ada@", "ada", 1), nil},
		{"and it has to be one", unchecked, employee, []string{"1: error: envelope"}},
	} {
		findings, isEvent := test.linter.Check(batch.Line{N: 7, Row: 7, Column: 1, Raw: []byte(test.line + "\r\n")})
		var got []string
		for _, f := range findings {
			if f.Line != 7 || f.Message == "" {
				t.Errorf("%s: %+v", test.name, f)
			}
			got = append(got, fmt.Sprintf("%d: %s: %s", f.Column, f.Severity, f.Rule))
		}
		if !isEvent || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, %t; want %q\n%+v", test.name, got, isEvent, test.want, findings)
		}
	}
	for _, frame := range []string{`{"type":"ready","url":"http://127.0.0.1:3000"}`, `{"type":"summary"}`} {
		if findings, isEvent := whole.Check(batch.Line{N: 1, Row: 1, Column: 1, Raw: []byte(frame)}); isEvent || findings != nil {
			t.Errorf("%s is an event: %v", frame, findings)
		}
		if _, isEvent := wrapping.Check(batch.Line{N: 1, Row: 1, Column: 1, Raw: []byte(frame)}); !isEvent {
			t.Errorf("%s is skipped, although a data object may look so", frame)
		}
	}
	if findings, isEvent := whole.Check(batch.Line{N: 1, Row: 1, Column: 1, TooLong: true}); !isEvent || len(findings) != 1 || findings[0].Rule != "length" {
		t.Errorf("a line that is too long: %v", findings)
	}
}

func TestLinterEvent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		line, want string
	}{
		"an envelope is sent byte for byte":         {envelope, envelope},
		"a data object is wrapped":                  {employee, `{"event_type":"employee.created","timestamp":"1970-01-01T00:00:00Z","source":"hr","data":` + employee + `}`},
		"the body of a record is sent":              {record(t, envelope), envelope},
		"the line end is not part of a data object": {employee + "\r", `{"event_type":"employee.created","timestamp":"1970-01-01T00:00:00Z","source":"hr","data":` + employee + `}`},
	} {
		event, err := employeeLinter(t).Event(batch.Line{N: 1, Row: 1, Column: 1, Raw: []byte(test.line + "\n")})
		if err != nil || string(event.Raw) != test.want || event.Type != "employee.created" {
			t.Errorf("%s: %s, %v", name, event.Raw, err)
		}
	}
}
