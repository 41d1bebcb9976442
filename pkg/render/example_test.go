package render_test

import (
	"fmt"
	"time"

	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The quotes of the note are escaped, so that the body stays JSON.
func Example() {
	request, err := renderNote([]byte(`
event: Check In
method: POST
url: https://example.com/jobs/${assignment_id}
headers:
  Content-Type: application/json
body: '{"said": "${note}"}'
`), `she said "no"`, time.Unix(1764000000, 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(request.Method, request.URL)
	fmt.Println(string(request.Body))
	// Output:
	// POST https://example.com/jobs/4718206395
	// {"said": "she said \"no\""}
}

// renderNote is the function of the package comment.
func renderNote(raw []byte, note string, now time.Time) (webhook.Request, error) {
	template, findings := render.Parse(raw) // YAML or JSON
	if report.Count(findings).Errors > 0 {
		return webhook.Request{}, fmt.Errorf("template: %v", findings)
	}
	values, err := render.Samples(template.Event)
	if err != nil {
		return webhook.Request{}, err
	}
	request, findings := template.Render(values.With("note", note), now)
	if report.Count(findings).Errors > 0 {
		return webhook.Request{}, fmt.Errorf("template: %v", findings)
	}
	return request, nil
}

// A finding names the line and column in the template's file.
func ExampleTemplate_Render() {
	template, _ := render.Parse([]byte(`
event: Check In
method: POST
url: https://example.com/
headers: {Content-Type: application/json}
body: '{"who": "${resource_emai}", "said": "${note}"}'
`))
	_, findings := template.Render(render.Values{"note": `"no"`}, time.Unix(1764000000, 0))
	for _, f := range findings {
		fmt.Printf("%d:%d %s %s\n", f.Line, f.Column, f.Severity, f.Rule)
	}
	// Output:
	// 6:17 error variable-unknown
	// 6:45 warning value-unescaped
}
