package render_test

import (
	"fmt"
	"time"

	"github.com/wskdev/wsk/pkg/render"
)

// A note with quotes stays within its string.
func ExampleTemplate_Render() {
	t, _ := render.Parse([]byte(`
event: Check In
method: POST
url: https://example.com/jobs/${assignment_id}
headers:
  Content-Type: application/json
body: '{"said": "${note}"}'
`))
	values, err := render.Samples(t.Event)
	if err != nil {
		panic(err)
	}
	request, findings := t.Render(values.With("note", `she said "no"`), time.Unix(1764000000, 0))
	fmt.Println(request.Method, request.URL)
	fmt.Println(string(request.Body))
	for _, f := range findings {
		fmt.Printf("%d:%d %s\n", f.Line, f.Column, f.Rule)
	}
	// Output:
	// POST https://example.com/jobs/4718206395
	// {"said": "she said \"no\""}
	// 7:18 value-unescaped
}
