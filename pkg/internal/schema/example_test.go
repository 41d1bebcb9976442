package schema_test

import (
	"fmt"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

func ExampleChecker() {
	files := map[string]string{
		"order.json": `{
			"type": "object",
			"required": ["id"],
			"properties": {
				"id": {"type": "string"},
				"priority": {"$ref": "defs.json#/$defs/priority"},
				"start_date": {"type": "string", "format": "date"}
			}
		}`,
		"defs.json": `{"$defs": {"priority": {"type": "string", "x-values": ["normal", "high"]}}}`,
	}
	load := func(name string) ([]byte, error) { return []byte(files[name]), nil }
	s, err := schema.Compile(load, "order.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	checker := new(schema.Checker)
	for _, f := range checker.Check(s, []byte(`{"priority":"urgent","start_date":"15.1.2026"}`)) {
		fmt.Printf("%d %s: %s (violation: %v)\n", f.Offset, f.Pointer, f.Message(), f.Kind.IsViolation())
	}
	// Output:
	// 0 : id is required and missing (violation: true)
	// 12 /priority: priority is "urgent"; documented values are normal, high (violation: false)
	// 34 /start_date: start_date must be a date YYYY-MM-DD, is "15.1.2026" (violation: true)
}
