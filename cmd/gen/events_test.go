package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// The types that are committed are those of the catalog.
func TestEvents_are_current(t *testing.T) {
	t.Parallel()
	for _, p := range eventPackages {
		files, err := p.generate()
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join("..", "..", "pkg", "events", string(p.Platform))
		for name, want := range files {
			if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s/%s is not what the catalog gives (%v): run make generate", p.Platform, name, err)
			}
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if files[entry.Name()] == nil {
				t.Errorf("%s/%s is not generated: remove it", p.Platform, entry.Name())
			}
		}
	}
}

func TestGoName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"work_order.created":          "WorkOrderCreated",
		"timesheets.processed.batch":  "TimesheetsProcessedBatch",
		"hireUpdated":                 "HireUpdated",
		"paymentRequestWorkerPaidOut": "PaymentRequestWorkerPaidOut",
		"po.attachment.added":         "POAttachmentAdded",
		"poNumber":                    "PONumber",
		"projectId":                   "ProjectID",
		"employee_ids":                "EmployeeIDs",
		"download_url":                "DownloadURL",
		"address_line_1":              "AddressLine1",
		"onsite-only":                 "OnsiteOnly",
		"REG":                         "REG",
		"identity":                    "Identity",
	} {
		if got := goName(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// A schema that no type fits is an error, and not a type that decodes less.
func TestTypeWriter_refuses(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		`{"type":["object","string"]}`:                                                    "are not supported",
		`{"type":["boolean","number"]}`:                                                   "are not supported",
		`{"$ref":"../defs.json#/$defs/nothing"}`:                                          "is not an entry of $defs",
		`{"$ref":"../nothing.json#/$defs/a"}`:                                             "nothing.json",
		`{"type":"array","items":{"type":["string","null"]}}`:                             "not supported",
		`{"type":"object","additionalProperties":{"type":["string","null"]}}`:             "not supported",
		`{"type":"object","properties":{"a_b":{"type":"string"},"aB":{"type":"string"}}}`: "the field AB",
		`{"type":"string","enum":["a b","a_b"]}`:                                          "the constant NameAB",
		`{"type":"object","properties":{"a":{"type":"object","properties":{"x":{}}},"as":{"type":"array","items":{"type":"object","properties":{"y":{}}}}}}`: "the type NameA",
	} {
		w := typeWriter{types: map[string]*goType{}, file: "outbound.go"}
		m, err := w.member(schemaNode{"workskedge/outbound/a.json", gjson.Parse(schema)}, "Name")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %q", schema, m, err, want)
		}
	}
}
