package schema_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// catalogPairs returns the pairs of the catalog that have samples.
func catalogPairs(tb testing.TB) []pair {
	tb.Helper()
	return slices.DeleteFunc(pairs(tb), func(p pair) bool { return !strings.HasSuffix(p.name, ".json") || len(p.payloads) == 0 })
}

// perPayload reports the time and the bytes per payload of an operation on many.
func perPayload(b *testing.B, all []pair) {
	b.Helper()
	count, size := 0, 0
	for _, p := range all {
		for _, payload := range p.payloads {
			count++
			size += len(payload)
		}
	}
	b.SetBytes(int64(size))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/payload")
	b.ReportMetric(float64(size)/float64(count), "B/payload")
}

// BenchmarkCheck checks each sample of the catalog once per operation, like
// BenchmarkOracle: compare the two.
func BenchmarkCheck(b *testing.B) {
	all := catalogPairs(b)
	var payloads [][][]byte
	for _, p := range all {
		var list [][]byte
		for _, payload := range p.payloads {
			list = append(list, []byte(payload))
		}
		payloads = append(payloads, list)
	}
	checker := new(schema.Checker)
	b.ReportAllocs()
	for b.Loop() {
		for i := range all {
			for _, payload := range payloads[i] {
				checker.Check(all[i].ours, payload)
			}
		}
	}
	perPayload(b, all)
}

// BenchmarkOracle does the same with the library that is the oracle, which needs
// decoded JSON.
func BenchmarkOracle(b *testing.B) {
	all := catalogPairs(b)
	b.ReportAllocs()
	for b.Loop() {
		for i := range all {
			for _, payload := range all[i].payloads {
				value, err := jsonschema.UnmarshalJSON(strings.NewReader(payload))
				if err == nil {
					err = all[i].oracle.Validate(value)
				}
				if err != nil {
					b.Fatal(all[i].name, err)
				}
			}
		}
	}
	perPayload(b, all)
}

// BenchmarkSize checks a work order with few, some and very many lines.
func BenchmarkSize(b *testing.B) {
	s, err := schema.Compile(filesOf(map[string]string{"order.json": `{
		"type": "object", "required": ["event_type", "timestamp", "data"],
		"properties": {
			"event_type": {"type": "string", "const": "work_order.created"}, "timestamp": {"type": "string", "format": "date-time"},
			"data": {"type": "object", "properties": {
				"id": {"type": "string"}, "people_required": {"type": "integer", "minimum": 0}, "priority": {"type": "string", "x-values": ["normal", "high"]},
				"lines": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {
					"name": {"type": "string", "maxLength": 100}, "completed": {"type": "boolean"}, "hours": {"type": "number"}}}}}}}}`}), "order.json")
	if err != nil {
		b.Fatal(err)
	}
	for name, lines := range map[string]int{"200B": 1, "2KB": 33, "200KB": 3450} {
		payload := []byte(`{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","data":{"id":"wo_1","people_required":2,"priority":"high","lines":[` +
			strings.Repeat(`{"name":"inspect the unit","completed":false,"hours":1.25},`, lines-1) + `{"name":"inspect the unit","completed":true,"hours":1.25}]}}`)
		b.Run(name, func(b *testing.B) {
			checker := new(schema.Checker)
			if found := checker.Check(s, payload); len(found) > 0 {
				b.Fatal(found)
			}
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				checker.Check(s, payload)
			}
		})
	}
}

// BenchmarkFindings checks a payload with a hundred findings and more.
func BenchmarkFindings(b *testing.B) {
	s := mustCompile(b, `{"items":{"properties":{"name":{"type":"string"}},"required":["id"]}}`)
	payload := []byte("[" + strings.Repeat(`{"name":1,"nam":2.0},`, 1000) + "{}]")
	checker := new(schema.Checker)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		checker.Check(s, payload)
	}
}

// BenchmarkCompile compiles an event's schema and the shared parts it uses.
func BenchmarkCompile(b *testing.B) {
	file := catalogFiles(b)[0]
	read := map[string][]byte{}
	load := func(name string) ([]byte, error) {
		if raw, ok := read[name]; ok {
			return raw, nil
		}
		raw, err := loadCatalog(name)
		read[name] = bytes.Clone(raw)
		return raw, err
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.Compile(load, file); err != nil {
			b.Fatal(fmt.Errorf("%s: %w", file, err))
		}
	}
}
