package payload_test

import (
	"fmt"
	"time"

	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

// projectCreated is the function of the package comment.
func projectCreated(data []byte, description string, now time.Time) ([]byte, error) {
	definition, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, "project.created")
	if err != nil {
		return nil, err
	}
	raw, err := payload.Wrap(definition, data, payload.Head{Time: now, Source: "erp"})
	if err != nil {
		return nil, err // data is not a JSON object
	}
	return payload.Set(raw, "data.description", payload.String(description))
}

// The data of an event becomes a complete envelope, and one member is changed.
func Example() {
	data := []byte(`{"project_code": "HPC-2026-014", "budget": 5000.00}`)
	raw, err := projectCreated(data, "Chiller plant", time.Date(2026, 3, 2, 15, 20, 0, 0, time.UTC))
	if err != nil {
		panic(err)
	}
	fmt.Println(string(raw))
	// Output:
	// {"event_type":"project.created","timestamp":"2026-03-02T15:20:00Z","source":"erp","data":{"project_code": "HPC-2026-014", "budget": 5000.00,"description":"Chiller plant"}}
}

// A property of the event's schema decides whether text is JSON or a string.
func ExampleValue() {
	definition, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, "work_order.created")
	if err != nil {
		panic(err)
	}
	for _, path := range []string{"data.people_required", "data.project_code"} {
		property, err := definition.Property(path)
		if err != nil {
			panic(err)
		}
		fmt.Println(path, property.Types, string(payload.Value(property, "12")))
	}
	// Output:
	// data.people_required [integer] 12
	// data.project_code [string] "12"
}
