package schema

// Any returns the schema that takes every value: what is left is strict JSON.
func Any() *Schema { return &Schema{&node{types: isAnything, maxItems: -1, maxLength: -1}} }
